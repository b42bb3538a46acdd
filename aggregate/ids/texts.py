"""Columns of string ids, held as UTF-8 bytes: no string becomes a Python object."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Bytes, Counts, Flags, Offsets, Words
from ..arrow import bytes_of, strings_of
from ..kernels.ordering import Buckets, bucket_places, buckets_of, codes_of, sort_bucketed, starts_of
from ..kernels.threads import in_blocks, kernels_side_by_side
from .packing import Packing

SPARE = 1.02  # factor by which the memory for all texts exceeds what the first batch's mean length predicts


FIRST_ROWS = 1000  # rows from which the bytes that occur in the column are guessed


class TextColumn:
    """A column of strings that grows batch by batch and is encoded when complete.

    Texts are packed as long as they fit the packing of the first ones, else stored as they are.
    """

    def __init__(self, capacity: int) -> None:
        """``capacity``: rows at most."""
        self._capacity = capacity
        self._packed: _PackedTexts | None = None
        self._plain: _PlainTexts | None = None

    def append(self, values: pa.Array) -> None:
        """Append a batch of strings without nulls."""
        if len(values) == 0:
            return
        data, offsets = bytes_of(values)
        if self._packed is None and self._plain is None:
            packing = Packing.of(data, offsets)
            self._packed = None if packing is None else _PackedTexts(packing, self._capacity)
        if self._packed is not None and not self._packed.append(data, offsets):
            self._plain = _PlainTexts(self._capacity)
            self._plain.append(*self._packed.texts())
            self._packed = None
        if self._packed is None:
            self._plain = _PlainTexts(self._capacity) if self._plain is None else self._plain
            self._plain.append(data, offsets)

    def encode(self) -> tuple[pa.Array, Counts]:
        """The distinct strings in code-point order, and each row's position among them (int32). Empties the column."""
        texts = self._packed or self._plain or _PlainTexts(0)
        self._packed = self._plain = None
        return texts.encode()


class _PackedTexts:
    """Packed texts: 8 or 16 bytes a row."""

    def __init__(self, packing: Packing, capacity: int) -> None:
        self._packing = packing
        self._rows = 0
        self._high: Words = np.empty(capacity, np.uint64)
        self._low: Words = np.empty(capacity if packing.has_low else 0, np.uint64)

    def append(self, data: Bytes, offsets: Offsets) -> bool:
        """Append all texts if they fit the packing, else none; whether they fit."""
        rows = self._rows + offsets.size - 1
        if not self._packing.pack(data, offsets, self._high[self._rows : rows], self._low[self._rows : rows]):
            return False
        self._rows = rows
        return True

    def texts(self) -> tuple[Bytes, Offsets]:
        """The texts appended so far."""
        return self._packing.unpack(self._high[: self._rows], self._low[: self._rows])

    def encode(self) -> tuple[pa.Array, Counts]:
        """As :meth:`TextColumn.encode`."""
        high, low = self._high[: self._rows], self._low[: self._rows]
        del self._high, self._low
        high, low, order, starts = self._packing.sort(high, low)
        codes = codes_of(order, starts)
        del order
        return strings_of(*self._packing.unpack(high[starts], low[starts] if low.size else low)), codes


class _PlainTexts:
    """Unpacked texts: their bytes, and 8 bytes a row for the offsets."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._rows = 0
        self._data: Bytes = np.empty(0, np.uint8)
        self._offsets: Offsets = np.zeros(capacity + 1, np.int64)

    def append(self, data: Bytes, offsets: Offsets) -> None:
        """Append texts."""
        row, rows = self._rows, self._rows + offsets.size - 1
        start = int(self._offsets[row])
        stop = start + data.size
        if stop > self._data.size:
            self._make_room(start, max(stop, int(stop / rows * self._capacity * SPARE)))
        self._data[start:stop] = data
        np.add(offsets[1:], start, out=self._offsets[row + 1 : rows + 1])
        self._rows = rows

    def encode(self) -> tuple[pa.Array, Counts]:
        """As :meth:`TextColumn.encode`."""
        rows, texts = self._bucketed()
        order, starts = texts.sort()
        codes = codes_of(rows[order], starts)
        return texts.take(order[starts]), codes

    def _bucketed(self) -> tuple[Counts, "BucketedTexts"]:
        """The texts scattered to buckets, and the row of each. Empties the column."""
        offsets = self._offsets[: self._rows + 1]
        data = self._data[: offsets[-1]]
        self._data, self._offsets, self._rows = np.empty(0, np.uint8), np.zeros(1, np.int64), 0
        return scatter_texts(data, offsets)

    def _make_room(self, used: int, size: int) -> None:
        """Reserve memory of ``size`` bytes: as long as it is not written to, the system gives none."""
        data = np.empty(size, np.uint8)
        data[:used] = self._data[:used]
        self._data = data


class BucketedTexts(NamedTuple):
    """Texts scattered to buckets by their first bytes, so that those to be compared are near each other in memory."""

    data: Bytes
    offsets: Offsets
    keys: Words  # uint64[n]; the key of the `width` bytes at `depth`. All texts share the bytes before these
    depth: int
    width: int
    buckets: Buckets

    def sort(self) -> tuple[Counts, Flags]:
        """The texts' positions (int32) in code-point order, and where in that order a new text begins (bool).

        Sorts by the keys; then, only where different texts have equal keys, by the key of the next bytes, and so on.
        """
        from ..kernels.sorting import sort_buckets
        from ..kernels.texts import keys_at, settle_runs

        data, offsets, depth, width = self.data, self.offsets, self.depth, self.width
        order = np.arange(self.keys.size, dtype=np.int32)
        sort_bucketed(self.buckets, self.keys, order)
        starts = starts_of(self.keys)
        places = np.arange(0)
        level, level_starts = order, starts
        while True:
            depth += width
            run_starts, unsettled = level_starts.copy(), np.zeros(level.size, np.bool_)
            in_blocks(settle_runs, level.size, data, offsets, level, depth, level_starts, run_starts, unsettled)
            if level is order:
                starts = run_starts
            else:
                order[places], starts[places] = level, run_starts
            first = np.flatnonzero(unsettled)
            if first.size == 0:
                return order, starts
            begins = np.append(np.flatnonzero(level_starts), level.size)
            sizes = begins[np.searchsorted(begins, first) + 1] - first
            edges = np.append(0, np.cumsum(sizes))
            within = np.repeat(first - edges[:-1], sizes) + np.arange(edges[-1])
            places = within if level is order else places[within]
            level = level[within]
            keys, seen = np.empty(level.size, np.uint64), np.empty(256, np.uint8)
            ranks, bits = np.arange(1, 257, dtype=np.uint64), 9  # any byte may occur
            width = 64 // bits
            in_blocks(keys_at, level.size, data, offsets, level, depth, ranks, bits, keys, seen)
            sort_buckets(0, sizes.size, edges, keys, level)
            level_starts = starts_of(keys)
            level_starts[edges[:-1]] = True

    def take(self, positions: Counts) -> pa.Array:
        """The texts at ``positions`` as an Arrow array."""
        from ..kernels.texts import gather, lengths_of

        n = positions.size
        offsets = np.zeros(n + 1, np.int64)
        in_blocks(lengths_of, n, self.offsets, positions, offsets[1:])
        np.cumsum(offsets, out=offsets)
        data = np.empty(offsets[-1], np.uint8)
        in_blocks(gather, n, self.data, self.offsets, positions, offsets, data)
        return strings_of(data, offsets)


def scatter_texts(data: Bytes, offsets: Offsets) -> tuple[Counts, BucketedTexts]:
    """Scatter texts to buckets: the row (int32) of each, and the texts, in the new order."""
    from ..kernels import texts as kernels

    n_rows = offsets.size - 1
    depth = int(kernels.common_prefix(data, offsets))
    keys, width = _first_keys(data, offsets, depth)
    buckets = buckets_of(keys)
    n_bytes = np.zeros_like(buckets.places)

    def count(part: int) -> None:
        kernels.count_bytes(*buckets.parts[part], keys, buckets.shift, buckets.mask, offsets, n_bytes[part])

    kernels_side_by_side(*(partial(count, part) for part in range(len(buckets.parts))))
    _, byte_places = bucket_places(n_bytes)
    bucketed_keys, rows = np.empty_like(keys), np.empty(n_rows, np.int32)
    bucketed_data, bucketed_offsets = np.empty_like(data), np.empty_like(offsets)
    bucketed_offsets[-1] = data.size

    out = bucketed_keys, rows, bucketed_data, bucketed_offsets

    def write(p: int) -> None:
        (first, last), b = buckets.parts[p], buckets
        kernels.scatter_texts(first, last, keys, b.shift, b.mask, b.places[p], data, offsets, byte_places[p], *out)

    kernels_side_by_side(*(partial(write, part) for part in range(len(buckets.parts))))
    return rows, BucketedTexts(bucketed_data, bucketed_offsets, bucketed_keys, depth, width, buckets)


def _first_keys(data: Bytes, offsets: Offsets, depth: int) -> tuple[Words, int]:
    """The keys of all rows at ``depth``, and how many bytes they hold.

    Tries the bytes of the first rows, then also those that occur elsewhere in the keys: so there are fewer to a key.
    """
    from ..kernels.texts import keys_at

    n_rows = offsets.size - 1
    keys = np.empty(n_rows, np.uint64)
    first = np.bincount(data[: offsets[min(n_rows, FIRST_ROWS)]], minlength=256)
    occurs, is_strange = first > 0, np.ones(256, np.uint8)
    while is_strange.any():
        ranks = np.cumsum(occurs, dtype=np.uint64) * occurs
        bits = max(1, int(ranks.max()).bit_length())
        is_strange = np.zeros(256, np.uint8)
        in_blocks(keys_at, n_rows, data, offsets, np.empty(0, np.int32), depth, ranks, bits, keys, is_strange)
        occurs |= is_strange > 0
    return keys, 64 // bits
