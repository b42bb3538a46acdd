"""Rows in the order of their keys: the kernels of ``sorting`` on whole arrays, on all threads."""

from functools import partial
from itertools import pairwise

import numpy as np

from ..arrays import Counts, Flags, Words

BUCKET_BITS = 11
"""Keys are dealt to 2,048 buckets at a time: so many places to write at the first-level cache still holds."""


def order_of_keys(keys: Words) -> tuple[Words, Counts]:
    """The keys sorted, and their rows (int32) in that order; equal keys in row order. ``keys`` stays as it is.

    Keys are dealt to buckets by their highest bits that differ at all, then each bucket is sorted apart.
    """
    from ..kernels.sorting import count_buckets, deal_to_buckets, sort_buckets, varying_bits
    from ..kernels.threads import one_part_per_thread, side_by_side

    parts = one_part_per_thread(keys.size)
    varying = np.zeros((len(parts), 1), np.uint64)
    side_by_side(*(partial(varying_bits, *part, keys, varying[p]) for p, part in enumerate(parts)))
    shift = max(0, int(np.bitwise_or.reduce(varying, axis=None)).bit_length() - BUCKET_BITS)
    mask = np.uint64(2**BUCKET_BITS - 1)

    counts = np.zeros((len(parts), 2**BUCKET_BITS), np.int64)
    side_by_side(*(partial(count_buckets, *part, keys, shift, mask, counts[p]) for p, part in enumerate(parts)))
    edges = np.zeros(2**BUCKET_BITS + 1, np.int64)
    np.cumsum(counts.sum(axis=0), out=edges[1:])
    places = edges[:-1] + np.cumsum(counts, axis=0) - counts
    dealt, rows = np.empty_like(keys), np.empty(keys.size, np.int32)
    side_by_side(
        *(partial(deal_to_buckets, *part, keys, shift, mask, places[p], dealt, rows) for p, part in enumerate(parts))
    )
    ends = np.searchsorted(edges, [last for _, last in parts])  # parts of buckets that hold as many rows
    side_by_side(*(partial(sort_buckets, first, last, edges, dealt, rows) for first, last in pairwise([0, *ends])))
    return dealt, rows


def starts_of(sorted_keys: Words) -> Flags:
    """Where, among sorted keys, a new one begins: bool[n]."""
    from ..kernels.sorting import mark_starts
    from ..kernels.threads import in_blocks

    starts = np.empty(sorted_keys.size, np.bool_)
    in_blocks(mark_starts, sorted_keys.size, sorted_keys, starts)
    return starts


def codes_of(order: Counts, starts: Flags) -> Counts:
    """Each row's group, counted in the order of the groups: int32[n]."""
    from ..kernels.sorting import codes_of_order
    from ..kernels.threads import one_part_per_thread, side_by_side

    codes = np.empty(order.size, np.int32)
    parts = one_part_per_thread(order.size)
    begun = np.cumsum([0, *(np.count_nonzero(starts[first:last]) for first, last in parts)])
    side_by_side(*(partial(codes_of_order, *part, order, starts, begun[p] - 1, codes) for p, part in enumerate(parts)))
    return codes
