"""Agreement of voters: against values from the literature, slow twins, and the krippendorff package if installed."""

import math
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.assessment.agreement import (
    crowd_agreement,
    find_suspects,
    krippendorff_alpha,
    user_agreement,
    vote_entropies,
)
from plant_aggregate.kernels import threads
from plant_aggregate.schema import USER_AGREEMENT, USERS
from tests.paths import SAMPLE
from tests.reference import agreement as reference
from tests.reference.agreement import Vote

SAMPLE_VOTES = SAMPLE / "votes.parquet"


def votes_of(votes: list[Vote]) -> plant_aggregate.Votes:
    observation, user, label = zip(*votes, strict=True)
    return plant_aggregate.votes_from_table(
        pa.table({"observation_id": observation, "user_id": user, "label": [f"species {k}" for k in label]})
    )


def logs() -> st.SearchStrategy[list[Vote]]:
    vote = st.tuples(st.integers(0, 8), st.integers(0, 5), st.integers(0, 4))
    return st.lists(vote, min_size=1, max_size=50, unique_by=lambda vote: vote[:2])


def test_the_example_of_krippendorff() -> None:
    """Four observers, twelve units, with gaps: nominal alpha 0.743 [Krippendorff 2011, section C]."""
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    votes = [
        (unit, user, int(value))
        for user, line in enumerate(observers)
        for unit, value in enumerate(line)
        if value != "."
    ]
    assert krippendorff_alpha(votes_of(votes)) == pytest.approx(0.743, abs=5e-4)


@given(logs())
def test_alpha_equals_the_coincidence_matrix(votes: list[Vote]) -> None:
    assert krippendorff_alpha(votes_of(votes)) == pytest.approx(reference.krippendorff_alpha(votes), nan_ok=True)


def test_alpha_of_the_samples_disputes() -> None:
    """Recorded from the package krippendorff 0.9.0; for all of the sample it would need 517 GiB."""
    votes = plant_aggregate.read_votes(SAMPLE_VOTES)
    owner = np.repeat(np.arange(votes.n_observations), np.diff(votes.offsets))
    rows = np.isin(owner, votes.disputes.observations)
    log = {"observation_id": owner[rows], "user_id": votes.users[rows], "label": votes.labels[rows]}
    assert krippendorff_alpha(plant_aggregate.votes_from_table(pa.table(log))) == pytest.approx(0.26955238445182006)


@pytest.mark.extras
def test_the_krippendorff_package_agrees() -> None:
    krippendorff = pytest.importorskip("krippendorff")
    random = np.random.default_rng(0)
    for n_labels in (2, 7):
        table = random.integers(0, n_labels, (12, 80)).astype(float)
        table[random.random(table.shape) < 0.6] = np.nan
        expected = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
        votes = [(i, u, int(table[u, i])) for u, i in zip(*np.nonzero(~np.isnan(table)), strict=True)]
        assert krippendorff_alpha(votes_of(votes)) == pytest.approx(expected)


@given(logs(), st.integers(0, 2**32))
def test_users_equal_the_reference(votes: list[Vote], seed: int) -> None:
    """Whatever the consensus is."""
    grouped = votes_of(votes)
    labels = np.random.default_rng(seed).integers(0, grouped.n_labels, grouped.n_observations).astype(np.int32)
    names = [int(name.removeprefix("species ")) for name in grouped.label_names.to_pylist()]
    consensus = {i: names[k] for i, k in zip(grouped.observation_ids.to_pylist(), labels.tolist(), strict=True)}
    found = user_agreement(grouped, labels)
    expected = reference.user_agreement(votes, consensus)
    for u, user in enumerate(grouped.user_ids.to_pylist()):
        n_shared, spam, entropy = expected[user]
        assert found.n_shared[u] == n_shared
        assert found.spam_score[u] == pytest.approx(spam, nan_ok=True)
        assert found.label_entropy[u] == pytest.approx(entropy)


@given(logs())
def test_entropies_equal_the_reference(votes: list[Vote]) -> None:
    grouped = votes_of(votes)
    disputed = grouped.observation_ids.take(pa.array(grouped.disputes.observations)).to_pylist()
    expected = [reference.entropy([label for i, _, label in votes if i == observation]) for observation in disputed]
    assert vote_entropies(grouped) == pytest.approx(expected)


def test_spam_scores_by_hand() -> None:
    """Ana is right on four, eve says 0 whatever is shown, and the others' vote is the consensus."""
    truth = [0, 0, 1, 2]
    votes = [(i, user, k) for i, k in enumerate(truth) for user in (10, 11)]
    votes += [(i, 12, 0) for i in range(4)]
    grouped = votes_of(votes)
    found = user_agreement(grouped, np.array(truth, np.int32))
    assert found.n_shared.tolist() == [4, 4, 4]
    assert found.spam_score.tolist() == [0, 0, 1]
    assert found.label_entropy[2] == 0
    assert found.label_entropy[0] == pytest.approx(-(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25)))


def test_nothing_shared_has_no_score() -> None:
    found = user_agreement(votes_of([(1, 1, 0), (2, 1, 1), (3, 2, 1)]), np.array([0, 1, 1], np.int32))
    assert found.n_shared.tolist() == [0, 0]
    assert np.isnan(found.spam_score).all()


def test_random_voters_score_one_and_careful_ones_less() -> None:
    random = np.random.default_rng(5)
    truth = random.integers(0, 10, 3000)
    votes = [(i, u, int(truth[i]) if random.random() < 0.9 else 9) for i in range(3000) for u in range(3)]
    votes += [(i, 3, int(random.integers(0, 10))) for i in range(3000)]
    found = user_agreement(votes_of(votes), truth.astype(np.int32))
    assert found.spam_score[:3] == pytest.approx([0.1] * 3, abs=0.02)
    assert found.spam_score[3] == pytest.approx(1, abs=0.03)


def test_the_users_of_a_run_have_the_columns(tmp_path: Path) -> None:
    run = plant_aggregate.run(SAMPLE_VOTES, tmp_path)
    table = pq.read_table(run.folder / "users.parquet")
    assert table.column_names == [column.name for column in (*USERS, *USER_AGREEMENT)]
    assert table["n_shared"].null_count == table["label_entropy"].null_count == 0
    shared = table.filter(pa.compute.greater(table["n_shared"], 0)).to_pylist()
    assert any(row["spam_score"] is not None for row in shared)
    assert all(row["spam_score"] is None for row in table.to_pylist() if row["n_shared"] == 0)


def test_threads_do_not_change_a_bit() -> None:
    votes = plant_aggregate.read_votes(SAMPLE_VOTES)
    labels = plant_aggregate.PlantNet().fit(votes).labels
    one = user_agreement(votes, labels)
    small, threads.SMALL_WORK = threads.SMALL_WORK, 0
    try:
        many = user_agreement(votes, labels)
    finally:
        threads.SMALL_WORK = small
    for name, values in vars(one).items():
        assert values.tobytes() == vars(many)[name].tobytes()


def test_suspects_are_sorted_and_need_votes() -> None:
    columns = {name: [0.0] * 5 for name in ("agreement_rate", "label_entropy")}
    users = pa.table(
        {
            "user_id": ["a", "b", "c", "d", "e"],
            "n_shared": [10, 9, 50, 20, 20],
            "spam_score": [0.6, 2.0, 0.9, None, 0.1],
            **columns,
        }
    )
    suspects = find_suspects(users, 5)
    assert (suspects.users, suspects.suspect) == (3, 2)
    assert [user.user_id for user in suspects.worst] == ["c", "a"]


def test_experts_beside_the_votes() -> None:
    votes = votes_of([(1, 1, 0), (1, 2, 1), (2, 1, 2), (3, 1, 0), (3, 2, 0)])
    truth = plant_aggregate.truth_from_table(
        pa.table({"observation_id": [1, 2, 3, 99], "label": ["species 1", "species 7", "species 0", "species 0"]})
    )
    crowd = crowd_agreement(votes, truth)
    assert crowd.truth_voted == 2 / 3
    assert crowd.votes_right == 3 / 5
    assert (crowd.observations, crowd.votes, crowd.disputed) == (2, 4, 1)


def test_a_crowd_of_lone_votes() -> None:
    with warnings.catch_warnings(action="error"):
        crowd = crowd_agreement(votes_of([(1, 1, 0), (2, 1, 1)]))
    assert math.isnan(crowd.krippendorff_alpha)
    assert math.isnan(crowd.mean_entropy)
