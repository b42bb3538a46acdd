"""The tables of a run as Parquet files."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..consensus import Consensus
from ..progress import Progress

ROW_GROUP = 1 << 19
"""Rows derived and written at a time."""

REPEATING = ("confidence", "weight")
"""Columns of numbers worth a dictionary: many rows, fewer values. The others have one value nearly everywhere, which
compression alone makes short in less time."""


@dataclass(frozen=True)
class Output:
    """A file that was written."""

    name: str
    rows: int
    bytes: int
    sha256: str


def write_consensus(consensus: Consensus, folder: Path, progress: Progress) -> Output:
    """Write ``consensus.parquet``; the next rows are derived while the last are compressed."""
    path = folder / "consensus.parquet"
    n_rows = consensus.n_observations
    declared = consensus.to_arrow(0, 0).schema
    with _writer(path, declared, consensus.encoded(0, 0).schema) as writer, ThreadPoolExecutor(1) as aside:
        written = aside.submit(lambda: None)
        for first in range(0, n_rows, ROW_GROUP):
            last = min(first + ROW_GROUP, n_rows)
            table = consensus.encoded(first, last)
            written.result()
            written = aside.submit(writer.write_table, table, ROW_GROUP)
            progress.advance(last - first)
        written.result()
    return _output(path, n_rows)


def write_table(table: pa.Table, path: Path) -> Output:
    """Write a table in one go."""
    with _writer(path, table.schema, table.schema) as writer:
        writer.write_table(table, ROW_GROUP)
    return _output(path, table.num_rows)


def _writer(path: Path, declared: pa.Schema, written: pa.Schema) -> pq.ParquetWriter:
    """A writer with the encodings that suit sorted ids and columns of few distinct values.

    Readers see the types of ``declared``; the tables to come have those of ``written``, in which strings may be
    dictionaries: these need not be looked up once more. Statistics are kept for the ids alone: in the other columns
    every row group has the whole range.
    """
    id_name = written.names[0]
    dictionaries = [field.name for field in written if pa.types.is_dictionary(field.type) or field.name in REPEATING]
    encodings = {id_name: "DELTA_BINARY_PACKED" if pa.types.is_integer(written.field(0).type) else "DELTA_BYTE_ARRAY"}
    writer = pq.ParquetWriter(
        path,
        written,
        compression="zstd",
        compression_level=1,
        use_dictionary=dictionaries,
        column_encoding=encodings,
        write_statistics=[id_name],
        store_schema=False,
    )
    writer.add_key_value_metadata({"ARROW:schema": base64.b64encode(declared.serialize())})
    return writer


def _output(path: Path, rows: int) -> Output:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Output(path.name, rows, path.stat().st_size, digest)
