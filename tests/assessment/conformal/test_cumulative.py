"""aps and raps."""

import re
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.predictor import calibration_of
from plant_aggregate.assessment.conformal.scores.aps import Aps
from plant_aggregate.assessment.conformal.scores.cumulative import draws_of
from plant_aggregate.assessment.conformal.scores.raps import Raps
from plant_aggregate.assessment.conformal.sets import ScoredLists
from plant_aggregate.assessment.conformal.thresholds.base import Thresholds
from plant_aggregate.classifier_scores import ClassifierScores
from plant_aggregate.errors import ParameterError, VotesError
from tests.reference import conformal as reference

K = 7
SPACE = LabelSpace(pa.array([f"species {k}" for k in range(K)]))
U = {"inclusive": 1.0, "exclusive": 0.0}


def lists_of(rows, dtype=np.float64):
    """Label lists of rows of (label, probability)."""
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    labels = np.array([k for row in rows for k, _ in row], np.int32)
    return ClassifierScores(offsets, labels, np.array([p for row in rows for _, p in row], dtype))


@st.composite
def complete_rows(draw):
    """Rows of (label, probability) that add up to 1 in eighths, some labels of probability 0 among them, any order."""
    eighths = draw(st.lists(st.integers(0, K - 1), min_size=8, max_size=8))
    row = {k: eighths.count(k) / 8 for k in sorted(set(eighths)) + draw(st.lists(st.integers(0, K - 1), max_size=4))}
    return draw(st.permutations(list(row.items())))


rows = st.lists(complete_rows(), min_size=1, max_size=8)
own_masses = st.sampled_from(["inclusive", "exclusive", "random"])
eighths = st.integers(0, 7).map(lambda number: number / 8)
scores = st.builds(Raps, own_masses, st.sampled_from([0.0, 0.125, 0.25]), st.sampled_from([0, 1, 3, 10]))


def u_of(score, draw):
    return draw if score.own_mass == "random" else U[score.own_mass]


@given(rows, scores, st.lists(eighths, min_size=8, max_size=8), st.sampled_from([np.float32, np.float64]))
def test_scores_of_listed_labels_are_those_of_the_formula(rows, score, draws, dtype):
    """In eighths all sums are exact."""
    u = np.array(draws[: len(rows)])
    found = score.on(SPACE).of_listed(lists_of(rows, dtype), u)
    wanted = [
        reference.raps(dict(row), k, K, u_of(score, draw), score.penalty, score.k_reg)
        for row, draw in zip(rows, draws, strict=False)
        for k, _ in row
    ]
    assert found.tolist() == wanted
    if score.penalty == 0:
        assert Aps(score.own_mass).on(SPACE).of_listed(lists_of(rows, dtype), u).tolist() == wanted


@given(rows, scores, st.lists(eighths, min_size=8, max_size=8), st.lists(st.integers(0, K - 1), min_size=8, max_size=8))
def test_true_labels_of_probability_0_have_the_ranks_after_all_others_in_label_order(rows, score, draws, truths):
    truth = np.array(truths[: len(rows)], np.int32)
    found = calibration_of(score, SPACE, lists_of(rows), truth, draws=np.array(draws[: len(rows)]))
    wanted = [
        reference.raps(dict(row), k, K, u_of(score, draw), score.penalty, score.k_reg)
        for row, k, draw in zip(rows, truths, draws, strict=False)
    ]
    assert found.scores.tolist() == wanted


@given(
    rows,
    scores,
    st.lists(eighths, min_size=8, max_size=8),
    st.one_of(
        st.integers(-24, 1).map(lambda t: [t / 8]),
        st.lists(st.one_of(st.just(-np.inf), st.integers(-24, 1).map(lambda t: t / 8)), min_size=K, max_size=K),
    ),
)
def test_sets_have_labels_that_are_not_listed_where_the_threshold_is_below_the_whole_mass(rows, score, draws, bounds):
    thresholds = Thresholds(bounds[0]) if len(bounds) == 1 else Thresholds(bounds[0], np.array(bounds))
    u = np.array(draws[: len(rows)])
    sets = ScoredLists(score.on(SPACE), lists_of(rows), u).sets(thresholds, K, score.slack)
    for i, (row, draw) in enumerate(zip(rows, draws, strict=False)):
        wanted = {
            k
            for k, t in enumerate(thresholds.each(K))
            if reference.raps(dict(row), k, K, u_of(score, draw), score.penalty, score.k_reg) >= t
        }
        listed = set(sets.labels[sets.offsets[i] : sets.offsets[i + 1]].tolist())
        assert listed | set(np.flatnonzero(sets.always).tolist()) == wanted
        assert sets.sizes[i] == len(wanted)


@given(rows, st.sampled_from([0.0, 0.1]), st.floats(0, 1, exclude_max=True))
def test_inclusive_scores_are_the_least_and_exclusive_the_greatest(rows, penalty, u):
    lists, draws = lists_of(rows), np.full(len(rows), u)
    found = [
        Raps(own_mass, penalty, 1).on(SPACE).of_listed(lists, draws)
        for own_mass in ("inclusive", "random", "exclusive")
    ]
    assert (found[0] <= found[1]).all()
    assert (found[1] <= found[2]).all()


@given(rows, scores, st.lists(eighths, min_size=8, max_size=8), st.randoms())
def test_the_order_of_items_and_of_rows_changes_nothing(rows, score, draws, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = [random.sample(rows[i], len(rows[i])) for i in order]
    u = np.array(draws[: len(rows)])
    scored = [
        ScoredLists(score.on(SPACE), lists_of(some), draw).sets(Thresholds(-1.0), K, score.slack)
        for some, draw in ((rows, u), (shuffled, u[order]))
    ]
    sets, again = ([part.tolist() for part in np.split(found.labels, found.offsets[1:-1])] for found in scored)
    assert [sets[i] for i in order] == again


def test_sums_that_are_equal_are_ties_whatever_the_doubles():
    """0.3 + 0.3 + 0.3 and 0.9 are the same mass, and not the same double."""
    score, calibration = Aps(), lists_of([[(0, 0.3), (1, 0.3), (2, 0.3), (3, 0.1)]])
    (threshold,) = calibration_of(score, SPACE, calibration, np.array([2], np.int32)).scores
    assert threshold > -0.9
    sets = ScoredLists(score.on(SPACE), lists_of([[(0, 0.9), (1, 0.1)]])).sets(Thresholds(threshold), K, score.slack)
    assert sets.labels.tolist() == [0]


def test_a_threshold_at_the_whole_mass_makes_every_label_a_member():
    calibration = calibration_of(Aps(), SPACE, lists_of([[(0, 0.3), (1, 0.1), (2, 0.6)]]), np.array([1], np.int32))
    sets = ScoredLists(Aps().on(SPACE), lists_of([[(0, 1.0)]])).sets(Thresholds(calibration.scores[0]), K, Aps().slack)
    assert sets.whole_space.tolist() == [True]


def test_truncated_lists_are_refused_with_their_number_and_the_least_sum():
    lists = lists_of([[(0, 0.6), (1, 0.4)], [(0, 0.31)], []])
    words = (
        "score aps needs the probabilities of all labels, but 2 of 3 lists add up to less than 1, the least to 0; "
        "use softmax, pas or wpas, or let the classifier write all labels"
    )
    with pytest.raises(VotesError, match=f"^{re.escape(words)}$"):
        calibration_of(Aps(), SPACE, lists, np.zeros(3, np.int32))
    with pytest.raises(VotesError, match=r"score raps needs .* 1 of 2 lists .* the least to 0.31"):
        ScoredLists(Raps().on(SPACE), lists_of([[(0, 0.6), (1, 0.4)], [(0, 0.31)]]))


def test_lists_of_independent_probabilities_are_refused():
    with pytest.raises(VotesError, match=r"add up to 1, but 1 of 1 lists add up to more, the greatest to 1.7; "):
        ScoredLists(Aps().on(SPACE), lists_of([[(0, 0.8), (1, 0.9)]]))


def test_rounding_is_no_truncation():
    lists = lists_of([[(0, 0.6), (1, 0.3995)]])
    assert ScoredLists(Aps().on(SPACE), lists).sets(Thresholds(-0.7), K, 0).sizes.tolist() == [1]


def test_a_random_score_needs_draws():
    lists = lists_of([[(0, 1.0)]])
    assert Aps("random").randomised
    assert not Aps("exclusive").randomised
    with pytest.raises(ParameterError, match="score aps is random, and needs a draw for each observation"):
        Aps("random").on(SPACE).of_listed(lists)


@pytest.mark.parametrize(("options", "name"), [({"penalty": -1.0}, "penalty"), ({"k_reg": 1.5}, "k_reg")])
def test_options_out_of_range_are_named(options, name):
    with pytest.raises(ParameterError, match=name):
        Raps(**options)


def test_draws_follow_from_id_and_seed_alone_and_every_language_can_recompute_them():
    ids = pa.array(["17", "observation 2", "日本"])
    draws = draws_of(ids, seed=3)
    wanted = [int(sha256(f"draw|3|{name}".encode()).hexdigest(), 16) >> (256 - 53) for name in ids.to_pylist()]
    assert draws.tolist() == [number / 2**53 for number in wanted]
    assert draws_of(ids.take([2, 0]), seed=3).tolist() == [draws[2], draws[0]]
    assert draws_of(pa.array([17]), seed=3).tolist() == [draws[0]]
    assert draws_of(ids, seed=4).tolist() != draws.tolist()


def test_draws_are_uniform():
    draws = draws_of(pa.array(range(100_000)), seed=0)
    assert draws.min() >= 0
    assert draws.max() < 1
    assert np.abs(np.histogram(draws, 10, (0, 1))[0] / 10_000 - 1).max() < 0.05
