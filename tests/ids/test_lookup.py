"""Positions of ids and labels are looked up among known ones."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.ids.lookup import IdIndex, LabelIndex

TYPES = (pa.int8(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64())


def numbers(kind: pa.DataType) -> st.SearchStrategy[int]:
    limits = np.iinfo(kind.to_pandas_dtype())
    near = st.integers(max(0, limits.min), min(100, limits.max))
    return near | st.integers(int(limits.min), int(limits.max)) | st.sampled_from([int(limits.min), int(limits.max)])


@given(data=st.data(), kind=st.sampled_from(TYPES), other=st.sampled_from(TYPES))
def test_integers(data: st.DataObject, kind: pa.DataType, other: pa.DataType) -> None:
    ids = sorted(data.draw(st.sets(numbers(kind), min_size=1)))
    if data.draw(st.booleans()):  # near each other: by their bits
        ids = list(range(max(ids[0], 0), min(max(ids[0], 0) + 40, 120), 3)) or ids
    limits = np.iinfo(other.to_pandas_dtype())
    known = st.sampled_from([i for i in ids if limits.min <= i <= limits.max] or [0])
    wanted = data.draw(st.lists(st.none() | known | numbers(other)))
    assert_found(ids, wanted, IdIndex(pa.array(ids, kind)).codes_of(pa.array(wanted, other)).tolist())


TEXTS = st.text(max_size=6) | st.sampled_from(["a", "aa", "observation-1", "observation-10", "é", "\U0001f33f"])


@given(ids=st.sets(TEXTS, min_size=1), wanted=st.lists(st.none() | TEXTS), start=st.integers(0, 3))
def test_texts(ids: set[str], wanted: list[str | None], start: int) -> None:
    ordered = sorted(ids)
    values = pa.array(wanted, pa.string())[start:]
    assert_found(ordered, wanted[start:], IdIndex(pa.array(ordered)).codes_of(values).tolist())


def test_many_texts() -> None:
    ids = [f"{n:07d}" for n in range(0, 60_000, 2)]
    wanted = [f"{n:07d}" for n in np.random.default_rng(0).permutation(60_000)]
    assert_found(ids, wanted, IdIndex(pa.array(ids)).codes_of(pa.array(wanted)).tolist())


def assert_found(ids: list[Any], wanted: list[Any], found: list[int]) -> None:
    places = {value: place for place, value in enumerate(ids)}
    assert found == [-1 if value is None else places.get(value, -1) for value in wanted]


@pytest.mark.parametrize(
    ("names", "first", "second"),
    [
        (pa.array(["a", "b"]), pa.array(["q", "b", "x", None, " ", "x", "y"]).slice(1), pa.array(["y", "a", "z"])),
        (pa.array([1, 2]), pa.array([2, 9, None, None, 9, -4], pa.int8()), pa.array([-4, 1, 2**60])),
        (pa.array([1, 2], pa.uint64()), pa.array([2, 2**63, None, None, 2**63, 5], pa.uint64()), pa.array([5, 1, 7])),
    ],
)
def test_labels_are_numbered_in_order_of_first_lookup(names: pa.Array, first: pa.Array, second: pa.Array) -> None:
    label_index = LabelIndex(names)
    assert label_index.codes_of(first).tolist() == [1, 2, -1, -1, 2, 3]
    assert label_index.codes_of(second.dictionary_encode()).tolist() == [3, 0, 4]
    assert label_index.codes_of(second.dictionary_encode()[1:]).tolist() == [0, 4]
    assert len(label_index) == 5
