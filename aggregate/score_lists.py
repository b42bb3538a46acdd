"""A classifier's scores of some observations at some epochs, integer coded."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .arrays import Bytes, Counts, Indices, LabelCodes, Offsets

Probabilities: TypeAlias = NDArray[np.floating[Any]]
"""float32 or float64; NaN for null."""

FAULTS = (
    "",
    "null or blank observation_id",
    "null epoch",
    "null or empty list",
    "lists of different lengths",
    "null or blank label",
    "null probability",
    "probability outside [0, 1]",
    "label listed twice",
    "probabilities add up to 0",
    "observation and epoch scored twice",
)
"""Why a list cannot be used, by code; the first that applies. 0: it can."""

NULL_ID, NULL_EPOCH, NO_LIST, LENGTHS, NULL_LABEL, NULL_PROBABILITY, OUTSIDE, TWICE_LISTED, NOTHING, TWICE_SCORED = (
    range(1, len(FAULTS))
)


@dataclass(frozen=True, eq=False)
class ScoreLists:
    """Some score lists: of each, the observation, the epoch, and labels with their probabilities.

    The labels of list i are the slice ``label_offsets[i]:label_offsets[i + 1]``, their probabilities that of
    ``probability_offsets``: in a list that can be used, both are of one length.
    """

    observations: Counts
    """int32[n]; positions among the ids asked for, -1 for any other."""
    epochs: Indices
    """int64[n]"""
    faults: Bytes
    """uint8[n]; positions in FAULTS."""
    label_offsets: Offsets
    labels: LabelCodes
    """int32; positions among the names asked for, or beyond for other labels, -1 for null or blank."""
    probability_offsets: Offsets
    probabilities: Probabilities
    n_labels: int
    """All labels are below this."""
    path: str
    """Where the lists stand,"""
    rows: Indices
    """int64[n]; and in which row each begins."""

    def __len__(self) -> int:
        return self.epochs.size
