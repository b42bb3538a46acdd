"""Writes the tables of a run as Parquet files."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from ..add_ons import AddOn, extended
from ..consensus import Consensus
from ..files.destination import check_place
from ..files.writing import OUTPUT_FOLDER, in_one_step, writing
from ..progress import SILENT, Progress

CONSENSUS_FILE, USERS_FILE, CHANGES_FILE = "consensus.parquet", "users.parquet", "changes.parquet"
LABELS_FILE = "labels.parquet"

ROW_GROUP = 1 << 19  # rows derived and written at a time

REPEATING = ("confidence", "probability", "weight", "ai_score", "share")
"""Columns of numbers worth a dictionary: many rows, fewer values. The others have one value nearly everywhere, which
compression alone shortens in less time."""


class Output(NamedTuple):
    """A file that was written."""

    name: str
    rows: int
    bytes: int
    sha256: str


class Rows(Protocol):
    """A table with a row an observation, computed in ranges of rows."""

    @property
    def n_observations(self) -> int:
        """Number of rows."""

    def to_arrow(self, first: int, last: int) -> pa.Table:
        """Rows ``first`` to ``last``, with the types that readers see."""

    def encoded(self, first: int, last: int) -> pa.Table:
        """The same, where strings may be dictionaries."""


def write_consensus(
    consensus: Consensus, folder: Path, add_ons: Sequence[AddOn] = (), progress: Progress = SILENT
) -> Output:
    """Write ``consensus.parquet`` with the columns of those ``add_ons`` that are of the consensus."""
    chosen = [add_on for add_on in add_ons if add_on.extends == "consensus"]
    return _write_in_blocks(
        lambda first, last: extended(consensus.encoded(first, last), first, chosen),
        extended(consensus.to_arrow(0, 0), 0, chosen).schema,
        consensus.n_observations,
        folder / CONSENSUS_FILE,
        progress,
    )


def write_users(consensus: Consensus, folder: Path, add_ons: Sequence[AddOn] = ()) -> Output:
    """Write ``users.parquet`` with the columns of those ``add_ons`` that are of users."""
    chosen = [add_on for add_on in add_ons if add_on.extends == "users"]
    return write_table(extended(consensus.users_to_arrow(), 0, chosen), folder / USERS_FILE)


def write_posteriors(consensus: Consensus, folder: Path) -> Output:
    """Write ``posteriors.parquet``."""
    declared = consensus.posteriors_to_arrow(0, 0).schema
    return _write_in_blocks(
        consensus.encoded_posteriors, declared, consensus.n_observations, folder / "posteriors.parquet", SILENT
    )


def write_rows(rows: Rows, path: Path, progress: Progress = SILENT) -> Output:
    """Write a table as :func:`write_file` does, in ranges of rows. Raises PublishError."""
    declared = rows.to_arrow(0, 0).schema
    with _in_one_step(path) as staged:
        output = _write_in_blocks(rows.encoded, declared, rows.n_observations, staged, progress, "file")
    return output._replace(name=path.name)


def write_file(table: pa.Table, path: Path, *, declared: pa.Schema | None = None) -> Output:
    """Write a table to a file of its own, in a folder that is created if its parent exists. Raises PublishError.

    An existing file is replaced in one step. ``declared`` as in :func:`write_table`.
    """
    with _in_one_step(path) as staged:
        output = write_table(table, staged, "file", declared=declared)
    return output._replace(name=path.name)


def write_parts(
    parts: Iterable[pa.Table],
    schema: pa.Schema,
    path: Path,
    *,
    declared: pa.Schema | None = None,
    dictionaries: Sequence[str] = (),
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> Output:
    """Write tables of one schema, each as a row group, as :func:`write_file` does. Raises PublishError.

    ``declared`` as in :func:`write_table`. ``dictionaries``: the paths of columns of few distinct values; ``metadata``:
    of the file, for any reader.
    """
    declared = (declared or schema).with_metadata(metadata or None)
    n_rows = 0
    with _in_one_step(path) as staged:
        with _writer(staged, declared, schema, "file", dictionaries) as write:
            for part in parts:
                write(part)
                n_rows += part.num_rows
        return _output(staged, n_rows, "file")._replace(name=path.name)


@contextmanager
def _in_one_step(path: Path) -> Iterator[Path]:
    """As :func:`in_one_step`, in a folder that is created if its parent exists."""
    check_place(path)
    with writing(path, "file"):
        path.parent.mkdir(exist_ok=True)
    with in_one_step(path) as staged:
        yield staged


def _write_in_blocks(
    rows_of: Callable[[int, int], pa.Table],
    declared: pa.Schema,
    n_observations: int,
    path: Path,
    progress: Progress,
    what: str = OUTPUT_FOLDER,
) -> Output:
    """Write ``rows_of(first, last)`` observations; the next are computed while the last are compressed."""
    n_rows = 0
    with _writer(path, declared, rows_of(0, 0).schema, what) as write, ThreadPoolExecutor(1) as aside:
        written = aside.submit(lambda: None)
        for first in range(0, n_observations, ROW_GROUP):
            last = min(first + ROW_GROUP, n_observations)
            table = rows_of(first, last)
            n_rows += table.num_rows
            written.result()
            written = aside.submit(write, table)
            progress.advance(last - first)
        written.result()
    return _output(path, n_rows, what)


def write_table(table: pa.Table, path: Path, what: str = OUTPUT_FOLDER, *, declared: pa.Schema | None = None) -> Output:
    """Write a whole table. Raises PublishError, whose remedy is to choose another ``what``.

    ``declared`` has the types that readers see, if strings of ``table`` are dictionaries and are to be read as strings.
    """
    with _writer(path, declared or table.schema, table.schema, what) as write:
        write(table)
    return _output(path, table.num_rows, what)


@contextmanager
def _writer(
    path: Path, declared: pa.Schema, written: pa.Schema, what: str, paths: Sequence[str] = ()
) -> Iterator[Callable[[pa.Table], None]]:
    """What writes tables, with the encodings that suit sorted ids and columns of few distinct values.

    Readers see the types of ``declared``; the tables to come have those of ``written``, in which strings may be
    dictionaries: these need not be looked up once more. ``paths`` are those of further columns of few distinct values.
    Statistics are kept for the ids alone: in the other columns every row group has the whole range. The file is closed
    also if a full disk keeps the writer from finishing.
    """
    id_name = written.names[0]
    dictionaries = [field.name for field in written if pa.types.is_dictionary(field.type) or field.name in REPEATING]
    encodings = {id_name: "DELTA_BINARY_PACKED" if pa.types.is_integer(written.field(0).type) else "DELTA_BYTE_ARRAY"}

    def write(table: pa.Table) -> None:
        with writing(path, what):
            writer.write_table(table, ROW_GROUP)

    with ExitStack() as opened:
        with writing(path, what):
            writer = opened.enter_context(
                pq.ParquetWriter(
                    opened.enter_context(pa.OSFile(os.fsencode(path), "wb")),
                    written,
                    compression="zstd",
                    compression_level=1,
                    use_dictionary=[*dictionaries, *paths],
                    column_encoding=encodings,
                    write_statistics=[id_name],
                    store_schema=False,
                    write_page_checksum=True,
                )
            )
            encoded = base64.b64encode(declared.serialize())
            writer.add_key_value_metadata({**(declared.metadata or {}), "ARROW:schema": encoded})
        try:
            yield write
        except BaseException:
            with suppress(OSError):  # the first error is the one reported
                opened.close()
            raise
        with writing(path, what):
            opened.close()


def _output(path: Path, rows: int, what: str) -> Output:
    with writing(path, what):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Output(path.name, rows, path.stat().st_size, digest)
