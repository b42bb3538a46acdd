"""Splits, classes and populations are exactly those that were computed elsewhere."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from plant_aggregate.splits.assignment import REASONS, Assignment, assign
from plant_aggregate.splits.genera import genera_of
from plant_aggregate.splits.hashing import numbers_of, u
from plant_aggregate.splits.observations import Authors, Observations
from plant_aggregate.splits.settings import SplitSettings
from plant_aggregate.splits.units import SPLITS as NAMES
from tests.golden import SPLITS

SHORT = {"train": "train", "validation": "val", "test": "test"}
"""Our names of the sets -> those of the cases."""


def observations_of(rows: list[dict[str, Any]]) -> Observations:
    """Rows as in the cases: with a list of authors each."""
    names = sorted({row[name] for row in rows for name in ("label", "runner_up")} - {None})
    users = sorted({user for row in rows for user in row["authors"]})
    pairs = [(place, users.index(user)) for place, row in enumerate(rows) for user in row["authors"]]

    def codes(name: str) -> np.ndarray:
        return np.array([-1 if row[name] is None else names.index(row[name]) for row in rows], np.int32)

    return Observations(
        pa.array([row["observation_id"] for row in rows]),
        codes("label"),
        pa.array(names),
        np.array([row["valid"] for row in rows], np.bool_),
        np.array([row["agreement"] for row in rows]),
        np.array([row["margin"] for row in rows]),
        codes("runner_up"),
        Authors(
            np.array([place for place, _ in pairs], np.int64),
            np.array([user for _, user in pairs], np.int32),
            pa.array(users) if users else pa.nulls(0, pa.string()),
        ),
    )


def settings_of(options: dict[str, Any]) -> SplitSettings:
    """The options of a case; its shares are texts."""
    ours = {"genera_count": "genera", "min_observations": "min_per_class"}
    shares = ("test", "val", "genera_share")
    return SplitSettings(
        **{ours.get(name, name): float(value) if name in shares else value for name, value in options.items()}
    )


def assigned(case: dict[str, Any]) -> Assignment:
    observations = observations_of(case["rows"])
    table = case.get("genus_table")
    genera = None if table is None else {int(label): genus for label, genus in table.items()}
    return assign(observations, settings_of(case["options"]), genera_of(observations.label_names, genera))


def as_in_cases(found: Assignment) -> dict[str, Any]:
    """All that a case expects."""
    ids, names = found.observations.ids.to_pylist(), found.observations.label_names.to_pylist()
    report = found.report()
    for part in ("splits", "classes_without"):
        report[part] = {SHORT[name]: number for name, number in report[part].items()}
    return {
        "splits": {str(i): SHORT[NAMES[split]] for i, split in zip(ids, found.splits, strict=True) if split >= 0},
        "reasons": {str(i): REASONS[reason] for i, reason in zip(ids, found.reasons, strict=True) if reason >= 0},
        "genera": list(found.sampled),
        "species": {
            str(names[code]): dict(zip(SHORT.values(), counts.tolist(), strict=True))
            for code, counts in zip(found.classes, found.class_counts, strict=True)
        },
        "report": report,
    }


def is_equal(found: Any, expected: Any) -> bool:
    """Floats to 1e-12 relative, everything else exactly."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(is_equal(found[name], expected[name]) for name in expected)
    if isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-15)
    return bool(found == expected)


@pytest.mark.parametrize("case", SPLITS["cases"], ids=lambda case: case["id"])
def test_golden_case(case: dict[str, Any]) -> None:
    found = as_in_cases(assigned(case))
    wrong = {name: (found[name], value) for name, value in case["expected"].items() if not is_equal(found[name], value)}
    assert not wrong


@pytest.mark.parametrize("vector", SPLITS["hash"], ids=lambda vector: vector["text"])
def test_hash(vector: dict[str, Any]) -> None:
    prefix, _, last = vector["text"].rpartition("|")
    assert u(vector["text"]) == vector["u"]
    assert numbers_of(f"{prefix}|", pa.array([last])).tolist() == [vector["u"]]


def test_all_cases_are_there() -> None:
    assert (len(SPLITS["cases"]), len(SPLITS["hash"])) == (12, 10)
