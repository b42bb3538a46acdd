"""The weight of the votes on each label, and what follows from it.

Weights are added without rounding on the way (Neumaier's compensated sum): the error of each addition is carried
along, exactly, as long as the weights in one sum differ by less than about 2**40, and only the final sum is rounded.
The result is the correctly rounded sum, the same in any order of the votes.

A function of disputed votes takes ``offsets, labels`` (sorted by label within an observation) and ``vote_weights``
float64[n_votes], the weight of each vote's user. Votes on the same label stand together: a run.
"""

import numpy as np

from ..arrays import Counts, Flags, Floats, LabelCodes, Offsets, UserCodes, Weights
from .jit import kernel

TIED = 1e-9
"""A label is tied when its weight is within this share of the heaviest."""


@kernel
def _run_weight(labels: LabelCodes, vote_weights: Weights, start: int, stop: int) -> tuple[int, float]:
    """Where the run that begins at ``start`` ends, and the exact sum of its weights."""
    total = 0.0
    lost = 0.0
    j = start
    while j < stop and labels[j] == labels[start]:
        weight = vote_weights[j]
        new = total + weight
        lost += (total - new) + weight if total >= weight else (weight - new) + total
        total = new
        j += 1
    return j, total + lost


@kernel
def count_heavy(offsets: Offsets, users: UserCodes, weights: Weights, threshold: float, first: int, last: int) -> int:
    """Number of observations ``first <= i < last`` whose voters' weights add up to ``threshold``."""
    heavy = 0
    for i in range(first, last):
        total = 0.0
        lost = 0.0
        for j in range(offsets[i], offsets[i + 1]):
            weight = weights[users[j]]
            new = total + weight
            lost += (total - new) + weight if total >= weight else (weight - new) + total
            total = new
        heavy += total + lost >= threshold
    return heavy


@kernel
def heaviest_labels(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    is_author: Flags,
    vote_weights: Weights,
    held: LabelCodes,
    excluded: LabelCodes,
    heaviest: LabelCodes,
) -> None:
    """heaviest[i] = the label other than excluded[i] with most weight; -1 if there is none.

    Ties: the label held[i]; else a label an author voted; else the one with most votes; else the smallest. -1 in
    ``held`` or ``excluded`` stands for no label.
    """
    for i in range(first, last):
        most = -1.0
        j = offsets[i]
        while j < offsets[i + 1]:
            end, weight = _run_weight(labels, vote_weights, j, offsets[i + 1])
            if labels[j] != excluded[i] and weight > most:
                most = weight
            j = end
        chosen = np.int32(-1)
        chosen_by_author = False
        chosen_votes = 0
        j = offsets[i]
        while j < offsets[i + 1]:
            start = j
            j, weight = _run_weight(labels, vote_weights, start, offsets[i + 1])
            if labels[start] == excluded[i] or weight < most * (1.0 - TIED):
                continue
            if labels[start] == held[i]:
                chosen = held[i]
                break
            by_author = False
            for vote in range(start, j):
                by_author |= is_author[vote]
            wins = chosen < 0 or (by_author and not chosen_by_author)
            if wins or (by_author == chosen_by_author and j - start > chosen_votes):
                chosen, chosen_by_author, chosen_votes = labels[start], by_author, j - start
        heaviest[i] = chosen


@kernel
def support_of(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    vote_weights: Weights,
    chosen: LabelCodes,
    support: Weights,
    totals: Weights,
    opposition: Weights,
) -> None:
    """Weight on chosen[i], weight of all votes on i, and weight of the strongest other label (0 if none)."""
    for i in range(first, last):
        support[i] = 0.0
        opposition[i] = 0.0
        total = 0.0
        lost = 0.0
        for j in range(offsets[i], offsets[i + 1]):
            weight = vote_weights[j]
            new = total + weight
            lost += (total - new) + weight if total >= weight else (weight - new) + total
            total = new
        totals[i] = total + lost
        j = offsets[i]
        while j < offsets[i + 1]:
            label = labels[j]
            j, weight = _run_weight(labels, vote_weights, j, offsets[i + 1])
            if label == chosen[i]:
                support[i] = weight
            elif weight > opposition[i]:
                opposition[i] = weight


@kernel
def entropies(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    vote_weights: Weights,
    totals: Weights,
    entropy: Floats,
    n_labels: Counts,
) -> None:
    """Shannon entropy (nats) of the labels' shares of the total weight, and the number of labels."""
    for i in range(first, last):
        total = 0.0
        lost = 0.0
        count = 0
        j = offsets[i]
        while j < offsets[i + 1]:
            j, weight = _run_weight(labels, vote_weights, j, offsets[i + 1])
            count += 1
            if weight > 0.0:
                share = weight / totals[i]
                term = -share * np.log(share)
                new = total + term
                lost += (total - new) + term if total >= term else (term - new) + total
                total = new
        entropy[i] = total + lost
        n_labels[i] = count
