"""Whether the coverage of new observations is compatible with the level of the sets: exact intervals.

A threshold that is the m-th smallest of n calibration scores, m = floor(alpha (n + 1)), covers a share of all new
observations that is Beta(n + 1 - m, m), given the calibration rows; of N new ones the number covered is beta-binomial.
This holds for any classifier, score and distribution, if rows and new observations are exchangeable and no scores are
equal; equal scores only add to the number covered. [V12] Vovk 2012, Conditional validity of inductive conformal
predictors, ACML.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Floats, Indices, LabelCodes
from ...classifier_scores import ClassifierScores
from ...errors import ParameterError, VotesError
from ...html_blocks import as_html
from .order import Alpha
from .predictor import SetPredictor
from .thresholds.base import RankedRows


@dataclass(frozen=True)
class LevelCheck:
    """The sets of new observations at one level, beside those that their thresholds were fitted on."""

    alpha: Alpha
    coverage: "Compatibility"
    """How many are covered, and how many may be."""
    mean_size: float
    """Mean number of labels in their sets."""
    fitted_mean_size: float | None
    """The same of the calibration rows; None if that is not known."""
    p_size: float | None
    """Probability of a difference so large or larger, if observations are exchangeable; of a normal approximation.

    None if that is not known, as for thresholds by label.
    """


@dataclass(frozen=True, eq=False)
class CoverageCheck:
    """Whether the sets of new observations are compatible with their levels."""

    method: str
    """The score and the threshold rule."""
    levels: tuple[LevelCheck, ...]
    """What was found at each level."""
    observations: int
    """New observations with a label list, and with a true label."""
    not_listed: int
    """Those whose list lacks the true label."""
    p_not_listed: float
    """Probability of so many or more among them, if they and the calibration rows are exchangeable."""
    truth: str
    """Where their true labels are from."""
    fitted_on: Mapping[str, Any]
    """What the thresholds were fitted on."""
    significance: float
    """Probability of each verdict if nothing has changed."""
    notes: tuple[str, ...] = ()
    """What else is to be known of these numbers."""

    @property
    def too_low(self) -> tuple[Alpha, ...]:
        """The levels at which too few observations are covered."""
        return tuple(level.alpha for level in self.levels if level.coverage.too_low)

    @property
    def too_high(self) -> tuple[Alpha, ...]:
        """The levels at which more are covered than chance explains."""
        return tuple(level.alpha for level in self.levels if level.coverage.too_high)

    @property
    def more_not_listed(self) -> bool:
        """Whether more lists lack the true label than those of the calibration rows."""
        return self.p_not_listed < self.significance

    @property
    def sizes_moved(self) -> tuple[Alpha, ...]:
        """The levels at which sets are of another mean size than those of the calibration rows."""
        return tuple(each.alpha for each in self.levels if each.p_size is not None and each.p_size < self.significance)

    def __repr__(self) -> str:
        found = ", ".join(
            f"alpha {level.alpha}: {level.coverage.covered:,} of {level.coverage.observations:,} covered"
            + " (too few)" * level.coverage.too_low
            for level in self.levels
        )
        return f"CoverageCheck({found})"

    def _repr_html_(self) -> str:
        from ..report.coverage_check import check_blocks

        return as_html(check_blocks(self))


@dataclass(frozen=True)
class Compatibility:
    """How many of new observations are covered, beside how many may be."""

    observations: int
    """New observations whose coverage has an exact distribution."""
    covered: int
    """Those whose set has the true label."""
    unchecked: int
    """Further observations, of labels whose threshold is no order statistic: they are left out."""
    calibration_rows: int
    """Rows that the thresholds of the observations' labels are from."""
    expected: float
    """Mean of the distribution of the number covered."""
    fewest: int
    """Smallest number covered that is compatible: fewer have a probability below ``significance``."""
    most: int
    """Largest number covered that is compatible: more have a probability below ``significance``."""
    p_low: float
    """Probability of so few covered, or fewer."""
    p_high: float
    """Probability of so many covered, or more, if no scores are equal."""
    significance: float
    """The probability, for each side, with which observations that are exchangeable are called incompatible."""

    @property
    def share(self) -> float:
        """Share of the observations covered."""
        return self.covered / self.observations

    @property
    def too_low(self) -> bool:
        """Whether too few are covered."""
        return self.p_low < self.significance

    @property
    def too_high(self) -> bool:
        """Whether more are covered than chance explains: sets are larger than they need to be, or scores are equal."""
        return self.p_high < self.significance


def compatibility(
    covered: Indices, observations: Indices, ranked: RankedRows, alpha: Alpha, *, significance: float
) -> Compatibility:
    """Compare new observations by true label with what is expected of thresholds of one level.

    ``covered`` and ``observations`` int64[K + 1] are numbers by label, those of labels outside the label space last.
    Raises VotesError if there is no observation to compare.
    """
    groups = np.zeros(observations.size, np.int32) if ranked.groups is None else np.append(ranked.groups, -1)
    counts = _by_group(observations, groups, ranked.rows.size)
    n_covered, n = int(_by_group(covered, groups, ranked.rows.size).sum()), int(counts.sum())
    if not n:
        raise VotesError("no observation has a label with a threshold that is checked")
    chances = covered_distribution(ranked.rows, counts, alpha)
    at_most, at_least = np.cumsum(chances), np.cumsum(chances[::-1])[::-1]
    return Compatibility(
        observations=n,
        covered=n_covered,
        unchecked=int(observations.sum()) - n,
        calibration_rows=int(ranked.rows[counts > 0].sum()),
        expected=float(chances @ np.arange(n + 1)),
        fewest=int(np.argmax(at_most >= significance)),
        most=n - int(np.argmax(at_least[::-1] >= significance)),
        p_low=float(min(at_most[n_covered], 1.0)),
        p_high=float(min(at_least[n_covered], 1.0)),
        significance=significance,
    )


def check_level(
    predictor: SetPredictor,
    scores: ClassifierScores,
    truth: LabelCodes,
    alpha: Alpha,
    *,
    significance: float,
    draws: Floats | None = None,
) -> LevelCheck:
    """Compare label lists whose true labels ``truth`` int32[n] are known with what is expected at a level.

    Labels at or beyond the size of the label space are outside of it. Raises ParameterError if thresholds are no order
    statistics, VotesError if no observation has a label with a threshold that is one.
    """
    ranked = predictor.thresholds[alpha].ranked
    if ranked is None and predictor.fitted_on.get("weighted"):
        raise ParameterError(
            "the calibration rows have weights: the distribution of coverage is not known", remedy="evaluate these sets"
        )
    if ranked is None:
        raise ParameterError(
            f"thresholds of rule {predictor.rule.name} are no order statistics of calibration rows: the distribution "
            "of their coverage is not known",
            remedy="evaluate these sets instead, or fit with standard, classwise, clustered or fuzzy-reconformalised",
        )
    sets = predictor.predict(scores, alpha, draws)
    n_labels = len(predictor.space)
    of = np.minimum(truth, n_labels)
    covered, observations = (np.bincount(of[rows], minlength=n_labels + 1) for rows in (sets.covers(truth), of >= 0))
    found = compatibility(covered, observations, ranked, alpha, significance=significance)
    mean, n = float(sets.sizes.mean()), len(sets)
    fitted = predictor.fitted_on.get("sizes", {}).get(str(alpha))
    if fitted is None:
        return LevelCheck(alpha, found, mean, None, None)
    if predictor.thresholds[alpha].of_labels is not None:  # calibration rows move the thresholds of their own labels
        return LevelCheck(alpha, found, mean, fitted["mean"], None)
    spread = math.sqrt(float(sets.sizes.var()) / n + fitted["sd"] ** 2 / predictor.fitted_on["rows"])
    deviation = abs(mean - fitted["mean"])
    p_size = math.erfc(deviation / spread / math.sqrt(2)) if spread else float(deviation == 0)
    return LevelCheck(alpha, found, mean, fitted["mean"], p_size)


def covered_distribution(rows: Indices, observations: Indices, alpha: Alpha) -> Floats:
    """P(x of the observations are covered), float64[N + 1], N in all, for x = 0 .. N.

    ``rows`` int64[groups]: calibration rows of each group; ``observations`` int64[groups]: new ones. The numbers
    covered of groups are independent, so that of all is distributed as their sum.
    """
    from scipy.stats import betabinom

    ranks = alpha.ranks(rows)
    new = observations > 0
    always = int(observations[new & (ranks == 0)].sum())
    parts = [
        betabinom.pmf(np.arange(n + 1), n, a, b)
        for n, a, b in zip(*(part[new & (ranks > 0)] for part in (observations, rows + 1 - ranks, ranks)), strict=True)
    ]
    summed = _distribution_of_sum(parts)
    return np.concatenate([np.zeros(always), summed])


def more_unlisted(rows: int, unlisted: int, new: int, new_unlisted: int) -> float:
    """The probability that of ``new`` observations so many or more are unlisted, given how many are in both parts.

    Of ``rows`` calibration rows ``unlisted`` have a true label that is not in their list. Hypergeometric, as which part
    a row is in is chance.
    """
    from scipy.stats import hypergeom

    return float(hypergeom.sf(new_unlisted - 1, rows + new, unlisted + new_unlisted, new))


def _by_group(numbers: Indices, groups: LabelCodes, n_groups: int) -> Indices:
    known = groups >= 0
    return np.bincount(groups[known], numbers[known], n_groups).astype(np.int64)


def _distribution_of_sum(parts: list[Floats]) -> Floats:
    """The distribution of a sum of independent numbers: short ones are convolved first."""
    queue = [(part.size, place, part) for place, part in enumerate(parts)] or [(1, 0, np.ones(1))]
    heapq.heapify(queue)
    place = len(queue)
    while len(queue) > 1:
        (_, _, one), (_, _, other) = heapq.heappop(queue), heapq.heappop(queue)
        summed = _convolved(one, other)
        heapq.heappush(queue, (summed.size, place, summed))
        place += 1
    return queue[0][2]


def _convolved(one: Floats, other: Floats) -> Floats:
    if min(one.size, other.size) < 256:
        return np.convolve(one, other)
    n = one.size + other.size - 1
    summed = np.fft.irfft(np.fft.rfft(one, n) * np.fft.rfft(other, n), n)
    found: Floats = np.maximum(summed, 0.0)
    return found
