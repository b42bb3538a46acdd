"""Confusions of labels, per user, on the labels voted together: the sparse form of Dawid and Skene's model.

A *triple* is a candidate of a disputed observation and a vote on it: were the candidate true, the vote would be one
more of its user's votes for its label where the candidate is true. Equal (user, true label, voted label) share a
*cell*, equal (user, true label) a *row*, equal (true label, voted label) of all users a *confusion*. No other cell can
have more than the prior in it, except those of votes on undisputed observations, which are right and never change.
"""

import numpy as np

from ..arrays import Counts, Flags, Floats, Indices, LabelCodes, Offsets, UserCodes, Words
from .jit import kernel
from .posteriors import LEAST


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
def moved(crowd_right: float, crowd_wrong: float, accuracy: float, mean: float) -> tuple[float, float]:
    """The crowd's confusions of a label moved to a user: P(label recognised), and the factor of all other confusions.

    The odds of the right label are multiplied by those of the user's accuracy over those of the crowd's ``mean``; the
    others keep their proportions. ``crowd_right`` and ``crowd_wrong`` > 0 add up to 1, and 0 < ``mean`` < 1.
    """
    right = crowd_right * accuracy * (1.0 - mean)
    of_wrong = (1.0 - accuracy) * mean
    total = right + crowd_wrong * of_wrong
    return right / total, of_wrong / total


@kernel
def cell_probabilities(
    first: int,
    last: int,
    cell_sums: Indices,
    unit: float,
    is_right: Flags,
    confusions: Counts,
    crowd: Floats,
    rows: Counts,
    users: UserCodes,
    labels: LabelCodes,
    undisputed: Floats,
    row_counts: Floats,
    crowd_right: Floats,
    crowd_wrong: Floats,
    accuracies: Floats,
    mean: float,
    prior_votes: float,
    probabilities: Floats,
) -> None:
    """P(voted | true, user) = (count + prior_votes prior) / (count of the row + prior_votes), by cell.

    The prior is the crowd's probability, ``crowd`` float64 by confusion for those that are wrong, moved to the user.
    ``undisputed`` float64 has the row's votes for the true label that are certain to be right. A row without counts or
    prior has probability 1.
    """
    for cell in range(first, last):
        row = rows[cell]
        total = row_counts[row] + prior_votes
        if total > 0.0:
            label = labels[row]
            right, of_wrong = moved(crowd_right[label], crowd_wrong[label], accuracies[users[row]], mean)
            count = cell_sums[cell] / unit + (undisputed[row] if is_right[cell] else 0.0)
            prior = right if is_right[cell] else crowd[confusions[cell]] * of_wrong
            probabilities[cell] = (count + prior_votes * prior) / total
        else:
            probabilities[cell] = 1.0


@kernel
def recognition(
    first: int,
    last: int,
    right_counts: Floats,
    row_counts: Floats,
    users: UserCodes,
    labels: LabelCodes,
    crowd_right: Floats,
    crowd_wrong: Floats,
    accuracies: Floats,
    mean: float,
    prior_votes: float,
    right: Floats,
) -> None:
    """P(true | true, user) of each row; 0 where there are neither counts nor a prior."""
    for row in range(first, last):
        total = row_counts[row] + prior_votes
        if total > 0.0:
            label = labels[row]
            prior, _ = moved(crowd_right[label], crowd_wrong[label], accuracies[users[row]], mean)
            right[row] = (right_counts[row] + prior_votes * prior) / total
        else:
            right[row] = 0.0


@kernel
def log_likelihood_of_certain(
    offsets: Offsets,
    labels: LabelCodes,
    n_votes: Counts,
    crowd_right: Floats,
    crowd_wrong: Floats,
    accuracies: Floats,
    mean: float,
    prior_votes: float,
    unit: float,
    first: int,
    last: int,
) -> np.int64:
    """Sum of n log P(k | k, u), in fixed point, over users and the labels of which they have n votes that are right.

    ``offsets, labels, n_votes``: those of users, of whom ``first`` to ``last`` are added up. Most have one or two
    votes: a logarithm of products, in the order of a user's labels, takes the place of most of the logarithms.
    """
    total = np.int64(0)
    for user in range(first, last):
        product = 1.0
        for pair in range(offsets[user], offsets[user + 1]):
            label = labels[pair]
            n = n_votes[pair]
            prior, _ = moved(crowd_right[label], crowd_wrong[label], accuracies[user], mean)
            right = max((n + prior_votes * prior) / (n + prior_votes), LEAST)
            if n > 2:
                total += np.int64(np.rint(n * np.log(right) * unit))
                continue
            product *= right if n == 1 else right * right
            if product < LEAST:  # two more factors must not make it 0
                total += np.int64(np.rint(np.log(product) * unit))
                product = 1.0
        total += np.int64(np.rint(np.log(product) * unit))
    return total
