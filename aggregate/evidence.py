"""Columns of a consensus as arrays, from a fit or from a file."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .arrays import Counts, Flags, Floats, Indices, LabelCodes, Weights
from .arrow import to_arrow, to_numpy
from .consensus import Consensus
from .reprs import short_repr
from .schema import EVIDENCE
from .truth import rows_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Evidence:
    """Labels and what is known of them; arrays have an item an observation, None is what is not known.

    Their meaning is that in ``schema.CONSENSUS``. Of a consensus all is known; of the labels of another program no more
    than these, say.
    """

    observation_ids: "pa.Array"
    """Distinct ids."""
    label_names: "pa.Array"
    """Distinct labels: those voted, or those that the file has."""
    labels: LabelCodes
    """int32[n]; positions in ``label_names``; -1 without a label, as where only the AI has a vote."""
    confidence: Floats | None = None
    valid: Flags | None = None
    aum: Floats | None = None
    margin: Floats | None = None
    agreement: Floats | None = None
    weight: Weights | None = None
    n_votes: Counts | None = None
    n_labels: Counts | None = None
    probability: Floats | None = None
    by_expert: Flags | None = None

    __repr__ = short_repr

    def __len__(self) -> int:
        return self.labels.size

    def at(self, rows: Indices) -> "Evidence":
        """The evidence in some rows, int64[n]."""
        arrays = {name: value[rows] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return replace(self, observation_ids=self.observation_ids.take(to_arrow(rows)), **arrays)

    def on(self, ids: "pa.Array") -> "Evidence":
        """The evidence on observations, in their order; one that is not there has no label, and all else 0 or False."""
        rows, there = rows_of(self.observation_ids, ids)
        places = np.zeros(len(ids), np.int64)
        places[there] = rows
        lacks = np.ones(len(ids), np.bool_)
        lacks[there] = False
        found = self.at(places)
        for name, value in vars(found).items():
            if isinstance(value, np.ndarray):  # a copy of its own
                value[lacks] = -1 if name == "labels" else 0
        return replace(found, observation_ids=ids)

    @classmethod
    def of(cls, consensus: Consensus, observations: Indices | None = None) -> "Evidence":
        """From the ``observations`` int64[n] of a consensus, default all."""
        votes = consensus.votes
        rows = np.arange(votes.n_observations) if observations is None else observations
        names = ("labels", "confidence", "valid", "aum", "margin", "agreement", "weight", "n_labels")
        columns = {name: getattr(consensus, name)[rows] for name in names}
        if consensus.probability is not None:
            columns["probability"] = consensus.probability[rows]
        n_votes = (votes.offsets[rows + 1] - votes.offsets[rows]).astype(np.int32)
        ids = votes.observation_ids.take(to_arrow(rows))
        if consensus.by_expert is not None:
            columns["by_expert"] = consensus.by_expert[rows]
        return cls(observation_ids=ids, label_names=votes.label_names, n_votes=n_votes, **columns)

    @classmethod
    def from_table(cls, table: "pa.Table", label_names: "pa.Array") -> "Evidence":
        """From a table with columns of ``schema.EVIDENCE``, of which only labels may be null.

        ``label_names`` has every label of the table.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        labels, ids = table.column("label"), table.column("observation_id").combine_chunks()
        if pa.types.is_dictionary(labels.type):
            labels = labels.cast(labels.type.value_type)
        types = {c.name: c.type for c in EVIDENCE if c.type not in ("id", "label") and c.name in table.column_names}
        numbers = {name: to_numpy(table.column(name).cast(pa.type_for_alias(kind))) for name, kind in types.items()}
        return cls(ids, label_names, to_numpy(pc.index_in(labels, label_names), null=-1), **numbers)
