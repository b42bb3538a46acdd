"""Codes of values among known ones: ids among the sorted ids of the votes, labels among their names."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Counts, Indices, LabelCodes, Words
from ..arrow import bytes_of, fill_null, scalar, to_numpy
from ..kernels.threads import in_blocks
from .encoding import DENSE
from .text_faults import with_nulls


class IdIndex:
    """Looks ids up among sorted distinct ones. Takes up to 12 bytes for each of these beside the ids themselves."""

    def __init__(self, ids: pa.Array) -> None:
        self._is_text = not pa.types.is_integer(ids.type)
        if self._is_text:
            from ..kernels.lookup import fill_table

            self._data, self._offsets = bytes_of(ids)
            self._table = np.full(1 << (2 * len(ids)).bit_length(), -1, np.int32)
            fill_table(self._data, self._offsets, self._table)
        else:
            self._unsigned = ids.type == pa.uint64()
            self._numbers = to_numpy(ids.cast(pa.uint64() if self._unsigned else pa.int64()))
            self._bits = _bits_of(self._numbers)

    def codes_of(self, values: pa.Array) -> Counts:
        """The position of each value among the ids, int32; -1 for null or unknown.

        Integers of different widths are compared by value.
        """
        from ..kernels.bitmaps import places_of_bits
        from ..kernels.lookup import places_of_integers, places_of_texts

        codes = np.empty(len(values), np.int32)
        nulls = values.null_count > 0
        if self._is_text:
            wanted = fill_null(values, "")
            table = (self._data, self._offsets, self._table)
            in_blocks(places_of_texts, codes.size, *table, *bytes_of(wanted), codes)
        else:
            numbers, strange = self._numbers_of(fill_null(values, 0))
            if self._bits is not None:
                in_blocks(places_of_bits, codes.size, numbers.view(np.int64), *self._bits, codes)
            else:
                in_blocks(places_of_integers, codes.size, self._numbers, numbers, codes)
            if strange is not None:
                codes[strange] = -1
        if nulls:
            codes[to_numpy(values.is_null())] = -1
        return codes

    def _numbers_of(self, values: pa.Array) -> tuple[Indices, np.ndarray | None]:
        """The values in the type of the ids, and which of them (bool) are out of its range; None if none can be."""
        numbers = to_numpy(values)
        if self._unsigned:
            strange = None if numbers.dtype.kind == "u" else numbers < 0
            return numbers.astype(np.uint64), strange
        return numbers.astype(np.int64), numbers > np.iinfo(np.int64).max if numbers.dtype == np.uint64 else None


def _bits_of(ids: Indices) -> tuple[np.uint64, Words, Counts] | None:
    """The lowest id, a bit for every number from there on, and ranks; None if the ids are too sparse for that."""
    from ..kernels.bitmaps import mark_present, rank_bits

    if ids.size == 0 or int(ids[-1]) - int(ids[0]) > DENSE * ids.size:
        return None
    lowest = np.uint64(int(ids[0]) % 2**64)
    present = np.zeros(((int(ids[-1]) - int(ids[0])) >> 6) + 1, np.uint64)
    mark_present(ids.view(np.int64), lowest, present)
    ranks = np.empty(present.size, np.int32)
    rank_bits(present, ranks)
    return lowest, present, ranks


class LabelIndex:
    """Numbers labels: the given names first, then others in the order in which they are first looked up."""

    def __init__(self, names: pa.Array) -> None:
        self._is_text = not pa.types.is_integer(names.type)
        if self._is_text:
            self._names = names
        else:
            self._names = names.cast(pa.decimal128(20)) if names.type == pa.uint64() else names.cast(pa.int64())
        self._last: tuple[pa.Array, LabelCodes] | None = None

    def __len__(self) -> int:
        return len(self._names)

    @property
    def names(self) -> pa.Array:
        """The label of each number."""
        return self._names

    def codes_of(self, labels: pa.Array) -> LabelCodes:
        """The number of each label, int32; -1 for null or blank. A dictionary's values are looked up once."""
        if not pa.types.is_dictionary(labels.type):
            return self._look_up(labels)
        if self._last is None or not labels.dictionary.equals(self._last[0]):
            self._last = labels.dictionary, np.append(self._look_up(labels.dictionary), np.int32(-1))
        indices = to_numpy(labels.indices.cast(pa.int32()), null=len(labels.dictionary))
        codes: LabelCodes = self._last[1][indices]
        return codes

    def _look_up(self, labels: pa.Array) -> LabelCodes:
        values = labels
        if self._is_text:
            blank = pc.equal(pc.utf8_trim_whitespace(labels), scalar(""))
            if pc.any(blank).as_py():
                values = with_nulls(labels, to_numpy(blank, null=False))
        else:
            values = labels.cast(self._names.type)
        codes = pc.index_in(values, self._names)
        if codes.null_count > values.null_count:
            new = pc.unique(values.filter(pc.and_(codes.is_null(), values.is_valid())))
            self._names = pa.concat_arrays([self._names, new.cast(self._names.type)])
            codes = pc.index_in(values, self._names)
        return to_numpy(codes, null=-1)
