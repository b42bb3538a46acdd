"""Decides which rows count: rejects unusable ones with a reason, and applies the time limit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from numbers import Real
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Bytes, Flags, Indices
from ..arrow import dtype_of, fill_null, scalar, to_arrow, to_numpy
from ..errors import VotesError
from ..frames import check_type
from ..ids.text_faults import REASONS, printable_texts, with_nulls
from ..schema import REJECTED, arrow_schema
from ..shares import count_of

NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


Fault: TypeAlias = tuple[str, pa.Array]  # a reason for rejection, and the rows it applies to (bool)


@dataclass
class Quarantine:
    """Collects rejected rows, with reasons."""

    counts: Counter[str] = field(default_factory=Counter)
    _tables: list[pa.Table] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Rows rejected so far."""
        return sum(self.counts.values())

    def add(self, batch: pa.RecordBatch, rejected: pa.Array, reasons: pa.Array, path: str, row: int) -> None:
        """Add the ``rejected`` (bool) rows of a batch that begins at ``row`` of the file at ``path``."""
        places = np.flatnonzero(to_numpy(rejected))
        chosen = to_arrow(places)
        self.add_rows(batch.take(chosen), reasons.take(chosen), path, places + row)

    def add_rows(self, batch: pa.RecordBatch, reasons: pa.Array, path: str, rows: Indices) -> None:
        """Add all rows of a batch, whose numbers in the file at ``path`` are ``rows``, int64[n]."""
        for count in reasons.value_counts().to_pylist():
            self.counts[count["values"]] += count["counts"]
        columns = {
            "file": pa.repeat(scalar(path), rows.size),
            "row": to_arrow(rows),
            "reason": reasons.dictionary_encode(),
        }
        for name in ("observation_id", "user_id", "label"):
            column = batch.column(name)
            columns[name] = printable_texts(
                column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            )
        self._tables.append(pa.table(columns))

    def first_place(self) -> str:
        """File, row and reason of the first rejected row, for a message."""
        first = self._tables[0].select(["file", "row", "reason"]).slice(0, 1).to_pylist()[0]
        return f"first: row {first['row']} of {first['file']}, {first['reason']}"

    def to_arrow(self, types: dict[str, pa.DataType]) -> pa.Table:
        """The rejected rows as the table REJECTED of ``schema``; ``types`` are those of the votes' columns."""
        schema = arrow_schema(REJECTED, **{name: types[name] for name in ("observation_id", "user_id", "label")})
        if not self._tables:
            return pa.Table.from_batches([], schema)
        return pa.concat_tables([_fitted(table, schema).cast(schema) for table in self._tables])


def out_of_range(values: pa.Array, kind: pa.DataType) -> Flags:
    """Which integers are out of the range of ``kind``, bool[n]; none if either type is not one of integers."""
    if not (pa.types.is_integer(values.type) and pa.types.is_integer(kind)):
        return np.zeros(len(values), np.bool_)
    limits, numbers = np.iinfo(dtype_of(kind)), to_numpy(values, null=0)
    beyond: Flags = (numbers < int(limits.min)) | (numbers > int(limits.max))
    return beyond


def _fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with null in place of integers out of the range of their column's type in ``schema``."""
    for place, field_to_be in enumerate(schema):
        column = table.column(place)
        if pa.types.is_integer(column.type) and column.type != field_to_be.type:
            chunks = [with_nulls(chunk, out_of_range(chunk, field_to_be.type)) for chunk in column.chunks]
            table = table.set_column(place, field_to_be.name, pa.chunked_array(chunks, column.type))
    return table


def split_batch(
    batch: pa.RecordBatch, as_of: datetime | None, texts: Mapping[str, Bytes]
) -> tuple[pa.Array | None, pa.Array | None, pa.Array | None]:
    """Which rows of a batch to keep, which to reject (bool[n]), and the reason for each row.

    All are None if every row is kept. A row cast after ``as_of`` is neither kept nor rejected. ``texts`` has the faults
    of each column's texts, uint8[n] (see ``text_faults``).
    """
    faults = [fault for name in ("observation_id", "user_id") for fault in id_faults(batch, name, texts)]
    faults += faults_of_texts("label", texts)
    if as_of is not None and batch.column("voted_at").null_count:
        faults.append(("null voted_at", batch.column("voted_at").is_null()))
    late = None
    if as_of is not None:
        late = fill_null(pc.greater(batch.column("voted_at").cast(pa.int64()), scalar(limit(batch, as_of))), False)
    if not faults and late is None:
        return None, None, None
    keep = to_arrow(np.ones(batch.num_rows, np.bool_))
    reasons = first_reasons(faults, batch.num_rows)
    rejected = reasons.is_valid()
    if late is not None:
        rejected = pc.and_not(rejected, late)
        keep = pc.and_not(keep, late)
    return pc.and_not(keep, rejected), rejected, reasons


def id_faults(batch: pa.RecordBatch, name: str, texts: Mapping[str, Bytes]) -> list[Fault]:
    """The faults of a column's ids; reasons that apply to no row are left out."""
    ids, faults = batch.column(name), []
    if ids.null_count:
        faults.append((f"null {name}", ids.is_null()))
    if pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type):
        blank = pc.equal(pc.binary_length(ids), scalar(0))
        if pc.any(blank).as_py():
            faults.append((f"blank {name}", fill_null(blank, False)))
    return faults + faults_of_texts(name, texts)


def faults_of_texts(name: str, texts: Mapping[str, Bytes]) -> list[Fault]:
    """The faults of a column's texts."""
    if name not in texts:
        return []
    return [(reason.format(name), to_arrow(texts[name] == fault)) for fault, reason in REASONS.items()]


def first_reasons(faults: Sequence[Fault], n_rows: int) -> pa.Array:
    """The first reason that applies to each row, as a string; null where none does."""
    reasons = pa.nulls(n_rows, pa.string())
    for reason, fault in reversed(faults):
        reasons = pc.if_else(fault, scalar(reason), reasons)
    return reasons


def limit(batch: pa.RecordBatch, as_of: datetime) -> int:
    """``as_of`` in the unit of the batch's times, rounded down, and limited to the range of int64.

    A time without zone is UTC.
    """
    aware = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
    since_epoch = aware - datetime(1970, 1, 1, tzinfo=UTC)
    nanoseconds = (since_epoch.days * 86400 + since_epoch.seconds) * 10**9 + since_epoch.microseconds * 1000
    ticks = nanoseconds // NANOSECONDS[batch.column("voted_at").type.unit]
    return min(max(ticks, -(2**63)), 2**63 - 1)


def check_share(quarantine: Quarantine, n_rows: int, max_rejected: float) -> None:
    """Raise VotesError if more than ``max_rejected`` of the rows were rejected."""
    check_type("a share", max_rejected, Real, "max_rejected=0.01")
    if quarantine.total > count_of(max_rejected, n_rows):
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(quarantine.counts.items()))
        raise VotesError(
            f"{quarantine.total:,} of {n_rows:,} rows cannot be used ({reasons}; {quarantine.first_place()}), "
            f"more than the allowed share of {max_rejected:g}",
            remedy="mend the input, or raise --max-rejected",
        )
