"""Packs short texts into one or two integers: UUIDs, and numbered names, take half or a quarter of the memory.

The bytes possible at each position are taken from the first texts. A digit there makes all digits possible, and
hexadecimal letters all of these: ids are numbered, and later ones have other digits.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import Bytes, Counts, Flags, Indices, Offsets, Ranks, Words
from ..kernels.ordering import order_of_keys, order_of_pairs, starts_of
from ..kernels.threads import in_blocks

CLASSES = tuple(frozenset(letters) for letters in (b"0123456789", b"0123456789abcdef", b"0123456789ABCDEF"))
"""Sets of bytes: all bytes of the first set that includes those seen at a position are possible there."""

LONGEST = 128  # bytes of the longest texts for which a packing is tried

WORD_BITS = 64


class Packing(NamedTuple):
    """Where in two words of 64 bits each position of a text is stored; arrays as in ``kernels.packing``."""

    ranks: Ranks
    word: Counts
    bit: Counts
    masks: Words
    symbols: Bytes  # uint8[n_places, most symbols]; the byte of each rank
    end: Indices  # int64[n_places]; the rank of the text's end, -1 where no text ends

    @property
    def has_low(self) -> bool:
        """Whether the second word is needed."""
        return bool(self.word.any())

    @classmethod
    def of(cls, data: Bytes, offsets: Offsets) -> "Packing | None":
        """The packing for texts like these; None if they do not fit into 128 bits."""
        from ..kernels.packing import mark_symbols

        n_places = int(np.diff(offsets).max())
        if n_places > LONGEST:
            return None
        occurs = np.zeros((n_places, 257), np.bool_)
        mark_symbols(data, offsets, occurs)
        places = [_possible(symbols) for symbols in occurs]
        bits = [(len(symbols) - 1).bit_length() for symbols in places]
        word, bit = np.zeros(n_places, np.int32), np.zeros(n_places, np.int32)
        used = 0
        for place, width in enumerate(bits):
            if used // WORD_BITS != (used + width - 1) // WORD_BITS and width:
                used = -(-used // WORD_BITS) * WORD_BITS  # no position is split between words
            used += width
            word[place] = max(0, used - 1) // WORD_BITS
            bit[place] = (word[place] + 1) * WORD_BITS - used if width else 0
        if used > 2 * WORD_BITS:
            return None
        ranks = np.full((n_places, 257), UNKNOWN, np.uint16)
        table = np.zeros((n_places, max(map(len, places), default=1)), np.uint8)
        for place, symbols in enumerate(places):
            ranks[place, symbols] = np.arange(len(symbols))
            table[place, : len(symbols)] = [max(0, symbol) for symbol in symbols]
        end = np.array([0 if symbols[0] < 0 else -1 for symbols in places], np.int64)
        masks = np.array([(1 << width) - 1 for width in bits], np.uint64)
        return cls(ranks, word, bit, masks, table, end)

    def pack(self, data: Bytes, offsets: Offsets, high: Words, low: Words) -> bool:
        """Pack texts into ``high`` and ``low``, uint64[n]; whether all fit the packing."""
        from ..kernels.packing import pack

        misfits = np.zeros(1, np.uint8)
        in_blocks(pack, high.size, data, offsets, self.ranks, self.word, self.bit, high, low, misfits)
        return not misfits[0]

    def unpack(self, high: Words, low: Words) -> tuple[Bytes, Offsets]:
        """Unpack texts: their bytes, uint8, and offsets, int64[n + 1]."""
        from ..kernels.packing import unpack_lengths, unpack_texts

        places = high, low, self.word, self.bit, self.masks
        offsets = np.arange(high.size + 1) * self.end.size
        if np.any(self.end >= 0):  # texts differ in length
            offsets[0] = 0
            in_blocks(unpack_lengths, high.size, *places, self.end, offsets[1:])
            np.cumsum(offsets, out=offsets)
        data = np.empty(offsets[-1], np.uint8)
        in_blocks(unpack_texts, high.size, *places, self.symbols, offsets, data)
        return data, offsets

    def sort(self, high: Words, low: Words) -> tuple[Words, Words, Counts, Flags]:
        """The packed texts sorted, their rows, and where in that order a new text begins."""
        if not self.has_low:
            high, order = order_of_keys(high)
            return high, low, order, starts_of(high)
        return order_of_pairs(high, low)


UNKNOWN = 0xFFFF  # the rank of an impossible byte, as in `kernels.packing`, which takes long to load
END = -1  # the end of a text among symbols: as an index, the last column of the ranks


def _possible(occurs: Flags) -> list[int]:
    """The possible symbols at a position, ascending: END, if a text may end there, then bytes.

    ``occurs`` bool[257] are those that do occur; the last is END.
    """
    occurring = frozenset(np.flatnonzero(occurs[:END]).tolist())
    whole = next((letters for letters in CLASSES if occurring <= letters), occurring)
    return [END] * bool(occurs[END]) + sorted(whole)
