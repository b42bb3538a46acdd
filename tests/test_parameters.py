"""Declarations of what users may set: one for each name, and what derives from it."""

from dataclasses import dataclass, fields

import pytest

from plant_aggregate.errors import ParameterError
from plant_aggregate.parameters import Interval, check_parameters, choice, declared, kind_of, parameter
from plant_aggregate.strategies.registry import STRATEGIES


@dataclass(frozen=True)
class Toy:
    """Settings of a test."""

    share: float = parameter(0.5, "a share", "in [0, 1)")
    limit: int | None = parameter(None, "a limit", "at least 1", group="Running", unit="seconds")
    way: str = choice("up", "a way", ("up", "down"))
    quiet: bool = parameter(False, "say nothing", changes_result=False)
    undeclared: int = 3

    def __post_init__(self) -> None:
        check_parameters(self)


def test_the_declaration_is_where_the_field_is() -> None:
    assert list(declared(Toy)) == ["share", "limit", "way", "quiet"] == list(declared(Toy()))
    assert declared(Toy)["limit"].group == "Running"
    assert [kind_of(Toy, name) for name in declared(Toy)] == [float, int, str, bool]


@pytest.mark.parametrize(
    ("settings", "saying"),
    [
        ({"share": 1.0}, "share is 1.0 but must be in [0, 1)"),
        ({"share": float("nan")}, "share is nan but must be in [0, 1)"),
        ({"limit": 0}, "limit is 0 but must be at least 1"),
        ({"limit": float("inf")}, "limit is inf but must be at least 1"),
        (
            {"share": -0.1, "way": "out"},
            "share is -0.1 but must be in [0, 1); way is 'out' but must be one of up, down",
        ),
    ],
)
def test_all_that_is_out_of_range_is_named(settings: dict[str, object], saying: str) -> None:
    with pytest.raises(ParameterError) as failure:
        Toy(**settings)  # type: ignore[arg-type]
    assert str(failure.value) == saying


def test_an_end_of_a_range_may_be_another_parameter() -> None:
    interval = Interval.of("in (0, alpha]")
    assert interval is not None
    assert [interval.has(value) for value in (0.0, 1e300, float("inf"))] == [False, True, False]
    assert Interval.of("a positive number") is None


def test_the_same_name_has_the_same_range_and_help_in_all_strategies() -> None:
    found: dict[str, set[tuple[object, ...]]] = {}
    for strategy in STRATEGIES.values():
        assert list(declared(strategy)) == [item.name for item in fields(strategy)]  # type: ignore[arg-type]
        for name, known in declared(strategy).items():
            same = (known.help, known.range, known.group, known.changes_result, kind_of(strategy, name))
            found.setdefault(name, set()).add(same)
    assert {name for name, declarations in found.items() if len(declarations) > 1} == set()


def test_every_range_of_a_number_is_an_interval() -> None:
    for strategy in STRATEGIES.values():
        for known in declared(strategy).values():
            assert known.choices or Interval.of(known.range) is not None
