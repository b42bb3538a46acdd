"""Threshold rules of prediction sets against their slow references, and laws that they obey."""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.thresholds.base import Calibration
from plant_aggregate.assessment.conformal.thresholds.classwise import Classwise
from plant_aggregate.assessment.conformal.thresholds.interp_q import InterpQ
from plant_aggregate.assessment.conformal.thresholds.macro import Macro
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from tests.reference import conformal as reference

ALPHAS = st.sampled_from(["0.01", "0.05", "0.1", "0.2", "0.29", "0.5", "0.9"])


class Rows(NamedTuple):
    scores: list[float]
    labels: list[int]
    n_labels: int

    def calibration(self) -> Calibration:
        space = LabelSpace(pa.array([f"species {k:02}" for k in range(self.n_labels)]))
        return Calibration(np.array(self.scores, np.float64), np.array(self.labels, np.int32), space)


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


RULES = st.sampled_from([Standard(), Classwise(), InterpQ(), Macro()])


@given(some_rows(), ALPHAS, st.randoms(use_true_random=False), RULES)
def test_thresholds_do_not_depend_on_the_order_of_rows(rows, alpha, random, rule):
    order = list(range(len(rows.scores)))
    random.shuffle(order)
    shuffled = Rows([rows.scores[i] for i in order], [rows.labels[i] for i in order], rows.n_labels)
    one, other = (rule.fit(each.calibration(), Alpha.of(alpha)) for each in (rows, shuffled))
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
