"""Expert labels from a Parquet file, or from a table in memory."""

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import fill_null, scalar, to_numpy
from ..errors import VotesError
from ..schema import TRUTH
from ..truth import Truth
from .encoding import check_text
from .parquet import batches_of_table, check_file, stream

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 3
"""Repeated observations that a message names."""


def read_truth(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> Truth:
    """Read expert labels from a Parquet file with the columns of ``aggregate.schema.TRUTH``.

    ``columns`` maps them to the file's own names. Rows without a label are left out, and counted. Raises VotesError if
    the file cannot be read, a column is missing or has a wrong type, an id is null or blank, an observation stands
    more than once, or no row is left.
    """
    file = check_file(path, TRUTH, columns or {})
    return _truth_of(stream(file, [column.name for column in TRUTH]), file.types, file.source.path)


def truth_from_table(table: "pa.Table | pd.DataFrame") -> Truth:
    """Expert labels from a table in memory with the columns of ``aggregate.schema.TRUTH``. Raises VotesError.

    >>> truth_from_table(pa.table({"observation_id": [7, 9], "label": ["Acer campestre", "Acer opalus"]}))
    Truth(2 observations, from table)
    """
    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    types, batches = batches_of_table(table, TRUTH)
    return _truth_of(batches, types, "table")


def _truth_of(batches: Iterable[pa.RecordBatch], types: Mapping[str, pa.DataType], origin: str) -> Truth:
    schema = pa.schema([(column.name, types[column.name]) for column in TRUTH])
    table = pa.Table.from_batches([_without_dictionaries(batch) for batch in batches], schema).combine_chunks()
    if table.num_rows == 0:
        raise VotesError("no rows", where=origin, remedy="give expert labels of some observations")
    ids, labels = (_one_chunk(table.column(column.name)) for column in TRUTH)
    for column, values in (("observation_id", ids), ("label", labels)):
        check_text(values, column, origin)
    _check_ids(ids, origin)
    labelled = pc.invert(_blank(labels))
    if not pc.any(labelled).as_py():
        raise VotesError("no row has a label", where=origin, remedy="give expert labels of some observations")
    truth = Truth(ids.filter(labelled), labels.filter(labelled), origin, len(ids) - labelled.true_count)
    _check_distinct(truth.observation_ids, np.flatnonzero(to_numpy(labelled)), origin)
    return truth


def _check_ids(ids: pa.Array, origin: str) -> None:
    blank = np.flatnonzero(to_numpy(_blank(ids)))
    if blank.size:
        raise VotesError(
            f"observation_id is null or blank in {_rows(blank)}", where=origin, remedy="give each row an observation"
        )


def _check_distinct(ids: pa.Array, rows: np.ndarray, origin: str) -> None:
    """Raise VotesError if an observation stands more than once: it could have several true labels."""
    codes = to_numpy(ids.dictionary_encode().indices)
    times = np.bincount(codes)
    repeated = np.flatnonzero(times > 1)
    if repeated.size == 0:
        return
    named = [
        f"{ids[int(np.flatnonzero(codes == code)[0])].as_py()!r} in {_rows(rows[codes == code])}"
        for code in repeated[:SHOWN]
    ]
    more = f" and {repeated.size - SHOWN:,} more" if repeated.size > SHOWN else ""
    raise VotesError(
        f"observations that stand more than once: {', '.join(named)}{more}",
        where=origin,
        remedy="leave one row of each observation",
    )


def _rows(rows: np.ndarray) -> str:
    """``row 3``, ``rows 3, 5``; counted from 0."""
    few = ", ".join(f"{row:,}" for row in rows[:SHOWN]) + (", ..." if rows.size > SHOWN else "")
    return f"row {few}" if rows.size == 1 else f"rows {few}"


def _blank(values: pa.Array) -> pa.Array:
    """Which items are null, or text without a printing character."""
    if not pa.types.is_string(values.type):
        return values.is_null()
    return fill_null(pc.equal(pc.utf8_trim_whitespace(values), scalar("")), True)


def _without_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    plain = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in batch.columns]
    return pa.RecordBatch.from_arrays(plain, names=batch.schema.names)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
