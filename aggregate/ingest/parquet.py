"""Parquet files, checked against the schema and streamed as record batches."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import VotesError, on_one_line, reason_of
from ..schema import Column, Table
from ..storage import redacted
from .sources import Source, find_sources

BATCH_ROWS = 1 << 17
"""Rows decoded at a time: bounds what is alive beside the encoded votes."""

BUFFER = 1 << 18
"""Bytes of a column read at a time, where row groups are large."""

SMALL_GROUP = 1 << 27
"""Bytes of a row group up to which its columns are read whole: less than the votes in it take later.

What a page says of its size is then held against what is there. Where a column is read through a buffer pyarrow
believes the page, and clears up to 2 GB.
"""

MAP_NAMES = "map names with --column COLUMN=NAME"
"""What helps against a column that is missing."""

TYPES_IN_WORDS = {
    "id": "an integer or a string",
    "label": "an integer or a string",
    "bool": "bool",
    "timestamp": "timestamp",
    "float64": "float",
    "name": "a string",
    "int32": "an integer",
    "uint32": "an integer",
    "integer": "an integer",
    "labels": "a list of strings or of integers",
    "shares": "a list of floats",
}

FEW_NAMES = ("label", "status", "ai_label")
"""Columns of strings that may be handed on as dictionaries."""

LISTS = ("labels", "shares")
"""Types of columns whose values are lists."""


@dataclass(frozen=True)
class CheckedFile:
    """A file whose columns fit the schema."""

    source: Source
    rows: int
    names: Mapping[str, str]
    """Column of the schema -> its name in this file; optional columns may be missing."""
    types: Mapping[str, pa.DataType]
    """Column of the schema -> type of its values (the value type of a dictionary)."""
    dictionaries: tuple[str, ...]
    """Columns (names in this file) to be read as dictionaries, if their encoding allows it."""
    largest_group: int
    """Bytes of the largest row group, about, or so the metadata says."""


def check_files(
    sources: Sequence[Source],
    table: Table,
    renamed: Mapping[str, str],
    as_dictionary: tuple[str, ...] = (),
    *,
    remedy: str = MAP_NAMES,
) -> list[CheckedFile]:
    """Check every file's columns before any row is read.

    ``renamed`` maps columns of ``table`` to the files' own names. String columns in ``as_dictionary`` are to be
    read as dictionaries. ``remedy`` is what helps against a missing COLUMN. Raises VotesError with all that is wrong,
    file by file.
    """
    faults: list[str] = []
    checked: list[CheckedFile] = []
    for source in sources:
        with readable(source.path), pq.ParquetFile(source.local) as file:
            schema, metadata = file.schema_arrow, file.metadata
            _check_row_counts(metadata, source.path)
        names, types, wrong = _match(schema, table, renamed, remedy)
        faults += [f"{on_one_line(source.path)}: {fault}" for fault in wrong]
        texts = [names[column] for column in as_dictionary if types.get(column) in (pa.string(), pa.list_(pa.string()))]
        dictionaries = tuple(leaf for name in texts for leaf in _leaves(metadata, name))
        largest = _largest_group(metadata, source.bytes)
        checked.append(CheckedFile(source, metadata.num_rows, names, types, dictionaries, largest))
    faults += _disagreements(checked)
    if faults:
        raise VotesError("\n".join(faults))
    return checked


def check_file(
    path: str | os.PathLike[str] | Source,
    table: Table,
    renamed: Mapping[str, str],
    as_dictionary: tuple[str, ...] = (),
    *,
    remedy: str = MAP_NAMES,
) -> CheckedFile:
    """As :func:`check_files`, of one file; what is wrong is told in one line. Raises VotesError."""
    sources = [path] if isinstance(path, Source) else find_sources([path])
    if len(sources) > 1:
        named = redacted(os.fspath(path)) if not isinstance(path, Source) else path.path
        raise VotesError(f"stands for {len(sources)} files", where=named, remedy="name one file")
    try:
        (checked,) = check_files(sources, table, renamed, as_dictionary, remedy=remedy)
    except VotesError as error:
        first, *others = str(error).splitlines()
        if not others:
            raise
        place = f"{on_one_line(sources[0].path)}: "
        raise VotesError("; ".join([first, *(fault.removeprefix(place) for fault in others)])) from error
    return checked


def stream(file: CheckedFile, columns: Sequence[str], rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """The rows of a checked file, ``rows`` at a time, with the schema's column names and value types.

    Lists come row group by row group: those of dictionaries cannot be read across. Raises VotesError if the file
    cannot be read, has changed, or holds another number of rows than it says.
    """
    row = 0
    batches = _read(file, columns, rows, file.dictionaries)
    while True:
        try:
            batch = next(batches, None)
        except VotesError:
            if not file.dictionaries:
                raise
            # Delta encodings cannot be read as dictionaries. Which it has, only the metadata of columns would say,
            # and where that is damaged pyarrow ends the process.
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


def _read(
    file: CheckedFile, columns: Sequence[str], rows: int, dictionaries: tuple[str, ...]
) -> Iterator[pa.RecordBatch]:
    """The batches of a file, with some columns read as dictionaries. Raises VotesError."""
    present = [column for column in columns if column in file.names]
    names = {column: file.names[column] for column in present}
    with readable(file.source.path):
        opened = pq.ParquetFile(
            file.source.local,
            read_dictionary=list(dictionaries),
            page_checksum_verification=True,
            pre_buffer=False,  # it would hold the whole file
            buffer_size=BUFFER if file.largest_group > SMALL_GROUP else 0,
        )
        wanted = list(names.values())
        if any(pa.types.is_list(file.types[column]) for column in present):
            groups = [[number] for number in range(opened.num_row_groups)]
            batches = chain.from_iterable(opened.iter_batches(rows, row_groups=one, columns=wanted) for one in groups)
        else:
            batches = opened.iter_batches(rows, columns=wanted)
    while True:
        with readable(file.source.path):
            batch = next(batches, None)
            plain = None if batch is None else _plain_batch(batch, names)
        if plain is None:
            return
        yield plain


def _from_row(row: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches without the first ``row`` rows."""
    for batch in batches:
        if row < batch.num_rows:
            yield batch.slice(row)
        row = max(0, row - batch.num_rows)


def batches_of_table(table: pa.Table, columns: Table) -> tuple[dict[str, pa.DataType], Iterator[pa.RecordBatch]]:
    """Value types and batches of a table in memory, checked against the schema as files are."""
    names, types, faults = _match(table.schema, columns, {}, MAP_NAMES)
    if faults:
        raise VotesError("\n".join(faults))
    return types, (_plain_batch(batch, names) for batch in table.to_batches(max_chunksize=BATCH_ROWS))


@contextmanager
def readable(path: str, kind: str = "Parquet") -> Iterator[None]:
    """Turn what pyarrow raises on a broken file into one VotesError."""
    try:
        yield
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        raise VotesError(
            f"cannot be read as {kind} ({reason_of(error)})",
            where=path,
            remedy="see that it is complete and may be read",
        ) from error


def items_per_row(file: CheckedFile, column: str) -> int:
    """How long the lists of a column are on average, rounded up, in the row group where they are longest."""
    most = 1
    with readable(file.source.path), pq.ParquetFile(file.source.local, pre_buffer=False) as opened:
        metadata = opened.metadata
        (leaf,) = _leaves(metadata, file.names[column])
        places = [place for place in range(metadata.num_columns) if metadata.schema.column(place).path == leaf]
        for number in range(metadata.num_row_groups):
            # Damaged metadata of a column is an error to who reads it, and the end of the process to who looks at it.
            next(opened.iter_batches(1, row_groups=[number], columns=[leaf]), None)
            group = metadata.row_group(number)
            if group.num_rows:
                most = max(most, -(-group.column(places[0]).num_values // group.num_rows))
    return most


def _check_row_counts(metadata: pq.FileMetaData, path: str) -> None:
    """Raise VotesError if the row groups do not have as many rows as the file says: memory is reserved for these."""
    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows:
        raise VotesError(
            f"says that it has {metadata.num_rows:,} rows, and {sum(rows):,} in its row groups",
            where=path,
            remedy="see that it is complete",
        )


def _largest_group(metadata: pq.FileMetaData, n_bytes: int) -> int:
    """Bytes that the largest row group has in a file of ``n_bytes``: its share of what the groups are unpacked."""
    sizes: list[int] = [max(0, metadata.row_group(number).total_byte_size) for number in range(metadata.num_row_groups)]
    return n_bytes * max(sizes, default=0) // max(1, sum(sizes))


def _leaves(metadata: pq.FileMetaData, column: str) -> list[str]:
    """The paths of the values a column holds: its name, or more if they stand in lists."""
    paths = (metadata.schema.column(place).path for place in range(metadata.num_columns))
    return [path for path in paths if path == column or path.startswith(f"{column}.")]


def _match(
    schema: pa.Schema, table: Table, renamed: Mapping[str, str], remedy: str
) -> tuple[dict[str, str], dict[str, pa.DataType], list[str]]:
    """Where the columns of ``table`` stand in a file, the types of their values, and what is wrong."""
    names: dict[str, str] = {}
    types: dict[str, pa.DataType] = {}
    faults = []
    for column in table:
        name = renamed.get(column.name, column.name)
        called = f"column {name!r}" if name == column.name else f"column {name!r} ({column.name})"
        fields = schema.get_all_field_indices(name)
        if len(fields) > 1:
            faults.append(f"{called} occurs {len(fields)} times")
        elif fields and column.optional and pa.types.is_null(schema.field(fields[0]).type):
            continue  # a column without a single value, which some writers give no type
        elif not fields and (not column.optional or column.name in renamed):
            have = ", ".join(repr(known) for known in schema.names[:12])
            faults.append(f"{called} is missing; it has {have}; {remedy.replace('COLUMN', column.name)}")
        elif fields:
            value_type = _value_type(schema.field(fields[0]).type)
            if not _fits(value_type, column):
                wanted = TYPES_IN_WORDS[column.type]
                faults.append(f"{called} has type {schema.field(fields[0]).type}; it must be {wanted}")
            names[column.name], types[column.name] = name, value_type
    return names, types, faults


def _disagreements(files: Sequence[CheckedFile]) -> list[str]:
    """Columns whose type differs from the first file that has them."""
    faults = []
    first: dict[str, CheckedFile] = {}
    for file in files:
        for column, value_type in file.types.items():
            model = first.setdefault(column, file)
            if model.types[column] != value_type:
                faults.append(
                    f"{on_one_line(file.source.path)}: column {file.names[column]!r} has type {value_type}, "
                    f"but {model.types[column]} in {on_one_line(model.source.path)}"
                )
    return faults


def _value_type(declared: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(declared):
        declared = declared.value_type
    if pa.types.is_large_string(declared) or pa.types.is_string_view(declared):
        return pa.string()
    if _is_list(declared):
        return pa.list_(_value_type(declared.value_type))
    return declared


def _is_list(declared: pa.DataType) -> bool:
    return bool(pa.types.is_list(declared) or pa.types.is_large_list(declared) or pa.types.is_fixed_size_list(declared))


def _fits(value_type: pa.DataType, column: Column) -> bool:
    if column.type in ("id", "label"):
        return bool(pa.types.is_integer(value_type) or pa.types.is_string(value_type))
    if column.type == "timestamp":
        return bool(pa.types.is_timestamp(value_type))
    if column.type == "float64":
        return bool(pa.types.is_floating(value_type) or pa.types.is_integer(value_type))
    if column.type == "name":
        return bool(pa.types.is_string(value_type))
    if column.type in ("int32", "uint32", "integer"):
        return bool(pa.types.is_integer(value_type))
    if column.type in LISTS:
        item = replace(column, type="label" if column.type == "labels" else "float64")
        return bool(pa.types.is_list(value_type)) and _fits(value_type.value_type, item)
    return bool(pa.types.is_boolean(value_type))


def _plain_batch(batch: pa.RecordBatch, names: Mapping[str, str]) -> pa.RecordBatch:
    """The columns of ``names`` (schema's name -> batch's name) without string variants and dictionaries.

    Only columns of few names on many rows may stay dictionaries.
    """
    arrays = []
    for column, name in names.items():
        array = batch.column(name)
        _check_indices(array)
        if pa.types.is_dictionary(array.type):
            if column in FEW_NAMES and pa.types.is_string(array.type.value_type):
                arrays.append(array)
                continue
            array = array.dictionary_decode()
        if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
            array = array.cast(pa.string())
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def _check_indices(array: pa.Array) -> None:
    """Raise ValueError if an index is not in its dictionary: pyarrow does not look, and reads what stands beyond."""
    while _is_list(array.type):
        array = array.values
    if pa.types.is_dictionary(array.type):
        limits = pc.min_max(array.indices)
        if limits["min"].is_valid and not 0 <= limits["min"].as_py() <= limits["max"].as_py() < len(array.dictionary):
            raise ValueError("an index is not in its dictionary")
