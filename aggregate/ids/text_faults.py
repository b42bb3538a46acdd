"""Finds invalid texts: bytes that are not UTF-8, which Parquet does not check, and texts that are too long."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Bytes, Flags
from ..arrow import bytes_of, strings, to_arrow, to_numpy

LONGEST = 32_768
"""Maximum bytes of an id or a label: names are shorter, images or documents in the wrong column are not."""

SHOWN = 200  # bytes of an overlong text that are kept for messages and tables

NOT_UTF8, TOO_LONG = 1, 2

REASONS = {NOT_UTF8: "{} is not UTF-8", TOO_LONG: f"{{}} longer than {LONGEST:,} bytes"}
"""Fault -> reason for rejecting a row; the braces are for the name of the column."""

ASCII = 0x7F


def checked(values: pa.Array) -> tuple[pa.Array, Bytes | None]:
    """An array with null in place of invalid texts, and the fault of each item: uint8[n], 0 for none.

    The faults are None if there are none. Strings may be a dictionary, whose values are checked once; arrays of other
    types are returned as they are. If all bytes are ASCII, no text is checked by itself.
    """
    if pa.types.is_dictionary(values.type):
        names, faults = checked(values.dictionary)
        if faults is None:
            return values, None
        of_rows = np.append(faults, np.uint8(0))[to_numpy(values.indices.cast(pa.int64()), null=faults.size)]
        return pa.DictionaryArray.from_arrays(values.indices, names), of_rows if of_rows.any() else None
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values, None
    found = _faults(values)
    if found is None:
        return values, None
    return with_nulls(values, found > 0), found


def with_nulls(values: pa.Array, rows: Flags) -> pa.Array:
    """An array with null in some rows, bool[n].

    Uses an array of nulls: from a scalar null and a slice, pyarrow 17 makes an array whose offsets exceed its bytes.
    """
    return pc.if_else(to_arrow(rows), pa.nulls(len(values), values.type), values)


def checked_batch(batch: pa.RecordBatch, columns: Sequence[str]) -> tuple[pa.RecordBatch, Mapping[str, Bytes]]:
    """As :func:`checked`, for some columns of a batch: the batch, and the faults of each column that has any."""
    arrays, faults = list(batch.columns), {}
    for name in columns:
        place = batch.schema.get_field_index(name)
        arrays[place], found = checked(arrays[place])
        if found is not None:
            faults[name] = found
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names), faults


def printable_texts(values: pa.Array) -> pa.Array:
    r"""Texts made printable: invalid bytes as in ``Iso\xebtes``, and overlong texts shortened."""
    _, faults = checked(values)
    if faults is None:
        return values
    data, offsets = bytes_of(values)
    present = to_numpy(values.is_valid())
    texts = [_shown(data[a:b].tobytes(), fault) for a, b, fault in zip(offsets, offsets[1:], faults, strict=False)]
    return strings(text if there else None for text, there in zip(texts, present, strict=True)).cast(values.type)


def _faults(texts: pa.Array) -> Bytes | None:
    """The fault of each text, uint8[n]; None if there is none."""
    data, offsets = bytes_of(texts)
    faults = np.where(np.diff(offsets) > LONGEST, np.uint8(TOO_LONG), np.uint8(0))
    if data.size and data.max() > ASCII:
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            faults[_not_utf8(data, offsets)] = NOT_UTF8
            if not faults.any():
                raise
    return faults if faults.any() else None


def _not_utf8(data: Bytes, offsets: np.ndarray) -> list[int]:
    beyond_ascii = np.unique(np.searchsorted(offsets, np.flatnonzero(data > ASCII), side="right") - 1)
    return [row for row in beyond_ascii.tolist() if not _is_utf8(data[offsets[row] : offsets[row + 1]].tobytes())]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(text: bytes, fault: int) -> str:
    if len(text) <= LONGEST:
        return text.decode(errors="backslashreplace")
    return text[:SHOWN].decode(errors="ignore" if fault == TOO_LONG else "backslashreplace") + "..."
