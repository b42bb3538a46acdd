"""Labels in order of score: the likeliest ones of dense matrices, and the members of prediction sets."""

import numpy as np

from ..arrays import Bytes, Floats, LabelCodes, Offsets, Probabilities
from .jit import kernel

NAN, OUTSIDE, INFINITE, NOTHING = range(1, 5)  # why a row cannot be used


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
    so that nothing overflows. Probabilities outside [0, 1] by no more than
    ``tolerance`` become the nearer end. ``faults`` uint8[n]: 0, or why a row cannot be used.
    """
    n_labels, top = matrix.shape[1], labels.shape[1]
    values, kept = np.empty(top), np.empty(top, np.int32)  # a heap whose first item is the least likely
    for i in range(first, last):
        highest = -np.inf
        fault = 0
        for k in range(n_labels):
            x = np.float64(matrix[i, k])
            highest = max(highest, x)
            if np.isnan(x):
                fault = NAN
                break
            if not are_logits and not -tolerance <= x <= 1.0 + tolerance:
                fault = OUTSIDE
                break
        if are_logits and not fault and np.isinf(highest):
            fault = INFINITE if highest > 0.0 else NOTHING
        faults[i] = fault
        if fault:
            continue
        total = 0.0
        for k in range(n_labels):
            x = np.float64(matrix[i, k])
            if are_logits:
                total += np.exp(x - highest)
            if k < top:
                values[k], kept[k] = x, codes[k]
                if k == top - 1:
                    for place in range(top // 2 - 1, -1, -1):
                        sink(values, kept, place, top)
            elif x > values[0] or (x == values[0] and codes[k] < kept[0]):
                values[0], kept[0] = x, codes[k]
                sink(values, kept, 0, top)
        for size in range(top - 1, -1, -1):  # the least likely leaves the heap, until that is empty
            p = np.exp(values[0] - highest) / total if are_logits else min(max(values[0], 0.0), 1.0)
            labels[i, size], probabilities[i, size] = kept[0], p
            values[0], kept[0] = values[size], kept[size]
            sink(values, kept, 0, size)


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
