"""Ids become dense codes in the order of the sorted ids; the sorted ids are kept for the way out."""

from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..arrays import Bytes, Counts, Flags, Indices, LabelCodes, Offsets, Words
from ..errors import VotesError
from ..kernels.sorting import (
    codes_of_bits,
    codes_of_order,
    group_by_code,
    group_starts,
    mark_present,
    order_of_keys,
    positions_of_bits,
    rank_bits,
)
from ..kernels.texts import common_prefix, gather, settle_runs, words_at

DENSE = 64
"""Up to so many possible integers per row, a bit for each is cheaper than sorting."""

WORD = 8
"""Bytes of a text that are compared at once."""


class IdColumn(Protocol):
    """A column of ids that grows batch by batch and is encoded when complete."""

    def append(self, values: pa.Array) -> None:
        """Take in a batch without nulls."""

    def encode(self) -> tuple[pa.Array, Counts]:
        """The distinct ids, sorted, and each row's position among them (int32). Empties the column."""


def id_column(value_type: pa.DataType) -> IdColumn:
    """A column for integers or strings."""
    return TextColumn() if pa.types.is_string(value_type) else IntegerColumn(value_type)


class IntegerColumn:
    """Integer ids, each batch an int64 array (unsigned ones by their bits)."""

    def __init__(self, value_type: pa.DataType) -> None:
        self.type = value_type
        self._chunks: list[Indices] = []
        self._lowest: int | None = None
        self._highest = 0

    def append(self, values: pa.Array) -> None:
        """Take in a batch of integers without nulls."""
        numbers = np.asarray(values)
        if numbers.size == 0:
            return
        lowest, highest = int(numbers.min()), int(numbers.max())
        self._lowest = lowest if self._lowest is None else min(lowest, self._lowest)
        self._highest = highest if len(self._chunks) == 0 else max(highest, self._highest)
        bits = numbers.view(np.int64) if numbers.dtype == np.uint64 else numbers.astype(np.int64, copy=False)
        self._chunks.append(bits)

    def encode(self) -> tuple[pa.Array, Counts]:
        """The distinct integers, ascending, and each row's position among them (int32). Empties the column."""
        if self._lowest is None:
            return pa.array([], self.type), np.empty(0, np.int32)
        codes = np.empty(sum(chunk.size for chunk in self._chunks), np.int32)
        span = self._highest - self._lowest
        # Counted from the lowest, modulo 2**64, every id is a number below 2**64.
        lowest = np.uint64(self._lowest % 2**64)
        encode = self._encode_dense if span <= DENSE * codes.size else self._encode_sparse
        distinct = encode(lowest, span, codes) + lowest
        self._chunks = []
        return pa.array(distinct.astype(self.type.to_pandas_dtype())), codes

    def _encode_dense(self, lowest: np.uint64, span: int, codes: Counts) -> Words:
        """By a bitmap of the ids that occur; it stays in the cache, so nothing is sorted and nothing hashed."""
        present = np.zeros((span >> 6) + 1, np.uint64)
        for chunk in self._chunks:
            mark_present(chunk, lowest, present)
        ranks = np.empty(present.size, np.int32)
        distinct = np.empty(rank_bits(present, ranks), np.uint64)
        positions_of_bits(present, distinct)
        row = 0
        for chunk in self._chunks:
            codes_of_bits(chunk, lowest, present, ranks, codes[row : row + chunk.size])
            row += chunk.size
        return distinct

    def _encode_sparse(self, lowest: np.uint64, _span: int, codes: Counts) -> Words:
        """By sorting."""
        keys = np.concatenate(self._chunks).view(np.uint64) - lowest
        self._chunks = []
        order = order_of_keys(keys)
        starts = group_starts(keys, order)
        codes_of_order(order, starts, codes)
        return keys[order[starts]]


class TextColumn:
    """String ids, kept as their UTF-8 bytes; they never become Python objects."""

    def __init__(self) -> None:
        self._chunks: list[tuple[Offsets, Bytes]] = []

    def append(self, values: pa.Array) -> None:
        """Take in a batch of strings without nulls."""
        wide = pa.types.is_large_string(values.type)
        _, offsets_buffer, data_buffer = values.buffers()
        offsets = np.frombuffer(offsets_buffer, np.int64 if wide else np.int32)
        offsets = offsets[values.offset : values.offset + len(values) + 1].astype(np.int64)
        data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.empty(0, np.uint8)
        self._chunks.append((offsets - offsets[0], data[offsets[0] : offsets[-1]]))

    def encode(self) -> tuple[pa.Array, Counts]:
        """The distinct strings in code-point order, and each row's position among them (int32)."""
        data, offsets = self._joined()
        order, starts = sort_texts(data, offsets)
        distinct_data, distinct_offsets = gather(data, offsets, order[starts])
        codes = np.empty(order.size, np.int32)
        codes_of_order(order, starts, codes)
        return _text_array(distinct_data, distinct_offsets), codes

    def _joined(self) -> tuple[Bytes, Offsets]:
        """All chunks in one; each is let go as soon as it is copied."""
        n_rows = sum(offsets.size - 1 for offsets, _ in self._chunks)
        data = np.empty(sum(chunk.size for _, chunk in self._chunks), np.uint8)
        all_offsets = np.zeros(n_rows + 1, np.int64)
        row = 0
        self._chunks.reverse()
        while self._chunks:
            offsets, chunk = self._chunks.pop()
            start = all_offsets[row]
            data[start : start + chunk.size] = chunk
            all_offsets[row + 1 : row + offsets.size] = start + offsets[1:]
            row += offsets.size - 1
        return data, all_offsets


class LabelColumn:
    """Labels, integers or strings, where null means no opinion."""

    def __init__(self, value_type: pa.DataType) -> None:
        self.type = value_type
        self._chunks: list[pa.Array] = []

    def append(self, values: pa.Array) -> None:
        """Take in a batch; strings come as dictionaries, so that each name is held once a batch."""
        if pa.types.is_string(self.type) and not pa.types.is_dictionary(values.type):
            values = values.dictionary_encode()
        self._chunks.append(values)

    def encode(self, origin: str) -> tuple[pa.Array, LabelCodes]:
        """The distinct labels, sorted, and each row's position among them (int32, -1 for null or blank).

        Empties the column. Raises VotesError, naming ``origin``, if a label is not valid text.
        """
        column = pa.chunked_array(self._chunks)
        self._chunks = []
        if pa.types.is_string(self.type):
            return _encode_dictionaries(column, origin)
        present = np.asarray(column.is_valid())
        integers = IntegerColumn(self.type)
        codes = np.full(len(column), -1, np.int32)
        for chunk in column.drop_null().chunks:
            integers.append(chunk)
        names, codes[present] = integers.encode()
        return names, codes


def _encode_dictionaries(column: pa.ChunkedArray, origin: str) -> tuple[pa.Array, LabelCodes]:
    """Sorted names and codes of a column of string dictionaries; only names that occur are kept."""
    unified = column.unify_dictionaries()
    dictionary = unified.chunk(0).dictionary if unified.num_chunks else pa.array([], pa.string())
    check_text(dictionary, "label", origin)
    positions = np.concatenate([_indices(chunk) for chunk in unified.chunks])
    occurs = np.zeros(len(dictionary) + 1, np.bool_)
    occurs[positions] = True
    blank = np.asarray(pc.equal(pc.utf8_trim_whitespace(dictionary), ""), dtype=np.bool_)
    kept = np.flatnonzero(occurs[:-1] & ~blank)
    names = dictionary.take(pa.array(kept))
    order = np.asarray(pc.sort_indices(names), dtype=np.int64)
    code_of = np.full(len(dictionary) + 1, -1, np.int32)
    code_of[kept[order]] = np.arange(kept.size, dtype=np.int32)
    return names.take(pa.array(order)), code_of[positions]


def check_text(ids: pa.Array, column: str, origin: str) -> None:
    """Raise VotesError if texts are not valid UTF-8: Parquet does not check."""
    try:
        ids.validate(full=True)
    except pa.ArrowInvalid as error:
        raise VotesError(
            f"column {column!r} holds text that is not UTF-8", where=origin, remedy="write it as UTF-8"
        ) from error


def _indices(chunk: pa.DictionaryArray) -> NDArray[np.int32]:
    """Positions in the dictionary, -1 (the last place of a table one longer) for null."""
    return np.asarray(chunk.indices.cast(pa.int32()).fill_null(-1))


def sort_texts(data: Bytes, offsets: Offsets) -> tuple[Counts, Flags]:
    """Rows in code-point order of their texts (int32), and where in that order a new text begins (bool).

    Sorts by the first eight bytes; then, only where texts agree in those and are not the same, by the next eight,
    and so on.
    """
    n_rows = offsets.size - 1
    depth = int(common_prefix(data, offsets))
    rows = np.arange(n_rows, dtype=np.int32)
    words = words_at(data, offsets, rows, depth)
    order = order_of_keys(words)
    starts = group_starts(words, order)
    del words
    places = np.arange(0)
    level_rows, level_starts = order, starts
    while True:
        unsettled = np.empty(level_rows.size, np.int64)
        n_runs = settle_runs(data, offsets, level_rows, depth, level_starts, unsettled)
        if level_rows is not order:
            order[places], starts[places] = level_rows, level_starts
        if n_runs == 0:
            return order, starts
        runs = unsettled[: 2 * n_runs].reshape(n_runs, 2)
        sizes = runs[:, 1] - runs[:, 0]
        within = np.repeat(runs[:, 0] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        places = within if level_rows is order else places[within]
        run_of = np.repeat(np.arange(n_runs, dtype=np.int32), sizes)
        depth += WORD
        level_rows, level_starts = _refine(data, offsets, level_rows[within], run_of, depth)


def _refine(data: Bytes, offsets: Offsets, rows: Counts, run_of: Counts, depth: int) -> tuple[Counts, Flags]:
    """Sort rows within their runs by the eight bytes at ``depth``, or by length where no text is longer."""
    lengths = offsets[rows + 1] - offsets[rows]
    exhausted = depth >= lengths.max()
    words = lengths.astype(np.uint64) if exhausted else words_at(data, offsets, rows, depth)
    by_word = order_of_keys(words)
    by_run = np.empty(rows.size, np.int32)
    group_by_code(run_of[by_word], np.zeros(int(run_of[-1]) + 2, np.int64), by_run)
    order = by_word[by_run]
    words, run_of = words[order], run_of[order]
    starts = np.ones(rows.size, np.bool_)
    starts[1:] = (words[1:] != words[:-1]) | (run_of[1:] != run_of[:-1])
    return rows[order], starts


def _text_array(data: Bytes, offsets: Offsets) -> pa.Array:
    """Texts as an Arrow array, with 64-bit offsets only where 32 bits do not reach."""
    if data.size < 2**31:
        narrow = offsets.astype(np.int32)
        return pa.StringArray.from_buffers(offsets.size - 1, pa.py_buffer(narrow), pa.py_buffer(data))
    return pa.LargeStringArray.from_buffers(offsets.size - 1, pa.py_buffer(offsets), pa.py_buffer(data))
