"""What experts say, and where their observations stand among others."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arrays import Indices

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

    def __repr__(self) -> str:
        return f"Truth({len(self):,} observations, from {self.origin})"


def same_kind(one: "pa.DataType", other: "pa.DataType") -> bool:
    """Whether two columns can hold the same ids: both integers, or both strings."""
    import pyarrow as pa

    return bool(pa.types.is_integer(one) == pa.types.is_integer(other))


def rows_of(ids: "pa.Array", wanted: "pa.Array") -> tuple[Indices, Indices]:
    """Where ``wanted`` (distinct) occur among ``ids``: rows of ``ids``, ascending, and the row of ``wanted`` for each.

    Both are of the :func:`same_kind`; integers of different width are equal if their numbers are.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if ids.type != wanted.type:
        ids, wanted = ids.cast(pa.large_string()), wanted.cast(pa.large_string())
    found = pc.index_in(ids, wanted)
    rows = np.flatnonzero(np.asarray(found.is_valid()))
    return rows, np.asarray(found.drop_null(), dtype=np.int64)
