"""Real crowds held against their gold labels. The data are not ours to ship: without them these tests are skipped."""

import warnings
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr

import aggregate
from aggregate.agreement import krippendorff_alpha, users_table
from aggregate.strategies.registry import STRATEGIES

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "crowd"
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


@pytest.mark.parametrize("name", ALPHAS)
def test_krippendorffs_alpha_of_real_votes(name: str) -> None:
    log = DATA / name / "votes.parquet"
    if not log.exists():
        pytest.skip("the real logs are not here")
    assert krippendorff_alpha(aggregate.read_votes(log)) == pytest.approx(ALPHAS[name], abs=1e-9)


@pytest.mark.parametrize("name", SPAM_RANKS)
def test_the_spam_score_ranks_real_users_as_gold_does(name: str) -> None:
    if not (DATA / name / "votes.parquet").exists():
        pytest.skip("the real logs are not here")
    users = users_table(fitted(DATA / name)).to_pandas()
    votes = pq.read_table(DATA / name / "votes.parquet").to_pandas().drop_duplicates(["observation_id", "user_id"])
    gold = votes.merge(pq.read_table(DATA / name / "truth.parquet").to_pandas(), on="observation_id")
    gold["right"] = gold["label_x"] == gold["label_y"]
    by_user = gold.groupby("user_id")["right"].agg(["mean", "size"]).query("size >= 10").reset_index()
    both = by_user.merge(users, on="user_id").dropna(subset="spam_score")
    assert spearmanr(both["spam_score"], both["mean"]).statistic < SPAM_RANKS[name]


FLOORS = {
    "adult2": {"majority": 76.6, "wawa": 76.4, "dawid-skene": 76.1, "one-coin": 70.4, "glad": 75.5, "mace": 75.8},
    "bluebird": {"majority": 75.9, "wawa": 75.4, "dawid-skene": 88.4, "one-coin": 57.8, "glad": 71.7, "mace": 74.5},
    "cf": {"majority": 87.5, "wawa": 87.5, "dawid-skene": 82.5, "one-coin": 88.2, "glad": 87.5, "mace": 88.5},
    "dog": {"majority": 80.7, "wawa": 82.4, "dawid-skene": 83.8, "one-coin": 82.5, "glad": 82.9, "mace": 82.5},
    "face": {"majority": 62.9, "wawa": 62.5, "dawid-skene": 63.5, "one-coin": 60.6, "glad": 62.5, "mace": 63.0},
    "labelme": {"majority": 75.9, "wawa": 76.2, "dawid-skene": 78.7, "one-coin": 76.2, "glad": 77.0, "mace": 76.8},
    "ms": {"majority": 70.2, "wawa": 79.1, "dawid-skene": 76.4, "one-coin": 78.8, "glad": 78.4, "mace": 78.9},
    "product": {"majority": 89.2, "wawa": 89.2, "dawid-skene": 93.5, "one-coin": 90.3, "glad": 92.3, "mace": 92.4},
    "sp_amt": {"majority": 93.9, "wawa": 93.9, "dawid-skene": 93.9, "one-coin": 94.1, "glad": 94.1, "mace": 93.9},
    "trec2011": {"majority": 79.5, "wawa": 80.3, "dawid-skene": 80.5, "one-coin": 80.8, "glad": 82.8, "mace": 81.0},
    "web": {"majority": 68.3, "wawa": 76.4, "dawid-skene": 82.4, "one-coin": 74.4, "glad": 81.7, "mace": 82.5},
    "zencrowd_us": {"majority": 86.3, "wawa": 86.1, "dawid-skene": 81.5, "one-coin": 89.9, "glad": 87.5, "mace": 83.4},
    "zoo_michigan": {"majority": 94.7, "wawa": 94.7, "dawid-skene": 94.7, "one-coin": 94.7, "glad": 94.7, "mace": 94.7},
}
"""Accuracy of crowd-kit 1.4.2's strategies of these names, in percent, less half a point; of dawid-skene on
zencrowd_us less a point and a half: see docs/algorithm.md."""


def expected_accuracy(consensus: aggregate.Consensus, truth: Path) -> float:
    """Percent right, where labels tie by the chance to pick the right one."""
    rows = consensus.posteriors_to_pandas()
    best = rows.groupby("observation_id")["probability"].transform("max")
    tied = rows[rows["probability"] >= best * (1 - 1e-9)]
    chance = 1 / tied.groupby("observation_id")["label"].transform("size")
    gold = pq.read_table(truth).to_pandas().set_index("observation_id")["label"]
    right = tied["label"].to_numpy() == tied["observation_id"].map(gold).to_numpy()
    return float(100 * chance[right].sum() / len(gold))


@pytest.mark.skipif(not TRUTHS, reason="the real logs are not here")
@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.parent.name)
def test_strategies_are_as_right_as_those_of_a_peer(path: Path) -> None:
    votes = aggregate.read_votes(path.parent / "votes.parquet")
    found = {
        name: expected_accuracy(STRATEGIES[name]().fit(votes), path)
        for name in ("majority", "wawa", "dawid-skene", "one-coin", "glad", "mace")
    }
    assert {name: (found[name], floor) for name, floor in FLOORS[path.parent.name].items() if found[name] < floor} == {}
