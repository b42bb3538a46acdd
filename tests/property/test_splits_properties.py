"""Splits equal the slow reference, and hold what they promise whatever is added."""

import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant_aggregate.splits.assignment import Assignment, assign
from plant_aggregate.splits.settings import SplitSettings
from tests.reference import splits as reference
from tests.splits.rows import Row, is_equal, observations_of, reasons_of, splits_of

LABELS = (
    "Acer campestre",
    "Acer opalus",
    "× Acer b",
    "Poa annua",
    "Poaceae",
    "Rosa canina",
    "rosa gallica",
    "×",
    "é x",
)
OF_SHARES = ("test", "val", "genera_share")
SHARES = ("0", "0.1", "0.29", "0.3", "0.07")
USERS = (*range(12), 37, 19, 8, 2**60)


@st.composite
def consensus(draw: st.DrawFn, first: int = 0, most: int = 40) -> list[Row]:
    """Rows of a consensus: few labels and few users, so that classes are barely reached."""
    kind: st.SearchStrategy[Any] = st.sampled_from(LABELS)
    rows = []
    for number in range(draw(st.integers(0 if first else 1, most))):
        share = draw(st.sampled_from([0.0, 0.25, 0.5, 0.1]))
        rows.append(
            {
                "observation_id": first + number,
                "label": draw(kind),
                "valid": draw(st.sampled_from([True, True, True, False])),
                "authors": draw(st.lists(st.sampled_from(USERS), max_size=2, unique=True)),
                "agreement": 1 - share,
                "margin": 1 - 2 * share,
                "runner_up": draw(kind) if share else None,
            }
        )
    return rows


@st.composite
def options(draw: st.DrawFn, *, sampling: bool = True) -> dict[str, Any]:
    """Options, with shares as texts."""
    chosen = {
        "test": draw(st.sampled_from(SHARES)),
        "val": draw(st.sampled_from(SHARES)),
        "seed": draw(st.integers(0, 3)),
        "group": draw(st.sampled_from(["author", "author", "observation"])),
        "min_per_class": draw(st.integers(1, 5)),
        "require": draw(st.sampled_from(["train", "all", "none"])),
    }
    how = draw(st.sampled_from(["", "share", "count"] if sampling else ["", "share"]))
    if how == "share":
        chosen["genera_share"] = draw(st.sampled_from(["0.5", "0.29", "1"]))
    if how == "count":
        chosen["n_genera"] = draw(st.integers(1, 4))
    return chosen


def exact(chosen: dict[str, Any]) -> dict[str, Any]:
    """Options with shares as fractions."""
    return {
        name: Fraction(value) if name in ("test", "val", "genera_share") else value for name, value in chosen.items()
    }


def split(rows: list[Row], chosen: dict[str, Any]) -> Assignment:
    floats = {name: float(value) if isinstance(value, Fraction) else value for name, value in exact(chosen).items()}
    return assign(observations_of(rows), SplitSettings(**floats))


@given(consensus(), options())
@settings(max_examples=200)
def test_splits_equal_the_reference(rows: list[Row], chosen: dict[str, Any]) -> None:
    found, expected = split(rows, chosen), reference.assign(rows, **exact(chosen))
    assert splits_of(found) == expected["splits"]
    assert reasons_of(found) == expected["reasons"]
    assert list(found.sampled) == expected["genera"]
    report = found.report()
    names = expected.keys() & report.keys() - {"splits"}
    assert {name: (report[name], expected[name]) for name in names if not is_equal(report[name], expected[name])} == {}


@given(consensus(), options(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_the_order_of_rows_and_authors_means_nothing(
    rows: list[Row], chosen: dict[str, Any], chance: random.Random
) -> None:
    found = split(rows, chosen)
    mixed = [{**row, "authors": chance.sample(row["authors"], len(row["authors"]))} for row in rows]
    chance.shuffle(mixed)
    again = split(mixed, chosen)
    assert (splits_of(again), reasons_of(again)) == (splits_of(found), reasons_of(found))
    assert again.report() == found.report()  # to the last bit


@given(consensus(), options())
@settings(max_examples=150)
def test_authors_are_in_one_set_and_classes_in_train(rows: list[Row], chosen: dict[str, Any]) -> None:
    found = splits_of(split(rows, chosen))
    used = [row for row in rows if row["observation_id"] in found]
    if chosen["group"] == "author":
        for user in USERS:
            assert len({found[row["observation_id"]] for row in used if user in row["authors"]}) <= 1
    for label in {row["label"] for row in used}:
        here = [found[row["observation_id"]] for row in used if row["label"] == label]
        assert len(here) >= chosen["min_per_class"]
        assert chosen["require"] == "none" or "train" in here
        if chosen["require"] == "all":
            assert {"test", "validation"} - set(here) <= {
                name for name, share in (("test", chosen["test"]), ("validation", chosen["val"])) if share == "0"
            }


@given(consensus(), consensus(first=1000), options(sampling=False))
@settings(max_examples=150)
def test_additions_move_and_remove_nothing(rows: list[Row], more: list[Row], chosen: dict[str, Any]) -> None:
    """More observations, by users of before and by others; a number of genera is another thing, and documented."""
    before, after = splits_of(split(rows, chosen)), splits_of(split(rows + more, chosen))
    assert {i: after.get(i) for i in before} == before


@given(consensus(), options(), options())
@settings(max_examples=200)
def test_an_observation_in_two_subsets_is_in_the_same_set_of_both(
    rows: list[Row], one: dict[str, Any], other: dict[str, Any]
) -> None:
    other = {**other, **{name: one[name] for name in ("test", "val", "seed", "group")}}
    first, second = splits_of(split(rows, one)), splits_of(split(rows[::2], other))
    assert {i: first[i] for i in first.keys() & second.keys()} == {i: second[i] for i in first.keys() & second.keys()}


@given(consensus(), options())
@settings(max_examples=100)
def test_integers_are_hashed_as_their_text(rows: list[Row], chosen: dict[str, Any]) -> None:
    found = split(rows, chosen)
    texts = [
        {**row, "observation_id": str(row["observation_id"]), "authors": [str(user) for user in row["authors"]]}
        for row in rows
    ]
    assert {str(i): name for i, name in splits_of(found).items()} == splits_of(split(texts, chosen))


@pytest.mark.parametrize("text", ["0.1", "0.29", "0.07", "0.3", "0.57"])
def test_shares_are_exact_decimals(text: str) -> None:
    from plant_aggregate.ids.hashing import SPACE, limit_of
    from plant_aggregate.shares import exact as decimal

    share = Fraction(text)
    assert decimal(float(text)) == share
    limit = limit_of(share)
    assert Fraction(limit - 1, SPACE) < share <= Fraction(limit, SPACE)
