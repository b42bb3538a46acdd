"""Real crowds evaluated against their gold labels. The data are not ours to ship: skipped without them."""

import warnings
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr

import plant_aggregate
from plant_aggregate.add_ons import extended
from plant_aggregate.assessment.agreement import AgreementOfUsers, krippendorff_alpha
from tests.paths import ROOT

DATA = ROOT.parent / "shared" / "data" / "crowd"
TRUTHS = [path for path in sorted(DATA.glob("*/truth.parquet")) if pq.read_metadata(path).num_rows]


ALPHAS = {
    "adult2": 0.3170879533,
    "anesthesia": 0.5537714936,
    "bluebird": 0.1255005722,
    "cf": 0.5768366702,
    "dog": 0.5194178413,
    "face": 0.4949199777,
    "labelme": 0.677356901,
    "ms": 0.3010314976,
    "product": 0.1574733169,
    "sp_amt": 0.737688122,
    "trec2011": 0.256885323,
    "web": 0.2104205537,
    "zencrowd_us": 0.2235332765,
    "zoo_kenya": 0.5905706378,
    "zoo_michigan": 0.926569386,
}
"""Krippendorff's alpha by the package krippendorff 0.9.0, of the votes after cleaning."""

SPAM_RANKS = {"bluebird": -0.8, "cf": -0.7, "dog": -0.7, "ms": -0.65, "sp_amt": -0.65, "web": -0.7}
"""Rank correlation, at most, of spam score and accuracy against gold, of users with ten gold observations."""


def fitted(folder: Path) -> plant_aggregate.Consensus:
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        # None of them knows authors.
        return plant_aggregate.PlantNet().fit(plant_aggregate.read_votes(folder / "votes.parquet"))


@pytest.mark.skipif(not TRUTHS, reason="the real logs are not here")
@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.parent.name)
def test_a_real_evaluation_equals_a_join(path: Path) -> None:
    consensus = fitted(path.parent)
    evaluation = plant_aggregate.evaluate(consensus, plant_aggregate.read_truth(path), resamples=20)
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


@pytest.mark.parametrize("name", ALPHAS)
def test_krippendorffs_alpha_of_real_votes(name: str) -> None:
    log = DATA / name / "votes.parquet"
    if not log.exists():
        pytest.skip("the real logs are not here")
    assert krippendorff_alpha(plant_aggregate.read_votes(log)) == pytest.approx(ALPHAS[name], abs=1e-9)


@pytest.mark.parametrize("name", SPAM_RANKS)
def test_the_spam_score_ranks_real_users_as_gold_does(name: str) -> None:
    if not (DATA / name / "votes.parquet").exists():
        pytest.skip("the real logs are not here")
    consensus = fitted(DATA / name)
    users = extended(consensus.users_to_arrow(), 0, [AgreementOfUsers(consensus)]).to_pandas()
    votes = pq.read_table(DATA / name / "votes.parquet").to_pandas().drop_duplicates(["observation_id", "user_id"])
    gold = votes.merge(pq.read_table(DATA / name / "truth.parquet").to_pandas(), on="observation_id")
    gold["right"] = gold["label_x"] == gold["label_y"]
    by_user = gold.groupby("user_id")["right"].agg(["mean", "size"]).query("size >= 10").reset_index()
    both = by_user.merge(users, on="user_id").dropna(subset="spam_score")
    assert spearmanr(both["spam_score"], both["mean"]).statistic < SPAM_RANKS[name]
