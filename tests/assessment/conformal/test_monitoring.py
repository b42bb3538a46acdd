"""Coverage of new observations against its exact distribution."""

from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import betabinom

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.monitoring import (
    check_level,
    compatibility,
    covered_distribution,
    more_unlisted,
)
from plant_aggregate.assessment.conformal.order import Alpha, threshold_at
from plant_aggregate.assessment.conformal.predictor import SetPredictor
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.assessment.conformal.scores.softmax import Softmax
from plant_aggregate.assessment.conformal.thresholds.base import Calibration, RankedRows, Thresholds
from plant_aggregate.assessment.conformal.thresholds.classwise import Classwise
from plant_aggregate.assessment.conformal.thresholds.clustered import Clustered
from plant_aggregate.assessment.conformal.thresholds.fuzzy_reconformalised import FuzzyReconformalised
from plant_aggregate.assessment.conformal.thresholds.interp_q import InterpQ
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from plant_aggregate.classifier_scores import ClassifierScores
from plant_aggregate.errors import ParameterError, VotesError


def enumerated(n, new, alpha):
    """The distribution of the number covered: of all orders of n calibration scores and ``new`` others."""
    rank = Alpha.of(alpha).rank(n)
    counts = Counter()
    for places in combinations(range(n + new), n):  # of the calibration scores among all, in ascending order
        least = places[rank - 1] if rank else -1
        counts[sum(place > least for place in range(n + new) if place not in places)] += 1
    total = counts.total()
    return [Fraction(counts[x], total) for x in range(new + 1)]


@pytest.mark.parametrize(
    ("n", "new", "alpha"), [(4, 5, "0.2"), (9, 4, "0.1"), (7, 6, "0.29"), (9, 5, "0.5"), (3, 4, "0.2"), (10, 1, "0.3")]
)
def test_the_distribution_is_that_of_all_orders_of_the_scores(n, new, alpha):
    found = covered_distribution(np.array([n]), np.array([new]), Alpha.of(alpha))
    assert found == pytest.approx([float(chance) for chance in enumerated(n, new, alpha)], abs=1e-12)


def test_the_interval_leaves_out_less_than_the_level_and_one_number_more_would_not():
    n, new, alpha, level = 9, 6, "0.3", 0.05
    exact = enumerated(n, new, alpha)
    for covered in range(new + 1):
        found = compatibility(
            np.array([covered, 0]), np.array([new, 0]), RankedRows(np.array([n])), Alpha.of(alpha), significance=level
        )
        assert found.p_low == pytest.approx(float(sum(exact[: covered + 1])))
        assert found.p_high == pytest.approx(float(sum(exact[covered:])))
        assert found.expected == pytest.approx(float(sum(x * chance for x, chance in enumerate(exact))))
        assert (found.covered < found.fewest) == found.too_low == (found.p_low < level)
        assert (found.covered > found.most) == found.too_high == (found.p_high < level)
    assert sum(exact[: found.fewest]) < level <= sum(exact[: found.fewest + 1])
    assert sum(exact[found.most + 1 :]) < level <= sum(exact[found.most :])


@pytest.mark.parametrize(("rows", "new", "alpha"), [(1, 1, "0.5"), (100, 50, "0.1"), (2000, 3000, "0.1")])
def test_numbers_covered_are_beta_binomial(rows, new, alpha):
    below = Alpha.of(alpha).rank(rows)
    above = rows + 1 - below
    found = covered_distribution(np.array([rows]), np.array([new]), Alpha.of(alpha))
    for x in np.unique(np.linspace(0, new, 40).astype(int)).tolist():
        chance = Fraction(comb(x + above - 1, x) * comb(new - x + below - 1, new - x), comb(new + rows, new))
        assert found[x] == pytest.approx(float(chance), rel=1e-6, abs=1e-300)


def test_groups_are_independent_and_those_without_a_threshold_are_always_covered():
    rows, new, alpha = np.array([9, 3, 20]), np.array([3, 2, 4]), Alpha.of("0.1")
    one, three = (enumerated(int(rows[g]), int(new[g]), "0.1") for g in (0, 2))
    wanted = [
        float(sum(one[x] * three[s - 2 - x] for x in range(4) if 0 <= s - 2 - x <= 4)) for s in range(10)
    ]  # the second group is covered whatever its scores: alpha 0.1 needs 9 rows
    assert covered_distribution(rows, new, alpha) == pytest.approx(wanted, abs=1e-12)


def test_many_groups_are_as_exact_as_few():
    rng = np.random.default_rng(0)
    rows, new = rng.integers(9, 400, 600), rng.integers(0, 30, 600)
    alpha = Alpha.of("0.1")
    found = covered_distribution(rows, new, alpha)
    ranks = alpha.ranks(rows)
    mean = (new * (rows + 1 - ranks) / (rows + 1)).sum()
    variance = betabinom.var(new[new > 0], (rows + 1 - ranks)[new > 0], ranks[new > 0]).sum()
    x = np.arange(found.size)
    assert found.size == new.sum() + 1
    assert found.sum() == pytest.approx(1, abs=1e-10)
    assert found @ x == pytest.approx(mean, rel=1e-9)
    assert found @ (x - mean) ** 2 == pytest.approx(variance, rel=1e-7)


@pytest.mark.parametrize("ties", [False, True])
def test_a_check_of_exchangeable_rows_is_a_false_alarm_as_often_as_its_level(ties):
    """With equal scores it is one less often, never more."""
    rng, n, new, alpha, level = np.random.default_rng(3), 60, 80, Alpha.of("0.1"), 0.05
    low = high = 0
    for _ in range(4000):
        scores = rng.integers(0, 8, n + new) / 8 if ties else rng.random(n + new)
        threshold = threshold_at(scores[:n], alpha)
        covered = int((scores[n:] >= threshold).sum())
        found = compatibility(
            np.array([covered, 0]), np.array([new, 0]), RankedRows(np.array([n])), alpha, significance=level
        )
        low, high = low + found.too_low, high + found.too_high
    assert low / 4000 < level + 0.01
    if not ties:
        assert low / 4000 > 0.03
        assert 0.02 < high / 4000 < level + 0.01


RULES = {
    "standard": Standard(),
    "classwise": Classwise(),
    "clustered": Clustered(given={"a": 1, "b": 1, "c": 2}),
    "clustered, no clusters": Clustered(given={}),
    "fuzzy-reconformalised": FuzzyReconformalised(bandwidth=1e-3, held_out=0.5),
}


@pytest.mark.parametrize("name", RULES)
def test_the_numbers_covered_by_each_rule_are_distributed_as_it_says(name):
    """Mean and variance over many draws: of a rule with several groups they are those of the sum."""
    rng, alpha, repetitions = np.random.default_rng(5), Alpha.of("0.2"), 600
    space = LabelSpace(pa.array(["a", "b", "c", "d"]), Prior(np.array([40.0, 20.0, 10.0, 5.0])))
    shift = np.array([0.0, 0.2, 0.4, 0.1])
    squares = deviations = 0.0
    for _ in range(repetitions):
        labels, new = (rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1]).astype(np.int32) for n in (80, 60))
        scores, new_scores = (shift[y] + rng.random(y.size) for y in (labels, new))
        keys = rng.integers(0, 1 << 63, labels.size).astype(np.uint64)
        thresholds = RULES[name].fit(Calibration(scores, labels, space, keys=keys), alpha)
        t = thresholds.each(4)[new]
        hits = new_scores > t if thresholds.strict else new_scores >= t
        of_label = [np.append(np.bincount(y, minlength=4), 0) for y in (new[hits], new)]
        found = compatibility(*of_label, thresholds.ranked, alpha, significance=0.01)
        assert found.unchecked == (int((new == 3).sum()) if name == "clustered" else 0)
        chances = covered_distribution(*_groups(thresholds.ranked, of_label[1]), alpha)
        variance = chances @ (np.arange(chances.size) - found.expected) ** 2
        deviation = (found.covered - found.expected) / np.sqrt(variance)
        deviations, squares = deviations + deviation, squares + deviation**2
    assert deviations / repetitions > -4 / np.sqrt(repetitions)
    if name == "fuzzy-reconformalised":  # its weighted shares of few rows are often equal, which only adds to coverage
        return
    assert deviations / repetitions < 4 / np.sqrt(repetitions)
    assert squares / repetitions == pytest.approx(1, abs=4 * np.sqrt(3 / repetitions))


def _groups(ranked, of_label):
    if ranked.groups is None:
        return ranked.rows, np.array([of_label.sum()])
    groups = np.append(ranked.groups, -1)
    return ranked.rows, np.array([of_label[groups == g].sum() for g in range(ranked.rows.size)])


def test_labels_without_a_group_and_outside_the_label_space_are_left_out():
    ranked = RankedRows(np.array([20, 40]), np.array([0, -1, 1], np.int32))
    found = compatibility(np.array([5, 1, 7, 0]), np.array([6, 9, 8, 2]), ranked, Alpha.of("0.1"), significance=0.01)
    assert (found.observations, found.covered, found.unchecked, found.calibration_rows) == (14, 12, 11, 60)


def test_thresholds_that_are_no_order_statistics_are_refused():
    given = np.array([1, 0]), np.array([1, 0])
    space = LabelSpace(pa.array(["a"]))
    predictor = SetPredictor(Softmax(), InterpQ(), space, {Alpha.of("0.1"): Thresholds(0.5)})
    with pytest.raises(ParameterError, match="rule interp-q are no order statistics"):
        check_level(predictor, ClassifierScores.of_matrix([[1.0]]), given[0], Alpha.of("0.1"), significance=0.01)
    with pytest.raises(VotesError, match="no observation"):
        compatibility(*given, RankedRows(np.array([9]), np.array([-1], np.int32)), Alpha.of("0.1"), significance=0.01)


@pytest.mark.parametrize(
    ("rows", "unlisted", "new", "of_new"), [(88, 1, 50, 4), (200, 0, 300, 0), (5, 5, 3, 3), (1000, 20, 400, 9)]
)
def test_unlisted_labels_are_compared_by_chance_alone(rows, unlisted, new, of_new):
    together = unlisted + of_new
    ways = [comb(new, x) * comb(rows, together - x) for x in range(of_new, min(new, together) + 1)]
    wanted = Fraction(sum(ways), comb(rows + new, together))
    assert more_unlisted(rows, unlisted, new, of_new) == pytest.approx(float(wanted), rel=1e-8)
