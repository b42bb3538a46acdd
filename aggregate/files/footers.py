"""Reads Parquet files some of whose columns have types that pyarrow does not know.

pyarrow refuses a whole file for one such column, even if it is not read. The logical types are in the schema, in the
file's footer; those of columns that are not read are left out of the footer that pyarrow gets. Format:
https://parquet.apache.org/docs/file-format/metadata/, in Thrift's compact protocol.
"""

import io
import os
import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

MAGIC = b"PAR1"
TAIL = len(MAGIC) + 4
"""Bytes of the metadata's length, and of the magic number after it."""

SCHEMA, KEY_VALUES = 2, 5  # numbers of fields of a file's metadata
NAME, CHILDREN = 4, 5  # numbers of fields of a schema element

LOGICAL_TYPE = (6, 7, 8, 10)
"""Numbers of a schema element's fields for its logical type: converted type, scale, precision, logical type."""

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
DEEPEST = 32


class FileWithoutLogicalTypes(io.RawIOBase):
    """A Parquet file in which columns other than ``wanted`` appear without logical types."""

    def __init__(self, path: str, wanted: Collection[str]) -> None:
        """Raises ValueError if the metadata cannot be parsed, OSError if the file cannot be read."""
        super().__init__()
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed with this
        try:
            size = self._file.seek(0, os.SEEK_END)
            length, magic = struct.unpack("<I4s", self._read_at(size - TAIL, TAIL))
            self._kept = size - TAIL - length
            if magic != MAGIC or self._kept < len(MAGIC):
                raise ValueError("no Parquet file")
            metadata = without_logical_types(self._read_at(self._kept, length), wanted)
        except BaseException:
            self.close()
            raise
        self._end = metadata + struct.pack("<I4s", len(metadata), MAGIC)
        self._place = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readable(self) -> bool:
        """Always true."""
        return True

    def seekable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Position of the next byte to read."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position; returns it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._kept + len(self._end)}[whence]
        self._place = start + offset
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read into a buffer, up to the end of the file; the number of bytes read."""
        wanted = memoryview(buffer).cast("B")
        content = b""
        if self._place < self._kept:
            content = self._read_at(self._place, min(len(wanted), self._kept - self._place))
        behind = self._place + len(content) - self._kept
        content += self._end[max(0, behind) :][: len(wanted) - len(content)]
        wanted[: len(content)] = content
        self._place += len(content)
        return len(content)

    def _read_at(self, place: int, n_bytes: int) -> bytes:
        if place < 0:
            raise ValueError("no Parquet file")
        self._file.seek(place)
        parts = []
        while n_bytes and (part := self._file.read(n_bytes)):
            parts.append(part)
            n_bytes -= len(part)
        if n_bytes:
            raise ValueError("shorter than it says")
        return b"".join(parts)


def without_logical_types(metadata: bytes, wanted: Collection[str]) -> bytes:
    """The metadata of a file without the logical types of columns other than ``wanted``. Raises ValueError.

    Key-value pairs are left out, too: Arrow's own schema among these would give the types again.
    """
    try:
        fields = [field for field in _struct(metadata, 0) if field.number != KEY_VALUES]
        place = next(place for place, field in enumerate(fields) if field.number == SCHEMA)
        fields[place] = fields[place]._replace(content=_elements(fields[place].content, wanted))
    except (IndexError, KeyError, StopIteration, RecursionError) as error:
        raise ValueError("metadata that cannot be understood") from error
    return _written(fields)


class _Field(NamedTuple):
    """A field of a struct, with its encoded value."""

    number: int
    type: int
    content: bytes


def _elements(written: bytes, wanted: Collection[str]) -> bytes:
    """Encode a schema, a list of structs: the root, then the elements below it, depth first."""
    count, _, place = _list_head(written, 0)
    parts = [written[:place]]
    below_unwanted = 0  # elements still to come that belong to a column that is not wanted
    for number in range(count):
        end = _skip(written, place, STRUCT, 0)
        fields = list(_struct(written, place))
        known = {field.number: field.content for field in fields}
        n_children = _signed(known[CHILDREN]) if CHILDREN in known else 0
        name = _text(known[NAME])
        if number and (below_unwanted or name not in wanted):
            parts.append(_written([field for field in fields if field.number not in LOGICAL_TYPE]))
            below_unwanted = max(0, below_unwanted - 1) + n_children
        else:
            parts.append(written[place:end])
        place = end
    return b"".join(parts)


def _struct(data: bytes, place: int) -> Iterator[_Field]:
    number = 0
    while head := data[place]:
        place += 1
        if head >> 4:
            number += head >> 4
        else:
            raw, place = _varint(data, place)
            number = (raw >> 1) ^ -(raw & 1)
        end = _skip(data, place, head & 15, 0)
        yield _Field(number, head & 15, data[place:end])
        place = end


def _written(fields: list[_Field]) -> bytes:
    """Encode a struct of these fields, in ascending order of their numbers."""
    parts, before = [], 0
    for field in fields:
        step = field.number - before
        if 0 < step <= 15:
            parts.append(bytes([step << 4 | field.type]))
        else:
            parts.append(bytes([field.type]) + _as_varint((field.number << 1) ^ (field.number >> 31)))
        parts.append(field.content)
        before = field.number
    return b"".join([*parts, b"\0"])


def _skip(data: bytes, place: int, kind: int, depth: int) -> int:
    """Position after a value that begins at ``place``."""
    if depth > DEEPEST:
        raise ValueError("too deep")
    if kind in (TRUE, FALSE):
        return place if depth == 0 else place + 1  # in a struct it is part of the header
    if kind == BYTE:
        return place + 1
    if kind in (I16, I32, I64):
        return _varint(data, place)[1]
    if kind == DOUBLE:
        return place + 8
    if kind == BINARY:
        length, place = _varint(data, place)
        return _within(data, place + length)
    if kind in (LIST, SET):
        count, item, place = _list_head(data, place)
        for _ in range(count):
            place = _skip(data, place, item, depth + 1)
        return place
    if kind == STRUCT:
        while head := data[place]:
            place += 1
            if not head >> 4:
                place = _varint(data, place)[1]
            place = place if head & 15 in (TRUE, FALSE) else _skip(data, place, head & 15, depth + 1)
        return place + 1
    raise ValueError(f"a value of type {kind}")


def _list_head(data: bytes, place: int) -> tuple[int, int, int]:
    """Number and type of a list's items, and the position of the first."""
    head = data[place]
    count, place = (head >> 4, place + 1) if head >> 4 < 15 else _varint(data, place + 1)
    _within(data, place + count)  # an item takes a byte or more
    return count, head & 15, place


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """An unsigned integer of variable length, and the position after it."""
    number = shift = 0
    while True:
        byte = data[place]
        place += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, place
        if shift > 63:
            raise ValueError("a number that is too long")


def _as_varint(number: int) -> bytes:
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def _signed(written: bytes) -> int:
    raw = _varint(written, 0)[0]
    return (raw >> 1) ^ -(raw & 1)


def _text(written: bytes) -> str:
    length, place = _varint(written, 0)
    return written[place : place + length].decode("utf-8", "replace")


def _within(data: bytes, place: int) -> int:
    if place > len(data):
        raise ValueError("shorter than it says")
    return place
