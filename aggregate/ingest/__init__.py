"""Reads Parquet files into Votes: find, check, stream, clean, encode, group."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Indices
from ..arrow import to_arrow
from ..errors import VotesError
from ..files.parquet import (
    CheckedFile,
    batches_of_table,
    check_files,
    inputs_of,
    origin_of,
    stream,
    stream_all,
    types_of,
)
from ..files.prefetch import prefetched
from ..files.sources import Input, Paths, find_sources, path_list
from ..frames import Frame, to_table
from ..progress import SILENT, Progress
from ..schema import VOTES
from ..truth import rows_of
from ..votes import Votes
from .builder import RowCounts, VotesBuilder, ticks_of
from .cleaning import check_share

__all__ = [
    "Input",
    "Paths",
    "Reading",
    "VoteFiles",
    "find_votes",
    "read",
    "read_found",
    "read_votes",
    "votes_from_table",
]

AHEAD = 8  # batches decoded in advance


class VoteFiles(NamedTuple):
    """Files of votes whose columns were checked."""

    files: tuple[CheckedFile, ...]
    as_of: datetime | None

    @property
    def types(self) -> dict[str, pa.DataType]:
        """The types of the columns that any file has."""
        return types_of(self.files)


class Reading(NamedTuple):
    """Votes, and counts of the rows they were read from."""

    votes: Votes
    inputs: tuple[Input, ...]
    rows: RowCounts
    rejected: pa.Table  # the unusable rows: table REJECTED of `schema`


def read_votes(
    paths: Paths, *, columns: Mapping[str, str] | None = None, as_of: datetime | None = None, max_rejected: float = 0.01
) -> Votes:
    """Read votes from Parquet files, folders or globs.

    ``columns`` maps the names of ``schema.VOTES`` to the files' own. Votes after ``as_of`` are left out
    (a time without zone is UTC). Raises VotesError if a file cannot be read, a column is missing or has a wrong
    type, more than ``max_rejected`` of the rows cannot be used, or no vote is left.
    """
    return read(paths, columns=columns, as_of=as_of, max_rejected=max_rejected).votes


def votes_from_table(table: Frame, *, columns: Mapping[str, str] | None = None) -> Votes:
    """Votes from a table in memory with the columns of ``schema.VOTES``; see :func:`frames.to_table`.

    ``columns`` maps these to the frame's own. Every row must be usable. Raises VotesError as :func:`read_votes`, and
    TypeError for what is no frame.

    >>> import pandas as pd
    >>> rows = {"observation_id": [7, 7], "user_id": ["ana", "bo"], "label": ["Acer campestre", "Acer opalus"]}
    >>> votes_from_table(pd.DataFrame(rows))
    Votes(2 votes of 2 users on 1 observation, 2 labels)
    """
    arrow = to_table(table, VOTES, columns)
    types, batches = batches_of_table(arrow, VOTES)
    builder = VotesBuilder("table", types, None, arrow.num_rows)
    row = 0
    for batch in batches:
        builder.append(batch, builder.origin, row)
        row += batch.num_rows
    check_share(builder.quarantine, row, 0.0)
    return builder.finish(lambda: _all_ticks(batches_of_table(arrow, VOTES)[1], row), SILENT)[0]


def read(
    paths: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    as_of: datetime | None = None,
    max_rejected: float = 0.01,
    progress: Progress = SILENT,
) -> Reading:
    """As :func:`read_votes`, with counts of all rows."""
    return read_found(find_votes(paths, columns=columns, as_of=as_of), max_rejected=max_rejected, progress=progress)


def find_votes(paths: Paths, *, columns: Mapping[str, str] | None = None, as_of: datetime | None = None) -> VoteFiles:
    """The files of votes for :func:`read_found`. Raises VotesError if one does not exist, or its columns are wrong."""
    files = check_files(find_sources(path_list(paths)), VOTES, columns or {}, as_dictionary=("label",))
    _check_times(files, as_of)
    return VoteFiles(tuple(files), as_of)


def read_found(
    found: VoteFiles, *, max_rejected: float = 0.01, only: pa.Array | None = None, progress: Progress = SILENT
) -> Reading:
    """Read the votes in files that were found, all or only those on some observations.

    ``only``: the ids of these. Raises VotesError.
    """
    files, types, as_of = found.files, found.types, found.as_of
    sources = [file.source for file in files]
    n_rows = sum(file.rows for file in files)
    progress.phase("read", total=n_rows, unit="rows")
    builder = VotesBuilder(origin_of(files), types, as_of, n_rows)
    with (
        ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as aside,
        prefetched(stream_all(files, VOTES), AHEAD) as batches,
    ):
        fingerprints = [aside.submit(source.fingerprint) for source in sources]
        try:
            from ..kernels.jit import load_compiler

            load_compiler()  # takes as long as decoding millions of rows, which goes on meanwhile
            n_taken = 0
            for batch, path, row in batches:
                taken = _rows_on(batch, only)
                builder.append(taken, path, row)
                n_taken += taken.num_rows
                progress.advance(batch.num_rows)
        except BaseException:
            aside.shutdown(cancel_futures=True)
            raise
    inputs = inputs_of(files, (fingerprint.result() for fingerprint in fingerprints))
    if only is not None and n_taken == 0:
        raise VotesError("holds no vote on the observations asked for", where=origin_of(files))
    check_share(builder.quarantine, n_taken, max_rejected)
    times = (_rows_on(batch, only) for file in files for batch in _stream_times(file, only))
    votes, rows = builder.finish(lambda: _all_ticks(times, n_taken), progress)
    return Reading(votes, inputs, rows, builder.quarantine.to_arrow(types))


def _rows_on(batch: pa.RecordBatch, only: pa.Array | None) -> pa.RecordBatch:
    """The rows of a batch on some observations; all rows if it is None."""
    return batch if only is None else batch.take(to_arrow(rows_of(batch.column("observation_id"), only)[0]))


def _stream_times(file: CheckedFile, only: pa.Array | None) -> Iterator[pa.RecordBatch]:
    """The times of a file; if it has none the labels, so that its rows are counted. With ``only`` also the ids."""
    ids = [] if only is None else ["observation_id"]
    return stream(file, [*ids, "voted_at" if "voted_at" in file.types else "label"])


def _all_ticks(batches: Iterable[pa.RecordBatch], n_rows: int) -> Indices:
    ticks = np.empty(n_rows, np.int64)
    row = 0
    for batch in batches:
        ticks[row : row + batch.num_rows] = ticks_of(batch)
        row += batch.num_rows
    return ticks


def _check_times(files: Sequence[CheckedFile], as_of: datetime | None) -> None:
    """Raise VotesError if there is a time limit and a file without times."""
    untimed = [file.source for file in files if "voted_at" not in file.types]
    if as_of is not None and untimed:
        raise VotesError(
            "--as-of needs a column 'voted_at'", where=untimed[0].path, remedy="map it with --column voted_at=NAME"
        )
