"""What a strategy may be given beside the votes: a strategy names what it takes, and nothing else has to know."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import plant_aggregate
from plant_aggregate.cli.options import taken_by
from plant_aggregate.parameters import declared
from plant_aggregate.progress import SILENT, Progress
from plant_aggregate.settings import InputFiles
from plant_aggregate.side_inputs import VOTES_ONLY, SideInputs
from plant_aggregate.strategies.base import check_takes
from plant_aggregate.strategies.registry import STRATEGIES, takers
from tests.paths import SAMPLE


@dataclass(frozen=True)
class Listener:
    """A strategy that takes the AI's votes."""

    name: ClassVar[str] = "listener"
    takes: ClassVar[frozenset[str]] = frozenset({"ai_votes"})
    given: ClassVar[list[SideInputs]] = []

    def fit(
        self, votes: plant_aggregate.Votes, given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT
    ) -> plant_aggregate.Consensus:
        check_takes(self, given.names)
        self.given.append(given)
        return STRATEGIES["majority"]().fit(votes, progress=progress)


@dataclass(frozen=True)
class Learner(Listener):
    """One that takes the truth, which no other does."""

    name: ClassVar[str] = "learner"
    takes: ClassVar[frozenset[str]] = frozenset({"gold"})


@dataclass(frozen=True, eq=False)
class Inputs(SideInputs):
    """One more input."""

    gold: plant_aggregate.Truth | None = None


@pytest.fixture(autouse=True)
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    monkeypatch.setitem(STRATEGIES._built_in, "listener", f"{__name__}:Listener")
    Listener.given.clear()
    return Listener()


def test_a_run_gives_a_strategy_what_it_takes(listener: Listener, tmp_path: Path) -> None:
    settings = plant_aggregate.Settings(ai_votes=SAMPLE / "ai_votes.parquet")
    plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path / "out", listener, settings)
    (given,) = listener.given
    assert given.names == ("ai_votes",)
    read = plant_aggregate.read_ai_votes(SAMPLE / "ai_votes.parquet")
    assert given.ai_votes is not None
    np.testing.assert_array_equal(given.ai_votes.scores, read.scores)


def test_a_run_refuses_an_input_that_the_strategy_does_not_take(listener: Listener, tmp_path: Path) -> None:
    settings = plant_aggregate.Settings(user_weights=SAMPLE / "none.csv")
    with pytest.raises(plant_aggregate.ParameterError) as refusal:
        plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path / "out", listener, settings)
    assert str(refusal.value) == "user_weights are for the strategy plantnet or auto, not for listener"
    assert not (tmp_path / "out").exists()


def test_a_comparison_gives_each_strategy_what_it_takes(listener: Listener) -> None:
    votes = plant_aggregate.read_votes(SAMPLE / "votes.parquet")
    truth = plant_aggregate.read_truth(SAMPLE / "truth.parquet")
    ai_votes = plant_aggregate.read_ai_votes(SAMPLE / "ai_votes.parquet")
    strategies = {"listener": listener, "majority": STRATEGIES["majority"]()}
    plant_aggregate.compare(votes, truth, strategies, ai_votes=ai_votes, resamples=0)
    assert listener.given[-1].ai_votes is ai_votes


def test_a_new_input_is_a_field_and_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STRATEGIES._built_in, "learner", f"{__name__}:Learner")
    votes = plant_aggregate.read_votes(SAMPLE / "votes.parquet")
    given = Inputs(gold=plant_aggregate.read_truth(SAMPLE / "truth.parquet"))
    learner = Learner()
    learner.fit(votes, given)
    assert learner.given == [given]
    assert given.only({"ai_votes"}).names == ()
    for name, strategy in STRATEGIES.items():
        if name not in ("listener", "learner"):
            with pytest.raises(
                plant_aggregate.ParameterError, match=f"^gold are for the strategy learner, not for {name}$"
            ):
                strategy().fit(votes, given)


def test_each_input_is_a_keyword_and_has_the_name_of_its_setting() -> None:
    for item in fields(SideInputs):
        assert item.kw_only
        assert declared(InputFiles)[item.name].side_input == item.name


def test_help_and_messages_name_the_strategies_that_take_an_input() -> None:
    assert takers("user_weights") == ["plantnet", "auto"]
    assert taken_by("user_weights") == "[plantnet, auto]"
    assert taken_by("ai_votes") == "[plantnet, auto, listener]"


def test_plantnet_takes_its_inputs_by_keyword_or_together() -> None:
    votes = plant_aggregate.read_votes(SAMPLE / "votes.parquet")
    ai_votes = plant_aggregate.read_ai_votes(SAMPLE / "ai_votes.parquet")
    apart = plant_aggregate.PlantNet().fit(votes, ai_votes=ai_votes)
    assert apart.to_arrow() == plant_aggregate.PlantNet().fit(votes, SideInputs(ai_votes=ai_votes)).to_arrow()
