"""What the operator sets by hand: user weights from a file."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Floats
from ..arrow import scalar, to_numpy
from ..errors import VotesError
from ..schema import USER_WEIGHTS
from ..storage import local_path, redacted
from ..user_weights import UserWeights
from .encoding import check_text
from .parquet import check_files, readable, stream
from .sources import Source, find_sources

MOST = 1e9
"""Beyond this, sums with other weights are no longer exact."""


def read_user_weights(path: str | os.PathLike[str]) -> UserWeights:
    """Read fixed and minimum weights of users from Parquet, or from a CSV file with a header line.

    Columns: ``aggregate.schema.USER_WEIGHTS``. Raises VotesError if a column is missing or has a wrong type, an id
    is null or stands twice, or a weight is negative or not finite.
    """
    given = local_path(path)
    if os.path.isdir(given):
        raise VotesError("is a folder", where=given, remedy="name a Parquet or CSV file of user weights")
    path = redacted(given)
    sources = find_sources([given])
    if len(sources) > 1:
        raise VotesError(f"stands for {len(sources)} files", where=path, remedy="name one file of user weights")
    is_csv = path.partition("?")[0].lower().endswith(".csv")
    table = _read_csv(sources[0], path) if is_csv else _read_parquet(sources[0], path)
    if table.num_rows == 0:
        raise VotesError("no rows", where=path, remedy="add a user, or leave out --user-weights")
    user_ids = table.column("user_id").combine_chunks()
    check_text(user_ids, "user_id", path)
    if user_ids.null_count or (pa.types.is_string(user_ids.type) and pc.any(pc.equal(user_ids, scalar(""))).as_py()):
        raise VotesError("a user_id is null or blank", where=path, remedy="give each row the id of a user")
    if pc.count_distinct(user_ids).as_py() < len(user_ids):
        counts = pc.value_counts(user_ids)
        twice = next(row["values"] for row in counts.to_pylist() if row["counts"] > 1)
        raise VotesError(f"user {twice!r} stands more than once", where=path, remedy="leave one row of each user")
    fixed, minimum = (_weights(table, column, path) for column in ("fixed_weight", "min_weight"))
    if fixed is None and minimum is None:
        raise VotesError("neither a column 'fixed_weight' nor 'min_weight'", where=path, remedy="add one of them")
    none = np.full(len(user_ids), np.nan)
    return UserWeights(user_ids, none if fixed is None else fixed, none if minimum is None else minimum)


def _read_parquet(source: Source, path: str) -> pa.Table:
    (file,) = check_files([source], USER_WEIGHTS, {})
    batches = list(stream(file, [column.name for column in USER_WEIGHTS]))
    if not batches:
        raise VotesError("no rows", where=path, remedy="add a user, or leave out --user-weights")
    return pa.Table.from_batches(batches)


def _read_csv(source: Source, path: str) -> pa.Table:
    """Ids are read as text: they are parsed as the votes' type when they meet the votes."""
    from pyarrow import csv

    types = {"user_id": pa.string(), "fixed_weight": pa.float64(), "min_weight": pa.float64()}
    with readable(path, "CSV"):
        table = csv.read_csv(source.local, convert_options=csv.ConvertOptions(column_types=types))
    if "user_id" not in table.column_names:
        have = ", ".join(map(repr, table.column_names[:12]))
        raise VotesError(f"column 'user_id' is missing; it has {have}", where=path, remedy="name the columns in line 1")
    for name in types:
        if table.column_names.count(name) > 1:
            raise VotesError(f"column {name!r} occurs more than once", where=path, remedy="leave one of them")
    return table


def _weights(table: pa.Table, column: str, path: str) -> Floats | None:
    """A column of weights as float64, NaN for null; None if the table does not have it."""
    if column not in table.column_names:
        return None
    values = table.column(column).cast(pa.float64(), safe=False)
    numbers = to_numpy(values.drop_null())
    if not np.all((numbers >= 0) & (numbers <= MOST)):
        raise VotesError(
            f"column {column!r} holds a weight that is not in [0, {MOST:g}]", where=path, remedy="0 silences"
        )
    return to_numpy(values, null=np.nan)
