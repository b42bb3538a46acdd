"""Splits, classes and populations are exactly those that were computed elsewhere."""

from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest

from plant_aggregate.ids.hashing import numbers_of, u
from plant_aggregate.splits.assignment import Assignment, assign
from plant_aggregate.splits.genera import genera_of
from plant_aggregate.splits.settings import SplitSettings
from tests.golden import SPLITS
from tests.reference import splits as reference
from tests.splits.rows import is_equal, observations_of, reasons_of, splits_of

SHORT = {"train": "train", "validation": "val", "test": "test"}
"""Our names of the sets -> those of the cases."""

OPTIONS = {"genera_count": "n_genera", "min_observations": "min_per_class"}
"""Names of options in the cases -> ours."""

SHARES = ("test", "val", "genera_share")


def table_of(case: dict[str, Any]) -> dict[Any, str] | None:
    table = case.get("genus_table")
    return None if table is None else {int(label): genus for label, genus in table.items()}


def assigned(case: dict[str, Any]) -> Assignment:
    observations = observations_of(case["rows"])
    options = {
        OPTIONS.get(name, name): float(value) if name in SHARES else value for name, value in case["options"].items()
    }
    return assign(observations, SplitSettings(**options), genera_of(observations.label_names, table_of(case)))


def as_in_cases(found: Assignment) -> dict[str, Any]:
    """All that a case expects."""
    names, report = found.observations.label_names.to_pylist(), found.report()
    for part in ("splits", "classes_without"):
        report[part] = {SHORT[name]: number for name, number in report[part].items()}
    return {
        "splits": {str(i): SHORT[split] for i, split in splits_of(found).items()},
        "reasons": {str(i): reason for i, reason in reasons_of(found).items()},
        "genera": list(found.sampled),
        "species": {
            str(names[code]): dict(zip(SHORT.values(), counts.tolist(), strict=True))
            for code, counts in zip(found.classes, found.class_counts, strict=True)
        },
        "report": report,
    }


@pytest.mark.parametrize("case", SPLITS["cases"], ids=lambda case: case["id"])
def test_golden_case(case: dict[str, Any]) -> None:
    found = as_in_cases(assigned(case))
    wrong = {name: (found[name], value) for name, value in case["expected"].items() if not is_equal(found[name], value)}
    assert not wrong


@pytest.mark.parametrize("case", SPLITS["cases"], ids=lambda case: case["id"])
def test_the_reference_gives_it_too(case: dict[str, Any]) -> None:
    options = {
        OPTIONS.get(name, name): Fraction(value) if name in SHARES else value for name, value in case["options"].items()
    }
    found = reference.assign(case["rows"], table=table_of(case), **options)
    expected = case["expected"]
    assert {str(i): SHORT[split] for i, split in found["splits"].items()} == expected["splits"]
    assert {str(i): reason for i, reason in found["reasons"].items()} == expected["reasons"]
    assert found["genera"] == expected["genera"]
    figures = expected["report"]
    assert {
        name for name in found.keys() & figures.keys() - {"splits"} if not is_equal(found[name], figures[name])
    } == set()


@pytest.mark.parametrize("vector", SPLITS["hash"], ids=lambda vector: vector["text"])
def test_hash(vector: dict[str, Any]) -> None:
    prefix, _, last = vector["text"].rpartition("|")
    assert u(vector["text"]) == vector["u"]
    assert numbers_of(f"{prefix}|", pa.array([last])).tolist() == [vector["u"]]


def test_all_cases_are_there() -> None:
    assert (len(SPLITS["cases"]), len(SPLITS["hash"])) == (12, 10)
