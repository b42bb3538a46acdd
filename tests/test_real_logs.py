"""Real crowd votes run through the whole job. The data are not ours to ship: without them these tests are skipped."""

import json
import re
from functools import cache
from pathlib import Path
from statistics import fmean

import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.strategies.registry import STRATEGIES
from tests.paths import ROOT

DATA = ROOT.parent / "shared" / "data" / "crowd"
LOGS = sorted(DATA.glob("*/votes.parquet"))


@pytest.mark.skipif(not LOGS, reason="the real logs are not here")
@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.parent.name)
@pytest.mark.filterwarnings(
    "ignore:.*looks like a missing value:plant_aggregate.AggregateWarning"
)  # a user of trec2011
def test_a_real_log_gives_a_label_to_every_observation(log: Path, tmp_path: Path) -> None:
    with pytest.warns(plant_aggregate.AggregateWarning, match="author"):  # none of them knows authors
        run = plant_aggregate.run(log, tmp_path)
    rows = pq.read_table(log).to_pylist()
    result = pq.read_table(run.latest / "consensus.parquet").to_pandas()
    assert result["observation_id"].tolist() == sorted({row["observation_id"] for row in rows})
    assert result["label"].isin({row["label"] for row in rows}).all()
    assert result["n_votes"].sum() == len({(row["observation_id"], row["user_id"]) for row in rows})
    assert run.manifest["converged"]


MEAN_ACCURACY = {
    "majority": 0.807,
    "wawa": 0.824,
    "zero-based-skill": 0.825,
    "dawid-skene": 0.844,
    "one-coin": 0.825,
    "glad": 0.826,
    "mace": 0.833,
}
"""Mean accuracy over the sets with truth, less 0.1 to 0.2 points."""


WITH_TRUTH = [log.parent for log in LOGS if pq.read_metadata(log.parent / "truth.parquet").num_rows]
FIGURES = json.loads((ROOT / "docs" / "measured" / "strategies.json").read_text(encoding="utf-8"))
MEASURED = FIGURES["crowds"]["measured"]
CROWD_KIT = {(fit["strategy"], fit["crowd"]): fit["accuracy"] for fit in MEASURED if fit["contender"] == "crowd-kit"}
"""Accuracy of crowd-kit's strategies by name and crowd, as the benchmark found it on the same votes."""
BEFORE = FIGURES["crowds before"]["accuracy"]
"""Accuracy of ours in an earlier version."""
COMPARED = sorted(MEAN_ACCURACY)
BELOW = {("dawid-skene", "trec2011"), ("dawid-skene", "zencrowd_us")}
"""Worse than crowd-kit's by more than half a point: see docs/strategies.md."""


@cache
def accuracy(name: str, crowd: Path) -> float:
    """Expected over tied labels; what has no label counts as wrong."""
    truth = pq.read_table(crowd / "truth.parquet").to_pandas()
    soft = STRATEGIES[name]().fit(plant_aggregate.read_votes(crowd / "votes.parquet")).posteriors_to_pandas()
    top = soft.groupby("observation_id")["share"].transform("max")
    tied = soft[soft["share"] >= top * (1 - 1e-9)].copy()
    tied["share"] = 1 / tied.groupby("observation_id")["label"].transform("size")
    return float(truth.merge(tied, on=["observation_id", "label"])["share"].sum() / len(truth))


def mean_accuracy(name: str) -> float:
    return fmean(accuracy(name, crowd) for crowd in WITH_TRUTH)


@pytest.mark.skipif(not LOGS, reason="the real logs are not here")
@pytest.mark.parametrize("name", COMPARED)
def test_strategies_are_as_right_as_they_were(name: str) -> None:
    assert mean_accuracy(name) >= MEAN_ACCURACY[name]


@pytest.mark.parametrize("crowd", WITH_TRUTH, ids=lambda crowd: crowd.name)
@pytest.mark.parametrize("name", COMPARED)
def test_strategies_are_as_right_as_crowd_kits(name: str, crowd: Path) -> None:
    if (name, crowd.name) not in BELOW:
        assert accuracy(name, crowd) >= CROWD_KIT[name, crowd.name] - 0.005


@pytest.mark.parametrize("crowd", WITH_TRUTH, ids=lambda crowd: crowd.name)
def test_the_best_of_ours_is_as_right_as_the_best_of_crowd_kits(crowd: Path) -> None:
    ours = max(accuracy(name, crowd) for name in COMPARED)
    assert ours >= max(CROWD_KIT[name, crowd.name] for name in COMPARED) - 0.004


def best_of_peers(source: str) -> dict[str, float]:
    """The accuracy of crowd-kit's best strategy by crowd: on cleaned votes, or in the table that came with them."""
    if source == "measured":
        return {crowd.name: max(CROWD_KIT[name, crowd.name] for name in COMPARED) for crowd in WITH_TRUTH}
    rows = re.findall(r"^\| (\w+) ((?:\| 0\.\d{4}[^|]*){7})\|$", (DATA.parent / "README.md").read_text(), re.M)
    return {name: max(map(float, re.findall(r"0\.\d{4}", cells))) for name, cells in rows}


REGRETS = {"auto": (-0.005, 0.012), "dawid-skene": (0.006, 0.08)}
"""The largest that the mean of the regret, and the regret on one crowd, may be."""


@pytest.mark.skipif(not LOGS, reason="the real logs are not here")
@pytest.mark.parametrize("source", ["measured", "table"])
@pytest.mark.parametrize("name", REGRETS)
def test_the_best_peer_in_hindsight_is_little_better(name: str, source: str) -> None:
    best = best_of_peers(source)
    assert set(best) == {crowd.name for crowd in WITH_TRUTH}
    regrets = [best[crowd.name] - accuracy(name, crowd) for crowd in WITH_TRUTH]
    most, most_on_one = REGRETS[name]
    assert fmean(regrets) <= most
    assert max(regrets) <= most_on_one


FEWER_RIGHT = {("dawid-skene", "trec2011"): 4}
"""Observations of those with truth, of which fewer are right than before, if they are more than half a point."""


@pytest.mark.parametrize("crowd", WITH_TRUTH, ids=lambda crowd: crowd.name)
@pytest.mark.parametrize("name", COMPARED)
def test_no_crowd_has_fewer_right_labels_than_before(name: str, crowd: Path) -> None:
    allowed = FEWER_RIGHT.get((name, crowd.name), 0) / pq.read_metadata(crowd / "truth.parquet").num_rows
    assert accuracy(name, crowd) >= BEFORE[name][crowd.name] - max(allowed, 0.005) - 1e-9


@pytest.mark.skipif(not LOGS, reason="the real logs are not here")
def test_dawid_skene_gains_more_over_the_majority_than_crowd_kits() -> None:
    crowds = [crowd.name for crowd in WITH_TRUTH]
    kits = fmean(CROWD_KIT["dawid-skene", crowd] - CROWD_KIT["majority", crowd] for crowd in crowds)
    assert mean_accuracy("dawid-skene") - mean_accuracy("majority") > kits
