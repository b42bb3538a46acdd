"""What experts say, and where their observations stand among others."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .arrays import Indices, LabelCodes
from .arrow import to_arrow, to_numpy
from .errors import VotesError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Truth:
    """The label experts give to some observations."""

    observation_ids: "pa.Array"
    """Distinct ids, in any order."""
    labels: "pa.Array"
    """An item an observation, without nulls."""
    origin: str = "truth"
    """Where it comes from, for messages."""
    n_unlabelled: int = 0
    """Rows that were left out because they have no label."""

    def __len__(self) -> int:
        return len(self.observation_ids)

    def at(self, rows: Indices) -> "Truth":
        """Those of some rows, int64[n]."""
        chosen = to_arrow(rows)
        return replace(self, observation_ids=self.observation_ids.take(chosen), labels=self.labels.take(chosen))

    def __repr__(self) -> str:
        return f"Truth({len(self):,} observations, from {self.origin})"


def check_kinds(truth: Truth, ids: "pa.DataType", labels: "pa.DataType", place: str) -> None:
    """Raise VotesError unless both hold integers, or both strings: observation ids, and labels, of ``place``."""
    import pyarrow as pa

    for column, theirs, ours in (
        ("observation_id", truth.observation_ids.type, ids),
        ("label", truth.labels.type, labels),
    ):
        if pa.types.is_integer(theirs) != pa.types.is_integer(ours):
            raise VotesError(
                f"column {column!r} has type {theirs}, but {ours} in {place}",
                where=truth.origin,
                remedy="write it with the type of the votes",
            )


def rows_of(ids: "pa.Array", wanted: "pa.Array") -> tuple[Indices, Indices]:
    """Where ``wanted`` (distinct) occur among ``ids``: rows of ``ids``, ascending, and the row of ``wanted`` for each.

    Integers of different width are equal if their numbers are.
    """
    import pyarrow.compute as pc

    found = pc.index_in(*_of_one_type(ids, wanted))
    rows = np.flatnonzero(to_numpy(found.is_valid()))
    return rows, to_numpy(found.drop_null()).astype(np.int64)


def codes_among(names: "pa.Array", labels: "pa.Array") -> LabelCodes:
    """The places of ``labels`` among the distinct ``names``: int32, -1 for those that are not there."""
    import pyarrow.compute as pc

    labels, names = _of_one_type(labels, names)
    return to_numpy(pc.index_in(labels, names), null=-1)


def _of_one_type(one: "pa.Array", other: "pa.Array") -> "tuple[pa.Array, pa.Array]":
    """The same, as text where the types differ."""
    import pyarrow as pa

    return (one, other) if one.type == other.type else (one.cast(pa.large_string()), other.cast(pa.large_string()))
