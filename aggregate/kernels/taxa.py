"""The smallest common taxon of sets of labels, and in how many groups, such as genera, their labels are.

The labels of set i are the slice ``offsets[i]:offsets[i + 1]`` of ``labels`` int32. ``taxa`` int32[labels] is the taxon
of each label, -1 where it is not known. ``parents`` int32[taxa] is the taxon above each, -1 for a root; as it is always
smaller, the larger of two taxa is never above the other.
"""

import numpy as np

from ..arrays import Counts, Flags, LabelCodes, Offsets
from .jit import kernel

NOTHING_YET = -2  # the common taxon of no label
LARGE = 32  # labels up to which it is quicker to compare all with each other than to have a mark for each group


@kernel
def common(a: int, b: int, parents: LabelCodes) -> int:
    """The smallest taxon that two taxa are or are below, -1 if there is none."""
    while a != b:
        if a > b:
            a = parents[a]
        else:
            b = parents[b]
    return a


@kernel
def common_taxon(taxa: LabelCodes, parents: LabelCodes) -> int:
    """The smallest taxon that all ``taxa`` are or are below, -1 if there is none; NOTHING_YET of none."""
    found = NOTHING_YET
    for k in range(taxa.size):
        found = taxa[k] if found == NOTHING_YET else common(found, taxa[k], parents)
    return found


@kernel
def common_taxa(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    taxa: LabelCodes,
    parents: LabelCodes,
    of_always: int,
    found: LabelCodes,
) -> None:
    """``found`` int32[sets]: the smallest common taxon of each set, -1 if there is none.

    ``of_always`` is that of the labels that are in every set, NOTHING_YET if there are none.
    """
    for i in range(first, last):
        taxon = of_always
        for item in range(offsets[i], offsets[i + 1]):
            other = taxa[labels[item]]
            taxon = other if taxon == NOTHING_YET else common(taxon, other, parents)
            if taxon == -1:
                break
        found[i] = max(taxon, -1)


@kernel
def count_groups(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    groups: LabelCodes,
    in_always: Flags,
    of_always: int,
    counts: Counts,
) -> None:
    """``counts`` int32[sets]: in how many groups the labels of each set are, -1 if the group of one is not known.

    ``groups`` int32[labels] is the group of each label, -1 if it is not known. ``in_always`` bool[groups]: those of the
    labels that are in every set, ``of_always`` of them, -1 if the group of one is not known.
    """
    last_set = np.empty(0, np.int64)  # the last set with a label of each group, once a set is large
    for i in range(first, last):
        n, is_large = of_always, offsets[i + 1] - offsets[i] > LARGE
        if is_large and last_set.size == 0:
            last_set = np.full(in_always.size, -1, np.int64)
        for item in range(offsets[i], offsets[i + 1]):
            group = groups[labels[item]]
            if group < 0 or n < 0:
                n = -1
                break
            if in_always[group]:
                continue
            is_new = True
            if is_large:
                is_new = last_set[group] != i
                last_set[group] = i
            else:
                for before in range(offsets[i], item):
                    if groups[labels[before]] == group:
                        is_new = False
                        break
            n += is_new
        counts[i] = n
