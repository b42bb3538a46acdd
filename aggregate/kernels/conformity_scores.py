"""Scores of listed labels: how well each fits the observation of its list.

The items of row i are the slice ``offsets[i]:offsets[i + 1]``; k is the label of an item, at or beyond the number of
labels for one outside the label space. Ranks run from 1, in descending order of probability, ties in label order.
"""

import numpy as np

from ..arrays import Floats, Indices, LabelCodes, Offsets, Probabilities
from .jit import kernel


@kernel
def scale_items(
    first: int,
    last: int,
    labels: LabelCodes,
    probabilities: Probabilities,
    factors: Floats,
    factor_unknown: float,
    item_scores: Floats,
) -> None:
    """``item_scores`` float64[items] of the items ``first <= item < last``: probability times the label's factor.

    ``factors`` float64[K], at least 0, may be infinite; ``factor_unknown`` is that of labels at or beyond K. Nothing
    times infinity is 0.
    """
    n_labels = factors.size
    for item in range(first, last):
        p = float(probabilities[item])
        k = labels[item]
        factor = factors[k] if k < n_labels else factor_unknown
        item_scores[item] = p * factor if p > 0 else 0.0


@kernel
def add_up(first: int, last: int, offsets: Offsets, probabilities: Probabilities, sums: Floats) -> None:
    """``sums`` float64[n]: the sum of the probabilities of each row."""
    for i in range(first, last):
        total = 0.0
        for item in range(offsets[i], offsets[i + 1]):
            total += float(probabilities[item])
        sums[i] = total


@kernel
def ranked(labels: LabelCodes, probabilities: Probabilities) -> Indices:
    """The items of a row in the order of their ranks, int64[items]."""
    size = labels.size
    are_ranked = is_by_label = True
    for item in range(1, size):
        p, before = probabilities[item], probabilities[item - 1]
        is_after = labels[item] > labels[item - 1]
        are_ranked &= p < before or (p == before and is_after)
        is_by_label &= is_after
    if are_ranked:
        return np.arange(size)
    by_label = np.arange(size) if is_by_label else np.argsort(labels)
    return by_label[np.argsort(-probabilities[by_label], kind="mergesort")]


@kernel
def add_up_to_labels(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    probabilities: Probabilities,
    own_shares: Floats,
    penalty: float,
    free_ranks: int,
    item_scores: Floats,
) -> None:
    """``item_scores`` float64[items]: minus the mass before each label and a share of its own, and of its penalty.

    ``own_shares`` float64[n], or float64[1] for the same in all rows: the share of a label's own probability that
    counts. Each rank beyond ``free_ranks`` adds ``penalty``. Labels of probability 0 have mass 1 before them, and ranks
    after all others in label order, listed or not.
    """
    for i in range(first, last):
        start, end = offsets[i], offsets[i + 1]
        own_share = own_shares[i] if own_shares.size > 1 else own_shares[0]
        order = ranked(labels[start:end], probabilities[start:end])
        mass = 0.0
        n_likely = 0
        for place in order:
            p = float(probabilities[start + place])
            if p == 0:
                break
            n_likely += 1
            excess = max(n_likely - free_ranks, 0)
            item_scores[start + place] = 0.0 - min(mass + own_share * p, 1.0) - penalty * excess
            mass += p
        if n_likely < order.size:
            likely = np.sort(labels[start:end][order[:n_likely]])
            n_before = 0
            for place in order[n_likely:]:  # in label order
                k = labels[start + place]
                while n_before < n_likely and likely[n_before] < k:
                    n_before += 1
                excess = max(n_likely + 1 + k - n_before - free_ranks, 0)
                item_scores[start + place] = -1.0 - penalty * excess


@kernel
def unlikely_labels(
    labels: LabelCodes, probabilities: Probabilities, n_labels: int, last_rank: int, true_label: int
) -> LabelCodes:
    """Labels that a row does not list though their rank is at most ``last_rank``, and ``true_label``, int32."""
    room = last_rank - np.count_nonzero(probabilities)  # labels of probability 0 with these ranks
    if room <= 0:
        added = np.full(1, true_label, np.int32)
        return added[:0] if true_label < 0 or (labels == true_label).any() else added
    by_label = np.argsort(labels)
    found = np.empty(room + 1, np.int32)
    n_found = place = 0
    for k in range(n_labels):
        if room <= 0 and k > true_label:
            break
        while place < labels.size and labels[by_label[place]] < k:
            place += 1
        is_listed = place < labels.size and labels[by_label[place]] == k
        if not is_listed and (room > 0 or k == true_label):
            found[n_found] = k
            n_found += 1
        if not is_listed or probabilities[by_label[place]] == 0:
            room -= 1
    return found[:n_found]


@kernel
def count_unlikely(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    probabilities: Probabilities,
    n_labels: int,
    last_rank: int,
    truth: LabelCodes,
    lengths: Indices,
) -> None:
    """``lengths`` int64[n] of the lists of ``add_unlikely``."""
    for i in range(first, last):
        items = slice(offsets[i], offsets[i + 1])
        true_label = truth[i] if truth.size else -1
        added = unlikely_labels(labels[items], probabilities[items], n_labels, last_rank, true_label)
        lengths[i] = offsets[i + 1] - offsets[i] + added.size


@kernel
def add_unlikely(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    probabilities: Probabilities,
    n_labels: int,
    last_rank: int,
    truth: LabelCodes,
    new_offsets: Offsets,
    new_labels: LabelCodes,
    new_probabilities: Probabilities,
) -> None:
    """Lists to which labels of probability 0 are added: those of rank up to ``last_rank``, and ``truth`` int32[n]."""
    for i in range(first, last):
        items = slice(offsets[i], offsets[i + 1])
        true_label = truth[i] if truth.size else -1
        added = unlikely_labels(labels[items], probabilities[items], n_labels, last_rank, true_label)
        between = new_offsets[i] + offsets[i + 1] - offsets[i]
        new_labels[new_offsets[i] : between] = labels[items]
        new_probabilities[new_offsets[i] : between] = probabilities[items]
        new_labels[between : new_offsets[i + 1]] = added
        new_probabilities[between : new_offsets[i + 1]] = 0
