"""Real crowd votes run through the whole job. The data are not ours to ship: without them these tests are skipped."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import aggregate
from aggregate.strategies.registry import STRATEGIES

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "crowd"
LOGS = sorted(DATA.glob("*/votes.parquet"))


@pytest.mark.skipif(not LOGS, reason="the real logs are not here")
@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.parent.name)
def test_a_real_log_gives_a_label_to_every_observation(log: Path, tmp_path: Path) -> None:
    with pytest.warns(aggregate.AggregateWarning, match="author"):  # none of them knows authors
        run = aggregate.run(log, tmp_path)
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
    "dawid-skene": 0.842,
    "one-coin": 0.825,
    "glad": 0.826,
    "mace": 0.833,
}
"""Mean accuracy over the sets with truth, less 0.1 to 0.2 points."""


@pytest.mark.skipif(not LOGS, reason="the real logs are not here")
@pytest.mark.parametrize("name", list(MEAN_ACCURACY))
def test_strategies_are_as_right_as_they_were(name: str) -> None:
    """An accuracy that is expected over tied labels; what has no label counts as wrong."""
    accuracies = []
    for log in LOGS:
        truth = pq.read_table(log.parent / "truth.parquet").to_pandas()
        if truth.empty:
            continue
        soft = STRATEGIES[name]().fit(aggregate.read_votes(log)).posteriors_to_pandas()
        top = soft.groupby("observation_id")["probability"].transform("max")
        tied = soft[soft["probability"] >= top * (1 - 1e-9)].copy()
        tied["share"] = 1 / tied.groupby("observation_id")["label"].transform("size")
        accuracies.append(truth.merge(tied, on=["observation_id", "label"])["share"].sum() / len(truth))
    assert sum(accuracies) / len(accuracies) >= MEAN_ACCURACY[name]
