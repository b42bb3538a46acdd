"""The labels voted on a disputed observation, and distributions over them.

A function of candidates takes ``offsets`` int64[n + 1], where the candidates of each observation begin, and arrays of
one item a candidate: ``labels`` int32 (ascending within an observation), ``n_votes`` int32, ``by_author`` bool, and
``shares`` float64, their weights or probabilities.
"""

import numpy as np

from ..arrays import Counts, Flags, Floats, LabelCodes, Offsets
from .jit import kernel
from .label_weights import TIED


@kernel
def distinct_labels(vote_offsets: Offsets, vote_labels: LabelCodes) -> tuple[Offsets, LabelCodes]:
    """The distinct labels of each observation, whose votes are sorted by label: offsets, and the labels."""
    offsets = np.zeros(vote_offsets.size, np.int64)
    labels = np.empty(vote_labels.size, np.int32)
    count = 0
    for i in range(vote_offsets.size - 1):
        for j in range(vote_offsets[i], vote_offsets[i + 1]):
            if j == vote_offsets[i] or vote_labels[j] != vote_labels[j - 1]:
                labels[count] = vote_labels[j]
                count += 1
        offsets[i + 1] = count
    return offsets, labels[:count].copy()


@kernel
def labels_with(vote_offsets: Offsets, vote_labels: LabelCodes, further: LabelCodes) -> tuple[Offsets, LabelCodes]:
    """As ``distinct_labels``, with the label ``further[i]`` among those of each observation; -1 for none."""
    offsets = np.zeros(vote_offsets.size, np.int64)
    labels = np.empty(vote_labels.size + further.size, np.int32)
    count = 0
    for i in range(further.size):
        is_due = further[i] >= 0
        for j in range(vote_offsets[i], vote_offsets[i + 1]):
            if is_due and further[i] <= vote_labels[j]:
                labels[count] = further[i]
                count += 1
                is_due = False
            if count == offsets[i] or labels[count - 1] != vote_labels[j]:
                labels[count] = vote_labels[j]
                count += 1
        if is_due:
            labels[count] = further[i]
            count += 1
        offsets[i + 1] = count
    return offsets, labels[:count].copy()


@kernel
def match_votes(
    vote_offsets: Offsets, vote_labels: LabelCodes, is_author: Flags, offsets: Offsets, labels: LabelCodes
) -> tuple[Counts, Flags, Counts]:
    """Votes for each candidate, whether an author's is among them, and the candidate of each vote.

    ``offsets, labels``: candidates of each observation, ascending; all labels voted are among them.
    """
    n_votes = np.zeros(labels.size, np.int32)
    by_author = np.zeros(labels.size, np.bool_)
    of_vote = np.empty(vote_labels.size, np.int32)
    for i in range(vote_offsets.size - 1):
        r = offsets[i]
        for j in range(vote_offsets[i], vote_offsets[i + 1]):
            while labels[r] != vote_labels[j]:
                r += 1
            of_vote[j] = r
            n_votes[r] += 1
            by_author[r] |= is_author[j]
    return n_votes, by_author, of_vote


@kernel
def likeliest(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    n_votes: Counts,
    by_author: Flags,
    shares: Floats,
    held: LabelCodes,
    excluded: LabelCodes,
    chosen: Counts,
) -> None:
    """chosen[i] = the candidate, other than the label excluded[i], with the largest share; -1 if there is none.

    Ties: see ``strategies.plantnet.iteration.Engine.settle``. -1 in ``held`` or ``excluded`` means no label.
    """
    for i in range(first, last):
        most = -1.0
        for r in range(offsets[i], offsets[i + 1]):
            if labels[r] != excluded[i] and shares[r] > most:
                most = shares[r]
        best = np.int32(-1)
        for r in range(offsets[i], offsets[i + 1]):
            if labels[r] == excluded[i] or shares[r] < most * (1.0 - TIED):
                continue
            if labels[r] == held[i]:
                best = np.int32(r)
                break
            wins = best < 0 or (by_author[r] and not by_author[best])
            if wins or (by_author[r] == by_author[best] and n_votes[r] > n_votes[best]):
                best = np.int32(r)
        chosen[i] = best


@kernel
def add_margins(first: int, last: int, offsets: Offsets, shares: Floats, margins: Floats) -> None:
    """Add to each candidate's margins its share less the largest share of another candidate, 0 if there is none."""
    for i in range(first, last):
        most = 0.0
        second = 0.0
        for r in range(offsets[i], offsets[i + 1]):
            if shares[r] > most:
                second = most
                most = shares[r]
            elif shares[r] > second:
                second = shares[r]
        for r in range(offsets[i], offsets[i + 1]):
            margins[r] += shares[r] - (second if shares[r] == most else most)


@kernel
def entropies(first: int, last: int, offsets: Offsets, shares: Floats, entropy: Floats) -> None:
    """Shannon entropy (nats) of the shares of each observation."""
    for i in range(first, last):
        total = 0.0
        for r in range(offsets[i], offsets[i + 1]):
            if shares[r] > 0.0:
                total -= shares[r] * np.log(shares[r])
        entropy[i] = total
