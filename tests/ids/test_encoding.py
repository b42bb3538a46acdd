"""Codes follow the sorted ids, whatever the ids are made of: against sorted() and a dictionary."""

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant_aggregate.ids import texts
from plant_aggregate.ids.encoding import IntegerColumn, LabelColumn
from plant_aggregate.ids.texts import TextColumn

WIDTHS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@st.composite
def integers(draw: st.DrawFn) -> tuple[str, list[int]]:
    """Integers of one width: from all over its range, or close together."""
    width = draw(st.sampled_from(WIDTHS))
    limits = np.iinfo(width)
    lowest = draw(st.integers(int(limits.min), int(limits.max)))
    highest = min(int(limits.max), lowest + draw(st.sampled_from([3, 200, 2**40, 2**64])))
    return width, draw(st.lists(st.integers(lowest, highest), min_size=1, max_size=200))


def cut(values: list[Any], kind: pa.DataType, pieces: int) -> list[pa.Array]:
    """The values in several batches, some of them empty, some slices of larger arrays."""
    whole = pa.array(values, kind)
    edges = sorted({len(values) * piece // pieces for piece in range(pieces + 1)})
    return [whole.slice(0, 0), *(whole.slice(a, b - a) for a, b in itertools.pairwise(edges))]


def assert_encoded(found: tuple[pa.Array, np.ndarray], values: list[Any], distinct: list[Any]) -> None:
    names, codes = found
    assert names.to_pylist() == distinct
    assert codes.dtype == np.int32
    position = {value: code for code, value in enumerate(distinct)}
    assert codes.tolist() == [position.get(value, -1) for value in values]


@given(integers(), st.integers(1, 4))
@settings(max_examples=300)
def test_integers(given_integers: tuple[str, list[int]], pieces: int) -> None:
    width, values = given_integers
    kind = pa.type_for_alias(width)
    column = IntegerColumn(kind, len(values))
    for batch in cut(values, kind, pieces):
        column.append(batch)
    found = column.encode()
    assert found[0].type == kind
    assert_encoded(found, values, sorted(set(values)))


PREFIXES = st.sampled_from(["", "a", "obs-2024-", "https://example.org/observations/", "\0", "é", "x" * 40])
TEXTS = st.builds(
    lambda prefix, text, repeats: prefix + text * repeats,
    PREFIXES,
    st.text(st.sampled_from("ab01\0é😀\uffff"), max_size=10),
    st.integers(1, 3),
)


@given(st.lists(TEXTS, min_size=1, max_size=120), st.integers(1, 4), st.sampled_from([pa.string(), pa.large_string()]))
@settings(max_examples=300)
def test_texts(values: list[str], pieces: int, kind: pa.DataType) -> None:
    column = TextColumn(len(values))
    for batch in cut(values, kind, pieces):
        column.append(batch)
    assert_encoded(column.encode(), values, sorted(set(values)))


@given(st.lists(TEXTS, min_size=1, max_size=120), st.integers(1, 3))
def test_bytes_that_the_first_rows_do_not_have(values: list[str], first_rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "FIRST_ROWS", first_rows)
        column = texts.TextColumn(len(values))
        column.append(pa.array(values, pa.string()))
        assert_encoded(column.encode(), values, sorted(set(values)))


@pytest.mark.parametrize("shared", [0, 7, 8, 9, 16, 100])
def test_many_texts_that_begin_alike(shared: int) -> None:
    """Long runs that agree in their first words are sorted word by word, down to those that differ by NULs alone."""
    ends = [f"{number:03d}" for number in range(300)] + ["\0" * number for number in range(40)] + ["tail" * 9]
    values = [*(first * shared + end for first in "ba" for end in ends), "c"] * 2
    column = TextColumn(len(values))
    column.append(pa.array(values))
    assert_encoded(column.encode(), values, sorted(set(values)))


@given(st.lists(st.one_of(st.none(), TEXTS, st.sampled_from(["", " ", "\t \u2003"])), min_size=1), st.booleans())
def test_labels_are_coded_and_blank_ones_are_no_opinion(values: list[str | None], as_dictionary: bool) -> None:
    column = LabelColumn(pa.string(), 1000)
    for batch in cut(values, pa.string(), 3):
        column.append(batch.dictionary_encode() if as_dictionary else batch)
    labels = sorted({value for value in values if value is not None and value.strip()})
    assert_encoded(column.encode(), values, labels)


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1))
def test_integer_labels_may_be_null(values: list[int | None]) -> None:
    column = LabelColumn(pa.int64(), 1000)
    for batch in cut(values, pa.int64(), 3):
        column.append(batch)
    assert_encoded(column.encode(), values, sorted({value for value in values if value is not None}))


def test_a_label_that_is_in_the_dictionary_but_on_no_row_is_not_there() -> None:
    column = LabelColumn(pa.string(), 1000)
    column.append(pa.DictionaryArray.from_arrays(pa.array([2, 0, None], pa.int8()), ["c", "b", "a"]))
    assert_encoded(column.encode(), ["a", "c", None], ["a", "c"])
