"""Probabilities of labels that have become the same, against a slow reference."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.taxon_names.lists import merged_items

LISTS = st.lists(st.lists(st.tuples(st.integers(-2, 3), st.sampled_from([0.0, 0.125, 0.25])), max_size=5), max_size=5)


@given(lists=LISTS)
def test_each_label_stands_once_where_it_stood_first(lists: list[list[tuple[int, float]]]) -> None:
    wanted = []
    for items in lists:
        found: list[tuple[int, float]] = []
        for label, share in items:
            places = [place for place, (known, _) in enumerate(found) if known == label and label >= 0]
            if places:
                found[places[0]] = (label, found[places[0]][1] + share)
            else:
                found.append((label, share))
        wanted.append(found)
    offsets = np.append(0, np.cumsum([len(items) for items in lists])).astype(np.int64)
    labels = np.array([label for items in lists for label, _ in items], np.int32)
    shares = np.array([share for items in lists for _, share in items], np.float32)
    merged = merged_items(offsets, labels, shares)
    if merged is None:
        assert wanted == lists
        return
    assert merged.probabilities.dtype == np.float32
    flat = list(zip(labels[merged.items].tolist(), merged.probabilities.tolist(), strict=True))
    bounds = zip(merged.offsets[:-1], merged.offsets[1:], strict=True)
    assert [flat[first:last] for first, last in bounds] == wanted


def test_sums_that_are_rounded_above_one_are_one() -> None:
    merged = merged_items(np.array([0, 2]), np.array([0, 0]), np.array([0.7, 0.3 + 1e-8]))
    assert merged is not None
    assert merged.probabilities.tolist() == [1.0]
