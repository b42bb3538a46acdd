"""The sorted union of two sorted arrays of distinct ids or labels, and the positions of either in it."""

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Counts
from ..arrow import to_arrow, to_numpy
from ..errors import VotesError

if TYPE_CHECKING:
    import pyarrow as pa


def merged(ours: "pa.Array", theirs: "pa.Array", column: str, origin: str) -> "tuple[pa.Array, Counts, Counts]":
    """The union in our type, and the positions int32 of ours and of theirs in it.

    Ours are those of the votes, theirs the ``column`` of what ``origin`` names. Raises VotesError if one of them holds
    integers and the other texts, or theirs are integers beyond our type.
    """
    import pyarrow as pa

    if pa.types.is_integer(ours.type) != pa.types.is_integer(theirs.type):
        raise VotesError(
            f"column {column!r} has type {theirs.type}, but {ours.type} in the votes",
            where=origin,
            remedy="write it with the type of the votes, such as with plant-aggregate convert --ids",
        )
    try:
        theirs = theirs.cast(ours.type)
    except pa.ArrowInvalid as error:
        raise VotesError(
            f"column {column!r} holds integers beyond {ours.type}, the type of the votes",
            where=origin,
            remedy="write both with the wider type",
        ) from error
    return _merged_integers(ours, theirs) if pa.types.is_integer(ours.type) else _merged_texts(ours, theirs)


def _merged_integers(ours: "pa.Array", theirs: "pa.Array") -> "tuple[pa.Array, Counts, Counts]":
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


def _merged_texts(ours: "pa.Array", theirs: "pa.Array") -> "tuple[pa.Array, Counts, Counts]":
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
