"""The engine gives exactly the results that were computed elsewhere."""

import math
import warnings
from typing import Any

import pandas as pd
import pytest

import plant_aggregate
from tests.golden import CASES


def equal(found: Any, expected: Any) -> bool:
    """Floats to 1e-12 relative, everything else exactly."""
    if isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-15)
    return bool(found == expected)


def differences(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[str]:
    return [
        f"row {position} {name}: {row[name]!r} instead of {value!r}"
        for position, (row, wanted) in enumerate(zip(found, expected, strict=True))
        for name, value in wanted.items()
        if not equal(row[name], value)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden_case(case: dict[str, Any]) -> None:
    votes = plant_aggregate.votes_from_table(pd.DataFrame(case["votes"]))
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        consensus = plant_aggregate.PlantNet(**case["params"]).fit(votes)
    expected = case["expected"]
    assert differences(consensus.to_arrow().to_pylist(), expected["observations"]) == []
    assert differences(consensus.users_to_arrow().to_pylist(), expected["users"]) == []
    assert [vars(iteration) for iteration in consensus.trace.iterations] == expected["trace"]
    assert consensus.trace.converged == expected["converged"]
    assert consensus.trace.cycle_length == expected["cycle_length"]


def test_all_cases_are_there() -> None:
    assert len(CASES) == 34
