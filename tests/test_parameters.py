"""Declarations of what users may set: one for each name, and what derives from it."""

import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import pytest

from plant_aggregate import Wawa
from plant_aggregate.assessment.ambiguity.settings import AmbiguitySettings
from plant_aggregate.cli.group import cli
from plant_aggregate.cli.options import make_strategy, options_of
from plant_aggregate.consensus import AMBIGUITY
from plant_aggregate.errors import ParameterError
from plant_aggregate.parameters import Interval, check_parameters, declared, kind_of, parameter
from plant_aggregate.pipeline import _files_of
from plant_aggregate.publishing.changes import result_settings
from plant_aggregate.publishing.record import FileFacts, RunRecord
from plant_aggregate.settings import AddOnSettings, InputFiles, PublishSettings, ReadSettings, RunningSettings, Settings
from plant_aggregate.simulation import Simulation
from plant_aggregate.strategies.registry import STRATEGIES
from plant_aggregate.taxon_names.settings import NameSettings


@dataclass(frozen=True)
class Toy:
    """Settings of a test."""

    share: float = parameter(0.5, "a share", "in [0, 1)")
    limit: int | None = parameter(None, "a limit", "at least 1", group="Running", unit="seconds")
    way: str = parameter("up", "a way", choices=("up", "down"))
    quiet: bool = parameter(False, "say nothing", changes_result=False)
    undeclared: int = 3

    def __post_init__(self) -> None:
        check_parameters(self)


def test_the_declaration_is_where_the_field_is() -> None:
    assert list(declared(Toy)) == ["share", "limit", "way", "quiet"] == list(declared(Toy()))
    assert declared(Toy)["limit"].group == "Running"
    assert [kind_of(Toy, name) for name in declared(Toy)] == [float, int, str, bool]


@pytest.mark.parametrize(
    ("settings", "saying"),
    [
        ({"share": 1.0}, "share is 1.0 but must be in [0, 1)"),
        ({"share": float("nan")}, "share is nan but must be in [0, 1)"),
        ({"limit": 0}, "limit is 0 but must be at least 1"),
        ({"limit": float("inf")}, "limit is inf but must be at least 1"),
        (
            {"share": -0.1, "way": "out"},
            "share is -0.1 but must be in [0, 1); way is 'out' but must be one of up, down",
        ),
    ],
)
def test_all_that_is_out_of_range_is_named(settings: dict[str, object], saying: str) -> None:
    with pytest.raises(ParameterError) as failure:
        Toy(**settings)  # type: ignore[arg-type]
    assert str(failure.value) == saying


@pytest.mark.parametrize(
    ("value", "saying"),
    [
        ({}, "theta_conf is a dict but must be a number: votes go to Wawa().fit_predict(votes)"),
        (np.zeros((2, 2)), "theta_conf is a numpy.ndarray but must be a number: votes go to Wawa().fit_predict(votes)"),
        ("2", "theta_conf is the text '2' but must be a number"),
    ],
)
def test_votes_and_texts_are_no_numbers(value: object, saying: str) -> None:
    with pytest.raises(TypeError, match=f"{re.escape(saying)}$"):
        Wawa(value)  # type: ignore[arg-type]
    assert Wawa(np.float32(2)) == Wawa(2)  # type: ignore[arg-type]


def test_an_end_of_a_range_may_be_another_parameter() -> None:
    interval = Interval.of("in (0, alpha]")
    assert interval is not None
    assert [interval.has(value) for value in (0.0, 1e300, float("inf"))] == [False, True, False]
    assert Interval.of("not too many") is None


def test_the_same_name_has_the_same_range_and_help_in_all_strategies() -> None:
    found: dict[str, set[tuple[object, ...]]] = {}
    for strategy in STRATEGIES.values():
        assert list(declared(strategy)) == [item.name for item in fields(strategy)]  # type: ignore[arg-type]
        for name, known in declared(strategy).items():
            same = (known.help, known.range, known.group, known.changes_result, kind_of(strategy, name))
            found.setdefault(name, set()).add(same)
    assert {name for name, declarations in found.items() if len(declarations) > 1} == set()


@pytest.mark.parametrize("words", ["in [0; 1]", "positive", "at most 3"])
def test_a_range_that_cannot_be_checked_is_no_declaration(words: str) -> None:
    with pytest.raises(ValueError, match="no range that can be checked"):
        parameter(0, "a number", words)


GROUPS = (ReadSettings, NameSettings, InputFiles, AddOnSettings, PublishSettings, RunningSettings)


def test_the_same_name_has_the_same_range_in_all_settings() -> None:
    """Help may be another where a setting is of other tables, too.

    A run reads scores and experts' labels, a simulation writes them.
    """
    found: dict[str, set[tuple[object, ...]]] = {}
    for settings in (*GROUPS, AmbiguitySettings, Simulation):
        assert list(declared(settings)) == [item.name for item in fields(settings)]
        for name, known in declared(settings).items():
            same = (known.range, known.group, known.unit, getattr(settings, name), kind_of(settings, name))
            found.setdefault(name, set()).add(same)
    assert {name for name, declarations in found.items() if len(declarations) > 1} == {"scores", "experts"}


def test_settings_are_those_of_the_groups_and_no_others() -> None:
    assert [name for group in GROUPS for name in declared(group)] == list(declared(Settings))


@pytest.mark.parametrize(
    ("group", "wrong", "saying"),
    [
        (ReadSettings, {"max_rejected": 2}, "max_rejected is 2 but must be in [0, 1]"),
        (InputFiles, {"ai_calibration": "c.json"}, "ai_calibration is given without ai_votes"),
        (AddOnSettings, {"normalise": True}, "normalise is given without scores"),
        (AddOnSettings, {"score_columns": {"labels": "l"}}, "score_columns is given without scores"),
        (PublishSettings, {"keep": -1, "lock": "x"}, "keep is -1 but must be at least 0; lock is 'x' but must"),
        (RunningSettings, {"store_timeout": 0}, "store_timeout is 0 but must be a positive number of seconds"),
    ],
)
def test_a_group_of_settings_can_be_used_alone(group: type, wrong: dict[str, object], saying: str) -> None:
    assert isinstance(Settings(), group)
    for settings in (group, Settings):
        with pytest.raises(ParameterError) as failure:
            settings(**wrong)
        assert str(failure.value).startswith(saying)


def test_settings_as_they_stand_in_run_json() -> None:
    plain = Settings(
        as_of=datetime(2026, 11, 23, tzinfo=UTC),
        user_weights=(Path("a.csv"), "b.csv"),
        ai_votes=["https://me:secret@host/ai.parquet"],
        scores="s.parquet",
    ).plain()
    assert plain["as_of"] == "2026-11-23T00:00:00+00:00"
    assert plain["user_weights"] == ["a.csv", "b.csv"]
    assert "secret" not in plain["ai_votes"]
    assert (plain["scores"], plain["calibration"], plain["columns"]) == (["s.parquet"], None, {})
    assert plain["threads"] >= 1


@dataclass(frozen=True)
class MoreSettings(Settings):
    """Settings of a run, and three of a test."""

    taxonomy: str | None = parameter(None, "labels and their parents", is_file=True)
    half_life: float = parameter(0.0, "years after which a vote counts half", "at least 0")
    page: str | None = parameter(None, "a page to fill", is_file=True, changes_result=False)


def test_a_new_file_is_in_run_json_and_a_reason_for_changes(tmp_path: Path) -> None:
    (tmp_path / "taxonomy.json").write_text("{}")
    found = _files_of(MoreSettings(taxonomy=str(tmp_path / "taxonomy.json")))
    assert list(found) == ["taxonomy"]
    before = RunRecord(strategy="majority", settings={"half_life": 0.0})
    assert result_settings(before, MoreSettings) == result_settings(before, MoreSettings)
    for other, same in (
        ({"files": found}, False),
        ({"files": {"page": FileFacts("page.html", "0" * 64)}}, True),
        ({"settings": {"half_life": 2.0}}, False),
        ({"settings": {"half_life": 0.0, "keep": 3}}, True),
        ({"parameters": {"theta_acc": 0.8}}, False),
        ({"parameters": {"ambiguous_below": 0.5}}, True),
    ):
        now = RunRecord(**{"strategy": "majority", "settings": {"half_life": 0.0}, **other})  # type: ignore[arg-type]
        assert (result_settings(now, MoreSettings) == result_settings(before, MoreSettings)) is same, other


def test_the_parameters_that_change_no_result_are_known_where_runs_are_compared() -> None:
    known = [item for strategy in STRATEGIES.values() for item in declared(strategy).items()]
    idle = {name for name, declaration in known if not declaration.changes_result}
    assert idle == set(AMBIGUITY)


def test_options_are_made_of_the_declarations() -> None:
    @click.command()
    @options_of(Toy, way={"help": "another way"})
    def command(**values: object) -> None:
        """A command of a test."""

    made = {option.name: option for option in command.params}
    assert list(made) == list(declared(Toy))
    given = command.make_context("command", ["--limit", "3", "--quiet"]).params
    assert given == {"share": 0.5, "limit": 3, "way": "up", "quiet": True}
    text = command.get_help(click.Context(command))
    assert "--share FLOAT RANGE" in text
    assert "a share  [default: 0.5; 0<=x<1]" in text
    assert "--limit SECONDS" in text
    assert "another way" in text
    with pytest.raises(click.UsageError, match="not in the range 0<=x<1"):
        command.make_context("command", ["--share", "1"])


def test_a_strategy_of_another_package_need_not_declare_its_parameters() -> None:
    @dataclass(frozen=True)
    class Plain:
        name = "plain"
        theta_acc: float = 0.7

    assert make_strategy(Plain, {"theta_acc": 0.8, "alpha": None}, STRATEGIES) == Plain(0.8)
    with pytest.raises(click.UsageError, match="--alpha is not an option of --strategy plain, but of plantnet"):
        make_strategy(Plain, {"alpha": 0.5}, STRATEGIES)


@pytest.mark.parametrize(
    ("name", "settings"), [("run", Settings), ("ambiguity", AmbiguitySettings), ("simulate", Simulation)]
)
def test_every_setting_is_an_option(name: str, settings: type) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    options = {parameter.name: parameter for parameter in command.params}
    for setting, known in declared(settings).items():
        assert getattr(options[setting], "group", None) == known.group
