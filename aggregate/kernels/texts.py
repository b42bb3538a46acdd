"""Texts in code-point order. Texts are one array of UTF-8 bytes and the offsets between them.

UTF-8 was made so that its byte order is the code points' order. A few bytes at a time become a key, a uint64 that sorts
as they do: of each byte only its rank among the bytes that occur, in as few bits as hold it, and 0 after the end. So a
key holds eight bytes of any text, but twelve of a UUID.
"""

import numpy as np

from ..arrays import Bytes, Counts, Flags, Offsets, Words
from .jit import kernel

FEW = 24
"""Runs up to this size are sorted by direct comparison."""


@kernel
def common_prefix(data: Bytes, offsets: Offsets) -> np.int64:
    """Number of leading bytes that all texts share."""
    shared = offsets[1] - offsets[0]
    for row in range(1, offsets.size - 1):
        length = min(shared, offsets[row + 1] - offsets[row])
        shared = 0
        while shared < length and data[offsets[0] + shared] == data[offsets[row] + shared]:
            shared += 1
        if shared == 0:
            break
    return np.int64(shared)


@kernel
def keys_at(
    first: int,
    last: int,
    data: Bytes,
    offsets: Offsets,
    rows: Counts,
    depth: int,
    ranks: Words,
    bits: int,
    keys: Words,
    is_strange: Bytes,
) -> None:
    """keys[p] = the key of the bytes at ``depth`` of the text of rows[p]; of all rows in order if ``rows`` is empty.

    ``ranks`` uint64[256] has the rank of each byte, from 1, in ``bits`` bits, or 0: where such a byte is met,
    is_strange[b] becomes 1 (threads may set it alike) and the keys are of no use.
    """
    width = 64 // bits
    for position in range(first, last):
        row = position if rows.size == 0 else np.int64(rows[position])
        start = offsets[row] + depth
        length = max(0, min(width, offsets[row + 1] - start))
        key = np.uint64(0)
        for byte in range(start, start + length):
            rank = ranks[data[byte]]
            if rank == 0:
                is_strange[data[byte]] = 1
            key = (key << np.uint64(bits)) | rank
        # A shift by 64 bits is undefined: an empty text has the key 0 as it is.
        keys[position] = key << np.uint64(bits * (width - length)) if length > 0 else np.uint64(0)


@kernel
def _compare(data: Bytes, a: int, a_stop: int, b: int, b_stop: int) -> int:
    """-1, 0 or 1: how the text at ``a`` stands to the text at ``b``."""
    here, there, one = np.uint64(a), np.uint64(b), np.uint64(1)
    stop = here + np.uint64(min(a_stop - a, b_stop - b)) if a < a_stop and b < b_stop else here
    while here < stop:
        if data[here] != data[there]:
            return -1 if data[here] < data[there] else 1
        here += one
        there += one
    left, left_there = max(0, a_stop - a), max(0, b_stop - b)
    return (left > left_there) - (left < left_there)


@kernel
def settle_runs(
    first: int,
    last: int,
    data: Bytes,
    offsets: Offsets,
    rows: Counts,
    depth: int,
    starts: Flags,
    run_starts: Flags,
    unsettled: Flags,
) -> None:
    """Finish the runs of rows that agree in their first ``depth`` bytes, where that is quick.

    ``rows`` is sorted so far; starts[p] marks where a run begins. run_starts, a copy of ``starts``, gains a mark
    wherever two texts of a run differ. Runs of one text are left alone, small runs are sorted by comparison, and where
    any other run begins ``unsettled`` is set. The runs that begin at ``first <= p < last`` are looked at.
    """
    n = rows.size
    begin = first
    while begin < last and not starts[begin]:
        begin += 1
    while begin < last:
        end = begin + 1
        while end < n and not starts[end]:
            end += 1
        reference = rows[begin]
        a, a_stop = offsets[reference] + depth, offsets[reference + 1]
        same = True
        for position in range(begin + 1, end):
            b = rows[position]
            if _compare(data, a, a_stop, offsets[b] + depth, offsets[b + 1]) != 0:
                same = False
                break
        if not same and end - begin <= FEW:
            for position in range(begin + 1, end):
                row = rows[position]
                b, b_stop = offsets[row] + depth, offsets[row + 1]
                hole = position
                while hole > begin:
                    other = rows[hole - 1]
                    if _compare(data, b, b_stop, offsets[other] + depth, offsets[other + 1]) >= 0:
                        break
                    rows[hole] = other
                    hole -= 1
                rows[hole] = row
            for position in range(begin + 1, end):
                one, two = rows[position - 1], rows[position]
                order = _compare(data, offsets[one] + depth, offsets[one + 1], offsets[two] + depth, offsets[two + 1])
                if order != 0:
                    run_starts[position] = True
        elif not same:
            unsettled[begin] = True
        begin = end


@kernel
def lengths_of(first: int, last: int, offsets: Offsets, rows: Counts, lengths: Offsets) -> None:
    """lengths[p] = bytes of the text of rows[p]."""
    for position in range(first, last):
        lengths[position] = offsets[rows[position] + 1] - offsets[rows[position]]


@kernel
def gather(
    first: int, last: int, data: Bytes, offsets: Offsets, rows: Counts, new_offsets: Offsets, new_data: Bytes
) -> None:
    """Copy the texts of ``rows``, one after the other, to where ``new_offsets`` says."""
    # Unsigned positions that count up: for signed ones the compiler makes a vector loop that costs five times as much.
    one = np.uint64(1)
    for position in range(first, last):
        source = np.uint64(offsets[rows[position]])
        place, stop = np.uint64(new_offsets[position]), np.uint64(new_offsets[position + 1])
        while place < stop:
            new_data[place] = data[source]
            place += one
            source += one
