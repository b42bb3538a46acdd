"""Sums of weights are correctly rounded, so their order cannot matter; ties fall as the rule says."""

import math
import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.kernels.label_weights import entropies, heaviest_labels, settle, support_of
from plant_aggregate.kernels.species_counts import update_states

WEIGHTS = st.lists(
    st.one_of(st.floats(0.01, 1e6), st.sampled_from([0.0, 0.1, 0.7419373447293773, 1 / 3, 1e-3, 123456.789])),
    min_size=1,
    max_size=60,
)


def total(weights: list[float]) -> float:
    """The total of one observation, on which a user of each weight has voted."""
    n = len(weights)
    totals = np.zeros(1)
    offsets, users = np.array([0, n]), np.arange(n, dtype=np.int32)
    is_stale, state, changed = np.array([[1], [0], [0]], np.uint8)
    update_states(0, 1, offsets, users, None, np.array(weights), 1.0, 0.0, is_stale, totals, state, changed)
    assert changed[0] == state[0] == (totals[0] >= 1.0)
    assert not is_stale[0]
    return float(totals[0])


@given(WEIGHTS, st.randoms(use_true_random=False))
def test_a_total_is_the_correctly_rounded_sum_in_any_order(weights: list[float], chance: random.Random) -> None:
    assert total(weights) == math.fsum(weights)
    assert total(chance.sample(weights, len(weights))) == math.fsum(weights)


def test_a_plain_sum_would_not_do() -> None:
    """The case that tells an exact sum from one in row order."""
    weights = [0.1] * 10
    assert sum(weights) != math.fsum(weights) == total(weights)


def test_observations_that_are_not_stale_are_left_alone() -> None:
    totals, weights = np.array([5.0, 7.0]), np.array([1.0, 2.0])
    offsets, users = np.array([0, 1, 2]), np.array([0, 1], np.int32)
    is_stale, state, changed = np.array([[0, 1], [1, 1], [1, 1]], np.uint8)
    update_states(0, 2, offsets, users, None, weights, 3.0, 0.0, is_stale, totals, state, changed)
    assert (totals.tolist(), state.tolist(), changed.tolist()) == ([5.0, 2.0], [1, 0], [0, 1])


VOTES = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from([0.0, 0.3, 0.1 + 0.2, 0.7, 2.1])), min_size=1
)


def arrays(votes: list[tuple[int, bool, float]]) -> tuple[np.ndarray, ...]:
    ordered = sorted(votes, key=lambda vote: vote[0])
    labels, authors, weights = zip(*ordered, strict=True)
    return np.array([0, len(votes)]), np.array(labels, np.int32), np.array(authors), np.array(weights)


@given(VOTES, st.integers(-1, 3), st.sampled_from([-1, -1, 0, 1, 2, 3]))
def test_the_heaviest_label_is_the_one_the_rule_names(
    votes: list[tuple[int, bool, float]], held: int, excluded: int
) -> None:
    """The label held wins ties where labels are chosen anew, but not where the strongest other label is asked for."""
    held = held if excluded < 0 else -1
    sums = {k: math.fsum(w for label, _, w in votes if label == k) for k in {vote[0] for vote in votes} - {excluded}}
    expected = -1
    if sums:
        tied = [k for k in sums if sums[k] >= max(sums.values()) * (1 - 1e-9)]
        by_author = {label for label, author, _ in votes if author}
        number = {k: sum(label == k for label, _, _ in votes) for k in tied}
        expected = held if held in tied else min(tied, key=lambda k: (k not in by_author, -number[k], k))
    offsets, labels, is_author, weights = arrays(votes)
    found = np.array([held], np.int32)
    if excluded >= 0:
        heaviest_labels(0, 1, offsets, labels, is_author, weights, np.array([excluded], np.int32), found)
    else:
        users, changed = np.arange(labels.size, dtype=np.int32), np.ones(labels.size, np.bool_)
        sums_found, vote_weights = np.empty((3, 1)), np.empty(labels.size)
        settle(0, 1, offsets, users, None, labels, is_author, None, weights, changed, vote_weights, found, *sums_found)
        assert sums_found[0, 0] == math.fsum(w for label, _, w in votes if label == expected)
        assert vote_weights.tolist() == weights.tolist()
    assert found[0] == expected


def test_observations_without_a_changed_weight_are_not_settled_again() -> None:
    offsets, users, labels = np.array([0, 2, 4]), np.array([0, 1, 1, 2], np.int32), np.array([3, 5, 3, 5], np.int32)
    weights, changed, vote_weights = np.array([1.0, 2.0, 3.0]), np.array([True, False, False]), np.zeros(4)
    chosen, sums = np.array([-1, -1], np.int32), np.full((3, 2), 9.0)
    settle(
        0, 2, offsets, users, None, labels, np.zeros(4, np.bool_), None, weights, changed, vote_weights, chosen, *sums
    )
    assert chosen.tolist() == [5, -1]
    assert sums.tolist() == [[2.0, 9.0], [3.0, 9.0], [1.0, 9.0]]
    assert vote_weights.tolist() == [1.0, 2.0, 0.0, 0.0]


@given(VOTES)
def test_support_opposition_and_entropy_are_exact(votes: list[tuple[int, bool, float]]) -> None:
    offsets, labels, _, weights = arrays(votes)
    chosen = np.array([labels[0]])
    support, totals, opposition, entropy = np.empty((4, 1))
    n_labels = np.empty(1, np.int32)
    support_of(0, 1, offsets, labels, weights, chosen, support, totals, opposition)
    entropies(0, 1, offsets, labels, weights, totals, entropy, n_labels)
    sums = {k: math.fsum(w for label, _, w in votes if label == k) for k in {vote[0] for vote in votes}}
    assert totals[0] == math.fsum(weights)
    assert support[0] == sums[chosen[0]]
    assert opposition[0] == max((weight for k, weight in sums.items() if k != chosen[0]), default=0.0)
    assert n_labels[0] == len(sums)
    shares = [weight / totals[0] for weight in sums.values() if weight > 0]
    assert math.isclose(entropy[0], math.fsum(-p * math.log(p) for p in shares), rel_tol=1e-13, abs_tol=1e-15)
