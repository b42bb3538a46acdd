"""Confusions of labels, per user, on the labels voted together: the sparse form of Dawid and Skene's model.

A *triple* is a candidate of a disputed observation and a vote on it: were the candidate true, the vote would be one
more of its user's votes for its label where the candidate is true. Equal (user, true label, voted label) share a
*cell*, equal (user, true label) a *row*, equal (true label, voted label) of all users a *confusion*. No other cell can
have more than smoothing in it.
"""

import numpy as np

from ..arrays import Counts, Floats, Indices, LabelCodes, Offsets, UserCodes, Words
from .jit import kernel


@kernel
def list_triples(
    vote_offsets: Offsets,
    users: UserCodes,
    vote_labels: LabelCodes,
    offsets: Offsets,
    labels: LabelCodes,
    rows: Words,
    voted: LabelCodes,
) -> None:
    """Fill, for every triple: (user << 32 | true label) uint64, and the label voted int32.

    The triples of an observation are contiguous, in the order of its candidates, then of its votes.
    """
    count = 0
    for i in range(offsets.size - 1):
        for r in range(offsets[i], offsets[i + 1]):
            for j in range(vote_offsets[i], vote_offsets[i + 1]):
                rows[count] = (np.uint64(users[j]) << np.uint64(32)) | np.uint64(labels[r])
                voted[count] = vote_labels[j]
                count += 1


@kernel
def tally_cells(
    triple_offsets: Offsets,
    n_votes_on: Counts,
    cells: Counts,
    offsets: Offsets,
    posteriors: Floats,
    unit: float,
    sums: Indices,
) -> None:
    """Add the posterior of each triple's candidate to the sum, int64 in fixed point, of the triple's cell."""
    for i in range(offsets.size - 1):
        position = triple_offsets[i]
        for r in range(offsets[i], offsets[i + 1]):
            posterior = np.int64(np.rint(posteriors[r] * unit))
            for _ in range(n_votes_on[i]):
                sums[cells[position]] += posterior
                position += 1


@kernel
def triple_scores(
    first: int,
    last: int,
    triple_offsets: Offsets,
    n_votes_on: Counts,
    cells: Counts,
    cell_logs: Indices,
    offsets: Offsets,
    labels: LabelCodes,
    label_logs: Indices,
    scores: Indices,
) -> None:
    """scores[r] = log P(label) + sum of log P(label voted | label true, user) over the votes, in fixed point."""
    for i in range(first, last):
        position = triple_offsets[i]
        for r in range(offsets[i], offsets[i + 1]):
            score = label_logs[labels[r]]
            for _ in range(n_votes_on[i]):
                score += cell_logs[cells[position]]
                position += 1
            scores[r] = score


@kernel
def cell_probabilities(
    cell_counts: Floats,
    rows: Counts,
    row_counts: Floats,
    confusions: Counts,
    crowd: Floats,
    prior_votes: float,
    probabilities: Floats,
) -> None:
    """P(voted | true, user) = (count + prior_votes crowd) / (count of the row + prior_votes), by cell.

    ``crowd`` float64 has the crowd's probability of each confusion. A row without counts or prior has probability 1.
    """
    for cell in range(cell_counts.size):
        row_count = row_counts[rows[cell]]
        if row_count + prior_votes > 0.0:
            count = cell_counts[cell] + prior_votes * crowd[confusions[cell]]
            probabilities[cell] = count / (row_count + prior_votes)
        else:
            probabilities[cell] = 1.0
