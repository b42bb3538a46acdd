"""Writes tables as Parquet while their rows come in."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..arrow import table_of_rows
from ..errors import VotesError, reason_of
from ..files.snapshots import Opened
from ..files.sources import Source, source_of
from ..formats.base import Part, Rejected
from ..schema import REJECTED_RECORDS, arrow_schema

ROW_GROUP = 1 << 19  # rows of a row group at most
GROUP_BYTES = 1 << 26  # bytes of rows that are collected for one, at most


class _TableFile:
    """A Parquet file that is written row group by row group."""

    def __init__(self, path: Path | str, schema: pa.Schema, opened: ExitStack) -> None:
        self.rows = 0
        self._schema = schema
        self._batches: list[pa.RecordBatch] = []
        self._n_rows, self._n_bytes = 0, 0
        self._writer = pq.ParquetWriter(
            opened.enter_context(pa.OSFile(os.fsencode(path), "wb")),
            schema,
            compression="zstd",
            compression_level=1,
            store_schema=False,
            write_page_checksum=True,
            **_encodings(schema),
        )
        opened.callback(self._writer.close)

    def add(self, batch: pa.RecordBatch) -> pa.Table | None:
        """Collect rows; a table once there are enough for a row group."""
        self._batches.append(batch)
        self._n_rows, self._n_bytes = self._n_rows + batch.num_rows, self._n_bytes + batch.nbytes
        return self.collected() if self._n_rows >= ROW_GROUP or self._n_bytes >= GROUP_BYTES else None

    def collected(self) -> pa.Table:
        """The rows that were collected and are not written."""
        table = pa.Table.from_batches(self._batches, self._schema)
        self._batches, self._n_rows, self._n_bytes = [], 0, 0
        return table

    def write(self, table: pa.Table) -> None:
        """Write a row group."""
        if table.num_rows:
            self._writer.write_table(table, ROW_GROUP)
            self.rows += table.num_rows


def write_tables(parts: Iterable[Part], place_of: Callable[[str], Path | str | None]) -> dict[str, int]:
    """Write the rows of each table to the file that is its place, None for none. The rows of each.

    Raises what reading raises, and OSError.
    """
    files: dict[str, _TableFile | None] = {}
    with ExitStack() as opened, ThreadPoolExecutor(1, thread_name_prefix="write") as aside:
        written: Future[None] = aside.submit(lambda: None)
        try:
            for table, batch in parts:
                if table not in files:
                    place = place_of(table)
                    files[table] = None if place is None else _TableFile(place, batch.schema, opened)
                file = files[table]
                enough = None if file is None else file.add(batch)
                if file is not None and enough is not None:  # compressed while the next rows are read
                    written.result()
                    written = aside.submit(file.write, enough)
            written.result()
            for file in filter(None, files.values()):
                file.write(file.collected())
        except BaseException:
            with suppress(Exception):  # the first error is the one reported
                written.result()
            with suppress(OSError):
                opened.close()
            raise
        opened.close()
    return {table: file.rows for table, file in files.items() if file is not None}


class TemporaryTable:
    """A Parquet file without a name in the file system: nothing is left over, however the process ends."""

    def __init__(self) -> None:
        with in_temporary_folder(), tempfile.TemporaryFile() as file:
            self._opened = Opened(os.dup(file.fileno()))

    @property
    def path(self) -> str:
        """The path to write and read it."""
        return self._opened.path

    def source(self, name: str) -> Source:
        """The file, once it is written; ``name`` is what messages call it."""
        found = source_of(self.path, self.path)
        return Source(name, found.bytes, found.state, place=self.path, opened=self._opened)


@contextmanager
def in_temporary_folder() -> Iterator[None]:
    """Turns OSError while a temporary file is written into a VotesError."""
    try:
        yield
    except OSError as error:
        what = f"votes cannot be converted in {tempfile.gettempdir()} ({reason_of(error)})"
        raise VotesError(what, remedy="set TMPDIR to a folder with more room") from error


def rejected_table(rejected: Iterable[Rejected]) -> pa.Table:
    """The rejected records that were kept."""
    ids = dict.fromkeys(("observation_id", "user_id", "label"), pa.string())
    return table_of_rows([vars(item) for item in rejected], arrow_schema(REJECTED_RECORDS, **ids))


def write_table(table: pa.Table, path: Path) -> None:
    """Write a small table. Raises OSError."""
    pq.write_table(table, path, compression="zstd", store_schema=False, write_page_checksum=True)


def facts_of(path: Path) -> dict[str, int | str]:
    """The rows of a Parquet file, its size and SHA-256."""
    with pa.OSFile(os.fsencode(path)) as parquet, path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"rows": pq.read_metadata(parquet).num_rows, "bytes": path.stat().st_size, "sha256": digest}


def _encodings(schema: pa.Schema) -> dict[str, object]:
    """Parquet encodings: dictionaries for texts other than the observations' ids, deltas for integers and times."""
    names: list[str] = []
    for field in schema:
        if pa.types.is_string(field.type) and field.name != "observation_id":
            names.append(field.name)
        elif pa.types.is_list(field.type) and pa.types.is_string(field.type.value_type):
            names.append(f"{field.name}.list.element")
    integers = [field.name for field in schema if pa.types.is_int64(field.type) or pa.types.is_timestamp(field.type)]
    return {"use_dictionary": names, "column_encoding": dict.fromkeys(integers, "DELTA_BINARY_PACKED")}
