"""Expectation-maximisation on the labels voted: sparse, and exact in any order of the votes.

Posteriors and logarithms are added in fixed point: as int64 multiples of 1 / unit. Integers add up to the same sum in
any order, so neither the order of users nor the number of threads can change a bit. The caller chooses ``unit``, a
power of 2, so that no sum can overflow (see ``unit_for``).

Candidates are the labels voted on each disputed observation, as in ``candidates``; their ``posteriors`` float64 add up
to 1 on each observation.
"""

import math

import numpy as np

from ..arrays import Counts, Floats, Indices, LabelCodes, Offsets
from .jit import kernel

LEAST = 1e-100  # smallest probability, so that logarithms stay finite
IMPOSSIBLE = -(2**63 - 1)
"""Score of a label that cannot be: no unit of :func:`unit_for` makes a probability above 0 of it."""
LARGEST_LOG = 231.0  # largest absolute value of a logarithm: -log(LEAST), rounded up


def unit_for(largest: float, finest: int = 52) -> float:
    """The finest power of 2, up to 2**finest, in whose multiples sums up to ``largest`` fit an int64.

    >>> unit_for(100.0) == 2.0**52, unit_for(2.0**40) == 2.0**21
    (True, True)
    """
    return 2.0 ** min(finest, 61 - math.ceil(math.log2(max(largest, 1.0))))


@kernel
def logs_of(probabilities: Floats, unit: float, logs: Indices) -> None:
    """Fill logs int64 with log(probabilities) in fixed point."""
    for position in range(probabilities.size):
        logs[position] = np.int64(np.rint(np.log(max(probabilities[position], LEAST)) * unit))


@kernel
def sum_of_logs(counts: Floats, probabilities: Floats, unit: float, first: int, last: int) -> np.int64:
    """Sum of counts log(probabilities) in fixed point, over ``first <= position < last`` that have a count."""
    total = np.int64(0)
    for position in range(first, last):
        if counts[position] > 0.0:
            total += np.int64(np.rint(counts[position] * np.log(max(probabilities[position], LEAST)) * unit))
    return total


@kernel
def sum_of_values(values: Floats, unit: float) -> np.int64:
    """Sum of float64 values in fixed point."""
    total = np.int64(0)
    for position in range(values.size):
        total += np.int64(np.rint(values[position] * unit))
    return total


@kernel
def tally(codes: Counts, candidates: Counts, posteriors: Floats, unit: float, sums: Indices) -> None:
    """Add the posterior of each item's candidate to the sum, int64 in fixed point, of the item's code."""
    for position in range(codes.size):
        sums[codes[position]] += np.int64(np.rint(posteriors[candidates[position]] * unit))


@kernel
def add_up(codes: Counts, values: Indices, sums: Indices) -> None:
    """Add each value int64 to the sum of its code."""
    for position in range(codes.size):
        sums[codes[position]] += values[position]


@kernel
def two_way_scores(
    first: int,
    last: int,
    vote_offsets: Offsets,
    log_right: Indices,
    log_wrong: Indices,
    offsets: Offsets,
    labels: LabelCodes,
    n_votes: Counts,
    label_logs: Indices,
    scores: Indices,
) -> None:
    """scores[r] = log P(label, votes), if a vote's probability depends only on whether it is for the label.

    ``log_right`` and ``log_wrong`` int64 are the logarithms of that probability by vote, ``label_logs`` those of the
    labels' own, all in the same fixed point, as are the scores.
    """
    for i in range(first, last):
        all_wrong = np.int64(0)
        for j in range(vote_offsets[i], vote_offsets[i + 1]):
            all_wrong += log_wrong[j]
        start = vote_offsets[i]
        for r in range(offsets[i], offsets[i + 1]):
            score = label_logs[labels[r]] + all_wrong
            for j in range(start, start + n_votes[r]):
                score += log_right[j] - log_wrong[j]
            start += n_votes[r]
            scores[r] = score


@kernel
def normalise(
    first: int, last: int, offsets: Offsets, scores: Indices, unit: float, posteriors: Floats, evidence: Floats
) -> None:
    """posteriors[r] = exp(scores[r]) / sum of it over the observation; evidence[i] = log of that sum (nats)."""
    for i in range(first, last):
        most = scores[offsets[i]]
        for r in range(offsets[i], offsets[i + 1]):
            most = max(most, scores[r])
        total = 0.0
        for r in range(offsets[i], offsets[i + 1]):
            posteriors[r] = np.exp((scores[r] - most) / unit) if scores[r] < most else 1.0
            total += posteriors[r]
        for r in range(offsets[i], offsets[i + 1]):
            posteriors[r] /= total
        evidence[i] = most / unit + np.log(total)
