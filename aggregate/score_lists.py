"""A classifier's scores of observations at epochs, integer coded."""

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
"""Code of a fault -> why a list cannot be used; 0 is a usable list."""

TWICE_WITHOUT_EPOCHS = "observation scored twice, without a column of epochs"
"""The reason instead of TWICE_SCORED, in lists without epochs."""


@dataclass(frozen=True, eq=False)
class ScoreLists:
    """Score lists: each has an observation, an epoch, and labels with their probabilities.

    The labels of list i are the slice ``label_offsets[i]:label_offsets[i + 1]``, their probabilities that of
    ``probability_offsets``: in a usable list, both have one length.
    """

    observations: Counts  # int32[n]; positions among the ids asked for, -1 for any other
    epochs: Indices  # int64[n]; the epoch of each list
    faults: Bytes  # uint8[n]; positions in FAULTS
    label_offsets: Offsets
    # int32; positions among the names asked for, or beyond for other labels; negative for faults (kernels.scores).
    labels: LabelCodes
    probability_offsets: Offsets
    probabilities: Probabilities
    slack: float  # tolerance of the sums of probabilities, by the precision of their column's type
    n_labels: int  # upper bound of `labels`, exclusive
    path: str  # path of the file that has the lists
    rows: Indices  # int64[n]; the row of the file at which each list begins
    has_epochs: bool = True  # whether the epochs were given; otherwise they are all 0

    def __len__(self) -> int:
        return self.epochs.size
