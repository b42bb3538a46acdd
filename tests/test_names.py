"""Names that look alike are found as a comparison of each with each finds them."""

import unicodedata
from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.names import KINDS, inspect_names, lookalikes

PIECES = [
    *("Acer", "acer", "ACER", " ", "  ", "\xa0", "\u2003", "\t", "\u200b"),
    *("é", "e\u0301", "É", "ß", "\ufb01", "fi", "x"),
]
NAMES = st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join), unique=True, max_size=25)


def kind_of(one: str, other: str) -> str | None:
    """What two names differ in alone, if they do."""
    pair = [one, other]
    for kind, change in (
        ("white_space", lambda name: " ".join(name.replace("\u200b", "").split())),
        ("unicode_form", lambda name: unicodedata.normalize("NFKC", name)),
        ("case", lambda name: unicodedata.normalize("NFKC", name.casefold())),
    ):
        pair = [change(name) for name in pair]
        if pair[0] == pair[1]:
            return kind
    return None


@given(NAMES, st.sampled_from([pa.string(), pa.large_string()]))
def test_pairs_that_look_alike_are_counted_by_what_they_differ_in(names: list[str], kind: pa.DataType) -> None:
    names = sorted(names)
    found = inspect_names(pa.array(names, kind), np.arange(len(names), dtype=np.int32))
    kinds = [kind_of(*pair) for pair in combinations(names, 2)]
    assert found.pairs_alike == {kind: kinds.count(kind) for kind in KINDS}
    assert bool(found) == any(kinds)
    assert all(kind_of(*pair) and pair[0] < pair[1] for pair in found.first_alike)
    assert len({kind_of_all(pair[0]) for pair in found.first_alike}) == len(found.first_alike)
    assert bool(found.first_alike) == any(kinds)


def kind_of_all(name: str) -> str:
    spaced = " ".join(name.replace("\u200b", "").split())
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", spaced).casefold())


def test_the_first_pairs_are_of_different_names() -> None:
    names = sorted(f"{name}{end}" for name in "abcdefgh" for end in ("", " ", "  "))
    found = inspect_names(pa.array(names), np.arange(24, dtype=np.int32))
    assert found.pairs_alike == {"white_space": 24, "unicode_form": 0, "case": 0}
    assert found.first_alike == tuple((name, f"{name} ") for name in "abcde")


@pytest.mark.parametrize("name", ["nan", "NaN", "None", "null", "NULL", "NA", "N/A", "unknown", "Unknown", "?", "-1"])
def test_texts_that_stand_for_a_missing_value_are_counted_with_their_votes(name: str) -> None:
    names = sorted([name, "Acer", "nanus", "zzz"])
    votes = [names.index(label) for label in (name, "Acer", name, "zzz", "nanus", name)]
    assert inspect_names(pa.array(names), np.array(votes, np.int32)).like_missing == {name: 3}


@pytest.mark.parametrize(
    ("kind", "names", "missing"),
    [
        (pa.int64(), [-(2**63), -2, -1, 0, 7], {-(2**63): 1, -1: 1}),
        (pa.int32(), [-(2**31), -999, 0, 1], {-(2**31): 1, -999: 1}),
        (pa.int8(), [-128, -1, 5], {-1: 1}),
        (pa.uint8(), [0, 255], {}),
    ],
)
def test_integers_that_stand_for_a_missing_value(kind: pa.DataType, names: list[int], missing: dict[int, int]) -> None:
    found = inspect_names(pa.array(names, kind), np.arange(len(names), dtype=np.int32))
    assert found.like_missing == missing
    assert sum(found.pairs_alike.values()) == 0


def test_no_names_are_nothing_strange() -> None:
    assert not inspect_names(pa.array([], pa.string()), np.empty(0, np.int32))
    assert Counter(inspect_names(pa.array(["A", "B"]), np.zeros(1, np.int32)).pairs_alike.values()) == {0: 3}


def test_names_of_one_list_that_look_like_those_of_another() -> None:
    names, others = pa.array(["Acer", "Acer ", "Café", "Abies"]), pa.array(["ACER", "Quercus", "Cafe\u0301", " Abies"])
    assert lookalikes(names, others) == [("ACER", "Acer"), ("Cafe\u0301", "Café"), (" Abies", "Abies")]
    assert lookalikes(names, others.slice(0, 0)) == lookalikes(names.slice(0, 0), others) == []
