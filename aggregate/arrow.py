"""Conversions between Arrow and NumPy without pandas.

pyarrow's own conversions (``pa.array`` and ``pa.scalar`` of anything, ``np.asarray`` of an Arrow array, ``fill_null``
with a Python value, ...) first load pandas, if it is installed, to check for its objects. That costs a third of a
second, and a signal that arrives meanwhile is lost: the process then hangs or goes on. The functions here work on the
buffers: https://arrow.apache.org/docs/format/Columnar.html. Nothing is copied unless stated.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Bytes, Flags, Offsets

if TYPE_CHECKING:
    import pyarrow as pa


def to_numpy(values: "pa.Array | pa.ChunkedArray", null: Any = None) -> NDArray[Any]:
    """The numbers, flags or times of an Arrow array, in the dtype of its type.

    Times become ``datetime64`` of their unit, without their zone. ``null`` replaces nulls, in a copy. Flags, and arrays
    of several chunks, are copied, too; what is not a copy is read-only. Raises ValueError for nulls if ``null`` is not
    given, TypeError for a type that NumPy does not have.
    """
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    n, start = len(values), values.offset
    if pa.types.is_boolean(values.type):
        numbers: NDArray[Any] = _flags_of(values.buffers()[1], start, n)
    else:
        dtype = dtype_of(values.type)
        data = values.buffers()[1]
        numbers = np.frombuffer(data, dtype, n, start * dtype.itemsize) if n else np.empty(0, dtype)
        numbers.flags.writeable = False  # always, because kernels are compiled separately for writeable arrays
    if not values.null_count:
        return numbers
    if null is None:
        raise ValueError(f"{values.null_count} nulls in an array of {values.type}")
    numbers = numbers.copy()
    numbers[~_flags_of(values.buffers()[0], start, n)] = null
    return numbers


def to_arrow(values: NDArray[Any], null: "Flags | None" = None) -> "pa.Array":
    """A 1-d array of numbers, flags or times in the Arrow type of its dtype; null where ``null`` (bool[n]) is true.

    NaT is null, too; NaN is a number. Flags and non-contiguous values are copied; otherwise changing ``values`` later
    changes the Arrow array.
    """
    import pyarrow as pa

    arrow_type = pa.from_numpy_dtype(values.dtype)
    if values.dtype.kind in "mM":
        null = np.isnat(values) if null is None else null | np.isnat(values)
    data = pa.py_buffer(_bits_of(values) if pa.types.is_boolean(arrow_type) else np.ascontiguousarray(values))
    n_null = 0 if null is None else int(np.count_nonzero(null))
    valid = pa.py_buffer(_bits_of(~null)) if null is not None and n_null else None
    return pa.Array.from_buffers(arrow_type, values.size, [valid, data], n_null)


def strings(texts: Iterable[str | None]) -> "pa.Array":
    """Texts as an Arrow array of strings."""
    return _texts(None if text is None else text.encode() for text in texts)


def binaries(values: Iterable[bytes | None]) -> "pa.Array":
    """Bytes as an Arrow array; ``large_binary`` from 2 GiB."""
    import pyarrow as pa

    found = _texts(values)
    return found.view(pa.large_binary() if pa.types.is_large_string(found.type) else pa.binary())


def _texts(encoded: Iterable[bytes | None]) -> "pa.Array":
    parts = list(encoded)
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum(np.array([len(part or b"") for part in parts], np.int64), out=offsets[1:])
    data = np.frombuffer(b"".join(part or b"" for part in parts), np.uint8)
    return strings_of(data, offsets, np.array([part is None for part in parts], np.bool_))


def strings_of(data: Bytes, offsets: Offsets, null: "Flags | None" = None) -> "pa.Array":
    """Texts from their UTF-8 bytes and the offsets between them: ``string``, or ``large_string`` from 2 GiB.

    Null where ``null`` (bool[n]) is true.
    """
    import pyarrow as pa

    n = offsets.size - 1
    n_null = 0 if null is None else int(np.count_nonzero(null))
    valid = pa.py_buffer(_bits_of(~null)) if null is not None and n_null else None
    if data.size < 2**31:
        arrow_type, offsets = pa.string(), offsets.astype(np.int32)
    else:
        arrow_type = pa.large_string()
    buffers = [valid, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(arrow_type, n, buffers, n_null)


def bytes_of(values: "pa.Array") -> tuple[Bytes, Offsets]:
    """The UTF-8 bytes of an array of strings, and the offsets between them, from 0 (a copy). Nulls are empty texts.

    Bytes under nulls, which the format allows, are dropped.
    """
    import pyarrow as pa

    if values.null_count:
        values = fill_null(values, "")
    wide = pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
    if len(values) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    _, offsets_buffer, data_buffer = values.buffers()
    kind: type[np.signedinteger[Any]] = np.int64 if wide else np.int32
    bounds = np.frombuffer(offsets_buffer, kind, len(values) + 1, values.offset * np.dtype(kind).itemsize)
    offsets = bounds.astype(np.int64)
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.empty(0, np.uint8)
    return data[offsets[0] : offsets[-1]], offsets - offsets[0]


def array(values: Sequence[Any], arrow_type: "pa.DataType | None" = None) -> "pa.Array":
    """Python values of one kind (texts, numbers or flags; None is null), cast to ``arrow_type`` if that is given.

    Raises ArrowInvalid if the type cannot hold one of them.
    """
    import pyarrow as pa

    some = [value for value in values if value is not None]
    if not some:
        return pa.nulls(len(values), arrow_type or pa.null())
    if isinstance(some[0], str):
        made = strings(values)
    else:
        # Older versions of pyarrow cannot cast to float16.
        dtype = np.float16 if arrow_type is not None and pa.types.is_float16(arrow_type) else None
        filled = np.array([some[0] if value is None else value for value in values], dtype)
        made = to_arrow(filled, null=np.array([value is None for value in values], np.bool_))
    if arrow_type is None:
        return made
    if pa.types.is_dictionary(arrow_type):
        encoded = made.cast(arrow_type.value_type).dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.cast(arrow_type.index_type), encoded.dictionary)
    return made.cast(arrow_type)


def scalar(value: Any, arrow_type: "pa.DataType | None" = None) -> "pa.Scalar":
    """A Python value as an Arrow scalar; see :func:`array`."""
    return array([value], arrow_type)[0]


def dictionary_of(codes: NDArray[np.signedinteger[Any]], names: "pa.Array") -> "pa.DictionaryArray":
    """A dictionary array of ``names`` by their positions; null for negative ones."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(to_arrow(codes, null=codes < 0), names)


def lists_of(offsets: Offsets, items: "pa.Array") -> "pa.Array":
    """Lists of the items between ``offsets`` int64[n + 1]; large ones from 2**31 items."""
    import pyarrow as pa

    kind = pa.ListArray if len(items) < 2**31 else pa.LargeListArray
    bounds = offsets.astype(np.int32) if kind is pa.ListArray else offsets
    return kind.from_arrays(to_arrow(bounds), items)


def table_of(columns: "Mapping[str, pa.Array | NDArray[Any]]", schema: "pa.Schema") -> "pa.Table":
    """A table of Arrow and NumPy arrays, cast to the types of ``schema``."""
    import pyarrow as pa

    arrays = {name: to_arrow(column) if isinstance(column, np.ndarray) else column for name, column in columns.items()}
    return pa.table(arrays, schema=schema)


def table_of_rows(rows: Sequence[Mapping[str, Any]], schema: "pa.Schema") -> "pa.Table":
    """A table from rows of Python values; see :func:`array`."""
    import pyarrow as pa

    columns = [array([row[field.name] for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def fill_null(values: Any, value: Any) -> Any:
    """An Arrow array, chunked or not, with nulls replaced by a Python value; not for float16."""
    return values.fill_null(scalar(value, values.type)) if values.null_count else values


def plain(values: "pa.Array | pa.ChunkedArray") -> "pa.Array":
    """A column in one piece, without a dictionary."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        chunks = values.chunks or [pa.nulls(0, values.type)]
        values = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def dtype_of(arrow_type: "pa.DataType") -> np.dtype[Any]:
    """The dtype of a type of numbers, flags or times. Raises TypeError for one that NumPy does not have."""
    import pyarrow as pa

    if pa.types.is_timestamp(arrow_type):
        return np.dtype(f"datetime64[{arrow_type.unit}]")
    try:
        return _dtypes()[arrow_type]
    except KeyError:
        raise TypeError(f"no dtype for {arrow_type}") from None


@cache
def _dtypes() -> "dict[pa.DataType, np.dtype[Any]]":
    import pyarrow as pa

    names = ["?", *"bhiqBHIQefd", *(f"timedelta64[{unit}]" for unit in ("s", "ms", "us", "ns"))]
    return {pa.from_numpy_dtype(np.dtype(name)): np.dtype(name) for name in names}


def _flags_of(bits: Any, start: int, n: int) -> Flags:
    """``n`` flags from bit ``start`` of a buffer on, the lowest bit of a byte first."""
    if n == 0:
        return np.empty(0, np.bool_)
    first = start // 8
    some = np.frombuffer(bits, np.uint8, (start + n + 7) // 8 - first, first)
    flags: Flags = np.unpackbits(some, bitorder="little")[start % 8 : start % 8 + n].view(np.bool_)
    return flags


def _bits_of(flags: Flags) -> Bytes:
    return np.packbits(flags, bitorder="little")
