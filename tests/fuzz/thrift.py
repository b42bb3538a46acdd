"""Thrift's compact protocol, as far as Parquet uses it: so that single fields of a file's metadata can be changed."""

import struct
from dataclasses import dataclass, field
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
INTEGERS = (I16, I32, I64)


@dataclass
class Field:
    """A field of a struct; its value is an int, float, bool, bytes, List or Struct, as its type says."""

    number: int
    type: int
    value: Any


@dataclass
class List:
    """A list or set."""

    type: int
    items: list[Any] = field(default_factory=list)


@dataclass
class Struct:
    """Fields in the order they are written in."""

    fields: list[Field] = field(default_factory=list)

    def get(self, number: int, default: Any = None) -> Any:
        return next((item.value for item in self.fields if item.number == number), default)

    def put(self, number: int, value: Any) -> None:
        """Change a field; one that is not there stays away."""
        for item in self.fields:
            if item.number == number:
                item.value = value


class Reader:
    """Reads values from ``data``; ``place`` is where the next begins."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        self.data, self.place = data, place

    def struct(self) -> Struct:
        found, number = Struct(), 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            found.fields.append(Field(number, kind, kind == TRUE if kind in (TRUE, FALSE) else self._value(kind)))
        return found

    def _value(self, kind: int) -> Any:
        if kind in (TRUE, FALSE, BYTE):  # booleans in lists take a byte each
            return self._byte()
        if kind in INTEGERS:
            return self._integer()
        if kind == DOUBLE:
            return struct.unpack("<d", self._bytes(8))[0]
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind in (LIST, SET):
            return self._list()
        if kind == STRUCT:
            return self.struct()
        raise ValueError(f"type {kind}")

    def _list(self) -> List:
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        return List(head & 15, [self._value(head & 15) for _ in range(size)])

    def _byte(self) -> int:
        self.place += 1
        return self.data[self.place - 1]

    def _bytes(self, size: int) -> bytes:
        self.place += size
        return self.data[self.place - size : self.place]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def _integer(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)


def write_struct(written: Struct) -> bytes:
    """The bytes of a struct; integers are wrapped to 64 bits."""
    out, last = bytearray(), 0
    for item in written.fields:
        kind = (TRUE if item.value else FALSE) if item.type in (TRUE, FALSE) else item.type
        if 0 < item.number - last < 16:
            out.append((item.number - last) << 4 | kind)
        else:
            out.append(kind)
            out += _integer(item.number)
        last = item.number
        if item.type not in (TRUE, FALSE):
            out += _value(item.type, item.value)
    return bytes(out) + b"\0"


def _value(kind: int, value: Any) -> bytes:
    if kind in (TRUE, FALSE, BYTE):
        return bytes([int(value) & 255])
    if kind in INTEGERS:
        return _integer(value)
    if kind == DOUBLE:
        return struct.pack("<d", value)
    if kind == BINARY:
        return _varint(len(value)) + value
    if kind in (LIST, SET):
        size = len(value.items)
        head = bytes([size << 4 | value.type]) if size < 15 else bytes([0xF0 | value.type]) + _varint(size)
        return head + b"".join(_value(value.type, item) for item in value.items)
    return write_struct(value)


def _integer(value: int) -> bytes:
    value = (value + 2**63) % 2**64 - 2**63
    return _varint((value << 1 ^ value >> 63) % 2**64)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
