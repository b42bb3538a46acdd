"""The sorted union of two sorted arrays of distinct ids or labels, and the positions of either in it."""

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Counts
from ..arrow import to_arrow, to_numpy

if TYPE_CHECKING:
    import pyarrow as pa


def merged_integers(ours: "pa.Array", theirs: "pa.Array") -> "tuple[pa.Array, Counts, Counts]":
    """Of integers of one type: the union, and the positions int32 of ours and of theirs in it."""
    from ..kernels.ai_votes import merge_places

    one, other = to_numpy(ours), to_numpy(theirs)
    of_one, of_other = np.empty(one.size, np.int32), np.empty(other.size, np.int32)
    size = merge_places(one, other, of_one, of_other)
    if size == one.size:
        return ours, of_one, of_other
    union = np.empty(size, one.dtype)
    union[of_one] = one
    union[of_other] = other
    return to_arrow(union), of_one, of_other


def merged_texts(ours: "pa.Array", theirs: "pa.Array") -> "tuple[pa.Array, Counts, Counts]":
    """Of texts: the union, and the positions int32 of ours and of theirs in it; ``theirs`` need not be sorted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.index_in(theirs, ours)
    if known.null_count == 0:
        return ours, np.arange(len(ours), dtype=np.int32), to_numpy(known)
    both = pa.concat_arrays([ours, theirs.filter(known.is_null())])
    order = to_numpy(pc.sort_indices(both)).astype(np.int64)
    place = np.empty(order.size, np.int32)
    place[order] = np.arange(order.size, dtype=np.int32)
    new = np.cumsum(to_numpy(known.is_null())) - 1 + len(ours)
    of_theirs = np.where(to_numpy(known.is_valid()), to_numpy(known, null=0), new)
    return both.take(to_arrow(order)), place[: len(ours)], place[of_theirs]
