"""What is asked of disputed observations and their candidates."""

from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.disputes import choices_among, likeliest_labels, weight_shares

LOG = {
    "observation_id": [1, 1, 1, 2, 2, 3],
    "user_id": [1, 2, 3, 1, 2, 1],
    "label": ["b", "d", "d", "a", "c", "b"],
    "is_author": [False, True, False, False, False, False],
}


def votes() -> plant_aggregate.Votes:
    return plant_aggregate.votes_from_table(pa.table(LOG))


def test_candidates_are_the_labels_voted() -> None:
    candidates = votes().disputes.candidates
    assert candidates.offsets.tolist() == [0, 2, 4]
    assert candidates.labels.tolist() == [1, 3, 0, 2]
    assert candidates.n_votes.tolist() == [1, 2, 1, 1]
    assert candidates.by_author.tolist() == [False, True, False, False]
    assert candidates.of_vote.tolist() == [0, 1, 1, 2, 3]


def test_a_label_that_nobody_voted_can_be_a_candidate() -> None:
    """As an ancestor of the labels voted would be: its share is 0 until something else gives it one."""
    disputes = replace(votes().disputes, choices=(np.array([0, 4, 7]), np.array([0, 1, 2, 3, 0, 1, 2], np.int32)))
    candidates = disputes.candidates
    assert candidates.n_votes.tolist() == [0, 1, 0, 2, 1, 0, 1]
    assert candidates.by_author.tolist() == [False, False, False, True, False, False, False]
    assert candidates.of_vote.tolist() == [1, 3, 3, 4, 6]
    shares = weight_shares(disputes, disputes.vote_weights(np.array([3.0, 1.0, 1.0])))
    assert shares.tolist() == [0, 0.6, 0, 0.4, 0.75, 0, 0.25]
    assert likeliest_labels(disputes, shares).tolist() == [1, 0]
    assert likeliest_labels(disputes, np.array([0.4, 0.2, 0.2, 0.2, 0, 1, 0])).tolist() == [0, 1]


def test_votes_know_their_users_and_the_observations_that_voters_agree_on() -> None:
    log = votes()
    assert log.n_votes_of_users.tolist() == [3, 2, 1]
    assert log.n_undisputed_of_users.tolist() == [1, 0, 0]
    assert log.unanimous.n_single.tolist() == [1, 0, 0]
    assert log.unanimous.count_reaching(np.array([2.0, 0.0, 0.0]), 2.0) == 1
    assert log.mean_weight(np.array([2.0, 0.0, 0.0])) == 1.0
    halved = replace(log, factors=np.full(6, 0.5, np.float32))
    assert halved.unanimous.n_single.tolist() == [0, 0, 0]
    assert halved.unanimous.count_reaching(np.array([2.0, 0.0, 0.0]), 2.0) == 0
    assert halved.mean_weight(np.array([2.0, 0.0, 0.0])) == 0.5


LABELS = st.lists(st.tuples(st.lists(st.integers(0, 6)).map(sorted), st.integers(-1, 6)))


@given(LABELS)
def test_a_further_label_of_each_observation_joins_those_voted(observations: list[tuple[list[int], int]]) -> None:
    voted, further = [labels for labels, _ in observations], [label for _, label in observations]
    offsets = np.cumsum([0, *map(len, voted)])
    found_offsets, found = choices_among(offsets, np.array(list(chain(*voted)), np.int32), np.array(further, np.int32))
    expected = [sorted({*labels, *([label] if label >= 0 else [])}) for labels, label in observations]
    assert [found[a:b].tolist() for a, b in pairwise(found_offsets.tolist())] == expected
    assert (found_offsets.dtype, found.dtype) == (np.int64, np.int32)


def test_disputes_on_some_observations_have_a_further_label_each() -> None:
    """Codes 0 to 3 are a to d."""
    disputes = votes().disputes_on(np.array([0, 2]), np.array([2, -1], np.int32))
    assert disputes.observations.tolist() == [0, 2]
    assert disputes.labels.tolist() == [1, 3, 3, 1]
    assert disputes.expert_labels is None
    assert disputes.candidates.offsets.tolist() == [0, 3, 4]
    assert disputes.candidates.labels.tolist() == [1, 2, 3, 1]
    assert disputes.candidates.n_votes.tolist() == [1, 0, 2, 1]
    assert disputes.candidates.of_vote.tolist() == [0, 2, 2, 3]


def test_a_further_label_that_was_voted_changes_nothing() -> None:
    disputes = votes().disputes_on(np.array([0, 1]), np.array([3, 0], np.int32))
    assert disputes.candidates.labels.tolist() == votes().disputes.candidates.labels.tolist()
    assert disputes.candidates.n_votes.tolist() == votes().disputes.candidates.n_votes.tolist()


def test_disputes_on_observations_without_further_labels_or_on_none() -> None:
    disputes = votes().disputes_on(np.array([1]), np.array([-1], np.int32))
    assert disputes.candidates.labels.tolist() == [0, 2]
    nothing = votes().disputes_on(np.empty(0, np.int64), np.empty(0, np.int32))
    assert (len(nothing), len(nothing.candidates)) == (0, 0)
    assert nothing.with_experts(np.empty(0)).size == 0


def test_disputes_on_keep_the_factors_of_their_votes() -> None:
    weighted = replace(votes(), factors=np.arange(6, dtype=np.float32))
    factors = weighted.disputes_on(np.array([1]), np.array([3], np.int32)).factors
    assert factors is not None
    assert factors.tolist() == [3, 4]
