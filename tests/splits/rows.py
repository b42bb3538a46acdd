"""Rows of a consensus with their authors as observations, and an assignment as plain values."""

import math
from typing import Any

import numpy as np
import pyarrow as pa

from plant_aggregate.splits.assignment import REASONS, Assignment
from plant_aggregate.splits.observations import Authors, Observations
from plant_aggregate.splits.units import SPLITS

Row = dict[str, Any]


def observations_of(rows: list[Row]) -> Observations:
    """Rows with observation_id, label, valid, authors (a list), agreement, margin, runner_up."""
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


def splits_of(found: Assignment) -> dict[Any, str]:
    """The observations that are used, and their sets."""
    ids = found.observations.ids.to_pylist()
    return {i: SPLITS[split] for i, split in zip(ids, found.splits, strict=True) if split >= 0}


def reasons_of(found: Assignment) -> dict[Any, str]:
    """The observations that are left out, and why."""
    ids = found.observations.ids.to_pylist()
    return {i: REASONS[reason] for i, reason in zip(ids, found.reasons, strict=True) if reason >= 0}


def is_equal(found: Any, expected: Any) -> bool:
    """Floats to 1e-12 relative, everything else exactly."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(is_equal(found[name], expected[name]) for name in expected)
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-15)
    return bool(found == expected)
