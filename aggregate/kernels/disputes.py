"""Finds disputed observations, and extracts their votes."""

import numpy as np

from ..arrays import Flags, Indices, LabelCodes, Offsets
from .jit import kernel


@kernel
def find_disputed(first: int, last: int, offsets: Offsets, labels: LabelCodes, disputed: Flags) -> None:
    """disputed[i] = the votes on i name more than one label (they are sorted by label)."""
    for i in range(first, last):
        disputed[i] = offsets[i] < offsets[i + 1] and labels[offsets[i]] != labels[offsets[i + 1] - 1]


@kernel
def votes_of(offsets: Offsets, observations: Indices) -> tuple[Offsets, Indices]:
    """Positions of the votes of some observations, one observation after the other, and their offsets."""
    new_offsets = np.zeros(observations.size + 1, np.int64)
    for i in range(observations.size):
        new_offsets[i + 1] = new_offsets[i] + offsets[observations[i] + 1] - offsets[observations[i]]
    votes = np.empty(new_offsets[-1], np.int64)
    for i in range(observations.size):
        for j in range(new_offsets[i], new_offsets[i + 1]):
            votes[j] = offsets[observations[i]] + j - new_offsets[i]
    return new_offsets, votes
