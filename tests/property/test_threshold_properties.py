"""Threshold rules of prediction sets against their slow references, and laws that they obey."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.thresholds.base import TOLERANCE, Calibration
from plant_aggregate.assessment.conformal.thresholds.classwise import Classwise
from plant_aggregate.assessment.conformal.thresholds.clustered import Clustered
from plant_aggregate.assessment.conformal.thresholds.fuzzy import Fuzzy
from plant_aggregate.assessment.conformal.thresholds.fuzzy_reconformalised import FuzzyReconformalised
from plant_aggregate.assessment.conformal.thresholds.interp_q import InterpQ
from plant_aggregate.assessment.conformal.thresholds.label_weighted import LabelWeighted
from plant_aggregate.assessment.conformal.thresholds.macro import Macro
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from tests.reference import conformal as reference

ALPHAS = st.sampled_from(["0.01", "0.05", "0.1", "0.2", "0.29", "0.5", "0.9"])


class Rows(NamedTuple):
    scores: list[float]
    labels: list[int]
    n_labels: int

    def calibration(self) -> Calibration:
        space = LabelSpace(pa.array(list(range(self.n_labels))))
        keys = np.arange(len(self.scores), dtype=np.uint64)
        return Calibration(np.array(self.scores, np.float64), np.array(self.labels, np.int32), space, keys=keys)

    def of(self, chosen: np.ndarray) -> "Rows":
        scores, labels = np.array(self.scores)[chosen], np.array(self.labels, int)[chosen]
        return Rows(scores.tolist(), labels.tolist(), self.n_labels)


@st.composite
def some_rows(draw: st.DrawFn) -> Rows:
    """Rows of few labels, with ties and labels without rows."""
    n_labels = draw(st.integers(1, 5))
    score = st.integers(0, 20).map(lambda hundredths: hundredths / 20)
    rows = draw(st.lists(st.tuples(score, st.integers(0, n_labels - 1)), max_size=60))
    return Rows([s for s, _ in rows], [y for _, y in rows], n_labels)


@given(some_rows(), ALPHAS)
def test_standard_and_classwise_thresholds_are_scores_at_exact_ranks(rows, alpha):
    calibration = rows.calibration()
    assert Standard().fit(calibration, Alpha.of(alpha)).shared == reference.threshold(rows.scores, alpha)
    found = Classwise().fit(calibration, Alpha.of(alpha)).each(rows.n_labels)
    assert found.tolist() == reference.classwise(*rows, alpha)


@given(some_rows(), ALPHAS, st.sampled_from(["0", "0.1", "0.5", "0.7", "0.9", "0.999", "1"]))
def test_interp_q_interpolates_in_exact_fractions(rows, alpha, tau):
    thresholds = InterpQ(float(tau)).fit(rows.calibration(), Alpha.of(alpha))
    np.testing.assert_allclose(thresholds.each(rows.n_labels), reference.interp_q(*rows, alpha, tau), rtol=1e-12)


@given(some_rows(), ALPHAS)
def test_interp_q_goes_from_standard_to_classwise(rows, alpha):
    calibration, level = rows.calibration(), Alpha.of(alpha)
    standard = Standard().fit(calibration, level).shared
    assert set(InterpQ(0).fit(calibration, level).each(rows.n_labels)) == {max(standard, 0)}
    classwise = Classwise().fit(calibration, level).each(rows.n_labels)
    np.testing.assert_array_equal(InterpQ(1).fit(calibration, level).each(rows.n_labels), np.maximum(classwise, 0))


@given(some_rows(), ALPHAS)
def test_the_macro_threshold_is_the_largest_that_covers_enough_labels_in_the_mean(rows, alpha):
    found = Macro().fit(rows.calibration(), Alpha.of(alpha))
    assert found.shared == reference.macro(rows.scores, rows.labels, alpha)


POSITIONS = [0.27, 0.01, 1.0, 0.0, 0.58]  # no two of the same distance
BANDWIDTHS = st.sampled_from([1e-7, 1e-3, 0.05, 1.0, 1e3])


def by_label(values: Sequence[Any]) -> dict[int, Any]:
    return dict(enumerate(values))


@given(some_rows(), ALPHAS, st.lists(st.sampled_from(["Quercus", "Acer", None]), min_size=5, max_size=5))
def test_clusters_that_are_given_have_thresholds_of_their_rows(rows, alpha, cluster_of):
    found = Clustered(given=by_label(cluster_of)).fit(rows.calibration(), Alpha.of(alpha))
    expected = reference.clustered(rows.scores, rows.labels, alpha, cluster_of[: rows.n_labels])
    assert found.each(rows.n_labels).tolist() == expected
    assert found.shared == reference.threshold(rows.scores, alpha)


@given(some_rows(), ALPHAS, BANDWIDTHS)
@example(Rows([0.0, 0.05], [1, 0], 2), "0.5", 1e-3)  # below half by far less than rounding
def test_fuzzy_thresholds_are_those_of_weighted_rows(rows, alpha, bandwidth):
    w = reference.similarity(rows.labels, POSITIONS[: rows.n_labels], bandwidth)
    found = Fuzzy(bandwidth, by_label(POSITIONS)).fit(rows.calibration(), Alpha.of(alpha))
    assert found.each(rows.n_labels).tolist() == reference.weighted(rows.scores, rows.labels, alpha, w, TOLERANCE)


@given(some_rows(), ALPHAS)
def test_fuzzy_thresholds_go_from_classwise_to_standard(rows, alpha):
    calibration, level = rows.calibration(), Alpha.of(alpha)
    classwise = Classwise().fit(calibration, level).each(rows.n_labels)
    assert Fuzzy(1e-12, by_label(POSITIONS)).fit(calibration, level).each(rows.n_labels).tolist() == classwise.tolist()
    wide = Fuzzy(1e18, by_label(POSITIONS)).fit(calibration, level)
    assert set(wide.each(rows.n_labels)) == {wide.shared} == {Standard().fit(calibration, level).shared}


@given(some_rows(), ALPHAS, st.lists(st.integers(0, 8), min_size=25, max_size=25))
def test_label_weighted_thresholds_are_those_of_weighted_rows(rows, alpha, eighths):
    w = (np.array(eighths) / 8).reshape(5, 5)[: rows.n_labels, : rows.n_labels]
    np.fill_diagonal(w, 1)
    found = LabelWeighted(w).fit(rows.calibration(), Alpha.of(alpha)).each(rows.n_labels)
    exact = [[Fraction(each) for each in row] for row in w]
    expected = reference.weighted(rows.scores, rows.labels, alpha, exact, TOLERANCE)
    assert found.tolist() == expected


@given(some_rows(), ALPHAS, BANDWIDTHS, st.sampled_from([0.2, 0.5, 0.8]))
def test_reconformalised_sets_are_the_labels_with_shares_up_to_those_of_held_out_rows(rows, alpha, bandwidth, share):
    rule = FuzzyReconformalised(bandwidth, share, seed=3, positions=by_label(POSITIONS))
    calibration = rows.calibration()
    is_held_out = calibration.part(Fraction(str(share)), 3)
    fitted, held_out = rows.of(~is_held_out), rows.of(is_held_out)
    w = reference.similarity(fitted.labels, POSITIONS[: rows.n_labels], bandwidth)
    b = reference.largest_share(list(zip(*held_out[:2], strict=True)), alpha, *fitted[:2], w)
    thresholds = rule.fit(calibration, Alpha.of(alpha))
    most, candidates = b + Fraction(TOLERANCE), np.arange(21) / 20
    for k, least in enumerate(thresholds.each(rows.n_labels)):
        expected = [reference.share_not_below(s, k, *fitted[:2], w) <= most for s in candidates]
        assert (candidates > least).tolist() == expected
    assert thresholds.strict


def fuzzy(**options: Any) -> list[Any]:
    return [kind(1e-2, positions=by_label(POSITIONS), **options) for kind in (Fuzzy, FuzzyReconformalised)]


RULES = st.sampled_from([Standard(), Classwise(), InterpQ(), Macro(), Clustered(given={0: 0, 1: 0, 2: 1}), *fuzzy()])


@given(some_rows(), ALPHAS, st.randoms(use_true_random=False), RULES)
def test_thresholds_do_not_depend_on_the_order_of_rows(rows, alpha, random, rule):
    order = list(range(len(rows.scores)))
    random.shuffle(order)
    calibration = rows.calibration()
    columns = (each[order] for each in (calibration.scores, calibration.labels, calibration.keys))
    scores, labels, keys = columns
    one = rule.fit(calibration, Alpha.of(alpha))
    other = rule.fit(Calibration(scores, labels, calibration.space, keys=keys), Alpha.of(alpha))
    np.testing.assert_array_equal(one.each(rows.n_labels), other.each(rows.n_labels))
    assert one.shared == other.shared


def test_a_label_outside_the_space_is_always_in_classwise_sets_and_by_interpolation_otherwise():
    calibration = Rows([0.5] * 9, [0] * 9, 2).calibration()
    assert Classwise().fit(calibration, Alpha.of("0.1")).shared == -np.inf
    assert InterpQ(0.9).fit(calibration, Alpha.of("0.1")).shared == pytest.approx(0.05)


def left_out(scores: list[list[float]]) -> Iterator[tuple[Rows, list[float]]]:
    """Rows without one of each label, and those left out, in all ways: equally likely if rows are exchangeable."""
    for chosen in product(*(range(len(of_label)) for of_label in scores)):
        rows = [(s, k) for k, of_label in enumerate(scores) for i, s in enumerate(of_label) if i != chosen[k]]
        new = [of_label[i] for of_label, i in zip(scores, chosen, strict=True)]
        yield Rows([s for s, _ in rows], [k for _, k in rows], len(scores)), new


SCORES_BY_LABEL = st.lists(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), min_size=2, max_size=5), max_size=3)


@given(SCORES_BY_LABEL.filter(bool), st.sampled_from(["0.2", "0.25", "0.4", "0.5"]))
def test_macro_and_classwise_cover_what_they_guarantee_for_all_scores(scores, alpha):
    covered = {Macro(): Fraction(0), Classwise(): Fraction(0)}
    of_label = [Fraction(0)] * len(scores)
    ways = math.prod(map(len, scores))
    for rows, new in left_out(scores):
        for rule in covered:
            are_in = np.array(new) >= rule.fit(rows.calibration(), Alpha.of(alpha)).each(len(scores))
            covered[rule] += Fraction(int(are_in.sum()), ways * len(scores))
            if isinstance(rule, Classwise):
                of_label = [share + Fraction(int(is_in), ways) for share, is_in in zip(of_label, are_in, strict=True)]
    assert min(covered.values()) >= 1 - Fraction(alpha)
    assert min(of_label) >= 1 - Fraction(alpha)


@given(some_rows(), ALPHAS, st.randoms(use_true_random=False))
def test_without_keys_the_parts_of_rows_do_not_depend_on_their_order(rows, alpha, random):
    order = list(range(len(rows.scores)))
    random.shuffle(order)
    found = []
    for each in (rows, rows.of(np.array(order, int))):
        calibration = replace(each.calibration(), keys=None)
        part = calibration.part(Fraction(1, 3), 7)
        found.append(sorted(zip(calibration.scores[part], calibration.labels[part], strict=True)))
    assert found[0] == found[1]


MARGINAL: list[tuple[Any, int]] = [(Standard(), 1), (InterpQ(0.5), 2), (InterpQ(0.9), 2), (InterpQ(1), 2)]


@given(some_rows().filter(lambda rows: rows.scores), st.sampled_from(["0.1", "0.25", "0.4"]), st.sampled_from(MARGINAL))
def test_marginal_coverage_is_as_guaranteed_for_all_scores(rows, alpha, rule_and_factor):
    rule, factor = rule_and_factor
    n = len(rows.scores)
    covered = 0
    for i in range(n):
        thresholds = rule.fit(rows.of(np.arange(n) != i).calibration(), Alpha.of(alpha))
        covered += rows.scores[i] >= thresholds.each(rows.n_labels)[rows.labels[i]] * (1 - rule.slack)
    assert Fraction(covered, n) >= 1 - factor * Fraction(alpha)


@given(some_rows(), st.sampled_from(["0.1", "0.25", "0.4"]), BANDWIDTHS)
def test_reconformalised_coverage_is_as_guaranteed_for_all_held_out_rows(rows, alpha, bandwidth):
    rule = FuzzyReconformalised(bandwidth, 0.5, positions=by_label(POSITIONS))
    calibration = rows.calibration()
    held_out = np.flatnonzero(calibration.part(Fraction(1, 2), 0))
    covered = 0
    for i in held_out:
        thresholds = rule.fit(calibration.of(np.arange(len(calibration)) != i), Alpha.of(alpha))
        covered += int(rows.scores[i] > thresholds.each(rows.n_labels)[rows.labels[i]])
    assert covered >= len(held_out) * (1 - Fraction(alpha))


@given(SCORES_BY_LABEL.filter(bool), st.sampled_from(["0.2", "0.25", "0.4", "0.5"]))
def test_clusters_are_covered_as_guaranteed(scores, alpha):
    """Each row of the cluster of all labels is left out once."""
    rows = [(s, k) for k, of_label in enumerate(scores) for s in of_label]
    all_rows, n = Rows([s for s, _ in rows], [k for _, k in rows], len(scores) + 1), len(rows)
    rule = Clustered(given=dict.fromkeys(range(len(scores)), "all"))
    covered = 0
    for i in range(n):
        thresholds = rule.fit(all_rows.of(np.arange(n) != i).calibration(), Alpha.of(alpha))
        covered += int(rows[i][0] >= thresholds.each(len(scores) + 1)[rows[i][1]])
    assert covered >= n * (1 - Fraction(alpha))


def label_weighted() -> LabelWeighted:
    return LabelWeighted(np.array([[1.0 if k == j else 1 / (2 + k + j) for j in range(5)] for k in range(5)]))


@given(some_rows(), ALPHAS, RULES)
def test_rows_of_weight_one_are_rows_without_weights(rows, alpha, rule):
    calibration = rows.calibration()
    weighted = replace(calibration, weights=np.ones(len(calibration)))
    one, other = (rule.fit(each, Alpha.of(alpha)) for each in (calibration, weighted))
    np.testing.assert_array_equal(one.each(rows.n_labels), other.each(rows.n_labels))
    assert one.shared == other.shared
    assert other.ranked is None


NOT_SPLIT = [
    Standard(),
    Classwise(),
    InterpQ(),
    Macro(),
    Clustered(given={0: 0, 1: 0, 2: 1}),
    fuzzy()[0],
    label_weighted(),
]


@given(some_rows(), ALPHAS, st.sampled_from(NOT_SPLIT), st.lists(st.integers(0, 3), min_size=60, max_size=60))
@example(Rows([0.0], [0], 1), "0.01", Macro(), [0])
def test_a_row_counts_as_often_as_it_weighs(rows, alpha, rule, times):
    if isinstance(rule, LabelWeighted):
        rule = LabelWeighted(rule.weights[: rows.n_labels, : rows.n_labels])
    calibration = rows.calibration()
    weighted = replace(calibration, weights=np.array(times[: len(calibration)], float))
    repeated = calibration.of(np.repeat(np.arange(len(calibration)), times[: len(calibration)]))
    one, other = (rule.fit(each, Alpha.of(alpha)) for each in (weighted, repeated))
    np.testing.assert_array_equal(one.each(rows.n_labels), other.each(rows.n_labels))
    assert one.shared == other.shared


@given(some_rows(), ALPHAS, st.lists(st.sampled_from([0.1, 0.25, 0.7, 0.9, 1.0]), min_size=60, max_size=60))
def test_thresholds_of_weighted_rows_are_the_largest_that_enough_rows_reach(rows, alpha, weights):
    calibration = rows.calibration()
    of_rows = weights[: len(calibration)]
    found = Standard().fit(replace(calibration, weights=np.array(of_rows)), Alpha.of(alpha)).shared
    assert found == reference.weighted_threshold(rows.scores, of_rows, alpha)


def test_decimal_weights_add_up():
    """Ten rows of weight 0.9 and a new one are 10, of which nine are 1 - alpha."""
    calibration = Rows([0.3] * 10, [0] * 10, 1).calibration()
    weighted = replace(calibration, weights=np.full(10, 0.9))
    assert Standard().fit(weighted, Alpha.of("0.1")).shared == 0.3
    assert Standard().fit(weighted, Alpha.of("0.099")).shared == -np.inf
