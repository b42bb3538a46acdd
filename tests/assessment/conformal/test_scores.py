import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.predictor import calibration_of, fit_predictor
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.assessment.conformal.registry import SCORE_SUMMARIES, SCORES
from plant_aggregate.assessment.conformal.scores.pas import Pas
from plant_aggregate.assessment.conformal.scores.softmax import Softmax
from plant_aggregate.assessment.conformal.scores.wpas import Wpas
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from plant_aggregate.assessment.conformal.weights import label_weights
from plant_aggregate.classifier_scores import ClassifierScores
from plant_aggregate.errors import ParameterError
from tests.reference import conformal as reference

K = 5
NAMES = pa.array([f"species {k}" for k in range(K)])


def lists_of(rows, dtype=np.float64):
    """Label lists of rows of (label, probability)."""
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    labels = np.array([k for row in rows for k, _ in row], np.int32)
    return ClassifierScores(offsets, labels, np.array([p for row in rows for _, p in row], dtype))


counts = st.lists(st.sampled_from([0, 0, 1, 2, 10, 3000]), min_size=K, max_size=K).filter(any)
weights = st.lists(st.sampled_from([0.0, 0.25, 1.0, 7.0]), min_size=K, max_size=K).filter(any)
rows = st.lists(
    st.dictionaries(st.integers(0, K + 1), st.sampled_from([0.0, 0.001, 0.1, 0.3, 0.9, 1.0]), max_size=K + 2).map(
        lambda row: list(row.items())
    ),
    min_size=1,
    max_size=12,
)


def test_each_score_has_a_summary_and_its_own_name():
    assert list(SCORE_SUMMARIES) == list(SCORES)
    assert all(SCORES[name].name == name for name in SCORES)


@given(rows, counts, weights, st.sampled_from([0.0, 1.0, 2.5]), st.sampled_from([np.float32, np.float64]))
def test_scores_of_listed_labels_are_those_of_the_formulas(rows, counts, omega, at_least, dtype):
    lists = lists_of(rows, dtype)
    space = LabelSpace(NAMES, Prior(np.array(counts, float), at_least), np.array(omega))
    total, mean = sum(counts), float(np.mean(omega))
    items = [(k, float(p)) for k, p in zip(lists.labels.tolist(), lists.probabilities, strict=True)]
    count_of, weight_of = dict(enumerate(counts)), dict(enumerate(omega))
    for score, weighs in ((Pas(), False), (Wpas(), True)):
        wanted = [
            reference.scaled(p, count_of.get(k, 0), total, at_least, weight_of.get(k, mean) if weighs else 1)
            for k, p in items
        ]
        np.testing.assert_allclose(score.on(space).of_listed(lists), wanted, rtol=1e-13)
    np.testing.assert_array_equal(Softmax().on(space).of_listed(lists), [p for _, p in items])


def sets_by_row(score, space, calibration, truth, new, alpha="0.25"):
    """The sets of new rows, each a frozenset of labels."""
    fitted = fit_predictor(score, Standard(), calibration_of(score, space, calibration, truth), [alpha])
    sets = fitted.predict(new, alpha)
    always = frozenset(np.flatnonzero(sets.always).tolist())
    bounds = zip(sets.offsets[:-1], sets.offsets[1:], strict=True)
    return [always | frozenset(sets.labels[a:b].tolist()) for a, b in bounds], fitted.thresholds[Alpha.of(alpha)].shared


truths = st.lists(st.integers(0, K - 1), min_size=12, max_size=12)


@given(rows, truths, counts)
def test_wpas_with_gamma_1_makes_the_sets_of_pas(rows, truths, counts):
    lists, truth = lists_of(rows), np.array(truths[: len(rows)], np.int32)
    at_risk = np.arange(K) < 2
    space = LabelSpace(NAMES, Prior(np.array(counts, float)), label_weights(at_risk, gamma=1), at_risk)
    assert sets_by_row(Pas(), space, lists, truth, lists)[0] == sets_by_row(Wpas(), space, lists, truth, lists)[0]


@given(rows, truths, counts, weights, st.sampled_from([3.0, 0.1, 1e6]))
def test_scaling_all_counts_or_all_weights_changes_no_set(rows, truths, counts, omega, factor):
    lists, truth = lists_of(rows), np.array(truths[: len(rows)], np.int32)
    c, w = np.array(counts, float), np.array(omega)
    plain = sets_by_row(Wpas(), LabelSpace(NAMES, Prior(c, 1), w), lists, truth, lists)[0]
    rarer = sets_by_row(Wpas(), LabelSpace(NAMES, Prior(c * factor, factor), w), lists, truth, lists)[0]
    heavier = sets_by_row(Wpas(), LabelSpace(NAMES, Prior(c, 1), w * factor), lists, truth, lists)[0]
    assert plain == rarer == heavier


@given(rows, truths)
def test_a_prior_that_is_the_same_for_all_labels_makes_the_sets_of_softmax(rows, truths):
    known = [[(k, p) for k, p in row if k < K] for row in rows]
    lists, truth = lists_of(known), np.array(truths[: len(rows)], np.int32)
    space = LabelSpace(NAMES, Prior(np.full(K, 7.0)))
    assert sets_by_row(Pas(), space, lists, truth, lists)[0] == sets_by_row(Softmax(), space, lists, truth, lists)[0]


@given(rows, truths, counts, weights, st.randoms())
def test_the_order_of_items_and_of_rows_changes_nothing(rows, truths, counts, omega, random):
    space = LabelSpace(NAMES, Prior(np.array(counts, float)), np.array(omega))
    truth = np.array(truths[: len(rows)], np.int32)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = [random.sample(rows[i], len(rows[i])) for i in order]
    for score in (Softmax(), Pas(), Wpas()):
        sets, threshold = sets_by_row(score, space, lists_of(rows), truth, lists_of(rows))
        again, same = sets_by_row(score, space, lists_of(shuffled), truth[order], lists_of(shuffled))
        assert same == threshold
        assert again == [sets[i] for i in order]


def test_quotients_that_are_equal_are_ties_whatever_the_doubles():
    """0.3 / 0.1 and 0.9 / 0.3 are both 3, and in doubles 2.9999999999999996 and 3.0000000000000004."""
    space = LabelSpace(pa.array(["a", "b", "c"]), Prior(np.array([1.0, 3.0, 6.0])))
    calibration = lists_of([[(1, 0.9)]] * 4)
    for new, member in (([(0, 0.3)], 0), ([(1, 0.9)], 1)):
        assert sets_by_row(Pas(), space, calibration, np.full(4, 1, np.int32), lists_of([new]))[0] == [{member}]
    calibration = lists_of([[(0, 0.3)]] * 4)
    assert sets_by_row(Pas(), space, calibration, np.zeros(4, np.int32), lists_of([[(1, 0.9)]]))[0] == [{1}]


def test_a_label_never_seen_is_in_each_set_that_lists_it_only_without_a_least_count():
    calibration = lists_of([[(0, 0.9)]] * 9)
    new = lists_of([[(0, 0.9), (1, 1e-9)], [(0, 0.95)], [(1, 0.0), (0, 0.91)]])
    for at_least, wanted in ((0.0, [{0, 1}, {0}, {0}]), (1.0, [{0}, {0}, {0}])):
        space = LabelSpace(pa.array(["seen", "unseen"]), Prior(np.array([100.0, 0.0]), at_least))
        assert sets_by_row(Pas(), space, calibration, np.zeros(9, np.int32), new)[0] == wanted


def test_a_label_outside_the_space_scores_as_one_never_seen():
    space = LabelSpace(NAMES, Prior(np.array([9.0, 1, 0, 0, 0])), label_weights(np.arange(K) == 0, 6))
    lists = lists_of([[(K, 0.2), (4, 0.2), (K + 1, 0.1)]])
    np.testing.assert_allclose(Pas().on(space).of_listed(lists), [2, 2, 1])
    at_risk = LabelSpace(NAMES, space.prior, space.weights, np.arange(K) == 0)
    np.testing.assert_allclose(Wpas().on(at_risk).of_listed(lists), [0.2, 0.2, 0.1])


def test_pas_without_counts_and_wpas_without_weights_say_what_is_missing():
    with pytest.raises(ParameterError, match="score pas divides by how common labels are, but no counts"):
        Pas().on(LabelSpace(NAMES))
    with pytest.raises(ParameterError, match="score wpas weighs labels, but no weights are known"):
        Wpas().on(LabelSpace(NAMES, Prior(np.ones(K))))


def test_an_infinite_score_is_above_each_finite_threshold_and_at_an_infinite_one():
    space = LabelSpace(pa.array(["seen", "unseen"]), Prior(np.array([1.0, 0.0]), 0))
    sets, threshold = sets_by_row(
        Pas(), space, lists_of([[(1, 0.5)]] * 4), np.ones(4, np.int32), lists_of([[(0, 1.0), (1, 0.001)]])
    )
    assert threshold == math.inf
    assert sets == [{1}]
