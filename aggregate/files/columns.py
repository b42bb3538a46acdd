"""Matches the columns of a table with those of several files, and finds the one type that each is read as.

A column may also be part of a folder's name, ``is_author=true``, as Hive partitions a table. A column without a single
value may have any type, as writers choose it arbitrarily.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import dtype_of, strings, strings_of, to_arrow, to_numpy
from ..errors import on_one_line
from ..schema import Column, Table

TYPES_IN_WORDS = {
    "id": "an integer or a string",
    "label": "an integer or a string",
    "bool": "a bool",
    "timestamp": "a timestamp",
    "float64": "a float",
    "name": "a string",
    "string": "a string",
    "int32": "an integer",
    "uint32": "an integer",
    "integer": "an integer",
    "labels": "a list of strings or of integers",
    "shares": "a list of floats",
}

LISTS = ("labels", "shares")  # types of columns whose values are lists
FEW_NAMES = ("label", "status", "ai_label")  # columns of strings that may stay dictionary-encoded

ONE_TYPE = ("id", "label", "labels")
"""Types of columns that must have the same Arrow type in every file, including the width of integers."""

UNITS = ("s", "ms", "us", "ns")

FLAGS = {"true": True, "1": True, "false": False, "0": False}  # spellings of a bool in a folder's name


class ConversionError(ValueError):
    """A value that cannot be converted to its column's type."""


@dataclass(frozen=True)
class AvailableColumns:
    """The columns that a file, or a table in memory, has."""

    path: str  # names the file in messages
    schema: pa.Schema
    rows: int
    # Whether any row has a value in a column other than null and NaN; called only if its type is wrong.
    has_value: Callable[[str], bool]
    # Column -> value for all rows, from the names of folders.
    partition: Mapping[str, str | None] = field(default_factory=dict)
    uuids: frozenset[str] = frozenset()  # names of columns of UUIDs


@dataclass(frozen=True)
class Columns:
    """Where a table's columns are in one file; optional ones may be missing."""

    names: dict[str, str] = field(default_factory=dict)  # column of the table -> its name in the file
    # Column of the table -> the value of every row: None, int, float, bool or str.
    constants: dict[str, Any] = field(default_factory=dict)
    # Column of the table, wherever it is -> type of its values, in all files the same.
    types: dict[str, pa.DataType] = field(default_factory=dict)


def match_columns(
    files: Sequence[AvailableColumns], table: Table, renamed: Mapping[str, str], remedy: str
) -> tuple[list[Columns], list[str]]:
    """The columns of ``table`` in each file, and all errors in them, file by file.

    ``renamed`` maps columns of ``table`` to the files' own names. ``remedy`` says what to do about a missing COLUMN.
    """
    found = [Columns() for _ in files]
    faults: list[list[str]] = [[] for _ in files]
    disagreements: list[list[str]] = [[] for _ in files]
    for column in table:
        column_in = _ColumnOfAll(column, renamed.get(column.name, column.name))
        for number, file in enumerate(files):
            fault = column_in.look_up(file, found[number], is_needed=not column.optional or column.name in renamed)
            if fault is not None:
                faults[number].append(fault.replace("REMEDY", remedy.replace("COLUMN", column.name)))
        for number, fault in column_in.settle(files, found):
            disagreements[number].append(fault)
    by_file = [*zip(files, faults, strict=True), *zip(files, disagreements, strict=True)]
    return found, [
        f"{on_one_line(file.path)}: {fault}" if file.path else fault for file, some in by_file for fault in some
    ]


class _ColumnOfAll:
    """One column of a table, across all files."""

    def __init__(self, column: Column, name: str) -> None:
        self.column, self.name = column, name
        self.called = f"column {name!r}" if name == column.name else f"column {name!r} ({column.name})"

    def look_up(self, file: AvailableColumns, found: Columns, *, is_needed: bool) -> str | None:
        """Add to ``found`` where a file has the column; returns the error, None if there is none."""
        ours, name = self.column.name, self.name
        fields = file.schema.get_all_field_indices(name)
        is_partition = name in file.partition and self.column.type not in LISTS
        if len(fields) > 1:
            return f"{self.called} occurs {len(fields)} times"
        if fields:
            declared = file.schema.field(fields[0]).type
            read_as = values_of(declared)
            wanted = type_read_as(read_as, self.column, is_uuid=name in file.uuids or _is_uuid(declared))
            if wanted is not None:
                found.names[ours], found.types[ours] = name, wanted
            elif not pa.types.is_null(read_as) and file.has_value(name):
                hint = _hint(read_as, self.column)
                return f"{self.called} has type {declared}; it must be {TYPES_IN_WORDS[self.column.type]}{hint}"
            else:
                found.constants[ours] = file.partition[name] if is_partition else None
        elif is_partition:
            found.constants[ours] = file.partition[name]
        elif file.rows == 0:
            found.constants[ours] = None
        elif is_needed:
            have = ", ".join(repr(known) for known in file.schema.names[:12])
            return f"{self.called} is missing; it has {have}; REMEDY"
        return None

    def settle(self, files: Sequence[AvailableColumns], found: Sequence[Columns]) -> list[tuple[int, str]]:
        """Give the column one type in all files; returns the number of each file where that fails, and the error."""
        ours, faults = self.column.name, []
        seen = [number for number, columns in enumerate(found) if ours in columns.names]
        model = seen[0] if seen else None
        types = {found[number].types[ours] for number in seen}
        if len(types) > 1 and self.column.type in ONE_TYPE:
            model = next((number for number in seen if files[number].has_value(self.name)), seen[0])
            for number in seen:
                if found[number].types[ours] == found[model].types[ours]:
                    continue
                if files[number].has_value(self.name):
                    faults.append((number, self._differs(found[number], found[model], files[model])))
                else:
                    del found[number].names[ours]
                    found[number].constants[ours] = files[number].partition.get(self.name)
        folders = [number for number, columns in enumerate(found) if ours in columns.constants]
        texts = {found[number].constants[ours] for number in folders} - {None}
        if self.column.optional and model is None and not texts:  # it has no value anywhere
            for number in folders:
                del found[number].constants[ours]
            return []
        if self.column.type == "integer" and len(types) > 1:
            wanted = pa.int64()
        elif model is not None and self.column.type != "timestamp":
            wanted = found[model].types[ours]
        else:
            wanted = _type_of_texts(texts, self.column, types)
        for number in folders:
            try:
                found[number].constants[ours] = _parsed(found[number].constants[ours], self.column, wanted)
            except (ValueError, OverflowError):
                folder = f"{self.name}={found[number].constants[ours]}"
                words = TYPES_IN_WORDS[self.column.type]
                if model is not None:
                    words = f"a value of type {wanted}, as the column is in {on_one_line(files[model].path)}"
                faults.append((number, f"the folder {folder!r} must name {words}"))
        for number in [*seen, *folders]:
            found[number].types[ours] = wanted
        return faults

    def _differs(self, here: Columns, there: Columns, model: AvailableColumns) -> str:
        ours = self.column.name
        return (
            f"{self.called} has type {here.types[ours]}, but {there.types[ours]} in {on_one_line(model.path)}; "
            "write both with one type"
        )


def values_of(declared: pa.DataType) -> pa.DataType:
    """The type of a column's values: a dictionary's value type, and one type for all variants of text."""
    if isinstance(declared, pa.BaseExtensionType):
        return values_of(declared.storage_type)
    if pa.types.is_dictionary(declared):
        return values_of(declared.value_type)
    if pa.types.is_large_string(declared) or pa.types.is_string_view(declared):
        return pa.string()
    if pa.types.is_large_binary(declared) or pa.types.is_binary_view(declared):
        return pa.binary()
    if is_list(declared):
        return pa.list_(values_of(declared.value_type))
    return declared


def _is_uuid(declared: pa.DataType) -> bool:
    return isinstance(declared, pa.BaseExtensionType) and declared.extension_name == "arrow.uuid"


def type_read_as(value_type: pa.DataType, column: Column, *, is_uuid: bool = False) -> pa.DataType | None:
    """The type that values become without loss; None if the column may not have such values.

    ``value_type`` is as :func:`values_of` says.
    """
    kind = column.type
    is_integer = pa.types.is_integer(value_type)
    is_number = is_integer or pa.types.is_floating(value_type) or pa.types.is_decimal(value_type)
    if kind in ("id", "label"):
        if is_integer or pa.types.is_string(value_type):
            return value_type
        if pa.types.is_binary(value_type) or is_uuid:  # some writers do not mark text as text
            return pa.string()
        return pa.int64() if pa.types.is_decimal(value_type) and value_type.scale == 0 else None
    if kind == "bool":
        return pa.bool_() if pa.types.is_boolean(value_type) or is_number else None
    if kind == "timestamp":
        if pa.types.is_timestamp(value_type):
            return pa.timestamp(value_type.unit)
        if pa.types.is_date(value_type):
            return pa.timestamp("s" if pa.types.is_date32(value_type) else "ms")
        return None
    if kind == "float64":
        return pa.float64() if is_number else None
    if kind in ("name", "string"):
        return value_type if pa.types.is_string(value_type) else None
    if kind == "integer":
        if value_type == pa.uint64():  # the reader rejects rows beyond int64
            return value_type
        return pa.int64() if is_integer else None
    if kind in LISTS:
        if not pa.types.is_list(value_type):
            return None
        item = value_type.value_type
        is_other = pa.types.is_string(item) if kind == "labels" else pa.types.is_floating(item)
        return value_type if is_other or pa.types.is_integer(item) else None
    if kind in ("int32", "uint32"):
        return value_type if is_integer else None
    return value_type if pa.types.is_boolean(value_type) else None


def is_list(declared: pa.DataType) -> bool:
    """Whether values are lists of any kind."""
    return bool(pa.types.is_list(declared) or pa.types.is_large_list(declared) or pa.types.is_fixed_size_list(declared))


def batch_of(batch: pa.RecordBatch | int, wanted: Sequence[str], columns: Columns) -> pa.RecordBatch:
    """Those of the ``wanted`` columns that a batch has, renamed and converted as ``columns`` says.

    String variants and dictionaries become plain strings; only the columns FEW_NAMES may stay dictionaries. Columns of
    floats keep their type. If all columns are constants, ``batch`` may be a number of rows. Raises ConversionError if a
    value cannot be converted to its column's type, ValueError if the batch is damaged.
    """
    n_rows = batch if isinstance(batch, int) else batch.num_rows
    arrays = {}
    for column in wanted:
        if column in columns.names and not isinstance(batch, int):
            arrays[column] = _converted(batch.column(columns.names[column]), columns.types[column], column)
        elif column in columns.constants:
            arrays[column] = _repeated(columns.constants[column], columns.types[column], n_rows, column)
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def _converted(array: pa.Array, wanted: pa.DataType, column: str) -> pa.Array:
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    check_indices(array)
    if pa.types.is_dictionary(array.type):
        if column in FEW_NAMES and pa.types.is_string(array.type.value_type):
            return array
        array = array.dictionary_decode()
    if array.type == wanted or is_list(wanted):
        return array
    if pa.types.is_string(wanted):
        return _as_text(array)
    if pa.types.is_timestamp(wanted):
        return _as_times(array, wanted, column)
    if pa.types.is_boolean(wanted):
        return _as_flags(array, column)
    if pa.types.is_floating(wanted):
        return _nearest_floats(array) if pa.types.is_decimal(array.type) else array
    return _cast(array, wanted, column)


def _as_text(array: pa.Array) -> pa.Array:
    if pa.types.is_fixed_size_binary(array.type):
        return _uuids(array)
    if pa.types.is_large_binary(array.type) or pa.types.is_binary_view(array.type):
        array = array.cast(pa.binary())
    if pa.types.is_binary(array.type):
        return array.view(pa.string())  # invalid UTF-8 is detected where texts are read
    return array.cast(pa.string())


def _uuids(array: pa.Array) -> pa.Array:
    """UUIDs as text: 32 hexadecimal digits in five groups."""
    n = len(array)
    texts = np.full((n, 36), ord("-"), np.uint8)
    if n:
        raw = np.frombuffer(array.buffers()[1], np.uint8, 16 * n, 16 * array.offset).reshape(n, 16)
        digits = np.frombuffer(b"0123456789abcdef", np.uint8)
        places = [place for place in range(36) if place not in (8, 13, 18, 23)]
        texts[:, places[0::2]], texts[:, places[1::2]] = digits[raw >> 4], digits[raw & 15]
    written = strings_of(texts.ravel(), np.arange(n + 1) * 36)
    return pc.if_else(array.is_valid(), written, pa.nulls(n, pa.string())) if array.null_count else written


def _as_times(array: pa.Array, wanted: pa.DataType, column: str) -> pa.Array:
    """Times in the unit of ``wanted``, without zone: Arrow's times with a zone count from the same instant as UTC's."""
    if pa.types.is_timestamp(array.type):
        array = array.view(pa.timestamp(array.type.unit))
    return array if array.type == wanted else _cast(array, wanted, column)


def _as_flags(array: pa.Array, column: str) -> pa.Array:
    """0 and 1 as bools; NaN becomes null. Raises ConversionError for other numbers."""
    numbers = to_numpy(_nearest_floats(array) if pa.types.is_decimal(array.type) else array, null=0)
    missing = np.isnan(numbers)
    strange = np.flatnonzero((numbers != 0) & (numbers != 1) & ~missing)
    if strange.size:
        raise ConversionError(f"column {column!r} holds {numbers[strange[0]].item()!r}, which is neither 0 nor 1")
    return to_arrow(numbers == 1, null=missing | to_numpy(array.is_null()))


def _nearest_floats(decimals: pa.Array) -> pa.Array:
    """Decimals as the nearest float64, by way of text: Arrow's own cast makes 0.7000000000000001 of 0.7."""
    return decimals.cast(pa.string()).cast(pa.float64())


def _cast(array: pa.Array, wanted: pa.DataType, column: str) -> pa.Array:
    try:
        return array.cast(wanted)
    except pa.ArrowInvalid as error:
        raise ConversionError(f"column {column!r} of type {array.type} holds a value that no {wanted} holds") from error


def _repeated(value: Any, wanted: pa.DataType, n_rows: int, column: str) -> pa.Array:
    if value is None:
        return pa.nulls(n_rows, wanted)
    if isinstance(value, str):
        every = pa.DictionaryArray.from_arrays(to_arrow(np.zeros(n_rows, np.int32)), strings([value]))
        return every if column in FEW_NAMES else every.dictionary_decode()
    if pa.types.is_timestamp(wanted):
        return to_arrow(np.full(n_rows, value, np.int64)).view(wanted)
    array = to_arrow(np.full(n_rows, value))
    return array if array.type == wanted else array.cast(wanted)


def check_indices(array: pa.Array) -> None:
    """Raise ValueError if an index is not in its dictionary: pyarrow does not check, and reads beyond it."""
    while is_list(array.type):
        array = array.values
    if pa.types.is_dictionary(array.type):
        limits = pc.min_max(array.indices)
        if limits["min"].is_valid and not 0 <= limits["min"].as_py() <= limits["max"].as_py() < len(array.dictionary):
            raise ValueError("an index is not in its dictionary")


def _type_of_texts(texts: set[Any], column: Column, others: set[pa.DataType]) -> pa.DataType:
    """The type of a column that only folders' names give, or of times together with the types ``others``."""
    if column.type in ("id", "label"):
        return pa.int64() if texts and all(_is_number(text) for text in texts) else pa.string()
    if column.type == "timestamp":
        units = {other.unit for other in others} | ({"us"} if texts else set())
        return pa.timestamp(max(units, key=UNITS.index, default="us"))
    return {
        "bool": pa.bool_(),
        "float64": pa.float64(),
        "name": pa.string(),
        "labels": pa.list_(pa.string()),
        "shares": pa.list_(pa.float64()),
    }.get(column.type, pa.int64())


def _is_number(text: str) -> bool:
    """Whether a text is an integer of 64 bits in canonical form, without leading zeros.

    >>> [_is_number(text) for text in ("7", "-7", "007", "+7", "7.0", "٣")]
    [True, True, False, False, False, False]
    """
    try:
        number = int(text)
    except ValueError:
        return False
    return str(number) == text and -(2**63) <= number < 2**63


def _parsed(text: str | None, column: Column, wanted: pa.DataType) -> Any:
    """The value in a folder's name, as the type ``wanted``. Raises ValueError."""
    if text is None:
        return None
    text.encode("utf-8")  # bytes that are no text cannot be encoded
    if pa.types.is_boolean(wanted):
        if text.lower() not in FLAGS:
            raise ValueError(text)
        return FLAGS[text.lower()]
    if pa.types.is_timestamp(wanted):
        return _ticks(text, wanted.unit)
    if pa.types.is_floating(wanted):
        return float(text)
    if pa.types.is_integer(wanted):
        if column.type in ("id", "label") and not _is_number(text):
            raise ValueError(text)
        number, limits = int(text), np.iinfo(dtype_of(wanted))
        if not limits.min <= number <= limits.max:
            raise ValueError(text)
        return number
    return text


def _ticks(text: str, unit: str) -> int:
    """A time in ISO 8601, in units since 1970; without zone it is UTC. Raises ValueError."""
    time = datetime.fromisoformat(text)
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    microseconds = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    ticks = microseconds * 1000 if unit == "ns" else microseconds // 10 ** (6 - 3 * UNITS.index(unit))
    if not -(2**63) < ticks < 2**63:
        raise ValueError(text)
    return ticks


def _hint(value_type: pa.DataType, column: Column) -> str:
    """How to convert a column to the required type, where that is not obvious; else empty."""
    kind = column.type
    if kind in ("id", "label"):
        if pa.types.is_floating(value_type):
            return ": cast it (pandas: .astype('Int64'); SQL: CAST(... AS BIGINT))"
        if pa.types.is_fixed_size_binary(value_type):
            return ": write its bytes as text (SQL: hex(...))"
        if pa.types.is_decimal(value_type):
            return ": cast it (SQL: CAST(... AS BIGINT))"
    if kind == "timestamp":
        if pa.types.is_string(value_type):
            return ": parse it (pandas.to_datetime)"
        if pa.types.is_integer(value_type):
            return ": cast it (pandas.to_datetime, with the unit)"
    if kind == "bool" and pa.types.is_string(value_type):
        return ": compare it (pandas: == 'true')"
    return ""
