"""The tables of a run as Parquet files."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..consensus import Consensus
from ..progress import SILENT, Progress

ROW_GROUP = 1 << 20
"""Rows derived and written at a time."""


@dataclass(frozen=True)
class Output:
    """A file that was written."""

    name: str
    rows: int
    bytes: int
    sha256: str


def write_consensus(consensus: Consensus, folder: Path, progress: Progress) -> Output:
    """Write ``consensus.parquet``."""
    return _write_in_blocks(consensus.to_arrow, consensus.n_observations, folder / "consensus.parquet", progress)


def write_posteriors(consensus: Consensus, folder: Path) -> Output:
    """Write ``posteriors.parquet``."""
    return _write_in_blocks(
        consensus.posteriors_to_arrow, consensus.n_observations, folder / "posteriors.parquet", SILENT
    )


def _write_in_blocks(
    rows_of: Callable[[int, int], pa.Table], n_observations: int, path: Path, progress: Progress
) -> Output:
    """Write ``rows_of(first, last)`` observations; the next are derived while the last are compressed."""
    n_rows = 0
    with _writer(path, rows_of(0, 0).schema) as writer, ThreadPoolExecutor(1) as aside:
        written = aside.submit(lambda: None)
        for first in range(0, n_observations, ROW_GROUP):
            last = min(first + ROW_GROUP, n_observations)
            table = rows_of(first, last)
            n_rows += table.num_rows
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


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer with the encodings that suit sorted ids and columns of few distinct values.

    Statistics are kept for the ids alone: in the other columns every row group has the whole range.
    """
    id_name = schema.names[0]
    sorted_integers = pa.types.is_integer(schema.field(0).type)
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in schema.names if not (sorted_integers and name == id_name)],
        column_encoding={id_name: "DELTA_BINARY_PACKED"} if sorted_integers else None,
        write_statistics=[id_name],
    )


def _output(path: Path, rows: int) -> Output:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Output(path.name, rows, path.stat().st_size, digest)
