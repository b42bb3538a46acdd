"""Parquet files, checked against the schema and streamed as record batches."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..arrow import scalar
from ..errors import VotesError, on_one_line, reason_of
from ..frames import check_columns
from ..schema import Table
from .columns import AvailableColumns, Columns, ConversionError, batch_of, is_list, match_columns, values_of
from .footers import FileWithoutLogicalTypes
from .locations import redacted
from .sources import Input, Source, find_sources

BATCH_ROWS = 1 << 17  # rows decoded at a time: bounds the memory taken beside the encoded votes
BUFFER = 1 << 18  # bytes of a column read at a time, where row groups are large

SMALL_GROUP = 1 << 27
"""Bytes of a row group up to which its columns are read whole: less than the votes in it take later.

pyarrow then compares the size in a page's header with the bytes that are there. When it reads a column through a
buffer, it trusts the header and clears up to 2 GB.
"""

MAP_NAMES = "map names with --column COLUMN=NAME"  # what to do about a missing column
OTHER_LAYOUTS = (".csv", ".tsv", ".json", ".jsonl")  # what is often given in place of Parquet
TEXTS = (pa.string(), pa.list_(pa.string()))  # types of columns that may be read as dictionaries


@dataclass(frozen=True)
class CheckedFile:
    """A file whose columns fit the schema."""

    source: Source
    rows: int
    columns: Columns  # where the columns of the schema are; optional ones may be missing
    # Columns (names in this file) to be read as dictionaries, if their encoding allows it.
    dictionaries: tuple[str, ...]
    largest_group: int  # bytes of the largest row group, approximately, according to the metadata

    @property
    def names(self) -> Mapping[str, str]:
        """Column of the schema -> its name in this file, if the file has it."""
        return self.columns.names

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """Column of the schema -> type of its values (the value type of a dictionary), in all files the same."""
        return self.columns.types


def check_files(
    sources: Sequence[Source],
    table: Table,
    renamed: Mapping[str, str],
    as_dictionary: tuple[str, ...] = (),
    *,
    remedy: str = MAP_NAMES,
    partitioned: bool = True,
) -> list[CheckedFile]:
    """Check every file's columns before any row is read.

    ``renamed`` maps columns of ``table`` to the files' own names. String columns in ``as_dictionary`` are to be
    read as dictionaries. ``remedy`` says what to do about a missing COLUMN. Columns that a file does not have are taken
    from its folders' names, ``key=value``, if ``partitioned``. Raises VotesError with all errors, file by file.
    """
    check_columns(renamed)
    known = [renamed.get(column.name, column.name) for column in table]
    available, opened = [], []
    for source in sources:
        with open_parquet(source, known) as file:
            available.append(_available_columns(source if partitioned else replace(source, partition={}), file, known))
            opened.append(file.metadata)
    columns, faults = match_columns(available, table, renamed, remedy)
    if faults:
        raise VotesError("\n".join(faults))
    checked = []
    for source, metadata, found, has in zip(sources, opened, columns, available, strict=True):
        texts = [
            found.names[column]
            for column in as_dictionary
            if column in found.names and values_of(has.schema.field(found.names[column]).type) in TEXTS
        ]
        dictionaries = tuple(leaf for name in texts for leaf in _leaves(metadata, name))
        largest = _largest_group(metadata, source.bytes)
        checked.append(CheckedFile(source, metadata.num_rows, found, dictionaries, largest))
    return checked


def check_file(
    path: str | os.PathLike[str] | Source,
    table: Table,
    renamed: Mapping[str, str],
    as_dictionary: tuple[str, ...] = (),
    *,
    remedy: str = MAP_NAMES,
) -> CheckedFile:
    """As :func:`check_files`, of one file. Raises VotesError with all errors in one line."""
    sources = [path] if isinstance(path, Source) else find_sources([path])
    if len(sources) > 1:
        named = redacted(os.fspath(path)) if not isinstance(path, Source) else path.path
        raise VotesError(f"matches {len(sources)} files", where=named, remedy="name one file")
    with _in_one_line(sources[0].path):
        (checked,) = check_files(sources, table, renamed, as_dictionary, remedy=remedy, partitioned=False)
    return checked


def check_side_input(
    paths: Iterable[str | os.PathLike[str]],
    table: Table,
    renamed: Mapping[str, str],
    as_dictionary: tuple[str, ...] = (),
    *,
    remedy: str = MAP_NAMES,
) -> tuple[CheckedFile, ...]:
    """As :func:`check_files`, of all files that paths name. Raises VotesError with all errors in one line."""
    sources = find_sources(paths)
    with _in_one_line(sources[0].path):
        return tuple(check_files(sources, table, renamed, as_dictionary, remedy=remedy))


@contextmanager
def _in_one_line(path: str) -> Iterator[None]:
    """Turn an error of several lines into one of one line; ``path`` is the first file's, which is not repeated."""
    try:
        yield
    except VotesError as error:
        first, *others = str(error).splitlines()
        if not others:
            raise
        place = f"{on_one_line(path)}: "
        raise VotesError("; ".join([first, *(fault.removeprefix(place) for fault in others)])) from error


def stream(file: CheckedFile, columns: Sequence[str], rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """The rows of a checked file, ``rows`` at a time, with the schema's column names and value types.

    Lists come row group by row group: lists of dictionaries cannot be read across them. Raises VotesError if the file
    cannot be read, has changed, or has another number of rows than its metadata says.
    """
    row = 0
    batches = _read(file, columns, rows, file.dictionaries)
    while True:
        try:
            batch = next(batches, None)
        except VotesError:
            if not file.dictionaries:
                raise
            # Delta encodings cannot be read as dictionaries. Only the columns' metadata has the encodings, and where
            # that is damaged pyarrow ends the process.
            file = replace(file, dictionaries=())
            batches = _from_row(row, _read(file, columns, rows, ()))
            continue
        if batch is None:
            break
        row += batch.num_rows
        if row > file.rows:
            break
        yield batch
    file.source.check_unchanged()
    if row != file.rows:
        raise VotesError(
            f"holds {'at least ' if row > file.rows else ''}{row:,} rows but says that it has {file.rows:,}",
            where=file.source.path,
            remedy="see that it is complete",
        )


def stream_all(files: Iterable[CheckedFile], table: Table) -> Iterator[tuple[pa.RecordBatch, str, int]]:
    """Every batch of every file, the path of its file, and the row of the file it begins at. Raises VotesError."""
    for file in files:
        row = 0
        for batch in stream(file, [column.name for column in table]):
            yield batch, file.source.path, row
            row += batch.num_rows


def origin_of(files: Sequence[CheckedFile]) -> str:
    """A short name for all files, for messages."""
    first = files[0].source.path
    return first if len(files) == 1 else f"{first} and {len(files) - 1} more"


def types_of(files: Iterable[CheckedFile]) -> dict[str, pa.DataType]:
    """Column -> type of its values, of all columns that any file has."""
    return {column: value_type for file in files for column, value_type in file.types.items()}


def inputs_of(files: Iterable[CheckedFile], fingerprints: Iterable[str]) -> tuple[Input, ...]:
    """The files that were read, for run.json. Raises VotesError if one is gone or has changed."""
    inputs = []
    for file, fingerprint in zip(files, fingerprints, strict=True):
        file.source.check_unchanged()  # the bytes fingerprinted are those that were read
        inputs.append(Input(file.source.path, file.rows, file.source.bytes, fingerprint))
    return tuple(inputs)


def _read(
    file: CheckedFile, columns: Sequence[str], rows: int, dictionaries: tuple[str, ...]
) -> Iterator[pa.RecordBatch]:
    """The batches of a file, with some columns read as dictionaries. Raises VotesError."""
    present = [column for column in columns if column in file.names]
    if not present:
        yield from (batch_of(min(rows, file.rows - row), columns, file.columns) for row in range(0, file.rows, rows))
        return
    with readable(file.source.path):
        opened = _opened(
            file.source,
            file.names.values(),
            read_dictionary=list(dictionaries),
            page_checksum_verification=True,
            pre_buffer=False,  # it would hold the whole file
            buffer_size=BUFFER if file.largest_group > SMALL_GROUP else 0,
        )
        wanted = [file.names[column] for column in present]
        if any(pa.types.is_list(file.types[column]) for column in present):
            groups = [[number] for number in range(opened.num_row_groups)]
            batches = chain.from_iterable(opened.iter_batches(rows, row_groups=one, columns=wanted) for one in groups)
        else:
            batches = opened.iter_batches(rows, columns=wanted)
    while True:
        with readable(file.source.path):
            batch = next(batches, None)
            plain = None if batch is None else batch_of(batch, columns, file.columns)
        if plain is None:
            return
        yield plain


def _from_row(row: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if row < batch.num_rows:
            yield batch.slice(row)
        row = max(0, row - batch.num_rows)


def batches_of_table(table: pa.Table, columns: Table) -> tuple[dict[str, pa.DataType], Iterator[pa.RecordBatch]]:
    """Value types and batches of a table in memory, checked against the schema as files are."""
    has = AvailableColumns("", table.schema, table.num_rows, lambda name: _any_value(table.column(name)))
    (found,), faults = match_columns([has], columns, {}, MAP_NAMES)
    if faults:
        raise VotesError("\n".join(faults))
    wanted = [column.name for column in columns]
    if found.names:
        return found.types, (_in_memory(batch, wanted, found) for batch in table.to_batches(max_chunksize=BATCH_ROWS))
    return found.types, iter([_in_memory(table.num_rows, wanted, found)])


def _in_memory(batch: pa.RecordBatch | int, wanted: Sequence[str], found: Columns) -> pa.RecordBatch:
    try:
        return batch_of(batch, wanted, found)
    except ConversionError as error:
        raise VotesError(str(error), remedy="cast it, or leave such rows out") from error


@contextmanager
def readable(path: str, kind: str = "Parquet") -> Iterator[None]:
    """Turns what pyarrow raises on a damaged file into a VotesError."""
    try:
        yield
    except ConversionError as error:
        raise VotesError(str(error), where=path, remedy="cast it, or leave such rows out") from error
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        remedy = "see that it is complete and may be read"
        if isinstance(error, MemoryError):
            remedy = "see that there is memory for what it holds, and that it is complete"
        elif path.lower().endswith(OTHER_LAYOUTS) and isinstance(error, pa.ArrowInvalid):
            remedy = "write it as Parquet with plant-aggregate convert; votes are also read with --from FORMAT"
        raise VotesError(f"cannot be read as {kind} ({reason_of(error)})", where=path, remedy=remedy) from error


@contextmanager
def open_parquet(source: Source, wanted: Collection[str], **options: Any) -> Iterator[pq.ParquetFile]:
    """An open file, in which at least the ``wanted`` columns can be read. Raises VotesError."""
    with readable(source.path), _opened(source, wanted, **options) as file:
        yield file


def _opened(source: Source, wanted: Collection[str], **options: Any) -> pq.ParquetFile:
    """As :func:`open_parquet`, to be closed by the caller; raises what pyarrow raises."""
    options["coerce_int96_timestamp_unit"] = "us"  # as nanoseconds they would wrap before 1677 and after 2262
    try:
        return pq.ParquetFile(source.local, **options)
    except (pa.ArrowException, OSError):
        try:  # a column that is not wanted may have a type that pyarrow does not know
            return pq.ParquetFile(FileWithoutLogicalTypes(source.local, wanted), **options)
        except (pa.ArrowException, OSError, ValueError):
            pass  # the error for the whole file says more
        raise


def _available_columns(source: Source, file: pq.ParquetFile, known: Collection[str]) -> AvailableColumns:
    """The columns that a file has, of those with ``known`` names."""
    schema, metadata = file.schema_arrow, file.metadata
    _check_row_counts(metadata, source.path)

    def has_value(name: str) -> bool:
        if metadata.num_rows == 0:
            return False
        with open_parquet(source, known, pre_buffer=False) as again:
            return any(_any_value(batch.column(name)) for batch in again.iter_batches(BATCH_ROWS, columns=[name]))

    return AvailableColumns(source.path, schema, metadata.num_rows, has_value, source.partition, _uuids(file, known))


def _uuids(file: pq.ParquetFile, known: Collection[str]) -> frozenset[str]:
    """Names of the columns of UUIDs, also where pyarrow has no type for these."""
    schema = file.schema_arrow
    of_16_bytes = {field.name for field in schema if field.name in known and field.type == pa.binary(16)}
    if not of_16_bytes:
        return frozenset()
    leaves = (file.schema.column(place) for place in range(file.metadata.num_columns))
    return frozenset(leaf.path for leaf in leaves if leaf.path in of_16_bytes and leaf.logical_type.type == "UUID")


def _any_value(values: pa.Array | pa.ChunkedArray) -> bool:
    """Whether any value is neither null nor NaN; of lists, whether any has an item."""
    if pa.types.is_floating(values.type):
        return bool(pc.any(pc.invert(pc.is_nan(values))).as_py())
    if is_list(values.type):
        return bool(pc.any(pc.greater(pc.list_value_length(values), scalar(0))).as_py())
    return bool(values.null_count < len(values))


def items_per_row(file: CheckedFile, column: str) -> int:
    """The mean length of a column's lists, rounded up, in the row group where it is largest."""
    most = 1
    if column not in file.names:
        return most
    with open_parquet(file.source, file.names.values(), pre_buffer=False) as opened:
        metadata = opened.metadata
        (leaf,) = _leaves(metadata, file.names[column])
        places = [place for place in range(metadata.num_columns) if metadata.schema.column(place).path == leaf]
        for number in range(metadata.num_row_groups):
            # Damaged metadata of a column is an error when the column is read, but inspecting it ends the process.
            next(opened.iter_batches(1, row_groups=[number], columns=[leaf]), None)
            group = metadata.row_group(number)
            if group.num_rows:
                most = max(most, -(-group.column(places[0]).num_values // group.num_rows))
    return most


def _check_row_counts(metadata: pq.FileMetaData, path: str) -> None:
    """Raise VotesError if the row groups do not add up to the file's number of rows: memory is reserved for these."""
    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows:
        raise VotesError(
            f"says that it has {metadata.num_rows:,} rows, and {sum(rows):,} in its row groups",
            where=path,
            remedy="see that it is complete",
        )


def _largest_group(metadata: pq.FileMetaData, n_bytes: int) -> int:
    """Bytes of the largest row group in a file of ``n_bytes``: its share of the groups' uncompressed sizes."""
    sizes: list[int] = [max(0, metadata.row_group(number).total_byte_size) for number in range(metadata.num_row_groups)]
    return n_bytes * max(sizes, default=0) // max(1, sum(sizes))


def _leaves(metadata: pq.FileMetaData, column: str) -> list[str]:
    """The schema paths of a column's values: its name, or longer ones if it holds lists."""
    paths = (metadata.schema.column(place).path for place in range(metadata.num_columns))
    return [path for path in paths if path == column or path.startswith(f"{column}.")]
