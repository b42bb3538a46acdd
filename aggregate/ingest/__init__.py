"""Reads Parquet files into Votes: find, check, stream, clean, encode, group."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Indices
from ..arrow import to_arrow
from ..errors import ParameterError, VotesError
from ..files.locations import is_uri, local_path
from ..files.parquet import (
    BATCH_ROWS,
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
from ..files.sources import OR_FRAME, Input, Paths, find_sources, path_list, printable
from ..formats.options import GivenFormat, given_format, with_columns
from ..frames import IN_MEMORY, Frame, check_type, is_frame, named_table
from ..listeners import ProgressLike, listening
from ..progress import SILENT, Progress
from ..schema import VOTES
from ..taxon_names.settings import NameSettings
from ..truth import rows_of
from ..votes import Votes
from .builder import RowCounts, VotesBuilder, ticks_of
from .cleaning import check_share
from .converted import with_records
from .labels import check_cleanable, cleaner_of, explaining_refusals
from .tables import VoteTable

if TYPE_CHECKING:
    from ..conversion import ConvertedVotes
    from ..formats.base import Format
    from ..taxon_names.cleaner import NameCleaner

__all__ = [
    "Input",
    "Paths",
    "Reading",
    "VoteFiles",
    "VoteTable",
    "find_table",
    "find_votes",
    "read_found",
    "read_votes",
    "votes_from_table",
]

AHEAD = 8  # batches decoded in advance


class VoteFiles(NamedTuple):
    """Files of votes whose columns were checked."""

    files: tuple[CheckedFile, ...]
    as_of: datetime | None
    converted: "ConvertedVotes | None" = None  # if they were read from another format: then there is one file of ours

    @property
    def origin(self) -> str:
        """Names the files in messages."""
        return origin_of(self.files)

    @property
    def types(self) -> dict[str, pa.DataType]:
        """The types of the columns that any file has."""
        return types_of(self.files)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(file.rows for file in self.files)

    def batches(self) -> Iterator[tuple[pa.RecordBatch, str, int]]:
        """Every batch, the path of its file, and the row of the file it begins at."""
        return stream_all(self.files, VOTES)

    def times(self, only: pa.Array | None) -> Iterator[pa.RecordBatch]:
        """The times of all rows; if ``only`` is given, with the ids of the observations."""
        return (batch for file in self.files for batch in _stream_times(file, only))

    def fingerprints(self) -> list[Callable[[], str]]:
        """What computes the SHA-256 of each file."""
        if self.converted is not None:
            return [partial(str, file.sha256) for file in self.converted.inputs]
        return [file.source.fingerprint for file in self.files]

    def digests(self) -> Iterator[tuple[str, str]]:
        """The path of each file that was given, and its SHA-256."""
        paths = [file.source.path for file in self.files]
        if self.converted is not None:
            paths = [file.path for file in self.converted.inputs]
        return ((path, fingerprint()) for path, fingerprint in zip(paths, self.fingerprints(), strict=True))

    def check_unchanged(self) -> None:
        """Raise VotesError if a file has changed since it was found."""
        for file in self.files:
            file.source.check_unchanged()

    def inputs(self, fingerprints: Iterable[str]) -> tuple[Input, ...]:
        """The files that were given, for run.json."""
        if self.converted is not None:
            return tuple(Input(file.path, None, file.bytes, file.sha256) for file in self.converted.inputs)
        return inputs_of(self.files, fingerprints)


class Reading(NamedTuple):
    """Votes, and counts of the rows they were read from."""

    votes: Votes
    inputs: tuple[Input, ...]
    rows: RowCounts
    rejected: pa.Table  # the unusable rows: table REJECTED of `schema`; REJECTED_OF_FORMAT if they were converted
    converted: "ConvertedVotes | None" = None  # if they were read from another format


def read_votes(
    paths: "Paths | Frame",
    *,
    columns: Mapping[str, str] | None = None,
    as_of: datetime | None = None,
    max_rejected: float = 0.01,
    format: "str | Format | None" = None,
    format_options: Mapping[str, Any] | None = None,
    names: NameSettings | None = None,
    progress: ProgressLike = None,
) -> Votes:
    """Read votes from Parquet files, folders or globs, or from a frame, or from files of another format.

    ``columns`` maps the names of ``schema.VOTES`` to the files' or the frame's own. Votes after ``as_of`` are left out
    (a time without zone is UTC). ``format`` is that of the files, a name or an object as for :func:`convert`, with
    ``format_options``, such as {"task": "T0"}; "ids" among them is the type of the ids, "integer" or "text".
    ``names``: how labels are cleaned as scientific names, before they are compared; ``clean_names`` returns the
    outcome of each. Raises VotesError if a file cannot be read, a column is missing or has a wrong type, more than
    ``max_rejected`` of the rows cannot be used, or no vote is left, ParameterError for a wrong format or option, and
    TypeError for what is neither a path nor a frame. ``progress``: True shows a bar, False does not, by default there
    is one in notebooks; or a listener.

    >>> read_votes({"task": [7, 7], "worker": ["ana", "bo"], "label": ["Acer campestre", "Acer opalus"]})
    Votes(2 votes of 2 users on 1 observation, 2 labels)
    """
    layout, cleaner = given_format(format, format_options), cleaner_of(names)
    with listening(progress) as listener:
        found = find_votes(
            paths, columns=columns, as_of=as_of, layout=layout, max_rejected=max_rejected, progress=listener
        )
        return read_found(found, max_rejected=max_rejected, cleaner=cleaner, identify=False, progress=listener).votes


def votes_from_table(
    table: Frame, *, columns: Mapping[str, str] | None = None, as_of: datetime | None = None, max_rejected: float = 0.0
) -> Votes:
    """Votes from a table in memory, a row each, with the columns of ``schema.VOTES``.

    The table is a data frame of pandas or Polars, a DuckDB relation, an Arrow table, a dict of arrays or lists, or any
    other object that exports Arrow data. As :func:`read_votes`, but not for files, and every row must be usable if
    ``max_rejected`` is not given. The names ``task`` and ``worker`` do, too, as in crowd-kit.

    >>> import pandas as pd
    >>> rows = {"observation_id": [7, 7], "user_id": ["ana", "bo"], "label": ["Acer campestre", "Acer opalus"]}
    >>> votes_from_table(pd.DataFrame(rows))
    Votes(2 votes of 2 users on 1 observation, 2 labels)
    """
    with listening() as listener:
        found = find_table(table, columns=columns, as_of=as_of)
        return read_found(found, max_rejected=max_rejected, identify=False, progress=listener).votes


def find_votes(
    paths: Paths | Frame,
    *,
    columns: Mapping[str, str] | None = None,
    as_of: datetime | None = None,
    layout: GivenFormat | None = None,
    max_rejected: float = 0.01,
    progress: Progress = SILENT,
) -> VoteFiles | VoteTable:
    """The votes for :func:`read_found`. Raises VotesError if a file does not exist, or columns are wrong.

    Files of another ``layout`` are converted into a temporary file, of whose records at most a share ``max_rejected``
    may be unusable; ``columns`` are then those of the format if it has such an option, else of the votes that it gives.
    """
    if is_frame(paths):
        if layout is not None:
            raise ParameterError(f"format {layout.format.name} is read from files, not from frames")
        return find_table(paths, columns=columns, as_of=as_of)
    _check_time(as_of)
    names = path_list(paths, OR_FRAME)
    converted = None
    if layout is None:
        try:
            files = check_files(find_sources(names), VOTES, columns or {}, as_dictionary=("label",))
        except VotesError as error:
            raise _with_format(error, names) from error
    else:
        from ..conversion import convert_votes

        layout, columns = with_columns(layout, columns)
        converted = convert_votes(layout.format, names, ids=layout.ids, max_rejected=max_rejected, progress=progress)
        files = check_files([converted.source], VOTES, columns or {}, as_dictionary=("label",))
    _check_times(files, as_of)
    return VoteFiles(tuple(files), as_of, converted)


def _with_format(error: VotesError, names: Iterable[str | os.PathLike[str]]) -> VotesError:
    """An error of files that cannot be read, with the format that one of them looks like."""
    from ..formats.recognition import formats_like

    if error.remedy and "--from " in error.remedy and "--from FORMAT" not in error.remedy:  # it names the format
        return error
    for name in (os.fspath(each) for each in names):
        found = [] if is_uri(name) else formats_like(Path(local_path(name)))
        if found:
            what = f"{error.what}; {'it' if error.where else printable(name)} looks like {' or '.join(found)}"
            return VotesError(what, where=error.where, remedy=f"read it with --from {found[0]}")
    return error


def find_table(table: Frame, *, columns: Mapping[str, str] | None = None, as_of: datetime | None = None) -> VoteTable:
    """The votes in a frame for :func:`read_found`. Raises VotesError if columns are wrong, and TypeError."""
    _check_time(as_of)
    found, names = named_table(table, VOTES, columns, reader="read_votes")
    types, _ = batches_of_table(found, VOTES)
    if as_of is not None and "voted_at" not in types:
        remedy = "map it with columns={'voted_at': NAME}"
        raise VotesError("as_of needs a column 'voted_at'", where=IN_MEMORY, remedy=remedy)
    return VoteTable(found, types, as_of, names)


def read_found(
    found: VoteFiles | VoteTable,
    *,
    max_rejected: float = 0.01,
    only: pa.Array | None = None,
    cleaner: "NameCleaner | None" = None,
    identify: bool = True,
    progress: Progress = SILENT,
) -> Reading:
    """Read the votes that were found, all or only those on some observations.

    ``only``: the ids of these. ``cleaner`` cleans labels, and counts them. Without ``identify`` there are no
    fingerprints, and so no ``inputs``. Raises VotesError.
    """
    n_rows = found.rows
    progress.phase("read", total=n_rows, unit="rows")
    clean = None if cleaner is None else partial(cleaner.clean, counts=cleaner.votes)
    check_cleanable(cleaner, found.types, found.origin)
    builder = VotesBuilder(found.origin, found.types, found.as_of, n_rows, clean)
    is_at_hand = isinstance(found, VoteTable) and n_rows <= BATCH_ROWS  # there is nothing to do in advance
    ahead = nullcontext(found.batches()) if is_at_hand else prefetched(found.batches(), AHEAD)
    with ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as aside, ahead as batches:
        fingerprints = [aside.submit(fingerprint) for fingerprint in found.fingerprints() if identify]
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
    found.check_unchanged()
    inputs = found.inputs(fingerprint.result() for fingerprint in fingerprints) if identify else ()
    if only is not None and n_taken == 0:
        raise VotesError("holds no vote on the observations asked for", where=found.origin)
    check_share(builder.quarantine, n_taken, max_rejected)
    times = (_rows_on(batch, only) for batch in found.times(only))
    with explaining_refusals(cleaner):
        votes, rows = builder.finish(lambda: _all_ticks(times, n_taken), progress)
    rejected = builder.quarantine.to_arrow(found.types)
    if not isinstance(found, VoteFiles) or found.converted is None:
        return Reading(votes, inputs, rows, rejected)
    return Reading(votes, inputs, rows, with_records(rejected, found.converted.rejected), found.converted)


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


def _check_time(as_of: object) -> None:
    """Raise TypeError if a time limit is no datetime."""
    check_type("a datetime", as_of, (datetime, type(None)), "datetime.fromisoformat('2026-11-23')")


def _check_times(files: Sequence[CheckedFile], as_of: datetime | None) -> None:
    """Raise VotesError if there is a time limit and a file without times."""
    untimed = [file.source for file in files if "voted_at" not in file.types]
    if as_of is not None and untimed:
        raise VotesError(
            "--as-of needs a column 'voted_at'", where=untimed[0].path, remedy="map it with --column voted_at=NAME"
        )
