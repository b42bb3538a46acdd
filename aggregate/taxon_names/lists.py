"""Lists of labels with probabilities, in which labels have become the same: their probabilities are added up."""

from typing import NamedTuple

import numpy as np

from ..arrays import Indices, LabelCodes, Offsets, Probabilities

SLACK = 1e-6  # of a sum of probabilities, which are rounded


class MergedItems(NamedTuple):
    """The items of lists, each label once in a list, where it stood first."""

    offsets: Offsets  # int64[n + 1], of lists
    items: Indices  # int64; the place of each item among those before
    probabilities: Probabilities  # theirs, with those of the others of the same label


def merged_items(offsets: Offsets, labels: LabelCodes, probabilities: Probabilities) -> MergedItems | None:
    """The items of lists without repeated labels; None if there are none that repeat.

    List i has the items ``offsets[i]:offsets[i + 1]``. Labels are codes; negative ones are compared with no other.

    >>> merged_items(np.array([0, 3]), np.array([4, 7, 4]), np.array([0.5, 0.25, 0.125]))
    MergedItems(offsets=array([0, 2]), items=array([0, 1]), probabilities=array([0.625, 0.25 ]))
    """
    rows = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    numbers = labels.astype(np.int64)
    apart = numbers < 0
    numbers[apart] = numbers.max(initial=0) + 1 + np.flatnonzero(apart)
    keys: Indices = rows * (numbers.max(initial=0) + 1) + numbers
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    if first.size == keys.size:
        return None
    sums = np.bincount(group.ravel(), weights=probabilities.astype(np.float64))
    sums[(sums > 1.0) & (sums <= 1.0 + SLACK)] = 1.0
    order = np.argsort(first)
    items = first[order]
    counts = np.bincount(rows[items], minlength=offsets.size - 1)
    merged: Probabilities = sums[order].astype(probabilities.dtype)  # type: ignore[assignment]
    return MergedItems(np.append(0, np.cumsum(counts)), items, merged)
