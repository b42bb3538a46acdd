"""Putting ids, texts and votes in order, in time proportional to their number.

Positions of rows are int32: one run holds fewer than 2**31 rows.
"""

import numpy as np

from ..arrays import Counts, Flags, Indices, Offsets, Words
from .jit import kernel

DIGIT_BITS = 11
"""A radix pass writes to 2,048 places at a time, which the first-level cache still holds."""

N_DIGITS = 6
"""Digits of 11 bits in a 64-bit key."""

FEW = 48
"""Up to so many items insertion sort beats everything."""


@kernel
def order_of_keys(keys: Words) -> Counts:
    """Rows in the order of their uint64 keys, equal keys in row order (least significant digit first).

    Returns int32[n]. A digit that all keys share costs nothing but its counting.
    """
    n = keys.size
    buckets = 1 << DIGIT_BITS
    mask = np.uint64(buckets - 1)
    counts = np.zeros((N_DIGITS, buckets), np.int64)
    for row in range(n):
        key = keys[row]
        for digit in range(N_DIGITS):
            counts[digit, np.int64((key >> np.uint64(DIGIT_BITS * digit)) & mask)] += 1
    order = np.arange(n).astype(np.int32)
    if n == 0:
        return order
    here = keys.copy()
    there = np.empty_like(keys)
    order_there = np.empty_like(order)
    for digit in range(N_DIGITS):
        shift = np.uint64(DIGIT_BITS * digit)
        if counts[digit, np.int64((keys[0] >> shift) & mask)] == n:
            continue
        place = np.empty(buckets, np.int64)
        total = 0
        for bucket in range(buckets):
            place[bucket] = total
            total += counts[digit, bucket]
        for position in range(n):
            key = here[position]
            digit_value = np.int64((key >> shift) & mask)
            there[place[digit_value]] = key
            order_there[place[digit_value]] = order[position]
            place[digit_value] += 1
        here, there = there, here
        order, order_there = order_there, order
    return order


@kernel
def codes_of_order(order: Counts, starts_group: Flags, codes: Counts) -> None:
    """Fill codes int32[n] with the rank of each row's group.

    ``starts_group[p]`` says that row ``order[p]`` differs from the one before.
    """
    code = -1
    for position in range(order.size):
        if starts_group[position]:
            code += 1
        codes[order[position]] = code


@kernel
def group_starts(keys: Words, order: Counts) -> Flags:
    """Where, in sorted order, a new key begins: bool[n]."""
    starts = np.empty(order.size, np.bool_)
    for position in range(order.size):
        starts[position] = position == 0 or keys[order[position]] != keys[order[position - 1]]
    return starts


@kernel
def _ones(word: np.uint64) -> np.int64:
    """How many bits of a word are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def mark_present(values: Indices, lowest: np.uint64, present: Words) -> None:
    """Set the bit of every value, counted from ``lowest``, in a bitmap of uint64 words."""
    for row in range(values.size):
        key = np.uint64(values[row]) - lowest
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
def positions_of_bits(present: Words, positions: Words) -> None:
    """The positions of the bits that are set, ascending, into uint64[number of bits]."""
    filled = 0
    for word in range(present.size):
        bits = present[word]
        while bits:
            lowest = bits & (~bits + np.uint64(1))
            positions[filled] = np.uint64(word) * np.uint64(64) + np.uint64(_ones(lowest - np.uint64(1)))
            filled += 1
            bits ^= lowest


@kernel
def codes_of_bits(values: Indices, lowest: np.uint64, present: Words, ranks: Counts, codes: Counts) -> None:
    """codes[row] = number of bits set before the value's own: its rank among the distinct values."""
    for row in range(values.size):
        key = np.uint64(values[row]) - lowest
        word = np.int64(key >> np.uint64(6))
        below = (np.uint64(1) << (key & np.uint64(63))) - np.uint64(1)
        codes[row] = ranks[word] + _ones(present[word] & below)


@kernel
def group_by_code(codes: Counts, offsets: Offsets, rows: Counts) -> None:
    """Group rows by code: fill offsets int64[n_codes + 1], all zero before, and the rows int32[n] in row order."""
    # While rows are placed, offsets[code + 1] is the next place in the group; in the end it is the group's end.
    for row in range(codes.size):
        if codes[row] + 2 < offsets.size:
            offsets[codes[row] + 2] += 1
    for code in range(2, offsets.size):
        offsets[code] += offsets[code - 1]
    for row in range(codes.size):
        rows[offsets[codes[row] + 1]] = row
        offsets[codes[row] + 1] += 1


@kernel
def _sort_by_bytes(words: Words, start: int, stop: int, shift: int, spare: Words, counts: Indices) -> None:
    """Sort words[start:stop] by ``word >> shift``, byte by byte; bytes that all words share are passed over."""
    size = stop - start
    varying = np.uint64(0)
    for position in range(start, stop):
        varying |= words[position] ^ words[start]
    bit = shift
    while bit < 64 and (varying >> np.uint64(bit)) != 0:
        digit = np.uint64(bit)
        bit += 8
        if (varying >> digit) & np.uint64(0xFF) == 0:
            continue
        counts[:] = 0
        for position in range(start, stop):
            counts[np.int64((words[position] >> digit) & np.uint64(0xFF)) + 1] += 1
        for bucket in range(256):
            counts[bucket + 1] += counts[bucket]
        for position in range(start, stop):
            byte = np.int64((words[position] >> digit) & np.uint64(0xFF))
            spare[counts[byte]] = words[position]
            counts[byte] += 1
        for position in range(size):
            words[start + position] = spare[position]


@kernel
def sort_within_groups(first: int, last: int, offsets: Offsets, words: Words, shift: int) -> None:
    """Sort the uint64 words of each group in place by ``word >> shift``; equal ones keep their order.

    Insertion sort for small groups, least significant byte first for large ones.
    """
    most = 0
    for i in range(first, last):
        most = max(most, offsets[i + 1] - offsets[i])
    spare = np.empty(most if most > FEW else 0, np.uint64)
    counts = np.empty(257, np.int64)
    unused = np.uint64(shift)
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        if stop - start > FEW:
            _sort_by_bytes(words, start, stop, shift, spare, counts)
            continue
        for position in range(start + 1, stop):
            word = words[position]
            hole = position
            while hole > start and (words[hole - 1] >> unused) > (word >> unused):
                words[hole] = words[hole - 1]
                hole -= 1
            words[hole] = word


@kernel
def distinct_codes(codes: Counts, n_codes: int) -> Indices:
    """The codes below ``n_codes`` that occur, ascending: int64."""
    seen = np.zeros(n_codes, np.bool_)
    for row in range(codes.size):
        seen[codes[row]] = True
    return np.flatnonzero(seen)
