"""What the operator sets by hand: user weights from a file."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ..arrays import Floats
from ..errors import VotesError
from ..schema import USER_WEIGHTS
from ..user_weights import UserWeights
from .parquet import check_files, readable, stream
from .sources import find_sources


def read_user_weights(path: str | os.PathLike[str]) -> UserWeights:
    """Read fixed and minimum weights of users from Parquet, or from a CSV file with a header line.

    Columns: ``aggregate.schema.USER_WEIGHTS``. Raises VotesError if a column is missing or has a wrong type, an id
    is null or stands twice, or a weight is negative or not finite.
    """
    path = os.fspath(path)
    table = _read_csv(path) if path.lower().endswith(".csv") else _read_parquet(path)
    user_ids = table.column("user_id").combine_chunks()
    if user_ids.null_count:
        raise VotesError("a user_id is null", where=path)
    if pc.count_distinct(user_ids).as_py() < len(user_ids):
        counts = pc.value_counts(user_ids)
        twice = next(row["values"] for row in counts.to_pylist() if row["counts"] > 1)
        raise VotesError(f"user {twice!r} stands more than once", where=path)
    fixed, minimum = (_weights(table, column, path) for column in ("fixed_weight", "min_weight"))
    if fixed is None and minimum is None:
        raise VotesError("neither a column 'fixed_weight' nor 'min_weight'", where=path)
    none = np.full(len(user_ids), np.nan)
    return UserWeights(user_ids, none if fixed is None else fixed, none if minimum is None else minimum)


def _read_parquet(path: str) -> pa.Table:
    (file,) = check_files(find_sources([path]), USER_WEIGHTS, {})
    batches = list(stream(file, [column.name for column in USER_WEIGHTS]))
    if not batches:
        raise VotesError("the input has no rows", where=path)
    return pa.Table.from_batches(batches)


def _read_csv(path: str) -> pa.Table:
    """Ids are read as text: they are parsed as the votes' type when they meet the votes."""
    types = {"user_id": pa.string(), "fixed_weight": pa.float64(), "min_weight": pa.float64()}
    with readable(path):
        table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types))
    if "user_id" not in table.column_names:
        raise VotesError("column 'user_id' is missing", where=path)
    return table


def _weights(table: pa.Table, column: str, path: str) -> Floats | None:
    """A column of weights as float64, NaN for null; None if the table does not have it."""
    if column not in table.column_names:
        return None
    values = table.column(column).cast(pa.float64())
    numbers = np.asarray(values.drop_null())
    if not np.all(np.isfinite(numbers) & (numbers >= 0)):
        raise VotesError(f"column {column!r} holds a weight that is negative or not finite", where=path)
    return np.asarray(values.fill_null(np.nan))
