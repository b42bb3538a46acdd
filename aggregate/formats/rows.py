"""Rows of a table, given one by one, as record batches."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from .base import Part

BATCH_ROWS = 1 << 16


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
        arrays = [pa.array(column, kind) for column, kind in zip(self._columns, self.types.values(), strict=True)]
        self._columns = [[] for _ in self.types]
        return self.table, pa.record_batch(arrays, names=list(self.types))
