"""Thresholds among calibration rows that weigh the more, the more alike their label is to the one in question.

A row whose label is at position z weighs w = exp(-(z - z_p)^2 / (2 variance_p)) for a target p at position z_p: a
Gaussian over its peak, which is the weight of the target itself, so that none but what is far off underflows. Rows are
in ascending order of score. Their positions are few, as are counts of images: ``levels`` float64[levels] are the
distinct ones, ``level_of_row`` int32[n] has that of each row, ``rows_at_level`` float64[levels] counts them. A row
counts as ``row_weight`` float64[n] rows.
"""

import numpy as np

from ..arrays import Counts, Floats, Indices, Offsets, Weights
from .jit import kernel


@kernel
def _weigh(position: float, variance: float, levels: Floats, rows_at_level: Weights, weights: Floats) -> float:
    """Write the weights float64[levels] of rows for a target; returns the weight of all rows together."""
    total = 0.0
    for level in range(levels.size):
        distance = levels[level] - position
        weights[level] = np.exp(-distance * distance / (2.0 * variance))
        total += rows_at_level[level] * weights[level]
    return total


@kernel
def thresholds_of_targets(
    first: int,
    last: int,
    positions: Floats,
    variances: Floats,
    share: float,
    tolerance: float,
    levels: Floats,
    rows_at_level: Weights,
    level_of_row: Counts,
    row_weight: Weights,
    scores: Floats,
    thresholds: Floats,
) -> None:
    """``thresholds`` float64[p]: the largest score v such that the rows of v or more weigh ``share`` of all, or more.

    All are the rows and the target itself, which weighs 1. -inf if they do not weigh as much together. ``tolerance``, a
    share of all, says what counts as equal; it is negative if they must weigh more than ``share``.
    """
    weights = np.empty(levels.size, np.float64)
    for p in range(first, last):
        total = _weigh(positions[p], variances[p], levels, rows_at_level, weights)
        may_be_below = total - (share - tolerance) * (total + 1.0)
        if not may_be_below > 0.0:
            thresholds[p] = -np.inf
            continue
        row, weight = 0, weights[level_of_row[0]] * row_weight[0]
        while weight <= may_be_below and row + 1 < scores.size:
            row += 1
            weight += weights[level_of_row[row]] * row_weight[row]
        thresholds[p] = scores[row]


@kernel
def shares_of_targets(
    first: int,
    last: int,
    positions: Floats,
    variances: Floats,
    offsets: Offsets,
    n_below: Indices,
    levels: Floats,
    rows_at_level: Weights,
    level_of_row: Counts,
    row_weight: Weights,
    shares: Floats,
) -> None:
    """``shares`` float64[items]: the share of all rows and the target, by weight, that is not below an item.

    The items of target p are the slice ``offsets[p]:offsets[p + 1]``, in ascending order of ``n_below`` int64[items],
    the number of rows below each.
    """
    weights = np.empty(levels.size, np.float64)
    for p in range(first, last):
        total = _weigh(positions[p], variances[p], levels, rows_at_level, weights)
        row, weight = 0, 0.0
        for item in range(offsets[p], offsets[p + 1]):
            while row < n_below[item]:
                weight += weights[level_of_row[row]] * row_weight[row]
                row += 1
            shares[item] = max(total - weight, 0.0) / (total + 1.0)
