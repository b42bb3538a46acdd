"""Real crowds held against their gold labels. The data are not ours to ship: without them these tests are skipped."""

import warnings
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import aggregate

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "crowd"
TRUTHS = [path for path in sorted(DATA.glob("*/truth.parquet")) if pq.read_metadata(path).num_rows]


def fitted(folder: Path) -> aggregate.Consensus:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", aggregate.AggregateWarning)  # none of them knows authors
        return aggregate.PlantNet().fit(aggregate.read_votes(folder / "votes.parquet"))


@pytest.mark.skipif(not TRUTHS, reason="the real logs are not here")
@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.parent.name)
def test_a_real_evaluation_equals_a_join(path: Path) -> None:
    consensus = fitted(path.parent)
    evaluation = aggregate.evaluate(consensus, aggregate.read_truth(path), resamples=20)
    joined = consensus.to_pandas().merge(pq.read_table(path).to_pandas(), on="observation_id", suffixes=("", "_true"))
    right = joined["label"] == joined["label_true"]
    measures = evaluation.subsets[0].measures
    assert evaluation.overlap.matched == len(joined)
    assert measures["accuracy"].value == pytest.approx((right & joined["valid"]).mean())
    assert measures["accuracy_of_labels"].value == pytest.approx(right.mean())
    assert measures["kept"].value == pytest.approx(joined["valid"].mean())
    several = joined["n_votes"] >= 2
    disputed = several & (joined["n_labels"] >= 2)
    assert [group.observations for group in evaluation.subsets] == [len(joined), several.sum(), disputed.sum()]
    assert sum(group.observations for group in evaluation.by_votes) == len(joined)
    for group in (*evaluation.subsets, *evaluation.by_votes):
        for estimate in group.measures.values():
            assert estimate.value != estimate.value or estimate.low <= estimate.high
