"""The tables of a run as Parquet files."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..calibration import Calibration
from ..consensus import Consensus
from ..progress import Progress

ROW_GROUP = 1 << 20
"""Rows derived and written at a time."""


@dataclass(frozen=True)
class Output:
    """A file that was written."""

    name: str
    rows: int
    bytes: int
    sha256: str


def write_consensus(
    consensus: Consensus, folder: Path, progress: Progress, calibration: Calibration | None = None
) -> Output:
    """Write ``consensus.parquet``; the next rows are derived while the last are compressed.

    With a ``calibration`` it has the column ``probability``.
    """

    def table_of(first: int, last: int) -> pa.Table:
        table = consensus.to_arrow(first, last)
        return table if calibration is None else calibration.add_to(table)

    path = folder / "consensus.parquet"
    n_rows = consensus.n_observations
    with _writer(path, table_of(0, 0).schema) as writer, ThreadPoolExecutor(1) as aside:
        written = aside.submit(lambda: None)
        for first in range(0, n_rows, ROW_GROUP):
            last = min(first + ROW_GROUP, n_rows)
            table = table_of(first, last)
            written.result()
            written = aside.submit(writer.write_table, table, ROW_GROUP)
            progress.advance(last - first)
        written.result()
    return _output(path, n_rows)


def write_table(table: pa.Table, path: Path) -> Output:
    """Write a table in one go."""
    with _writer(path, table.schema) as writer:
        writer.write_table(table, ROW_GROUP)
    return _output(path, table.num_rows)


@contextmanager
def _writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A writer with the encodings that suit sorted ids and columns of few distinct values.

    Statistics are kept for the ids alone: in the other columns every row group has the whole range. The file is closed
    also if a full disk keeps the writer from finishing.
    """
    id_name = schema.names[0]
    sorted_integers = pa.types.is_integer(schema.field(0).type)
    with (
        pa.OSFile(str(path), "wb") as file,
        pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[name for name in schema.names if not (sorted_integers and name == id_name)],
            column_encoding={id_name: "DELTA_BINARY_PACKED"} if sorted_integers else None,
            write_statistics=[id_name],
        ) as writer,
    ):
        yield writer


def _output(path: Path, rows: int) -> Output:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Output(path.name, rows, path.stat().st_size, digest)
