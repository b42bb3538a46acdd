"""Positions of values among sorted ids: integers by binary search, texts by a hash table of their bytes.

Texts are ``data`` uint8, their concatenated UTF-8 bytes, and ``offsets`` int64[n + 1]. A table is int32, its size a
power of 2, with the position of each text in the slot of its hash or the next free one, -1 in empty slots.
"""

import numpy as np

from ..arrays import Bytes, Counts, Indices, Offsets, Words
from .jit import kernel


@kernel
def places_of_integers(first: int, last: int, ids: Indices, values: Indices, places: Counts) -> None:
    """places[row] = position of values[row] among the ascending ids, int64; -1 if it is not there.

    Each search starts at the result of the one before: values in the order of the ids are found at once.
    """
    n = ids.size
    place = 0
    for row in range(first, last):
        value = values[row]
        if place < n and ids[place] < value:  # ids[low - 1] < value <= ids[high], if these exist
            step = 1
            low = place + 1
            while low + step < n and ids[low + step] < value:
                low += step + 1
                step *= 2
            high = min(low + step, n)
        else:
            low = 0
            high = min(place, n)
            if high > 0 and ids[high - 1] < value:
                low = high
        while low < high:
            middle = (low + high) // 2
            if ids[middle] < value:
                low = middle + 1
            else:
                high = middle
        place = low
        places[row] = place if place < n and ids[place] == value else -1


@kernel
def _hash(data: Bytes, start: int, stop: int) -> np.uint64:
    """FNV-1a, mixed once more so that the low bits depend on all."""
    value = np.uint64(0xCBF29CE484222325)
    for position in range(start, stop):
        value = (value ^ np.uint64(data[position])) * np.uint64(0x100000001B3)
    value ^= value >> np.uint64(32)
    value *= np.uint64(0xD6E8FEB86659FD93)
    return value ^ (value >> np.uint64(32))


@kernel
def hash_texts(first: int, last: int, data: Bytes, offsets: Offsets, hashes: Words) -> None:
    """hashes[row] = a hash of the text of a row, uint64."""
    for row in range(first, last):
        hashes[row] = _hash(data, offsets[row], offsets[row + 1])


@kernel
def fill_table(data: Bytes, offsets: Offsets, table: Counts) -> None:
    """Enter every text into a table of -1 that has slots for all."""
    mask = np.uint64(table.size - 1)
    for position in range(offsets.size - 1):
        slot = np.int64(_hash(data, offsets[position], offsets[position + 1]) & mask)
        while table[slot] >= 0:
            slot = (slot + 1) & np.int64(mask)
        table[slot] = position


@kernel
def places_of_texts(
    first: int,
    last: int,
    data: Bytes,
    offsets: Offsets,
    table: Counts,
    wanted: Bytes,
    wanted_offsets: Offsets,
    places: Counts,
) -> None:
    """places[row] = position of the wanted text among those of the table, -1 if it is not there."""
    mask = np.uint64(table.size - 1)
    for row in range(first, last):
        start = wanted_offsets[row]
        size = wanted_offsets[row + 1] - start
        slot = np.int64(_hash(wanted, start, start + size) & mask)
        found = np.int32(-1)
        while found < 0 and table[slot] >= 0:
            there = offsets[table[slot]]
            same = offsets[table[slot] + 1] - there == size
            position = 0
            while same and position < size:
                same = data[there + position] == wanted[start + position]
                position += 1
            if same:
                found = table[slot]
            slot = (slot + 1) & np.int64(mask)
        places[row] = found
