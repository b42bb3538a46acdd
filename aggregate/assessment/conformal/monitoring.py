"""Whether the coverage of new observations is compatible with the level of the sets: exact intervals.

A threshold that is the m-th smallest of n calibration scores, m = floor(alpha (n + 1)), covers a share of all new
observations that is Beta(n + 1 - m, m), given the calibration rows; of N new ones the number covered is beta-binomial.
This holds for any classifier, score and distribution, if rows and new observations are exchangeable and no scores are
equal; equal scores only add to the number covered. [V12] Vovk 2012, Conditional validity of inductive conformal
predictors, ACML.
"""

import heapq
from dataclasses import dataclass

import numpy as np

from ...arrays import Floats, Indices, LabelCodes
from ...errors import ParameterError, VotesError
from .order import Alpha
from .thresholds.base import RankedRows


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
    """Smallest number covered that is compatible: fewer have a probability below ``level``."""
    most: int
    """Largest number covered that is compatible: more have a probability below ``level``."""
    p_low: float
    """Probability of so few covered, or fewer."""
    p_high: float
    """Probability of so many covered, or more, if no scores are equal."""
    level: float
    """The probability, for each side, with which observations that are exchangeable are called incompatible."""

    @property
    def too_low(self) -> bool:
        """Whether too few are covered."""
        return self.p_low < self.level

    @property
    def too_high(self) -> bool:
        """Whether more are covered than chance explains: sets are larger than they need to be, or scores are equal."""
        return self.p_high < self.level


def compatibility(
    covered: Indices, observations: Indices, ranked: RankedRows | None, alpha: Alpha, *, level: float
) -> Compatibility:
    """Compare new observations by true label with what is expected of thresholds of one level.

    ``covered`` and ``observations`` int64[K + 1] are numbers by label, those of labels outside the label space last.
    Raises ParameterError if thresholds are no order statistics, VotesError if there is no observation to compare.
    """
    if ranked is None:
        raise ParameterError(
            "these thresholds are no order statistics of calibration rows: the distribution of coverage is unknown",
            remedy="check sets of the rule standard, classwise, clustered or fuzzy-reconformalised",
        )
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
        fewest=int(np.argmax(at_most >= level)),
        most=n - int(np.argmax(at_least[::-1] >= level)),
        p_low=float(min(at_most[n_covered], 1.0)),
        p_high=float(min(at_least[n_covered], 1.0)),
        level=level,
    )


def covered_distribution(rows: Indices, observations: Indices, alpha: Alpha) -> Floats:
    """P(x of the observations are covered), float64[N + 1], N in all, for x = 0 .. N.

    ``rows`` int64[groups]: calibration rows of each group; ``observations`` int64[groups]: new ones. The numbers
    covered of groups are independent, so that of all is distributed as their sum.
    """
    ranks = alpha.ranks(rows)
    new = observations > 0
    always = int(observations[new & (ranks == 0)].sum())
    parts = [
        beta_binomial(int(n), int(a), int(b))
        for n, a, b in zip(*(part[new & (ranks > 0)] for part in (observations, rows + 1 - ranks, ranks)), strict=True)
    ]
    summed = _distribution_of_sum(parts)
    return np.concatenate([np.zeros(always), summed])


def beta_binomial(n: int, a: int, b: int) -> Floats:
    """P(x of n), float64[n + 1], where the probability of each is Beta(a, b).

    >>> beta_binomial(2, 1, 1).round(12).tolist()
    [0.333333333333, 0.333333333333, 0.333333333333]
    """
    from scipy.special import betaln, gammaln

    x = np.arange(n + 1.0)
    choices = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    chances = np.exp(choices + betaln(x + a, n - x + b) - betaln(a, b))
    normalised: Floats = chances / chances.sum()
    return normalised


def more_unlisted(rows: int, unlisted: int, new: int, new_unlisted: int) -> float:
    """The probability that of ``new`` observations so many or more are unlisted, given how many are in both parts.

    Of ``rows`` calibration rows ``unlisted`` have a true label that is not in their list. Hypergeometric, as which part
    a row is in is chance.
    """
    from scipy.special import gammaln

    total = unlisted + new_unlisted
    x = np.arange(max(0, total - rows), min(total, new) + 1.0)

    def choices(of: int, k: Floats) -> Floats:
        found: Floats = gammaln(of + 1) - gammaln(k + 1) - gammaln(of - k + 1)
        return found

    logarithm = choices(new, x) + choices(rows, total - x)
    chances = np.exp(logarithm - logarithm.max())
    return float(min(chances[x >= new_unlisted].sum() / chances.sum(), 1.0))


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
