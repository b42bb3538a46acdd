"""Dawid and Skene's model with two kinds of observations: the kernels of ``confusions`` for both kinds at once.

``clear`` float64 has the part of each candidate's posterior that is of the clear kind; the rest is of the unclear one.
Arrays of two columns have the clear kind in the first. Both kinds share the cells, so that these are read once.
"""

import numpy as np

from ..arrays import Counts, Floats, Indices, LabelCodes, Offsets
from .jit import kernel


@kernel
def tally(
    first: int,
    last: int,
    triple_offsets: Offsets,
    n_votes_on: Counts,
    cells: Counts,
    offsets: Offsets,
    labels: LabelCodes,
    posteriors: Floats,
    clear: Floats,
    times: Floats,
    unit: float,
    cell_sums: Indices,
    label_sums: Indices,
) -> None:
    """Add the posteriors of each candidate to the sums of its label, and of each triple to those of its cell.

    Sums are int64[n, 2] in fixed point; blocks that run at the same time need some of their own. ``times`` is how often
    the votes on each observation count.
    """
    for i in range(first, last):
        position = triple_offsets[i]
        for r in range(offsets[i], offsets[i + 1]):
            if_clear, if_unclear = posteriors[r] * clear[r] * unit, posteriors[r] * (1.0 - clear[r]) * unit
            label_sums[labels[r], 0] += np.int64(np.rint(if_clear))
            label_sums[labels[r], 1] += np.int64(np.rint(if_unclear))
            votes_if_clear = np.int64(np.rint(times[i] * if_clear))
            votes_if_unclear = np.int64(np.rint(times[i] * if_unclear))
            for _ in range(n_votes_on[i]):
                cell = cells[position]
                cell_sums[cell, 0] += votes_if_clear
                cell_sums[cell, 1] += votes_if_unclear
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
    """scores[r, m] = log P(label) P(m | label) + sum of log P(label voted | label true, m, user), in fixed point.

    ``cell_logs`` int64[n_cells, 2], ``label_logs`` int64[n_labels, 2].
    """
    for i in range(first, last):
        position = triple_offsets[i]
        for r in range(offsets[i], offsets[i + 1]):
            if_clear = label_logs[labels[r], 0]
            if_unclear = label_logs[labels[r], 1]
            for _ in range(n_votes_on[i]):
                cell = cells[position]
                if_clear += cell_logs[cell, 0]
                if_unclear += cell_logs[cell, 1]
                position += 1
            scores[r, 0] = if_clear
            scores[r, 1] = if_unclear


@kernel
def normalise(
    first: int,
    last: int,
    offsets: Offsets,
    scores: Indices,
    unit: float,
    posteriors: Floats,
    clear: Floats,
    evidence: Floats,
) -> None:
    """As ``posteriors.normalise``, of both kinds: posteriors[r] is the sum over them, clear[r] the part of the first.

    That part is 1 where the posterior is 0.
    """
    for i in range(first, last):
        most = scores[offsets[i], 0]
        for r in range(offsets[i], offsets[i + 1]):
            most = max(most, scores[r, 0], scores[r, 1])
        total = 0.0
        for r in range(offsets[i], offsets[i + 1]):
            if_clear = np.exp((scores[r, 0] - most) / unit) if scores[r, 0] < most else 1.0
            if_unclear = np.exp((scores[r, 1] - most) / unit) if scores[r, 1] < most else 1.0
            posteriors[r] = if_clear + if_unclear
            clear[r] = if_clear / posteriors[r] if posteriors[r] > 0.0 else 1.0
            total += posteriors[r]
        for r in range(offsets[i], offsets[i + 1]):
            posteriors[r] /= total
        evidence[i] = most / unit + np.log(total)
