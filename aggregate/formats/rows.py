"""Rows of a table, given one by one, as record batches."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from ..arrow import array, to_arrow
from .base import Part

BATCH_ROWS = 1 << 16

TIME = pa.timestamp("us", tz="UTC")
"""The type of times: values are datetimes with a zone, or in UTC."""

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


class Rows:
    """Collects rows of one table.

    It goes::

        votes = Rows("votes", observation_id=pa.string(), user_id=pa.string(), label=pa.string())
        for record in records:
            votes.add(record.subject, record.user, record.answer)
            yield from votes.full()
        yield from votes.rest()

    Args:
        table: one of TABLES.
        types: column -> its type, in the order of the columns.
    """

    def __init__(self, table: str, **types: pa.DataType) -> None:
        self.table = table
        self.types: Mapping[str, pa.DataType] = types
        self._columns: list[list[Any]] = [[] for _ in types]

    def add(self, *values: Any) -> None:
        """Append a row, with a value for each column; None is null."""
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)

    def full(self) -> Iterator[Part]:
        """A batch, once there are enough rows for one."""
        if len(self._columns[0]) >= BATCH_ROWS:
            yield self._batch()

    def rest(self) -> Iterator[Part]:
        """The rows that are left, if there are any."""
        if self._columns[0]:
            yield self._batch()

    def _batch(self) -> Part:
        arrays = [_array(column, kind) for column, kind in zip(self._columns, self.types.values(), strict=True)]
        self._columns = [[] for _ in self.types]
        return self.table, pa.record_batch(arrays, names=list(self.types))


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Python values as ``pa.array`` makes them, which would load pandas (see ``arrow.py``)."""
    if pa.types.is_timestamp(kind):
        return array([None if value is None else _microseconds(value) for value in values], pa.int64()).cast(kind)
    if pa.types.is_list(kind):
        offsets = np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int32)
        items = _array([item for value in values for item in value or ()], kind.value_type)
        null = to_arrow(np.array([value is None for value in values], np.bool_))
        return pa.ListArray.from_arrays(to_arrow(offsets), items, type=kind, mask=null)
    return array(values, kind)


def _microseconds(time: datetime) -> int:
    """Since 1970; a time without zone is in UTC."""
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND
