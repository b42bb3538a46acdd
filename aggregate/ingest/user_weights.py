"""Reads users' weights that are set by hand, from Parquet and CSV files."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Floats
from ..arrow import scalar, strings, to_numpy
from ..errors import VotesError
from ..files.parquet import batches_of_table, check_files, readable, stream_all
from ..files.sources import OR_FRAME, Paths, Source, find_sources, path_list
from ..frames import IN_MEMORY, Frame, is_frame, to_table
from ..ids.text_faults import printable_texts, with_nulls
from ..schema import USER_WEIGHTS
from ..user_weights import UserWeights
from .row_names import RowsOfFiles, refuse_texts

MOST = 1e9  # largest weight: sums with larger ones would not be exact

CSV_COLUMNS = ("user_id", "fixed_weight", "min_weight")

FIRST_LINE = 2  # number of a CSV file's first line after its header


def read_user_weights(paths: "Paths | Frame", *, columns: Mapping[str, str] | None = None) -> UserWeights:
    """Read fixed and minimum weights of users from files, folders or globs, or a frame.

    Files are Parquet, or CSV with a header line. Columns: ``schema.USER_WEIGHTS``, which ``columns`` maps to the
    frame's or the Parquet files' own names. Raises VotesError if a column is missing or has a wrong type, an id is null
    or occurs twice, or a weight is negative or not finite, and TypeError for what is neither a path nor a frame.
    """
    if is_frame(paths):
        _, batches = batches_of_table(to_table(paths, USER_WEIGHTS, columns), USER_WEIGHTS)
        tables = [pa.Table.from_batches([batch]) for batch in batches]
        return _weights_of(tables, RowsOfFiles.of((IN_MEMORY, len(table)) for table in tables), IN_MEMORY)
    sources = find_sources(path_list(paths, OR_FRAME))
    path = sources[0].path if len(sources) == 1 else f"{sources[0].path} and {len(sources) - 1} more"
    files = check_files([source for source in sources if not _is_csv(source)], USER_WEIGHTS, columns or {})
    of_csv = [(_read_csv(source, source.path), source.path) for source in sources if _is_csv(source)]
    of_parquet = [(pa.Table.from_batches([batch]), path) for batch, path, _ in stream_all(files, USER_WEIGHTS)]
    tables = [table for table, _ in of_csv + of_parquet]
    sizes = [(path, len(table)) for table, path in of_csv + of_parquet]
    rows = RowsOfFiles.of(sizes) if of_parquet else RowsOfFiles.of(sizes, "line", FIRST_LINE)
    return _weights_of(tables, rows, path)


def _weights_of(tables: list[pa.Table], rows: RowsOfFiles, path: str) -> UserWeights:
    """The weights in several tables, whose ``rows`` messages name. Raises VotesError."""
    if not any(table.num_rows for table in tables):
        raise VotesError("no rows", where=path, remedy="add a user, or leave out --user-weights")
    user_ids = _of_one_type([table.column("user_id") for table in tables])
    _check_ids(user_ids, rows, path)
    columns = ("fixed_weight", "min_weight")
    if not any(column in table.column_names for table in tables for column in columns):
        raise VotesError("neither a column 'fixed_weight' nor 'min_weight'", where=path, remedy="add one of them")
    fixed, minimum = (_weights(tables, column, rows, path) for column in columns)
    return UserWeights(user_ids, fixed, minimum)


def _check_ids(user_ids: pa.Array, rows: RowsOfFiles, path: str) -> None:
    """Raise VotesError, naming rows, unless each row has the id of another user."""
    refuse_texts(user_ids, "user_id", rows, path)
    is_blank = to_numpy(user_ids.is_null())
    if pa.types.is_string(user_ids.type):
        is_blank = is_blank | to_numpy(pc.equal(user_ids, scalar("")), null=False)
    if is_blank.any():
        where = rows.named(np.flatnonzero(is_blank))
        raise VotesError(f"a user_id is null or blank in {where}", where=path, remedy="give each row the id of a user")
    codes = to_numpy(user_ids.dictionary_encode().indices)
    repeated = np.flatnonzero(np.bincount(codes)[codes] > 1)
    if repeated.size:
        same = np.flatnonzero(codes == codes[repeated[0]])
        raise VotesError(
            f"user {user_ids[int(same[0])].as_py()!r} occurs more than once, in {rows.named(same)}",
            where=path,
            remedy="leave one row of each user",
        )


def _is_csv(source: Source) -> bool:
    return source.path.partition("?")[0].lower().endswith(".csv")


def _of_one_type(parts: list[pa.ChunkedArray]) -> pa.Array:
    """The ids of several tables, concatenated: as text if their types differ, as those of CSV files do."""
    chunks = [chunk for part in parts for chunk in part.chunks]
    if len({chunk.type for chunk in chunks}) > 1:
        chunks = [chunk.cast(pa.string()) for chunk in chunks]
    return pa.concat_arrays(chunks)


def _read_csv(source: Source, path: str) -> pa.Table:
    """Read a CSV file. Ids are text: they are compared with the votes' ids by their text.

    All columns are read as bytes, because errors of pyarrow's conversion do not name the line.
    """
    from pyarrow import csv

    options = csv.ConvertOptions(column_types=dict.fromkeys(CSV_COLUMNS, pa.binary()))
    with readable(path, "CSV"):
        table = csv.read_csv(source.local, convert_options=options)
    source.check_unchanged()
    if "user_id" not in table.column_names:
        have = ", ".join(map(repr, table.column_names[:12]))
        raise VotesError(f"column 'user_id' is missing; it has {have}", where=path, remedy="name the columns in line 1")
    columns = {}
    for name in CSV_COLUMNS:
        if table.column_names.count(name) > 1:
            raise VotesError(f"column {name!r} occurs more than once", where=path, remedy="leave one of them")
        if name in table.column_names:
            texts = table.column(name).combine_chunks().view(pa.string())
            columns[name] = texts if name == "user_id" else _numbers(texts, options.null_values, name, path)
    return pa.table(columns)


def _numbers(texts: pa.Array, null: list[str], column: str, path: str) -> pa.Array:
    """Texts of a CSV file as float64; those of ``null`` are null. Raises VotesError, naming the line."""
    texts = pc.ascii_trim_whitespace(texts)
    texts = with_nulls(texts, to_numpy(pc.is_in(texts, value_set=strings(null))))
    if _are_numbers(texts):
        return texts.cast(pa.float64())
    start, end = 0, len(texts)  # the first that is not a number is in texts[start:end]
    while end - start > 1:
        middle = (start + end) // 2
        if _are_numbers(texts.slice(start, middle - start)):
            start = middle
        else:
            end = middle
    text = printable_texts(texts.slice(start, 1))[0].as_py()
    raise VotesError(
        f"column {column!r} holds {text!r} in line {start + FIRST_LINE:,}, which is not a number",
        where=path,
        remedy="write a number, or nothing",
    )


def _are_numbers(texts: pa.Array) -> bool:
    try:
        texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _weights(tables: list[pa.Table], column: str, rows: RowsOfFiles, path: str) -> Floats:
    """A column of weights of several tables as float64, NaN for null or where a table does not have it."""
    parts = [
        table.column(column).cast(pa.float64(), safe=False).combine_chunks()
        if column in table.column_names
        else pa.nulls(len(table), pa.float64())
        for table in tables
    ]
    weights = np.concatenate([to_numpy(part, null=np.nan) for part in parts])
    given = np.concatenate([to_numpy(part.is_valid()) for part in parts])
    wrong = np.flatnonzero(given & ~((weights >= 0) & (weights <= MOST)))
    if wrong.size:
        raise VotesError(
            f"column {column!r} holds a weight that is not in [0, {MOST:g}]: {weights[wrong[0]]:g}, "
            f"in {rows.named(wrong)}",
            where=path,
            remedy="0 silences a user",
        )
    return weights
