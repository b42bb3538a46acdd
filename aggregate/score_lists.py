"""A classifier's scores of some observations at some epochs, integer coded."""

from dataclasses import dataclass

from .arrays import Bytes, Counts, Indices, LabelCodes, Offsets, Probabilities
from .kernels import scores

FAULTS = {
    scores.NULL_ID: "null or blank observation_id",
    scores.NULL_EPOCH: "null epoch",
    scores.NO_LIST: "null or empty list",
    scores.LENGTHS: "lists of different lengths",
    scores.NULL_LABEL: "null or blank label",
    scores.NULL_PROBABILITY: "null probability",
    scores.OUTSIDE: "probability outside [0, 1]",
    scores.TWICE_LISTED: "label listed twice",
    scores.NOTHING: "probabilities add up to 0",
    scores.TWICE_SCORED: "observation and epoch scored twice",
    scores.LABEL_NOT_UTF8: "label is not UTF-8",
    scores.LONG_LABEL: "label longer than 32,768 bytes",
    scores.ID_NOT_UTF8: "observation_id is not UTF-8",
    scores.LONG_ID: "observation_id longer than 32,768 bytes",
    scores.WIDE_EPOCH: "epoch beyond 64 bits",
}
"""Why a list cannot be used, by code; 0 stands for one that can."""


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
    """int32; positions among the names asked for, or beyond for other labels; below 0 what is none (kernels.scores)."""
    probability_offsets: Offsets
    probabilities: Probabilities
    slack: float
    """Sums of probabilities are equal to 1 within this: they are rounded as their column's type does."""
    n_labels: int
    """All labels are below this."""
    path: str
    """Where the lists stand,"""
    rows: Indices
    """int64[n]; and in which row each begins."""

    def __len__(self) -> int:
        return self.epochs.size
