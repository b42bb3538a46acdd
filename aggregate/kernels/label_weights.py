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
def _heaviest_of(
    start: int,
    stop: int,
    labels: LabelCodes,
    is_author: Flags,
    vote_weights: Weights,
    held: int,
    excluded: int,
) -> np.int32:
    """The label, other than ``excluded``, with most weight among the votes from ``start`` to ``stop``; -1 if none."""
    most = -1.0
    j = start
    while j < stop:
        end, weight = _run_weight(labels, vote_weights, j, stop)
        if labels[j] != excluded and weight > most:
            most = weight
        j = end
    chosen = np.int32(-1)
    chosen_by_author = False
    chosen_votes = 0
    j = start
    while j < stop:
        begin = j
        j, weight = _run_weight(labels, vote_weights, begin, stop)
        if labels[begin] == excluded or weight < most * (1.0 - TIED):
            continue
        if labels[begin] == held:
            return np.int32(held)
        by_author = False
        for vote in range(begin, j):
            by_author |= is_author[vote]
        wins = chosen < 0 or (by_author and not chosen_by_author)
        if wins or (by_author == chosen_by_author and j - begin > chosen_votes):
            chosen, chosen_by_author, chosen_votes = labels[begin], by_author, j - begin
    return chosen


@kernel
def _support_of(
    start: int, stop: int, labels: LabelCodes, vote_weights: Weights, chosen: int
) -> tuple[float, float, float]:
    """Weight on ``chosen``, of all votes from ``start`` to ``stop``, and on the strongest other label (0 if none)."""
    total = 0.0
    lost = 0.0
    for j in range(start, stop):
        weight = vote_weights[j]
        new = total + weight
        lost += (total - new) + weight if total >= weight else (weight - new) + total
        total = new
    support = 0.0
    opposition = 0.0
    j = start
    while j < stop:
        label = labels[j]
        j, weight = _run_weight(labels, vote_weights, j, stop)
        if label == chosen:
            support = weight
        elif weight > opposition:
            opposition = weight
    return support, total + lost, opposition


@kernel
def heaviest_labels(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    is_author: Flags,
    vote_weights: Weights,
    excluded: LabelCodes,
    heaviest: LabelCodes,
) -> None:
    """heaviest[i] = the label other than excluded[i] with most weight; -1 if there is none.

    Ties: a label an author voted; else the one with most votes; else the smallest.
    """
    for i in range(first, last):
        heaviest[i] = _heaviest_of(offsets[i], offsets[i + 1], labels, is_author, vote_weights, -1, excluded[i])


@kernel
def settle(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    is_author: Flags,
    weights: Weights,
    changed: Flags,
    vote_weights: Weights,
    chosen: LabelCodes,
    support: Weights,
    totals: Weights,
    opposition: Weights,
) -> None:
    """Bring the observations up to date on which somebody votes whose weight ``changed``.

    weights float64[n], changed bool[n] by user code. vote_weights[j] becomes weights[users[j]]; chosen[i] the label
    with most weight, where among the tied the label it was goes first, then as in ``heaviest_labels``; support[i],
    totals[i], opposition[i] as in ``support_of``.
    """
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        moved = False
        for j in range(start, stop):
            moved |= changed[users[j]]
        if moved:
            for j in range(start, stop):
                vote_weights[j] = weights[users[j]]
            chosen[i] = _heaviest_of(start, stop, labels, is_author, vote_weights, chosen[i], -1)
            support[i], totals[i], opposition[i] = _support_of(start, stop, labels, vote_weights, chosen[i])


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
        support[i], totals[i], opposition[i] = _support_of(offsets[i], offsets[i + 1], labels, vote_weights, chosen[i])


@kernel
def add_up_margins(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    past: Weights,
    objector: int,
    chosen: LabelCodes,
    margins: Floats,
) -> None:
    """margins[i] = sum over t of the share of chosen[i] less that of the strongest other label, under past[:, t].

    ``past`` float64[n, T] by code in ``users``. The votes of ``objector`` (a code; -1 for nobody) count only where they
    are not for chosen[i]. Where no vote weighs anything the margin is 0.
    """
    widest = 1
    for i in range(first, last):
        widest = max(widest, offsets[i + 1] - offsets[i])
    here = np.empty(widest)
    for i in range(first, last):
        start, size = offsets[i], offsets[i + 1] - offsets[i]
        margins[i] = 0.0
        for t in range(past.shape[1]):
            for j in range(size):
                silent = users[start + j] == objector and labels[start + j] == chosen[i]
                here[j] = 0.0 if silent else past[users[start + j], t]
            support, total, opposition = _support_of(0, size, labels[start : start + size], here, chosen[i])
            if total > 0.0:
                margins[i] += support / total - opposition / total


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
