"""Sorted texts among sorted texts."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.arrow import bytes_of
from plant_aggregate.kernels.texts import places_among_sorted

TEXTS = st.lists(st.text("ab\x00é\U0001f33f", max_size=4), unique=True, max_size=12).map(sorted)


@given(TEXTS, TEXTS)
def test_places_among_sorted_texts(texts: list[str], wanted: list[str]) -> None:
    places = np.empty(len(wanted), np.int32)
    places_among_sorted(*bytes_of(pa.array(texts, pa.string())), *bytes_of(pa.array(wanted, pa.string())), places)
    assert places.tolist() == [texts.index(text) if text in texts else -1 for text in wanted]
