"""Texts that cannot be used are found wherever they are: against Python's own decoder, text by text."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.ids.text_faults import LONGEST, NOT_UTF8, REASONS, TOO_LONG, checked, printable_texts

LONG = b"a" * (LONGEST + 1)
PIECES = st.sampled_from([b"", b"a", b"Acer", "é".encode(), "\U0001f33f".encode(), b"\xff", b"\xe9", b"\xed\xa0\x80"])
TEXTS = st.lists(st.one_of(st.none(), st.lists(PIECES, max_size=3).map(b"".join), st.just(b"long")), max_size=20)


def written(texts: list[bytes | None]) -> list[bytes | None]:
    """Texts with LONG in the place of its name: examples stay short."""
    return [LONG if text == b"long" else text for text in texts]


def as_strings(texts: list[bytes | None], kind: pa.DataType) -> pa.Array:
    """Bytes as what claims to be text, in a slice of a larger array."""
    wide = pa.large_binary() if pa.types.is_large_string(kind) else pa.binary()
    return pa.array([b"\xff", *texts, LONG], wide).view(kind).slice(1, len(texts))


def fault_of(text: bytes | None) -> int:
    try:
        (text or b"").decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return TOO_LONG if len(text or b"") > LONGEST else 0


@given(TEXTS, st.sampled_from([pa.string(), pa.large_string()]), st.booleans())
def test_faulty_texts_are_found_and_the_others_stay(
    texts: list[bytes | None], kind: pa.DataType, as_dictionary: bool
) -> None:
    texts = written(texts)
    values = as_strings(texts, kind)
    if as_dictionary:
        values = values.dictionary_encode()
    sound, faults = checked(values)
    sound.validate(full=True)
    assert sound.type == values.type
    expected = [fault_of(text) for text in texts]
    assert (faults is None) == (not any(expected))
    if faults is not None:
        assert faults.tolist() == expected
    decoded = [None if text is None or fault else text.decode() for text, fault in zip(texts, expected, strict=True)]
    assert sound.to_pylist() == decoded


def test_a_faulty_name_of_a_dictionary_that_no_row_has_is_nobodys_fault() -> None:
    names = as_strings([b"Acer", b"\xff", LONG], pa.string())
    sound, faults = checked(pa.DictionaryArray.from_arrays(pa.array([0, None, 0], pa.int8()), names))
    assert faults is None
    assert sound.to_pylist() == ["Acer", None, "Acer"]
    assert sound.dictionary.to_pylist() == ["Acer", None, None]


@pytest.mark.parametrize("values", [pa.array([1, None]), pa.array([], pa.string()), pa.array([[1]])])
def test_what_is_no_text_is_passed_on(values: pa.Array) -> None:
    assert checked(values) == (values, None)


@given(TEXTS, st.sampled_from([pa.string(), pa.large_string()]))
def test_whatever_cannot_be_used_can_be_shown(texts: list[bytes | None], kind: pa.DataType) -> None:
    texts = written(texts)
    shown = printable_texts(as_strings(texts, kind))
    shown.validate(full=True)
    assert shown.type == kind
    for text, found in zip(texts, shown.to_pylist(), strict=True):
        assert (found is None) == (text is None)
        if text is not None:
            assert found == (text.decode(errors="backslashreplace") if len(text) <= LONGEST else "a" * 200 + "...")


def test_bytes_and_cuts_are_shown_as_such() -> None:
    long = "é".encode() * LONGEST
    values = as_strings([b"Iso\xebtes", b"x" + long, b"\xff" + long], pa.string())
    assert printable_texts(values).to_pylist() == [
        "Iso\\xebtes",
        "x" + "é" * 99 + "...",
        "\\xff" + "é" * 99 + "\\xc3...",
    ]
    assert REASONS[TOO_LONG].format("label") == "label longer than 32,768 bytes"


def test_bytes_below_nulls_are_no_texts() -> None:
    """The format allows them."""
    hidden = pa.StringArray.from_buffers(
        2, pa.py_buffer(np.array([0, 1, 2], np.int32)), pa.py_buffer(b"\xffa"), pa.py_buffer(b"\x02")
    )
    assert hidden.to_pylist() == [None, "a"]
    assert checked(hidden)[1] is None
