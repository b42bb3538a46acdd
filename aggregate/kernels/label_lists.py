"""Labels in order of score: the likeliest ones of dense matrices, and the members of prediction sets."""

import numpy as np

from ..arrays import Bytes, Floats, LabelCodes, Offsets, Probabilities
from .jit import kernel

NAN, OUTSIDE, INFINITE, NOTHING = range(1, 5)  # why a row cannot be used

BIN_SHIFT = 20  # a bin has the exponent of a float32 and three bits more: eight bins for each factor of 2
BINS = (int(np.float32(2.0).view(np.int32)) >> BIN_SHIFT) + 1


@kernel
def sink(values: Floats, labels: LabelCodes, place: int, size: int) -> None:
    """Let an item of a heap sink below those that are less likely; ``size`` items are in the heap, the least first.

    Of two equally likely labels the later one, in label order, is the less likely.
    """
    x, k = values[place], labels[place]
    below = 2 * place + 1
    while below < size:
        right = below + 1
        if right < size and (
            values[right] < values[below] or (values[right] == values[below] and labels[right] > labels[below])
        ):
            below = right
        if x < values[below] or (x == values[below] and k > labels[below]):
            break
        values[place], labels[place] = values[below], labels[below]
        place, below = below, 2 * below + 1
    values[place], labels[place] = x, k


@kernel
def likeliest(
    first: int,
    last: int,
    matrix: Probabilities,
    codes: LabelCodes,
    are_logits: bool,
    tolerance: float,
    labels: LabelCodes,
    probabilities: Probabilities,
    faults: Bytes,
) -> None:
    """The ``top`` likeliest labels of each row of ``matrix`` float[n, K], likeliest first, ties in label order.

    ``codes`` int32[K] are the labels of the columns. ``labels`` int32[n, top] and ``probabilities`` float[n, top] are
    filled; of ``are_logits`` they are the softmax, which is taken in float64 after the largest logit was subtracted,
    so that nothing overflows. Probabilities outside [0, 1] by no more than ``tolerance`` become the nearer end.
    ``faults`` uint8[n]: 0, or why a row cannot be used.

    Labels are counted in bins of probability; only those in the highest bins are put in order, bin by bin.
    """
    n_labels, top = matrix.shape[1], labels.shape[1]
    rough = np.empty(n_labels, np.float32)
    bins = rough.view(np.int32)
    values, kept = np.empty(n_labels), np.empty(n_labels, np.int32)  # those of the highest bins, in order of their bins
    ends = np.empty(BINS, np.int64)
    for i in range(first, last):
        faults[i] = fault_of(matrix[i], are_logits, tolerance)
        if faults[i]:
            continue
        highest = total = 0.0
        if are_logits:
            highest = np.float64(matrix[i].max())
            for k in range(n_labels):
                p = np.exp(np.float64(matrix[i, k]) - highest)
                total += p
                rough[k] = p
        else:
            for k in range(n_labels):
                rough[k] = matrix[i, k] if matrix[i, k] > 0.0 else 0.0  # not -0, whose bin is below the first
        ends[:] = 0
        n_above_0 = 0
        for k in range(n_labels):
            bins[k] >>= BIN_SHIFT
            if bins[k]:
                ends[bins[k]] += 1
                n_above_0 += 1
        ends[0] = n_labels - n_above_0
        start, lowest = 0, BINS
        while start < top:
            lowest -= 1
            size, ends[lowest] = ends[lowest], start
            start += size
        for k in range(n_labels):
            if bins[k] >= lowest:
                place = ends[bins[k]]
                ends[bins[k]] = place + 1
                values[place], kept[place] = matrix[i, k], codes[k]
        start = 0
        for b in range(BINS - 1, lowest - 1, -1):
            if ends[b] > start + 1:
                put_in_order(values[start : ends[b]], kept[start : ends[b]])
            start = ends[b]
        for j in range(top):
            labels[i, j] = kept[j]
            probabilities[i, j] = np.exp(values[j] - highest) / total if are_logits else min(max(values[j], 0.0), 1.0)


@kernel
def fault_of(row: Probabilities, are_logits: bool, tolerance: float) -> int:
    """Why a row float[K] cannot be used, by the first number that is at fault; 0 if it can."""
    n_bad = 0
    for x in row:
        n_bad += not (are_logits or (x >= -tolerance and x <= 1.0 + tolerance))
    highest = -np.inf
    for k in range(row.size if n_bad or are_logits else 0):
        x = np.float64(row[k])
        highest = max(highest, x)
        if np.isnan(x):
            return NAN
        if not are_logits and not -tolerance <= x <= 1.0 + tolerance:
            return OUTSIDE
    if are_logits and np.isinf(highest):
        return INFINITE if highest > 0.0 else NOTHING
    return 0


@kernel
def list_members(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    item_scores: Floats,
    least: Floats,
    places: Offsets,
    members: LabelCodes,
    scores: Floats,
) -> None:
    """The members of set i, and their scores, from ``places`` int64[n + 1] on: highest first, ties in label order."""
    n_labels = least.size - 1
    for i in range(first, last):
        place = places[i]
        for item in range(offsets[i], offsets[i + 1]):
            if item_scores[item] >= least[min(labels[item], n_labels)]:
                members[place], scores[place] = labels[item], item_scores[item]
                place += 1
        put_in_order(scores[places[i] : place], members[places[i] : place])


@kernel
def put_in_order(scores: Floats, labels: LabelCodes) -> None:
    """Sort labels by score, highest first, ties in label order; most lists are in that order as they come."""
    n, place = scores.size, 1
    while place < n and (
        scores[place - 1] > scores[place] or (scores[place - 1] == scores[place] and labels[place - 1] < labels[place])
    ):
        place += 1
    if place >= n:
        return
    for top in range(n // 2 - 1, -1, -1):  # a heap whose first item is the last in order
        sink(scores, labels, top, n)
    for size in range(n - 1, 0, -1):
        labels[0], labels[size] = labels[size], labels[0]
        scores[0], scores[size] = scores[size], scores[0]
        sink(scores, labels, 0, size)


@kernel
def first_repeated(offsets: Offsets, labels: LabelCodes, n_labels: int) -> int:
    """The first item whose label an earlier item of its list has; -1 if there is none."""
    last_list = np.full(n_labels, -1, np.int64)  # the last list with each label
    for i in range(offsets.size - 1):
        for item in range(offsets[i], offsets[i + 1]):
            if last_list[labels[item]] == i:
                return item
            last_list[labels[item]] = i
    return -1
