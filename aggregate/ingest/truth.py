"""Expert labels from Parquet files, or from a table in memory."""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Indices
from ..arrow import fill_null, plain, scalar, to_numpy
from ..errors import VotesError
from ..files.parquet import MAP_NAMES, batches_of_table, check_side_input, origin_of, stream_all, types_of
from ..files.sources import OR_FRAME, Paths, path_list
from ..frames import IN_MEMORY, Frame, is_frame, to_table
from ..schema import TRUTH
from ..truth import Truth
from .row_names import SHOWN, RowsOfFiles, refuse_texts

MAP_TRUTH_NAMES = "map names with --truth-column COLUMN=NAME"  # of commands whose --column is of another table
MAP_EXPERTS_NAMES = "map names with --experts-column COLUMN=NAME"  # of a run


def read_truth(paths: "Paths | Frame", *, columns: Mapping[str, str] | None = None) -> Truth:
    """Read expert labels from Parquet files, folders or globs, or a frame, with the columns of ``schema.TRUTH``.

    A pandas Series has the observations in its index, and their labels as values. ``columns`` maps the columns to the
    files' or the frame's own names. Rows without a label are left out, and counted. Raises VotesError if a file cannot
    be read, a column is missing or has a wrong type, an id is null or blank, an observation occurs more than once, or
    no row is left, and TypeError for what is neither a path nor a frame.
    """
    if is_frame(paths):
        return truth_from_table(paths, columns=columns)
    return truth_of_files(path_list(paths, OR_FRAME), columns)


def truth_of_files(paths: Paths, columns: Mapping[str, str] | None = None, *, remedy: str = MAP_NAMES) -> Truth:
    """Expert labels from files, as :func:`read_truth`; ``remedy`` says what to do about a missing COLUMN."""
    files = check_side_input(path_list(paths), TRUTH, columns or {}, remedy=remedy)
    return _truth_of(stream_all(files, TRUTH), types_of(files), origin_of(files))


def truth_from_table(table: Frame, *, columns: Mapping[str, str] | None = None) -> Truth:
    """Expert labels from a frame, as :func:`read_truth` takes, but not from files.

    >>> truth_from_table({"observation_id": [7, 9], "label": ["Acer campestre", "Acer opalus"]})
    Truth(2 observations, from table in memory)
    """
    types, batches = batches_of_table(to_table(table, TRUTH, columns, reader="read_truth"), TRUTH)
    return _truth_of(((batch, IN_MEMORY, 0) for batch in batches), types, IN_MEMORY)


def _truth_of(
    batches: Iterable[tuple[pa.RecordBatch, str, int]], types: Mapping[str, pa.DataType], origin: str
) -> Truth:
    """Expert labels of batches, each with the path of its file and the row that it begins at."""
    schema = pa.schema([(column.name, types[column.name]) for column in TRUTH])
    decoded, sizes = [], []
    for batch, path, _ in batches:
        sizes.append((path, batch.num_rows))
        decoded.append(_without_dictionaries(batch))
    rows = RowsOfFiles.of(sizes)
    table = pa.Table.from_batches(decoded, schema).combine_chunks()
    if table.num_rows == 0:
        raise VotesError("no rows", where=origin, remedy="give labels of some observations")
    ids, labels = (plain(table.column(column.name)) for column in TRUTH)
    for column, values in (("observation_id", ids), ("label", labels)):
        refuse_texts(values, column, rows, origin)
    _check_ids(ids, rows, origin)
    labelled = pc.invert(_blank(labels))
    if not pc.any(labelled).as_py():
        raise VotesError("no row has a label", where=origin, remedy="give labels of some observations")
    truth = Truth(ids.filter(labelled), labels.filter(labelled), origin, len(ids) - labelled.true_count)
    _check_distinct(truth.observation_ids, np.flatnonzero(to_numpy(labelled)), rows, origin)
    return truth


def _check_ids(ids: pa.Array, rows: RowsOfFiles, origin: str) -> None:
    blank = np.flatnonzero(to_numpy(_blank(ids)))
    if blank.size:
        raise VotesError(
            f"observation_id is null or blank in {rows.named(blank)}",
            where=origin,
            remedy="give each row an observation",
        )


def _check_distinct(ids: pa.Array, at: Indices, rows: RowsOfFiles, origin: str) -> None:
    """Raise VotesError if an observation occurs more than once; ``at`` int64[n] are the rows of ``ids``."""
    codes = to_numpy(ids.dictionary_encode().indices)
    times = np.bincount(codes)
    repeated = np.flatnonzero(times > 1)
    if repeated.size == 0:
        return
    named = [
        f"{ids[int(np.flatnonzero(codes == code)[0])].as_py()!r} in {rows.named(at[codes == code])}"
        for code in repeated[:SHOWN]
    ]
    more = f" and {repeated.size - SHOWN:,} more" if repeated.size > SHOWN else ""
    raise VotesError(
        f"observations that occur more than once: {', '.join(named)}{more}",
        where=origin,
        remedy="leave one row of each observation",
    )


def _blank(values: pa.Array) -> pa.Array:
    """Which items are null, or text of white space alone."""
    if not pa.types.is_string(values.type):
        return values.is_null()
    return fill_null(pc.equal(pc.utf8_trim_whitespace(values), scalar("")), True)


def _without_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], names=batch.schema.names)
