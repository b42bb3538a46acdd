"""Columns of a consensus as arrays, from a fit or from a file."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Counts, Flags, Floats, Indices, LabelCodes, Weights
from .arrow import to_arrow, to_numpy
from .consensus import Consensus

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Evidence:
    """Labels and their evidence; arrays have an item an observation. Their meaning is that in ``schema.CONSENSUS``."""

    observation_ids: "pa.Array"
    label_names: "pa.Array"
    """Distinct labels: those voted, or those that the file has."""
    labels: LabelCodes
    """int32[n]; positions in ``label_names``; -1 without a label, where only the AI has a vote."""
    confidence: Floats
    valid: Flags
    aum: Floats
    margin: Floats
    agreement: Floats
    weight: Weights
    n_votes: Counts
    n_labels: Counts
    probability: Floats | None = None

    def __len__(self) -> int:
        return self.labels.size

    def at(self, rows: Indices) -> "Evidence":
        """The evidence in some rows, int64[n]."""
        arrays = {name: value[rows] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return replace(self, observation_ids=self.observation_ids.take(to_arrow(rows)), **arrays)

    @classmethod
    def of(cls, consensus: Consensus, observations: Indices | None = None) -> "Evidence":
        """From the ``observations`` int64[n] of a consensus, default all."""
        votes = consensus.votes
        rows = np.arange(votes.n_observations) if observations is None else observations
        return cls(
            observation_ids=votes.observation_ids.take(to_arrow(rows)),
            label_names=votes.label_names,
            labels=consensus.labels[rows],
            confidence=consensus.confidence[rows],
            valid=consensus.valid[rows],
            aum=consensus.aum[rows],
            margin=consensus.margin[rows],
            agreement=consensus.agreement[rows],
            weight=consensus.weight[rows],
            n_votes=(votes.offsets[rows + 1] - votes.offsets[rows]).astype(np.int32),
            n_labels=consensus.n_labels[rows],
        )

    @classmethod
    def from_table(cls, table: "pa.Table", label_names: "pa.Array") -> "Evidence":
        """From a table with the columns of ``schema.EVIDENCE``, of which only labels may be null.

        ``label_names`` has every label of the table.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        def numbers(name: str, arrow_type: pa.DataType) -> NDArray[Any]:
            return to_numpy(table.column(name).cast(arrow_type))

        labels = table.column("label")
        if pa.types.is_dictionary(labels.type):
            labels = labels.cast(labels.type.value_type)
        probable = "probability" in table.column_names
        return cls(
            observation_ids=table.column("observation_id").combine_chunks(),
            label_names=label_names,
            labels=to_numpy(pc.index_in(labels, label_names), null=-1),
            confidence=numbers("confidence", pa.float64()),
            valid=numbers("valid", pa.bool_()),
            aum=numbers("aum", pa.float64()),
            margin=numbers("margin", pa.float64()),
            agreement=numbers("agreement", pa.float64()),
            weight=numbers("weight", pa.float64()),
            n_votes=numbers("n_votes", pa.int32()),
            n_labels=numbers("n_labels", pa.int32()),
            probability=numbers("probability", pa.float64()) if probable else None,
        )
