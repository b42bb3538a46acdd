"""Prediction sets from label lists whose labels have scores.

The items of row i are the slice ``offsets[i]:offsets[i + 1]``; k is the label of an item, at or beyond the number of
labels for one outside the label space.
"""

from ..arrays import Counts, Flags, Floats, LabelCodes, Offsets
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
def mark_members(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    item_scores: Floats,
    least: Floats,
    least_unknown: float,
    strict: bool,
    always: Flags,
    n_always: int,
    members: Flags,
    listed: Counts,
    sizes: Counts,
) -> None:
    """Which items are in the set of their row, ``members`` bool[items], and the sizes of the sets, int32[n].

    A label is a member if its score is at least ``least`` float64[K] (above it, if ``strict``), that of a label outside
    the space if it is at least ``least_unknown``. ``always`` bool[K]: in each set, listed or not; ``n_always`` of them.
    ``listed`` counts the members that are listed, ``sizes`` also the others.
    """
    n_labels = least.size
    for i in range(first, last):
        n_listed = n_listed_always = 0
        for item in range(offsets[i], offsets[i + 1]):
            k = labels[item]
            bound = least[k] if k < n_labels else least_unknown
            score = item_scores[item]
            is_member = score > bound if strict else score >= bound
            if k < n_labels and always[k]:
                is_member = True
                n_listed_always += 1
            members[item] = is_member
            if is_member:
                n_listed += 1
        listed[i] = n_listed
        sizes[i] = n_listed + n_always - n_listed_always
