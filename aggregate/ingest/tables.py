"""Votes in a table in memory, for the same reader as files."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..arrow import bytes_of, to_numpy
from ..files.parquet import batches_of_table
from ..files.sources import Input
from ..frames import IN_MEMORY
from ..schema import VOTES


class VoteTable(NamedTuple):
    """A table of votes whose columns were checked; see ``VoteFiles``."""

    table: pa.Table  # its columns have the names of `schema.VOTES`
    types: dict[str, pa.DataType]
    as_of: datetime | None
    names: Mapping[str, Any]  # the frame's own names of the columns

    @property
    def origin(self) -> str:
        """Names the table in messages."""
        return IN_MEMORY

    @property
    def rows(self) -> int:
        """Number of rows."""
        n_rows: int = self.table.num_rows
        return n_rows

    def batches(self) -> Iterator[tuple[pa.RecordBatch, str, int]]:
        """Every batch, the name of the table, and the row it begins at."""
        row = 0
        for batch in batches_of_table(self.table, VOTES)[1]:
            yield batch, IN_MEMORY, row
            row += batch.num_rows

    def times(self, _only: pa.Array | None) -> Iterator[pa.RecordBatch]:
        """The batches, for their times."""
        return batches_of_table(self.table, VOTES)[1]

    def fingerprints(self) -> list[Callable[[], str]]:
        """What computes the SHA-256 of the content."""
        return [lambda: fingerprint_of(self.table)]

    def check_unchanged(self) -> None:
        """Whoever gives a table leaves it as it is."""

    def inputs(self, fingerprints: Iterable[str]) -> tuple[Input, ...]:
        """The table, for run.json."""
        return tuple(Input(IN_MEMORY, self.rows, self.table.nbytes, fingerprint) for fingerprint in fingerprints)


def fingerprint_of(table: pa.Table) -> str:
    """SHA-256 of the votes in a table, as 64 hexadecimal digits.

    It is that of the values and their types as they are read: the same for every kind of frame, and for any chunks.
    """
    types, batches = batches_of_table(table, VOTES)
    parts: dict[tuple[str, int], Any] = {}
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            for number, values in enumerate(_bytes_of(column)):
                parts.setdefault((name, number), hashlib.sha256()).update(np.ascontiguousarray(values).data)
    whole = hashlib.sha256("".join(f"{name} {kind}\n" for name, kind in types.items()).encode())
    for part in parts.values():
        whole.update(part.digest())
    return whole.hexdigest()


def _bytes_of(column: pa.Array) -> list[NDArray[Any]]:
    """What makes a column: its values, the lengths of texts, and which are null."""
    null = ~to_numpy(column.is_valid())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type):
        data, offsets = bytes_of(column)
        return [data, np.diff(offsets), null]
    numbers = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    return [to_numpy(numbers, null=0), null]
