"""Options that mean nothing without another one."""

from collections.abc import Iterator

import click
import pytest

from plant_aggregate.cli.command import Option
from plant_aggregate.cli.group import COMMANDS, cli
from plant_aggregate.cli.main import run_command
from plant_aggregate.cli.outputs import flag_of
from tests.command_line import Capture, error_line

ARGUMENTS = {
    "convert": ["csv", "v.csv", "-o", "out"],
    "run": ["v.parquet"],
    "compare": ["v.parquet", "--truth", "t.parquet"],
    "ambiguity": ["v.parquet", "--scores", "s.parquet"],
    "subset": ["latest", "-o", "out"],
    "conformal predict": ["scores.parquet", "--sets", "sets.json"],
    "conformal fit": ["scores.parquet", "--truth", "t.parquet"],
    "compare-sets": ["scores.parquet", "--truth", "t.parquet"],
    "conformal check": ["scores.parquet", "--sets", "sets.json"],
    "conformal evaluate": ["scores.parquet", "--sets", "sets.json"],
    "calibrate-ai": ["ai.parquet", "--truth", "t.parquet"],
}
VALUES = {"--ai-thresholds": ["0.5"], "--normalise": [], "--score-column": ["labels=l"], "--column": ["label=l"]}
VALUES |= {"--parser": ["gbif"], "--to-species": [], "--higher-taxa": [], "--from-option": ["task=T0"]}
VALUES |= {"--min-probability": ["0.9"], "--gamma": ["2"], "--folds": ["3"], "--expert-weight": ["5"]}
VALUES |= {"--experts-column": ["label=l"]}


def with_needs() -> Iterator[tuple[str, Option, click.Parameter]]:
    """Commands, their options that need another one, and those."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for each in command.params:
            if isinstance(each, Option) and each.needs:
                (needed,) = (other for other in command.params if other.name == each.needs)
                if not needed.required:
                    yield name, each, needed


@pytest.mark.parametrize(("command", "option", "needed"), list(with_needs()))
def test_an_option_without_the_one_it_needs(
    command: str, option: Option, needed: click.Parameter, capfd: Capture
) -> None:
    given = [flag_of(option), *VALUES.get(flag_of(option), ["file"])]
    assert run_command([*command.split(), *ARGUMENTS[command], *given]) == 2
    saying = f"{flag_of(option)} is given without {flag_of(needed)}; see plant-aggregate {command} --help\n"
    assert error_line(capfd).endswith(saying)


def test_these_options_need_another_one() -> None:
    assert {(command, flag_of(option)) for command, option, _ in with_needs()} >= {
        ("run", "--score-column"),
        ("run", "--normalise"),
        ("run", "--ai-calibration"),
        ("compare", "--ai-thresholds"),
        ("compare", "--folds"),
        ("compare", "--expert-weight"),
        ("calibrate-ai", "--column"),
    }
