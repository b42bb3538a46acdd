"""Ranks of thresholds among calibration scores, exactly: from the decimal text of alpha, in whole numbers.

In doubles floor(0.29 * 100) is 28, and ``numpy.quantile`` with ``inverted_cdf`` is a rank too high for some n.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ...arrays import Floats, Indices, LabelCodes, Weights
from ...errors import ParameterError


@dataclass(frozen=True, order=True)
class Alpha:
    """A miscoverage level in (0, 1): the share of observations whose true label may be outside the set."""

    exact: Fraction

    @classmethod
    def of(cls, level: "Alpha | str | float | Decimal | Fraction") -> "Alpha":
        """The level that a decimal text names, or a number in its shortest form. Raises ParameterError.

        >>> Alpha.of(0.29).rank(99)
        29
        """
        if isinstance(level, Alpha):
            return level
        try:
            exact = Fraction(str(level))
        except (ValueError, ZeroDivisionError):
            exact = Fraction(0)
        if not 0 < exact < 1:
            raise ParameterError(f"alpha is {level} but must be a number in (0, 1)")
        return cls(exact)

    def __str__(self) -> str:
        text = repr(float(self.exact))
        return text if Fraction(text) == self.exact else str(self.exact)

    def __float__(self) -> float:
        return float(self.exact)

    def rank(self, n: int) -> int:
        """m(n) = floor(alpha (n + 1)): the rank of the threshold among n scores; 0 if they are too few."""
        return int(self.exact * (n + 1))

    def ranks(self, counts: Indices) -> Indices:
        """m(n) of each number of scores, int64 of the same shape."""
        distinct, places = np.unique(counts, return_inverse=True)
        return np.array([self.rank(n) for n in distinct.tolist()], np.int64)[places]

    @property
    def fewest(self) -> int:
        """The smallest number of calibration rows with a finite threshold: 9 at alpha 0.1.

        >>> [Alpha.of(level).fewest for level in ("0.2", "0.1", "0.05", "0.01")]
        [4, 9, 19, 99]
        """
        return -int(-1 / self.exact // 1) - 1


def alphas_of(levels: Alpha | str | float | Iterable[Alpha | str | float]) -> tuple[Alpha, ...]:
    """Distinct levels of one or several, in the order given. Raises ParameterError.

    >>> alphas_of("0.1") == alphas_of([0.1, "0.10"])
    True
    """
    if isinstance(levels, str) or not isinstance(levels, Iterable):
        levels = [levels]
    return tuple(dict.fromkeys(Alpha.of(level) for level in levels))


def threshold_at(scores: Floats, alpha: Alpha, weights: Weights | None = None) -> float:
    """The m(n)-th smallest of ``scores`` float64[n], ties counted; -inf where m(n) is 0.

    ``weights``: as of :func:`thresholds_of_groups`.
    """
    if weights is not None:
        return float(thresholds_of_groups(scores, np.zeros(scores.size, np.int32), 1, alpha, weights)[0])
    rank = alpha.rank(scores.size)
    return float(np.partition(scores, rank - 1)[rank - 1]) if rank else -np.inf


def thresholds_of_groups(
    scores: Floats, groups: LabelCodes, n_groups: int, alpha: Alpha, weights: Weights | None = None
) -> Floats:
    """The threshold of each group of ``scores`` float64[n], float64[n_groups]; -inf for groups with too few.

    ``groups``: int32[n]; scores of negative groups are left out. ``weights``: float64[n]; a score counts as so many,
    and a new one as one: the threshold is the largest v with sum over s_i >= v of w_i >= (1 - alpha)(sum of w_i + 1).

    >>> thresholds_of_groups(np.array([0.5, 0.1, 0.7, 0.3]), np.array([0, 2, 0, 0]), 3, Alpha.of("0.5")).tolist()
    [0.5, -inf, 0.1]
    """
    in_order = np.lexsort((scores, groups))
    counts = np.bincount(groups[groups >= 0], minlength=n_groups)
    starts = np.cumsum(counts) - counts + np.count_nonzero(groups < 0)
    if weights is None:
        ranks = alpha.ranks(counts)
    else:
        ranks = _weighted_ranks(weights[in_order], groups[in_order], n_groups, alpha)
    thresholds = np.full(n_groups, -np.inf)
    enough = ranks > 0
    thresholds[enough] = scores[in_order[(starts + ranks - 1)[enough]]]
    return thresholds


def _weighted_ranks(weights: Weights, groups: LabelCodes, n_groups: int, alpha: Alpha) -> Indices:
    """The rank of the threshold among the rows of each group, which are in ascending order of group and score.

    In whole numbers of 2**-36, whose sums are exact; sums that differ by less than rounding may are equal.
    """
    one, is_in = 1 << 36, groups >= 0
    groups, counted = groups[is_in], np.rint(weights[is_in] * one).astype(np.int64)
    sums = np.zeros(n_groups, np.int64)
    np.add.at(sums, groups, counted)
    # What may be below the threshold: alpha (sum + 1) - 1.
    limits = np.array([int((alpha.exact * (total + one) - one) // 1) for total in sums.tolist()], np.int64)
    limits += np.bincount(groups, minlength=n_groups)
    up_to = np.cumsum(counted) - (np.cumsum(sums) - sums)[groups]
    n_below = np.bincount(groups[up_to <= limits[groups]], minlength=n_groups)
    return np.where(limits >= 0, n_below + 1, 0)


class Randomised(NamedTuple):
    """Two thresholds of which one is drawn for each row, so that coverage is exactly 1 - alpha without ties."""

    lower: float
    upper: float
    share_lower: float  # probability of the lower threshold


def randomised_threshold(scores: Floats, alpha: Alpha) -> Randomised:
    """The scores of the ranks m(n) and m(n) + 1, and how often the lower is taken, of ``scores`` float64[n].

    >>> randomised_threshold(np.array([0.1, 0.2, 0.3, 0.4, 0.5]), Alpha.of("0.2"))
    Randomised(lower=0.1, upper=0.2, share_lower=0.8)
    """
    ordered, rank = np.sort(scores), alpha.rank(scores.size)
    lower = float(ordered[rank - 1]) if rank else -np.inf
    upper = float(ordered[rank]) if rank < scores.size else np.inf
    return Randomised(lower, upper, float(1 - (alpha.exact * (scores.size + 1) - rank)))
