"""String ids, kept as their UTF-8 bytes: they never become Python objects."""

import numpy as np
import pyarrow as pa

from ..arrays import Bytes, Counts, Flags, Offsets, Words
from .ordering import codes_of, order_of_keys, starts_of

SPARE = 1.02
"""Room for so much more than the first batch's texts, on average, would take."""


FIRST_ROWS = 1000
"""Rows whose bytes are likely those of all."""


class TextColumn:
    """A column of strings that grows batch by batch and is encoded when complete."""

    def __init__(self, capacity: int) -> None:
        """``capacity``: rows at most."""
        self._capacity = capacity
        self._rows = 0
        self._data: Bytes = np.empty(0, np.uint8)
        self._offsets: Offsets = np.zeros(capacity + 1, np.int64)

    def append(self, values: pa.Array) -> None:
        """Take in a batch of strings without nulls."""
        wide = pa.types.is_large_string(values.type)
        _, offsets_buffer, data_buffer = values.buffers()
        offsets = np.frombuffer(offsets_buffer, np.int64 if wide else np.int32)
        offsets = offsets[values.offset : values.offset + len(values) + 1]
        data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.empty(0, np.uint8)
        data = data[offsets[0] : offsets[-1]]

        row, rows = self._rows, self._rows + len(values)
        start = int(self._offsets[row])
        stop = start + data.size
        if stop > self._data.size:
            self._make_room(start, max(stop, int(stop / rows * self._capacity * SPARE)))
        self._data[start:stop] = data
        np.subtract(offsets[1:], offsets[0] - start, out=self._offsets[row + 1 : rows + 1], dtype=np.int64)
        self._rows = rows

    def encode(self) -> tuple[pa.Array, Counts]:
        """The distinct strings in code-point order, and each row's position among them (int32). Empties the column."""
        offsets = self._offsets[: self._rows + 1]
        data = self._data[: offsets[-1]]
        self._data, self._offsets, self._rows = np.empty(0, np.uint8), np.zeros(1, np.int64), 0
        order, starts = sort_texts(data, offsets)
        codes = codes_of(order, starts)
        return gather_texts(data, offsets, order[starts]), codes

    def _make_room(self, used: int, size: int) -> None:
        """Memory that is reserved and not yet written to costs nothing."""
        data = np.empty(size, np.uint8)
        data[:used] = self._data[:used]
        self._data = data


def sort_texts(data: Bytes, offsets: Offsets) -> tuple[Counts, Flags]:
    """Rows in code-point order of their texts (int32), and where in that order a new text begins (bool).

    Sorts by a key of the first bytes; then, only where texts agree in those and are not the same, by the next, and so
    on.
    """
    from ..kernels.sorting import sort_buckets
    from ..kernels.texts import common_prefix, keys_at, settle_runs
    from ..kernels.threads import in_blocks

    depth = int(common_prefix(data, offsets))
    keys, width = _first_keys(data, offsets, depth)
    keys, order = order_of_keys(keys)
    starts = starts_of(keys)
    del keys
    places = np.arange(0)
    level_rows, level_starts = order, starts
    while True:
        depth += width
        run_starts, unsettled = level_starts.copy(), np.zeros(level_rows.size, np.bool_)
        in_blocks(settle_runs, level_rows.size, data, offsets, level_rows, depth, level_starts, run_starts, unsettled)
        if level_rows is order:
            starts = run_starts
        else:
            order[places], starts[places] = level_rows, run_starts
        first = np.flatnonzero(unsettled)
        if first.size == 0:
            return order, starts
        begins = np.append(np.flatnonzero(level_starts), level_rows.size)
        sizes = begins[np.searchsorted(begins, first) + 1] - first
        edges = np.append(0, np.cumsum(sizes))
        within = np.repeat(first - edges[:-1], sizes) + np.arange(edges[-1])
        places = within if level_rows is order else places[within]
        level_rows = level_rows[within]
        keys = np.empty(level_rows.size, np.uint64)
        ranks, bits = np.arange(1, 257, dtype=np.uint64), 9  # whatever bytes come
        width = 64 // bits
        seen = np.empty(256, np.uint8)
        in_blocks(keys_at, level_rows.size, data, offsets, level_rows, depth, ranks, bits, keys, seen)
        sort_buckets(0, sizes.size, edges, keys, level_rows)
        level_starts = starts_of(keys)
        level_starts[edges[:-1]] = True


def gather_texts(data: Bytes, offsets: Offsets, rows: Counts) -> pa.Array:
    """The texts of ``rows`` as an Arrow array, with 64-bit offsets only where 32 bits do not reach."""
    from ..kernels.texts import gather, lengths_of
    from ..kernels.threads import in_blocks

    new_offsets = np.zeros(rows.size + 1, np.int64)
    in_blocks(lengths_of, rows.size, offsets, rows, new_offsets[1:])
    np.cumsum(new_offsets, out=new_offsets)
    new_data = np.empty(new_offsets[-1], np.uint8)
    in_blocks(gather, rows.size, data, offsets, rows, new_offsets, new_data)
    if new_data.size < 2**31:
        narrow = new_offsets.astype(np.int32)
        return pa.StringArray.from_buffers(rows.size, pa.py_buffer(narrow), pa.py_buffer(new_data))
    return pa.LargeStringArray.from_buffers(rows.size, pa.py_buffer(new_offsets), pa.py_buffer(new_data))


def _first_keys(data: Bytes, offsets: Offsets, depth: int) -> tuple[Words, int]:
    """The keys of all rows at ``depth``, and how many bytes they hold.

    Tries the bytes of the first rows, and all bytes only if others come to light.
    """
    from ..kernels.texts import keys_at
    from ..kernels.threads import in_blocks

    n_rows = offsets.size - 1
    keys = np.empty(n_rows, np.uint64)
    for sample in (data[: offsets[min(n_rows, FIRST_ROWS)]], data):
        occurs = np.zeros(256, np.uint64)
        occurs[np.flatnonzero(np.bincount(sample, minlength=256))] = 1
        ranks = np.cumsum(occurs, dtype=np.uint64) * occurs
        bits = max(1, int(ranks.max()).bit_length())
        is_strange = np.zeros(256, np.uint8)
        in_blocks(keys_at, n_rows, data, offsets, np.empty(0, np.int32), depth, ranks, bits, keys, is_strange)
        if not is_strange.any():
            break
    return keys, 64 // bits
