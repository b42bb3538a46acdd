"""The reference itself gives the results that were computed elsewhere."""

import math
from typing import Any

import pytest

from tests.golden import CASES
from tests.reference import plantnet


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden_case(case: dict[str, Any]) -> None:
    found = plantnet.fit(case["votes"], **case["params"])
    expected = case["expected"]
    for table in ("observations", "users"):
        for row, wanted in zip(found[table], expected[table], strict=True):
            for name, value in wanted.items():
                if isinstance(value, float):
                    assert math.isclose(row[name], value, rel_tol=1e-12, abs_tol=1e-15), name
                else:
                    assert row[name] == value, name
    for name in ("trace", "converged", "cycle_length"):
        assert found[name] == expected[name]


def row(user: str, label: str | None, **more: Any) -> dict[str, Any]:
    return {"observation_id": 1, "user_id": user, "label": label, **more}


def test_the_latest_vote_stands() -> None:
    votes, counts = plantnet.clean([row("a", "x", voted_at=2), row("a", "y", voted_at=1)])
    assert [vote["label"] for vote in votes] == ["x"]
    assert counts == {"read": 2, "used": 1, "superseded": 1, "no_opinion": 0}


def test_without_times_the_last_row_stands() -> None:
    votes, _ = plantnet.clean([row("a", "x"), row("a", "y")])
    assert [vote["label"] for vote in votes] == ["y"]


def test_a_later_row_without_label_withdraws_the_vote() -> None:
    votes, counts = plantnet.clean([row("a", "x", is_author=True), row("a", "  ")])
    assert votes == []
    assert counts == {"read": 2, "used": 0, "superseded": 1, "no_opinion": 1}


def test_any_row_makes_its_user_an_author() -> None:
    votes, _ = plantnet.clean([row("a", None, is_author=True), row("a", "x", is_author=None)])
    assert votes[0]["is_author"]
