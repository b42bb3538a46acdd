"""Radix sort of rows by their keys: the kernels of ``sorting`` on whole arrays, on all threads."""

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..arrays import Counts, Flags, Indices, Offsets, Words
from .threads import in_blocks, kernels_side_by_side, one_part_per_thread

BUCKET_BITS = 11  # bits of the bucket number: the first-level cache still holds 2,048 positions to write at


class Buckets(NamedTuple):
    """Where a radix scatter puts rows, by the highest bits in which their keys differ at all.

    Each thread scatters a part of the rows, and has positions of its own in every bucket.
    """

    parts: list[tuple[int, int]]  # rows (first, last) of each part
    shift: int
    mask: np.uint64
    edges: Offsets  # int64[n_buckets + 1]; bucket b has the positions edges[b]:edges[b + 1]
    places: Indices  # int64[n_parts, n_buckets]; each part's first position in each bucket


def buckets_of(keys: Words) -> Buckets:
    """The buckets for rows with these keys, uint64[n]."""
    from .sorting import count_buckets, varying_bits

    parts = one_part_per_thread(keys.size)
    varying = np.zeros((len(parts), 1), np.uint64)
    kernels_side_by_side(*(partial(varying_bits, *part, keys, varying[p]) for p, part in enumerate(parts)))
    shift = max(0, int(np.bitwise_or.reduce(varying, axis=None)).bit_length() - BUCKET_BITS)
    mask = np.uint64(2**BUCKET_BITS - 1)
    counts = np.zeros((len(parts), 2**BUCKET_BITS), np.int64)
    kernels_side_by_side(*(partial(count_buckets, *part, keys, shift, mask, counts[p]) for p, part in enumerate(parts)))
    edges, places = bucket_places(counts)
    return Buckets(parts, shift, mask, edges, places)


def bucket_places(counts: Indices) -> tuple[Offsets, Indices]:
    """Where each bucket begins, and where in it each part, given the counts int64[n_parts, n_buckets]."""
    edges = np.zeros(counts.shape[1] + 1, np.int64)
    np.cumsum(counts.sum(axis=0), out=edges[1:])
    return edges, edges[:-1] + np.cumsum(counts, axis=0) - counts


def order_of_keys(keys: Words) -> tuple[Words, Counts]:
    """The keys, uint64[n], sorted, and their rows (int32) in that order; equal keys in row order. Copies ``keys``."""
    from .sorting import scatter_to_buckets

    buckets = buckets_of(keys)
    bucketed, rows = np.empty_like(keys), np.empty(keys.size, np.int32)
    kernels_side_by_side(
        *(
            partial(scatter_to_buckets, *part, keys, buckets.shift, buckets.mask, buckets.places[p], bucketed, rows)
            for p, part in enumerate(buckets.parts)
        )
    )
    sort_bucketed(buckets, bucketed, rows)
    return bucketed, rows


def order_of_pairs(high: Words, low: Words) -> tuple[Words, Words, Counts, Flags]:
    """Pairs of keys, uint64[n], sorted by the first, then the second.

    With their rows (int32) in that order, and where a new pair begins (bool).
    """
    from .sorting import gather_keys, mark_starts_of_pairs, sort_runs

    high, order = order_of_keys(high)
    sorted_low, starts = np.empty_like(low), np.empty(high.size, np.bool_)
    in_blocks(gather_keys, high.size, low, order, sorted_low)
    in_blocks(sort_runs, high.size, high, sorted_low, order)
    in_blocks(mark_starts_of_pairs, high.size, high, sorted_low, starts)
    return high, sorted_low, order, starts


def sort_bucketed(buckets: Buckets, keys: Words, rows: Counts) -> None:
    """Sort, in place, the scattered keys of every bucket, and the rows with them."""
    from .sorting import sort_buckets

    edges = buckets.edges
    ends = np.searchsorted(edges, [last for _, last in buckets.parts])  # ranges of buckets that hold as many rows
    kernels_side_by_side(
        *(partial(sort_buckets, first, last, edges, keys, rows) for first, last in pairwise([0, *ends]))
    )


def starts_of(sorted_keys: Words) -> Flags:
    """Where, among sorted keys, a new one begins: bool[n]."""
    from .sorting import mark_starts

    starts = np.empty(sorted_keys.size, np.bool_)
    in_blocks(mark_starts, sorted_keys.size, sorted_keys, starts)
    return starts


def codes_of(order: Counts, starts: Flags) -> Counts:
    """Each row's group, counted in the order of the groups: int32[n]."""
    from .sorting import codes_of_order

    codes = np.empty(order.size, np.int32)
    parts = one_part_per_thread(order.size)
    begun = np.cumsum([0, *(np.count_nonzero(starts[first:last]) for first, last in parts)])
    kernels_side_by_side(
        *(partial(codes_of_order, *part, order, starts, begun[p] - 1, codes) for p, part in enumerate(parts))
    )
    return codes
