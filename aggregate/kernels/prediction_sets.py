"""Prediction sets from label lists whose labels have scores.

The items of row i are the slice ``offsets[i]:offsets[i + 1]``; k is the label of an item, at or beyond the number of
labels for one outside the label space.
"""

from ..arrays import Counts, Flags, Floats, Indices, LabelCodes, Offsets, Probabilities
from .jit import kernel


@kernel
def true_scores(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    item_scores: Floats,
    truth: LabelCodes,
    unlisted: float,
    found: Floats,
) -> None:
    """``found`` float64[n]: the score of the label ``truth`` int32[n] of each row, ``unlisted`` if it is not listed."""
    for i in range(first, last):
        found[i] = unlisted
        for item in range(offsets[i], offsets[i + 1]):
            if labels[item] == truth[i]:
                found[i] = item_scores[item]
                break


@kernel
def count_members(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    item_scores: Floats,
    least: Floats,
    always: Flags,
    n_always: int,
    listed: Counts,
    sizes: Counts,
) -> None:
    """``listed`` int32[n]: the members of each set that are listed; ``sizes`` int32[n]: also those that are not.

    A label is a member if its score is at least ``least`` float64[K + 1], whose last is for labels outside the space.
    ``always`` bool[K]: in each set, listed or not; ``n_always`` of them.
    """
    n_labels = least.size - 1
    for i in range(first, last):
        n_listed = n_listed_always = 0
        for item in range(offsets[i], offsets[i + 1]):
            k = min(labels[item], n_labels)
            if item_scores[item] >= least[k]:
                n_listed += 1
                if k < n_labels and always[k]:
                    n_listed_always += 1
        listed[i] = n_listed
        sizes[i] = n_listed + n_always - n_listed_always


@kernel
def listed_probabilities(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    probabilities: Probabilities,
    places: Offsets,
    members: LabelCodes,
    found: Probabilities,
) -> None:
    """``found`` float[members]: the probability of each member; those of set i are from ``places`` int64[n + 1] on."""
    for i in range(first, last):
        for place in range(places[i], places[i + 1]):
            found[place] = 0.0
            for item in range(offsets[i], offsets[i + 1]):
                if labels[item] == members[place]:
                    found[place] = probabilities[item]
                    break


@kernel
def likeliest_items(
    offsets: Offsets, labels: LabelCodes, probabilities: Probabilities, rows: Indices, items: Indices
) -> None:
    """``items`` int64[rows]: the item of the likeliest label of each of ``rows``, which have some; ties in order."""
    for place in range(rows.size):
        i = rows[place]
        best = offsets[i]
        for item in range(offsets[i] + 1, offsets[i + 1]):
            if probabilities[item] > probabilities[best] or (
                probabilities[item] == probabilities[best] and labels[item] < labels[best]
            ):
                best = item
        items[place] = best
