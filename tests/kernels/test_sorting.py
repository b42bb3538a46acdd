"""Orders and groups against sorted() and lists."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aggregate.kernels.sorting import sort_within_groups

WORDS = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 300), st.integers(2**40, 2**40 + 2**12))


@given(st.lists(st.lists(WORDS, max_size=120), max_size=6), st.sampled_from([0, 1, 7, 33]))
def test_words_are_sorted_within_their_group_only(groups: list[list[int]], shift: int) -> None:
    """Groups of both kinds: small ones, and those too large for insertion sort; equal words keep their order."""
    offsets = np.cumsum([0, *map(len, groups)])
    words = np.array([word for group in groups for word in group], np.uint64)
    sort_within_groups(0, len(groups), offsets, words, shift)
    assert words.tolist() == [word for group in groups for word in sorted(group, key=lambda word: word >> shift)]
