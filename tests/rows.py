"""Rows of a log as votes, and a consensus as rows that can be compared."""

import math
from collections.abc import Callable
from typing import Any

import pyarrow as pa

import plant_aggregate
from plant_aggregate.kernels import threads
from tests.reference import plantnet

Rows = list[dict[str, Any]]


def table(rows: Rows, **types: pa.DataType) -> pa.Table:
    names = {name for row in rows for name in row}
    columns = {name: [row.get(name) for row in rows] for name in sorted(names)}
    arrays = {
        name: pa.array(values, types.get(name, pa.timestamp("us") if name == "voted_at" else None))
        for name, values in columns.items()
    }
    if arrays["label"].type == pa.null():
        arrays["label"] = arrays["label"].cast(pa.string())
    if "is_author" in arrays:
        arrays["is_author"] = arrays["is_author"].cast(pa.bool_())
    return pa.table(arrays)


def votes_of(rows: Rows) -> plant_aggregate.Votes:
    return plant_aggregate.votes_from_table(table(rows))


def without_repeats(rows: Rows) -> Rows:
    """The votes that stand: their order means nothing any more."""
    return plantnet.clean(rows)[0]


def exactly(table: pa.Table) -> Rows:
    """Rows with floats as hexadecimal digits: equal only if every bit is."""
    return [{k: v.hex() if isinstance(v, float) else v for k, v in row.items()} for row in table.to_pylist()]


def bits(consensus: plant_aggregate.Consensus) -> tuple[Rows, Rows]:
    """The observations and the users of a result."""
    return exactly(consensus.to_arrow()), exactly(consensus.users_to_arrow())


def assert_same_on_threads(result: Callable[[], Any]) -> None:
    """The number of threads changes nothing."""
    results = []
    for count in (1, 2, 4):
        threads.set_threads(count)
        results.append(result())
    assert results[0] == results[1] == results[2]


def assert_equal(found: plant_aggregate.Consensus, expected: dict[str, Any]) -> None:
    """Weights and everything countable exactly; what is divided, to a few units in the last place."""
    for name, rows_found in (("observations", found.to_arrow()), ("users", found.users_to_arrow())):
        for row, wanted in zip(rows_found.to_pylist(), expected[name], strict=True):
            for column, value in wanted.items():
                if isinstance(value, float) and column != "weight":
                    assert math.isclose(row[column], value, rel_tol=1e-12, abs_tol=1e-13), (column, row, wanted)
                else:
                    assert row[column] == value, (column, row, wanted)
    assert [vars(iteration) for iteration in found.trace.iterations] == expected["trace"]
    assert found.trace.converged == expected["converged"]
    assert found.trace.cycle_length == expected["cycle_length"]


def matching_theta_conf(given_parameters: dict[str, Any]) -> float:
    """The threshold that goes with a weight function [L25, table of weight functions]."""
    name = given_parameters.get("weight_function", "power-difference")
    return {
        "power-difference": 2.0,
        "linear": 8.75,
        "square-root": 3.6,
        "three-quarters": 5.5,
        "square": 64.75,
        "logarithm": 2.82,
    }[name]
