"""Texts in code-point order. Texts are one array of UTF-8 bytes and the offsets between them.

UTF-8 was made so that its byte order is the code points' order: bytes are compared, eight at a time.
"""

import numpy as np

from ..arrays import Bytes, Counts, Flags, Offsets, Words
from .jit import kernel

FEW = 24
"""Runs up to this size are sorted by direct comparison."""


@kernel
def _word(data: Bytes, start: int, stop: int) -> np.uint64:
    """The next eight bytes as a big-endian number, zeros after the end."""
    word = np.uint64(0)
    for position in range(start, start + 8):
        byte = np.uint64(data[position]) if position < stop else np.uint64(0)
        word = (word << np.uint64(8)) | byte
    return word


@kernel
def _compare(data: Bytes, a: int, a_stop: int, b: int, b_stop: int) -> int:
    """-1, 0 or 1: how the text at ``a`` stands to the text at ``b``."""
    while a < a_stop and b < b_stop:
        if data[a] != data[b]:
            return -1 if data[a] < data[b] else 1
        a += 1
        b += 1
    if a < a_stop:
        return 1
    return -1 if b < b_stop else 0


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
def words_at(data: Bytes, offsets: Offsets, rows: Counts, depth: int) -> Words:
    """The eight bytes at ``depth`` of each row's text, as a sortable number: uint64[rows.size]."""
    words = np.empty(rows.size, np.uint64)
    for position in range(rows.size):
        row = rows[position]
        words[position] = _word(data, offsets[row] + depth, offsets[row + 1])
    return words


@kernel
def settle_runs(
    data: Bytes,
    offsets: Offsets,
    rows: Counts,
    depth: int,
    run_starts: Flags,
    unsettled: Offsets,
) -> int:
    """Finish the runs of rows whose first ``depth + 8`` bytes agree, where that is quick.

    ``rows`` is sorted so far; ``run_starts[p]`` marks where a run begins and gains a mark wherever two texts of a
    run differ. Runs of one text are left alone, small runs are sorted by comparison. The (first, last) positions of
    the runs that remain are put into ``unsettled``, two entries a run; their number is returned.
    """
    n_unsettled = 0
    n = rows.size
    first = 0
    while first < n:
        last = first + 1
        while last < n and not run_starts[last]:
            last += 1
        reference = rows[first]
        a, a_stop = offsets[reference] + depth, offsets[reference + 1]
        same = True
        for position in range(first + 1, last):
            b = rows[position]
            if _compare(data, a, a_stop, offsets[b] + depth, offsets[b + 1]) != 0:
                same = False
                break
        if not same and last - first <= FEW:
            for position in range(first + 1, last):
                row = rows[position]
                b, b_stop = offsets[row] + depth, offsets[row + 1]
                hole = position
                while hole > first:
                    other = rows[hole - 1]
                    if _compare(data, b, b_stop, offsets[other] + depth, offsets[other + 1]) >= 0:
                        break
                    rows[hole] = other
                    hole -= 1
                rows[hole] = row
            for position in range(first + 1, last):
                one, two = rows[position - 1], rows[position]
                order = _compare(data, offsets[one] + depth, offsets[one + 1], offsets[two] + depth, offsets[two + 1])
                if order != 0:
                    run_starts[position] = True
        elif not same:
            unsettled[2 * n_unsettled] = first
            unsettled[2 * n_unsettled + 1] = last
            n_unsettled += 1
        first = last
    return n_unsettled


@kernel
def gather(data: Bytes, offsets: Offsets, rows: Counts) -> tuple[Bytes, Offsets]:
    """The texts of ``rows``, one after the other, and their offsets."""
    new_offsets = np.zeros(rows.size + 1, np.int64)
    for position in range(rows.size):
        row = rows[position]
        new_offsets[position + 1] = new_offsets[position] + offsets[row + 1] - offsets[row]
    new_data = np.empty(new_offsets[-1], np.uint8)
    for position in range(rows.size):
        source = offsets[rows[position]]
        for byte in range(new_offsets[position + 1] - new_offsets[position]):
            new_data[new_offsets[position] + byte] = data[source + byte]
    return new_data, new_offsets
