"""The weight of the votes, and of those on each label, and what follows from it: nearly all that adds up weights.

Weights are added without rounding on the way (Neumaier's compensated sum): the error of each addition is carried
along, exactly, as long as the weights in one sum differ by less than about 2**40, and only the final sum is rounded.
The result is the correctly rounded sum, the same in any order of the votes.

A function of disputed votes takes ``offsets, labels`` (sorted by label within an observation) and ``vote_weights``
float64[n_votes], >= 0. The votes on one label are contiguous: a run. One that weighs votes itself takes ``users``
and ``factors`` of the votes (see ``_weight_of``) and weights by user.
"""

import numpy as np

from ..arrays import Counts, Factors, Flags, Floats, LabelCodes, Offsets, UserCodes, Weights
from .jit import kernel

TIED = 1e-9  # relative: see `strategies.plantnet.iteration.Engine.settle`


@kernel
def _weight_of(weights: Weights, users: UserCodes, factors: Factors | None, j: int) -> float:
    """The weight of vote j: its ``factors[j]`` of the weight of its user, all of it where there are no factors.

    Where kernels weigh a vote, as ``Disputes.vote_weights`` does in Python; ``species_counts`` has a copy, as a kernel
    calls only functions of its own file. None costs nothing: numba compiles a kernel for it that has no factors.
    """
    weight: float = weights[users[j]]
    if factors is not None:
        weight *= factors[j]
    return weight


@kernel
def _add(total: float, lost: float, weight: float) -> tuple[float, float]:
    """The next ``total``, and all that was ``lost`` in rounding so far: a step of Neumaier's sum, total + lost."""
    new = total + weight
    lost += (total - new) + weight if total >= weight else (weight - new) + total
    return new, lost


@kernel
def _sum_of(vote_weights: Weights, start: int, stop: int) -> float:
    """The exact sum of the weights from ``start`` to ``stop``."""
    total = lost = 0.0
    for j in range(start, stop):
        total, lost = _add(total, lost, vote_weights[j])
    return total + lost


@kernel
def _run_weight(labels: LabelCodes, vote_weights: Weights, start: int, stop: int) -> tuple[int, float]:
    """Where the run that begins at ``start`` ends, and the exact sum of its weights."""
    total = lost = 0.0
    j = start
    while j < stop and labels[j] == labels[start]:
        total, lost = _add(total, lost, vote_weights[j])
        j += 1
    return j, total + lost


@kernel
def count_heavy(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    factors: Factors | None,
    weights: Weights,
    threshold: float,
) -> int:
    """Number of observations ``first <= i < last`` whose votes weigh at least ``threshold``; ``weights`` by user."""
    heavy = 0
    for i in range(first, last):
        total = lost = 0.0
        for j in range(offsets[i], offsets[i + 1]):
            total, lost = _add(total, lost, _weight_of(weights, users, factors, j))
        heavy += total + lost >= threshold
    return heavy


@kernel
def _heaviest_of(
    start: int, stop: int, labels: LabelCodes, is_author: Flags, vote_weights: Weights, held: int, excluded: int
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
    return support, _sum_of(vote_weights, start, stop), opposition


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
    """heaviest[i] = the label other than excluded[i] with most weight, of tied ones as in ``settle``; -1 if none."""
    for i in range(first, last):
        heaviest[i] = _heaviest_of(offsets[i], offsets[i + 1], labels, is_author, vote_weights, -1, excluded[i])


@kernel
def settle(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    factors: Factors | None,
    labels: LabelCodes,
    is_author: Flags,
    known: LabelCodes | None,
    weights: Weights,
    changed: Flags,
    vote_weights: Weights,
    chosen: LabelCodes,
    support: Weights,
    totals: Weights,
    opposition: Weights,
) -> None:
    """Bring the observations up to date that users voted on whose weight ``changed``.

    weights float64[n], changed bool[n] by user code. vote_weights[j] becomes that of the vote; chosen[i] the label
    with most weight, ties as in ``strategies.plantnet.iteration.Engine.settle``, or known[i] where that is not -1;
    support[i], totals[i], opposition[i] as in ``support_of``.
    """
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        moved = False
        for j in range(start, stop):
            moved |= changed[users[j]]
        if moved:
            for j in range(start, stop):
                vote_weights[j] = _weight_of(weights, users, factors, j)
            if known is not None and known[i] >= 0:
                chosen[i] = known[i]
            else:
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
    factors: Factors | None,
    labels: LabelCodes,
    past: Weights,
    chosen: LabelCodes,
    margins: Floats,
) -> None:
    """margins[i] = sum over t of the share of chosen[i] less that of the strongest other label, under past[:, t].

    ``past`` float64[n, T] by code in ``users``. If all votes have weight 0, the margin is 0.
    """
    widest = 1
    for i in range(first, last):
        widest = max(widest, offsets[i + 1] - offsets[i])
    here = np.empty(widest)
    for i in range(first, last):
        start, size = offsets[i], offsets[i + 1] - offsets[i]
        margins[i] = 0.0
        for t in range(past.shape[1]):
            weights = past[:, t]
            for j in range(size):
                here[j] = _weight_of(weights, users, factors, start + j)
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
        total = lost = 0.0
        count = 0
        j = offsets[i]
        while j < offsets[i + 1]:
            j, weight = _run_weight(labels, vote_weights, j, offsets[i + 1])
            count += 1
            if weight > 0.0:
                share = weight / totals[i]
                total, lost = _add(total, lost, -share * np.log(share))
        entropy[i] = total + lost
        n_labels[i] = count


@kernel
def weight_shares(
    first: int,
    last: int,
    vote_offsets: Offsets,
    vote_weights: Weights,
    offsets: Offsets,
    n_votes: Counts,
    shares: Floats,
) -> None:
    """Each candidate's share of the weight of the votes; of their number, where none of them weighs anything.

    ``offsets``, ``n_votes``, ``shares`` by candidate, as in ``candidates``.
    """
    for i in range(first, last):
        start = vote_offsets[i]
        whole = _sum_of(vote_weights, start, vote_offsets[i + 1])
        for r in range(offsets[i], offsets[i + 1]):
            weight = _sum_of(vote_weights, start, start + n_votes[r])
            start += n_votes[r]
            shares[r] = weight / whole if whole > 0.0 else n_votes[r] / (vote_offsets[i + 1] - vote_offsets[i])


@kernel
def weights_of_chosen(
    first: int,
    last: int,
    vote_offsets: Offsets,
    users: UserCodes,
    factors: Factors | None,
    user_weights: Weights,
    offsets: Offsets,
    n_votes: Counts,
    chosen: Counts,
    weights: Weights,
) -> None:
    """weights[i] = weight of the votes for the candidate chosen[i]; ``user_weights`` float64, >= 0, by user."""
    for i in range(first, last):
        start = vote_offsets[i]
        for r in range(offsets[i], chosen[i]):
            start += n_votes[r]
        total = lost = 0.0
        for j in range(start, start + n_votes[chosen[i]]):
            total, lost = _add(total, lost, _weight_of(user_weights, users, factors, j))
        weights[i] = total + lost
