"""What the operator sets by hand: user weights from a file."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Floats
from ..arrow import scalar, to_numpy
from ..errors import VotesError
from ..schema import USER_WEIGHTS
from ..user_weights import UserWeights
from . import Paths, listed
from .encoding import check_text
from .parquet import check_files, readable, stream_all
from .sources import Source, find_sources

MOST = 1e9
"""Beyond this, sums with other weights are no longer exact."""


def read_user_weights(paths: Paths) -> UserWeights:
    """Read fixed and minimum weights of users from Parquet files, folders or globs, or CSV files with a header line.

    Columns: ``aggregate.schema.USER_WEIGHTS``. Raises VotesError if a column is missing or has a wrong type, an id
    is null or stands twice, or a weight is negative or not finite.
    """
    sources = find_sources(listed(paths))
    path = sources[0].path if len(sources) == 1 else f"{sources[0].path} and {len(sources) - 1} more"
    files = check_files([source for source in sources if not _is_csv(source)], USER_WEIGHTS, {})
    tables = [_read_csv(source, source.path) for source in sources if _is_csv(source)]
    tables += [pa.Table.from_batches([batch]) for batch, _, _ in stream_all(files, USER_WEIGHTS)]
    if not any(table.num_rows for table in tables):
        raise VotesError("no rows", where=path, remedy="add a user, or leave out --user-weights")
    user_ids = _of_one_type([table.column("user_id") for table in tables])
    check_text(user_ids, "user_id", path)
    if user_ids.null_count or (pa.types.is_string(user_ids.type) and pc.any(pc.equal(user_ids, scalar(""))).as_py()):
        raise VotesError("a user_id is null or blank", where=path, remedy="give each row the id of a user")
    if pc.count_distinct(user_ids).as_py() < len(user_ids):
        counts = pc.value_counts(user_ids)
        twice = next(row["values"] for row in counts.to_pylist() if row["counts"] > 1)
        raise VotesError(f"user {twice!r} stands more than once", where=path, remedy="leave one row of each user")
    weights = [[_weights(table, column, path) for table in tables] for column in ("fixed_weight", "min_weight")]
    if all(some is None for column in weights for some in column):
        raise VotesError("neither a column 'fixed_weight' nor 'min_weight'", where=path, remedy="add one of them")
    fixed, minimum = (
        np.concatenate([np.full(len(table), np.nan) if w is None else w for table, w in zip(tables, some, strict=True)])
        for some in weights
    )
    return UserWeights(user_ids, fixed, minimum)


def _is_csv(source: Source) -> bool:
    return source.path.partition("?")[0].lower().endswith(".csv")


def _of_one_type(parts: list[pa.ChunkedArray]) -> pa.Array:
    """The ids of several tables, one after the other: as text if they differ, as those of CSV files do."""
    chunks = [chunk for part in parts for chunk in part.chunks]
    if len({chunk.type for chunk in chunks}) > 1:
        chunks = [chunk.cast(pa.string()) for chunk in chunks]
    return pa.concat_arrays(chunks)


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
