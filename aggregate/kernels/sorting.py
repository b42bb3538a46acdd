"""Sorting ids, texts and votes, in time proportional to their number.

Positions of rows are int32: one run holds fewer than 2**31 rows.
"""

import numpy as np

from ..arrays import Counts, Flags, Indices, Offsets, Words
from .jit import kernel

FEW = 48  # items up to which insertion sort is fastest


@kernel
def varying_bits(first: int, last: int, keys: Words, varying: Words) -> None:
    """Set in varying[0] the bits in which any of the keys differs from the first. Blocks must not share ``varying``."""
    bits = np.uint64(0)
    for row in range(first, last):
        bits |= keys[row] ^ keys[0]
    varying[0] |= bits


@kernel
def count_buckets(first: int, last: int, keys: Words, shift: int, mask: np.uint64, counts: Indices) -> None:
    """Count the keys of the rows ``first <= row < last`` by their bucket, ``(key >> shift) & mask``."""
    for row in range(first, last):
        counts[np.int64((keys[row] >> np.uint64(shift)) & mask)] += 1


@kernel
def scatter_to_buckets(
    first: int,
    last: int,
    keys: Words,
    shift: int,
    mask: np.uint64,
    places: Indices,
    bucketed_keys: Words,
    bucketed_rows: Counts,
) -> None:
    """Write keys and row numbers to the next position of their bucket; ``places`` is advanced."""
    for row in range(first, last):
        key = keys[row]
        bucket = np.int64((key >> np.uint64(shift)) & mask)
        bucketed_keys[places[bucket]] = key
        bucketed_rows[places[bucket]] = row
        places[bucket] += 1


@kernel
def _insertion_sort(keys: Words, rows: Counts, start: int, stop: int) -> None:
    for position in range(start + 1, stop):
        key, row = keys[position], rows[position]
        hole = position
        while hole > start and keys[hole - 1] > key:
            keys[hole], rows[hole] = keys[hole - 1], rows[hole - 1]
            hole -= 1
        keys[hole], rows[hole] = key, row


@kernel
def sort_buckets(first: int, last: int, edges: Offsets, keys: Words, rows: Counts) -> None:
    """Sort the keys of each bucket edges[b]:edges[b + 1], and the rows with them; equal keys keep their order.

    Least significant byte first; a byte that all keys of the bucket share is only counted.
    """
    most = 0
    for bucket in range(first, last):
        most = max(most, edges[bucket + 1] - edges[bucket])
    spare_keys = np.empty(most if most > FEW else 0, np.uint64)
    spare_rows = np.empty(spare_keys.size, np.int32)
    counts = np.empty(257, np.int64)
    for bucket in range(first, last):
        start, stop = edges[bucket], edges[bucket + 1]
        if stop - start <= FEW:
            _insertion_sort(keys, rows, start, stop)
            continue
        varying = np.uint64(0)
        for position in range(start, stop):
            varying |= keys[position] ^ keys[start]
        for bit in range(0, 64, 8):
            digit = np.uint64(bit)
            if (varying >> digit) & np.uint64(0xFF) == 0:
                continue
            counts[:] = 0
            for position in range(start, stop):
                counts[np.int64((keys[position] >> digit) & np.uint64(0xFF)) + 1] += 1
            for byte in range(256):
                counts[byte + 1] += counts[byte]
            for position in range(start, stop):
                value = np.int64((keys[position] >> digit) & np.uint64(0xFF))
                spare_keys[counts[value]], spare_rows[counts[value]] = keys[position], rows[position]
                counts[value] += 1
            for position in range(start, stop):
                keys[position], rows[position] = spare_keys[position - start], spare_rows[position - start]


@kernel
def gather_keys(first: int, last: int, keys: Words, rows: Counts, gathered: Words) -> None:
    """gathered[p] = the key of rows[p]."""
    for position in range(first, last):
        gathered[position] = keys[rows[position]]


@kernel
def sort_runs(first: int, last: int, high: Words, low: Words, rows: Counts) -> None:
    """Sort ``low``, and the rows with it, within the runs of the sorted ``high`` that begin at ``first <= p < last``.

    Equal keys keep their order.
    """
    edges = np.empty(2, np.int64)
    begin = first
    while 0 < begin < last and high[begin] == high[begin - 1]:
        begin += 1
    while begin < last:
        end = begin + 1
        while end < high.size and high[end] == high[begin]:
            end += 1
        if end - begin <= FEW:
            _insertion_sort(low, rows, begin, end)
        else:
            edges[0], edges[1] = begin, end
            sort_buckets(0, 1, edges, low, rows)
        begin = end


@kernel
def mark_starts(first: int, last: int, keys: Words, starts: Flags) -> None:
    """starts[p] = the sorted key at p differs from the one before it."""
    for position in range(first, last):
        starts[position] = position == 0 or keys[position] != keys[position - 1]


@kernel
def mark_starts_of_pairs(first: int, last: int, high: Words, low: Words, starts: Flags) -> None:
    """starts[p] = the sorted pair of keys at p differs from the one before it."""
    for p in range(first, last):
        starts[p] = p == 0 or high[p] != high[p - 1] or low[p] != low[p - 1]


@kernel
def codes_of_order(first: int, last: int, order: Counts, starts: Flags, code: int, codes: Counts) -> None:
    """codes[order[p]] = the number of groups before p's; ``code`` is that of the last group begun before ``first``.

    ``starts[p]`` says that row ``order[p]`` differs from the one before.
    """
    for position in range(first, last):
        code += starts[position]
        codes[order[position]] = code


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
