"""Strategies side by side: each as if it had been fitted and evaluated alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import plant_aggregate
from plant_aggregate.schema import COMPARISON
from plant_aggregate.strategies.registry import STRATEGIES
from tests.paths import SAMPLE


@pytest.fixture(scope="module")
def sample() -> tuple[plant_aggregate.Votes, plant_aggregate.Truth]:
    votes = plant_aggregate.read_votes(SAMPLE / "votes.parquet")
    return votes, plant_aggregate.read_truth(SAMPLE / "truth.parquet")


def test_every_strategy_is_fitted_and_evaluated_as_it_would_be_alone(
    sample: tuple[plant_aggregate.Votes, plant_aggregate.Truth],
) -> None:
    votes, truth = sample
    names = ("majority", "plantnet")
    comparison = plant_aggregate.compare(
        votes, truth, {name: STRATEGIES[name]() for name in names}, resamples=20, seed=3
    )
    for name, compared in zip(names, comparison.compared, strict=True):
        alone = plant_aggregate.evaluate(STRATEGIES[name]().fit(votes), truth, resamples=20, seed=3)
        assert compared.strategy == name
        assert compared.evaluation.to_dict() == alone.to_dict()
        assert compared.seconds > 0
    assert comparison.compared[0].iterations == 1
    assert comparison.compared[1].iterations == 6


def test_the_table_has_a_row_for_each_strategy_and_subset(
    sample: tuple[plant_aggregate.Votes, plant_aggregate.Truth],
) -> None:
    votes, truth = sample
    comparison = plant_aggregate.compare(votes, truth, {"wawa": STRATEGIES["wawa"]()}, resamples=0)
    frame = comparison.to_pandas()
    assert list(frame.columns) == [column.name for column in COMPARISON]
    assert frame["subset"].tolist() == ["all", "two votes or more", "with a disagreement"]
    measures = comparison.compared[0].evaluation.subsets[0].measures
    assert frame["accuracy"][0] == measures["accuracy"].value


def test_a_strategy_may_come_twice_with_other_parameters(
    sample: tuple[plant_aggregate.Votes, plant_aggregate.Truth],
) -> None:
    votes, truth = sample
    chosen = {"strict": plant_aggregate.PlantNet(theta_acc=0.9), "default": plant_aggregate.PlantNet()}
    comparison = plant_aggregate.compare(votes, truth, chosen, resamples=0)
    strict, default = (each.evaluation.subsets[2].measures["kept"].value for each in comparison.compared)
    assert strict < default


FIRST_TIME = """
import sys, warnings
import plant_aggregate
from plant_aggregate.assessment.comparison import ai_variants
from plant_aggregate.progress import Progress
from plant_aggregate.strategies.registry import STRATEGIES
from numba.core import event

class Phases(Progress):
    compiled = {}
    def phase(self, name, *, total=None, unit="it"):
        self.compiled[name] = self.compiled[self.now] = 0
        self.compiled[self.now] = len(compiled.buffer) - self.start
        self.now, self.start = name, len(compiled.buffer)
    def advance(self, n=1):
        pass

warnings.simplefilter("ignore")
votes, truth, ai = (read(f"sample_votes/{name}.parquet") for read, name in (
    (plant_aggregate.read_votes, "votes"),
    (plant_aggregate.read_truth, "truth"),
    (plant_aggregate.read_ai_votes, "ai_votes"),
))
chosen = {"majority": STRATEGIES["majority"](), "wawa": STRATEGIES["wawa"](), **ai_variants([0.7])}
with event.install_recorder("numba:compile") as compiled:
    phases = Phases()
    phases.now, phases.start = "before", 0
    plant_aggregate.compare(votes, truth, chosen, ai_votes=ai, resamples=0, progress=phases)
for phase, count in phases.compiled.items():
    print(f"{phase}: {count}")
"""


@pytest.mark.slow
def test_seconds_are_those_of_fitting_and_not_of_compiling(tmp_path: Path) -> None:
    """In a process that has no compiled kernels yet."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", FIRST_TIME]
    printed = subprocess.run(command, cwd=SAMPLE.parent, env=environment, capture_output=True, text=True, check=True)
    compiled = {phase: int(n) for phase, n in (line.split(": ") for line in printed.stdout.splitlines())}
    fits = {phase: n for phase, n in compiled.items() if phase.startswith("fit ")}
    assert len(fits) == 7
    assert compiled["load majority"] > 0
    assert set(fits.values()) == {0}
