"""Texts in code-point order. Texts are one array of UTF-8 bytes and the offsets between them.

UTF-8's byte order is the order of the code points. A few bytes at a time become a key, a uint64 that sorts
as they do: of each byte only its rank among the bytes that occur, in as few bits as hold it, and 0 after the end. So a
key holds eight bytes of any text, but twelve of a UUID.
"""

from typing import Any

import numpy as np

from ..arrays import Bytes, Counts, Flags, Indices, Offsets, Words
from .jit import cgutils, intrinsic, kernel, numba

FEW = 24  # texts of a run up to which it is sorted by direct comparison


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

    ``ranks`` uint64[256] has the rank of each byte, from 1, in ``bits`` bits, or 0: where such a byte occurs,
    is_strange[b] becomes 1 (several threads may set it) and the keys are invalid.
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
def count_bytes(
    first: int, last: int, keys: Words, shift: int, mask: np.uint64, offsets: Offsets, n_bytes: Indices
) -> None:
    """Add the lengths of the texts of the rows ``first <= row < last`` to their buckets' (see ``sorting``)."""
    for row in range(first, last):
        n_bytes[np.int64((keys[row] >> np.uint64(shift)) & mask)] += offsets[row + 1] - offsets[row]


@intrinsic  # type: ignore[untyped-decorator]
def _copy(typing_context: Any, source: Any, start: Any, size: Any, target: Any, place: Any) -> Any:
    """target[place : place + size] = source[start : start + size], as the memory copy that the processor does best.

    A loop over bytes takes three times as long, or fifteen if the compiler makes a vector loop of it.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [context.make_array(signature.args[k])(context, builder, arguments[k]) for k in (0, 3)]
        here, there = (builder.gep(array.data, [arguments[k]]) for array, k in zip(arrays, (1, 4), strict=True))
        cgutils.raw_memcpy(builder, there, here, arguments[2], 1)
        return context.get_dummy_value()

    return numba.types.void(source, start, size, target, place), generate


@kernel
def scatter_texts(
    first: int,
    last: int,
    keys: Words,
    shift: int,
    mask: np.uint64,
    places: Indices,
    data: Bytes,
    offsets: Offsets,
    byte_places: Indices,
    bucketed_keys: Words,
    bucketed_rows: Counts,
    bucketed_data: Bytes,
    bucketed_offsets: Offsets,
) -> None:
    """Write keys, row numbers and texts to the next position of their bucket; advances ``places`` and ``byte_places``.

    The texts of a bucket are then contiguous, so that the cache holds them while the bucket is sorted.
    """
    for row in range(first, last):
        bucket = np.int64((keys[row] >> np.uint64(shift)) & mask)
        place, byte_place, size = places[bucket], byte_places[bucket], offsets[row + 1] - offsets[row]
        bucketed_keys[place] = keys[row]
        bucketed_rows[place] = row
        bucketed_offsets[place] = byte_place
        _copy(data, offsets[row], size, bucketed_data, byte_place)
        places[bucket] = place + 1
        byte_places[bucket] = byte_place + size


@kernel
def _compare(data: Bytes, a: int, a_stop: int, b: int, b_stop: int) -> int:
    """-1, 0 or 1: whether the text at ``a`` is less than, equal to or greater than the text at ``b``."""
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
def _compare_across(data: Bytes, a: int, a_size: int, other: Bytes, b: int, b_size: int) -> int:
    """-1, 0 or 1: whether a text of ``data`` is less than, equal to or greater than one of ``other``."""
    for byte in range(min(a_size, b_size)):
        if data[a + byte] != other[b + byte]:
            return -1 if data[a + byte] < other[b + byte] else 1
    return (a_size > b_size) - (a_size < b_size)


@kernel
def places_among_sorted(data: Bytes, offsets: Offsets, wanted: Bytes, wanted_offsets: Offsets, places: Counts) -> None:
    """places[row] = position of the wanted text of a row among the texts, else -1; both are sorted."""
    place, n = 0, offsets.size - 1
    for row in range(wanted_offsets.size - 1):
        places[row] = -1
        start, stop = wanted_offsets[row], wanted_offsets[row + 1]
        while place < n and places[row] < 0:
            size = offsets[place + 1] - offsets[place]
            order = _compare_across(data, offsets[place], size, wanted, start, stop - start)
            if order == 0:
                places[row] = place
            elif order > 0:
                break
            place += 1


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
    any other run begins ``unsettled`` is set. Handles the runs that begin at ``first <= p < last``.
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
    for position in range(first, last):
        start = new_offsets[position]
        _copy(data, offsets[rows[position]], new_offsets[position + 1] - start, new_data, start)
