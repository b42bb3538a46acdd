"""Packs short texts into integers that sort as they do: few bytes are possible at a position, so ranks take few bits.

A packing has the ranks of the bytes at each position, uint16[n_places, 257], where the last column is the end of the
text (it sorts before every byte) and UNKNOWN marks an impossible byte; the word in which a rank is stored, 0 or 1; and
its bit, counted from the lowest. A position at which all texts agree takes no bits.
"""

import numpy as np

from ..arrays import Bytes, Counts, Flags, Indices, Offsets, Ranks, Words
from .jit import kernel

END = 256  # the column of the ranks for the end of the text
UNKNOWN = 0xFFFF  # the rank of an impossible byte


@kernel
def mark_symbols(data: Bytes, offsets: Offsets, occurs: Flags) -> None:
    """occurs[place, b], bool[n_places, 257], becomes true where byte b occurs at a place, or END after the text."""
    n_places = occurs.shape[0]
    for row in range(offsets.size - 1):
        size = offsets[row + 1] - offsets[row]
        for place in range(size):
            occurs[place, data[offsets[row] + place]] = True
        for place in range(size, n_places):
            occurs[place, END] = True


@kernel
def pack(
    first: int,
    last: int,
    data: Bytes,
    offsets: Offsets,
    ranks: Ranks,
    word: Counts,
    bit: Counts,
    high: Words,
    low: Words,
    misfits: Bytes,
) -> None:
    """Pack texts; misfits[0] becomes 1 if one has a byte without a rank (several threads may set it).

    ``low`` may be empty if no position is stored in word 1.
    """
    n_places = ranks.shape[0]
    split = n_places
    while split > 0 and word[split - 1] == 1:
        split -= 1
    for row in range(first, last):
        size = offsets[row + 1] - offsets[row]
        worst = np.uint16(UNKNOWN if size > n_places else 0)
        packed = np.uint64(0)
        for place in range(split):
            rank = ranks[place, data[offsets[row] + place] if place < size else END]
            worst = max(worst, rank)
            packed |= np.uint64(rank) << np.uint64(bit[place])
        high[row] = packed
        if low.size > 0:
            packed = np.uint64(0)
            for place in range(split, n_places):
                rank = ranks[place, data[offsets[row] + place] if place < size else END]
                worst = max(worst, rank)
                packed |= np.uint64(rank) << np.uint64(bit[place])
            low[row] = packed
        if worst == UNKNOWN:
            misfits[0] = 1


@kernel
def unpack_lengths(
    first: int,
    last: int,
    high: Words,
    low: Words,
    word: Counts,
    bit: Counts,
    masks: Words,
    end: Indices,
    lengths: Offsets,
) -> None:
    """lengths[row] = places before the text's end; end[place] is the rank of the end there, -1 if it has none."""
    for row in range(first, last):
        length = 0
        for place in range(end.size):
            words = high[row] if word[place] == 0 else low[row]
            rank = (words >> np.uint64(bit[place])) & masks[place]
            if np.int64(rank) == end[place]:
                break
            length += 1
        lengths[row] = length


@kernel
def unpack_texts(
    first: int,
    last: int,
    high: Words,
    low: Words,
    word: Counts,
    bit: Counts,
    masks: Words,
    symbols: Bytes,
    offsets: Offsets,
    data: Bytes,
) -> None:
    """Write the texts to where ``offsets`` says; symbols[place, rank] is the byte of a rank."""
    split = word.size
    while split > 0 and word[split - 1] == 1:
        split -= 1
    for row in range(first, last):
        start = np.uint64(offsets[row])
        length = np.uint64(offsets[row + 1]) - start
        words = high[row]
        for place in range(np.uint64(0), min(length, np.uint64(split))):
            data[start + place] = symbols[place, (words >> np.uint64(bit[place])) & masks[place]]
        if length > np.uint64(split):
            words = low[row]
            for place in range(np.uint64(split), length):
                data[start + place] = symbols[place, (words >> np.uint64(bit[place])) & masks[place]]
