"""Encodes ids as dense codes in the order of the sorted ids, which are kept to decode them."""

from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Counts, Integers, LabelCodes, Words
from ..arrow import dtype_of, scalar, strings, to_arrow, to_numpy
from ..errors import VotesError
from ..kernels.ordering import codes_of, order_of_keys, starts_of
from ..kernels.threads import in_blocks
from .texts import TextColumn

DENSE = 64  # possible integers per row up to which a bitmap of them is cheaper than sorting


class IdColumn(Protocol):
    """A column of ids that grows batch by batch and is encoded when complete."""

    def append(self, values: pa.Array) -> None:
        """Append a batch without nulls."""

    def encode(self) -> tuple[pa.Array, Counts]:
        """The distinct ids, sorted, and each row's position among them (int32). Empties the column."""


def id_column(value_type: pa.DataType, capacity: int) -> IdColumn:
    """A column for integers or strings, of ``capacity`` rows at most."""
    return TextColumn(capacity) if pa.types.is_string(value_type) else IntegerColumn(value_type, capacity)


class IntegerColumn:
    """Integer ids, stored as their distance, modulo 2**64, from the lowest of the first batch.

    The distances are int32 as long as they fit, as those of consecutive ids do.
    """

    def __init__(self, value_type: pa.DataType, capacity: int) -> None:
        """``capacity``: rows at most."""
        self.type = value_type
        self._rows = 0
        self._distances: Integers = np.empty(capacity, np.int32)
        self._base = self._lowest = self._highest = 0

    def append(self, values: pa.Array) -> None:
        """Append a batch of integers without nulls."""
        numbers = to_numpy(values)
        if numbers.size == 0:
            return
        lowest, highest = int(numbers.min()), int(numbers.max())
        if self._rows == 0:
            self._base = self._lowest = lowest
            self._highest = highest
        self._lowest, self._highest = min(lowest, self._lowest), max(highest, self._highest)
        if self._distances.dtype == np.int32 and not self._fits(np.int32):
            wide = np.empty(self._distances.size, np.int64)
            wide[: self._rows] = self._distances[: self._rows]
            self._distances = wide
        distances = numbers.astype(np.uint64) - np.uint64(self._base % 2**64)
        self._distances[self._rows : self._rows + numbers.size] = distances.view(np.int64)
        self._rows += numbers.size

    def encode(self) -> tuple[pa.Array, Counts]:
        """The distinct integers, ascending, and each row's position among them (int32). Empties the column."""
        distances, self._distances = self._distances[: self._rows], np.empty(0, np.int32)
        lowest = np.uint64((self._lowest - self._base) % 2**64)
        span = self._highest - self._lowest
        encode = _encode_dense if span <= DENSE * self._rows else _encode_sparse
        distinct, codes = encode(distances, lowest, span)
        distinct += np.uint64(self._base % 2**64)
        kind = dtype_of(self.type)
        return to_arrow(distinct.view(kind) if kind.itemsize == 8 else distinct.astype(kind)), codes

    def _fits(self, kind: type[np.signedinteger[Any]]) -> bool:
        limits = np.iinfo(kind)
        return limits.min <= self._lowest - self._base and self._highest - self._base <= limits.max


def _encode_dense(distances: Integers, lowest: np.uint64, span: int) -> tuple[Words, Counts]:
    """Encode by a bitmap of the ids that occur, which fits the cache: nothing is sorted or hashed."""
    from ..kernels.bitmaps import codes_of_bits, mark_present, rank_bits, values_of_bits

    present = np.zeros((span >> 6) + 1, np.uint64)
    mark_present(distances, lowest, present)
    ranks = np.empty(present.size, np.int32)
    distinct = np.empty(rank_bits(present, ranks), np.uint64)
    values_of_bits(present, lowest, distinct)
    # Codes overwrite the distances if these are as narrow: new memory would have to be cleared first.
    codes = distances if distances.dtype == np.int32 else np.empty(distances.size, np.int32)
    in_blocks(codes_of_bits, distances.size, distances, lowest, present, ranks, codes)
    return distinct, codes.view(np.int32)


def _encode_sparse(distances: Integers, lowest: np.uint64, _span: int) -> tuple[Words, Counts]:
    keys = distances.astype(np.int64).view(np.uint64)
    keys -= lowest
    keys, order = order_of_keys(keys)
    starts = starts_of(keys)
    return keys[starts] + lowest, codes_of(order, starts)


class LabelColumn:
    """Labels, integers or strings, where null means no opinion."""

    def __init__(self, value_type: pa.DataType, capacity: int) -> None:
        """``capacity``: rows at most."""
        self.type = value_type
        self._rows = 0
        self._codes: LabelCodes = np.empty(capacity, np.int32)
        self._dictionaries: list[pa.Array] = []
        self._starts: list[int] = []
        self._integers = None if pa.types.is_string(value_type) else IntegerColumn(value_type, capacity)

    def append(self, values: pa.Array) -> None:
        """Append a batch; strings must be UTF-8, and may be dictionaries: each name is stored once a batch."""
        here = self._codes[self._rows : self._rows + len(values)]
        if self._integers is not None:
            here[:] = np.where(to_numpy(values.is_valid()), 0, -1)
            self._integers.append(values.drop_null())
        else:
            if not pa.types.is_dictionary(values.type):
                values = values.dictionary_encode()
            here[:] = to_numpy(values.indices.cast(pa.int32()), null=-1)
            if not self._dictionaries or not values.dictionary.equals(self._dictionaries[-1]):
                self._dictionaries.append(values.dictionary)
                self._starts.append(self._rows)
        self._rows += len(values)

    def encode(self) -> tuple[pa.Array, LabelCodes]:
        """The distinct labels, sorted, and each row's position among them (int32, -1 for null or blank).

        Empties the column.
        """
        codes, self._codes = self._codes[: self._rows], np.empty(0, np.int32)
        if self._integers is None:
            return self._encode_texts(codes), codes
        names, codes[codes == 0] = self._integers.encode()
        return names, codes

    def _encode_texts(self, codes: LabelCodes) -> pa.Array:
        """The sorted names that occur; ``codes``, positions in the batches' dictionaries, become positions in these."""
        dictionaries, self._dictionaries = self._dictionaries, []
        sizes = [len(dictionary) for dictionary in dictionaries]
        every = pa.concat_arrays(dictionaries) if dictionaries else strings([])
        together = every.dictionary_encode()
        # A null in a dictionary, encoded as -1, comes last.
        place = to_numpy(together.indices.cast(pa.int32()), null=len(together.dictionary))
        places = np.split(place, np.cumsum(sizes)[:-1]) if sizes else []
        parts = [codes[a:b] for a, b in pairwise([*self._starts, codes.size])]

        occurs = np.zeros(len(together.dictionary) + 1, np.bool_)
        for part, names in zip(parts, places, strict=True):
            seen = np.zeros(names.size + 1, np.bool_)
            seen[part] = True
            occurs[names[seen[:-1]]] = True
        blank = to_numpy(pc.equal(pc.utf8_trim_whitespace(together.dictionary), scalar("")))
        kept = np.flatnonzero(occurs[:-1] & ~blank)
        sorted_names = together.dictionary.take(to_arrow(kept))
        order = to_numpy(pc.sort_indices(sorted_names)).astype(np.int64)
        code_of = np.full(occurs.size, -1, np.int32)
        code_of[kept[order]] = np.arange(kept.size, dtype=np.int32)
        for part, names in zip(parts, places, strict=True):
            part[:] = np.append(code_of[names], np.int32(-1))[part]
        return sorted_names.take(to_arrow(order))


def check_text(ids: pa.Array, column: str, origin: str) -> None:
    """Raise VotesError if texts are not valid UTF-8: Parquet does not check."""
    try:
        ids.validate(full=True)
    except pa.ArrowInvalid as error:
        raise VotesError(
            f"column {column!r} holds text that is not UTF-8", where=origin, remedy="write it as UTF-8"
        ) from error
