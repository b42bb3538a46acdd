"""Orders and groups against sorted() and lists."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.kernels.sorting import distinct_codes, group_by_code, sort_within_groups


@given(st.lists(st.integers(0, 6), max_size=100))
def test_rows_are_grouped_by_code_in_row_order(codes: list[int]) -> None:
    offsets, rows = np.zeros(8, np.int64), np.empty(len(codes), np.int32)
    group_by_code(np.array(codes, np.int32), offsets, rows)
    groups = [rows[a:b].tolist() for a, b in itertools.pairwise(offsets)]
    assert groups == [[row for row, code in enumerate(codes) if code == k] for k in range(7)]
    assert distinct_codes(np.array(codes, np.int32), 7).tolist() == sorted(set(codes))


WORDS = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 300), st.integers(2**40, 2**40 + 2**12))


@given(st.lists(st.lists(WORDS, max_size=120), max_size=6), st.sampled_from([0, 1, 7, 33]))
def test_words_are_sorted_within_their_group_only(groups: list[list[int]], shift: int) -> None:
    """Groups of both kinds: small ones, and those too large for insertion sort; equal words keep their order."""
    offsets = np.cumsum([0, *map(len, groups)])
    words = np.array([word for group in groups for word in group], np.uint64)
    sort_within_groups(0, len(groups), offsets, words, shift)
    assert words.tolist() == [word for group in groups for word in sorted(group, key=lambda word: word >> shift)]
