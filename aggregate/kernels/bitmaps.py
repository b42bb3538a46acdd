"""Bitmaps of integers: which values occur, and the rank of each.

A value's bit is its distance from ``lowest``, modulo 2**64, so that all types of integers are handled alike.
"""

import numpy as np

from ..arrays import Counts, Integers, Words
from .jit import kernel


@kernel
def _ones(word: np.uint64) -> np.int64:
    """Number of bits set in a word."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def mark_present(values: Integers, lowest: np.uint64, present: Words) -> None:
    """Set the bit of every value in a bitmap of uint64 words."""
    for row in range(values.size):
        key = np.uint64(np.int64(values[row])) - lowest
        present[np.int64(key >> np.uint64(6))] |= np.uint64(1) << (key & np.uint64(63))


@kernel
def rank_bits(present: Words, ranks: Counts) -> int:
    """ranks[w] = bits set in the words before w, int32; the number of all bits set is returned."""
    total = 0
    for word in range(present.size):
        ranks[word] = total
        total += int(_ones(present[word]))
    return total


@kernel
def values_of_bits(present: Words, lowest: np.uint64, values: Words) -> None:
    """The values whose bits are set, ascending, into uint64[number of bits]."""
    filled = 0
    for word in range(present.size):
        bits = present[word]
        first = lowest + np.uint64(word) * np.uint64(64)
        while bits:
            one = bits & (~bits + np.uint64(1))
            values[filled] = first + np.uint64(_ones(one - np.uint64(1)))
            filled += 1
            bits ^= one


@kernel
def codes_of_bits(
    first: int, last: int, values: Integers, lowest: np.uint64, present: Words, ranks: Counts, codes: Counts
) -> None:
    """codes[row] = number of bits set before the value's own: its rank. May overwrite ``values`` if they are int32."""
    for row in range(first, last):
        key = np.uint64(np.int64(values[row])) - lowest
        word = np.int64(key >> np.uint64(6))
        below = (np.uint64(1) << (key & np.uint64(63))) - np.uint64(1)
        codes[row] = ranks[word] + _ones(present[word] & below)


@kernel
def places_of_bits(
    first: int, last: int, values: Integers, lowest: np.uint64, present: Words, ranks: Counts, places: Counts
) -> None:
    """As :func:`codes_of_bits`, for any values: -1 if a value's bit is not set, or it is outside the bitmap."""
    for row in range(first, last):
        key = np.uint64(np.int64(values[row])) - lowest
        word = np.int64(key >> np.uint64(6))
        bit = np.uint64(1) << (key & np.uint64(63))
        if key >= np.uint64(present.size) << np.uint64(6) or not present[word] & bit:
            places[row] = -1
        else:
            places[row] = ranks[word] + _ones(present[word] & (bit - np.uint64(1)))
