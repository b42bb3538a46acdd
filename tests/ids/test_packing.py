"""Texts that are packed into numbers come out as they were, in code-point order."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant_aggregate.arrow import bytes_of
from plant_aggregate.ids.packing import Packing
from plant_aggregate.ids.texts import TextColumn

IDS = st.one_of(
    st.uuids().map(str),
    st.integers(0, 10**12).map(str),
    st.integers(0, 300).map(lambda number: f"user-{number:05d}"),
    st.text(st.sampled_from("ab\0é"), max_size=4),
)


def packing_of(texts: list[str]) -> Packing | None:
    return Packing.of(*bytes_of(pa.array(texts, pa.string())))


@given(st.lists(IDS, min_size=1, max_size=60), st.lists(IDS, max_size=60))
@settings(max_examples=300)
def test_ids_are_encoded_whether_later_ones_fit_the_packing_of_the_first_or_not(
    first: list[str], later: list[str]
) -> None:
    column = TextColumn(len(first) + len(later))
    for batch in (first, later):
        column.append(pa.array(batch, pa.string()))
    names, codes = column.encode()
    values = first + later
    assert names.to_pylist() == sorted(set(values))
    assert [names[code].as_py() for code in codes.tolist()] == values


@given(st.lists(st.uuids().map(str), min_size=200, max_size=300, unique=True))
@settings(max_examples=10)
def test_uuids_fit_into_sixteen_bytes(texts: list[str]) -> None:
    packing = packing_of(texts)
    assert packing is not None
    high, low = np.empty((2, len(texts)), np.uint64)
    assert packing.pack(*bytes_of(pa.array(texts)), high, low)
    words = [(int(a), int(b)) for a, b in zip(high, low, strict=True)]
    assert sorted(range(len(texts)), key=words.__getitem__) == sorted(range(len(texts)), key=texts.__getitem__)
    data, offsets = packing.unpack(high, low)
    assert [bytes(data[a:b]).decode() for a, b in itertools.pairwise(offsets)] == texts


def test_pairs_that_share_their_first_word_are_sorted_by_the_second() -> None:
    texts = [f"{'0' * 16}{number:016x}" for number in np.random.default_rng(1).integers(0, 2**40, 500).tolist()]
    column = TextColumn(len(texts))
    column.append(pa.array(texts))
    names, codes = column.encode()
    assert names.to_pylist() == sorted(set(texts))
    assert [names[code].as_py() for code in codes.tolist()] == texts


def test_a_later_digit_fits_though_the_first_texts_do_not_have_it() -> None:
    packing = packing_of(["user-0001", "user-0002"])
    assert packing is not None
    high = np.empty(1, np.uint64)
    assert packing.pack(*bytes_of(pa.array(["user-9758"])), high, high[:0])
    assert not packing.pack(*bytes_of(pa.array(["User-9758"])), high, high[:0])
    assert not packing.pack(*bytes_of(pa.array(["user-97581"])), high, high[:0])


@pytest.mark.parametrize("text", ["x" * 129, "".join(chr(0x4E00 + 97 * number) for number in range(42))])
def test_long_and_varied_texts_are_not_packed(text: str) -> None:
    assert packing_of([text, text[::-1], text[1:]]) is None
