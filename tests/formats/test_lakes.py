"""Tables whose rows have no order, whatever reads them."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.formats.base import Account
from plant_aggregate.formats.delta import Delta
from plant_aggregate.formats.iceberg import Iceberg
from plant_aggregate.formats.lakes import lake_parts
from plant_aggregate.formats.reading import read_tables

START = datetime(2026, 1, 1, tzinfo=UTC)
IDS = {"integers": pa.int64(), "texts": pa.string_view(), "names": pa.dictionary(pa.int32(), pa.string())}

Vote = tuple[int | None, int | None, str | None, int | None]


def scanned(votes: Sequence[Vote], ids: str, order: random.Random) -> tuple[pa.Schema, Any]:
    """A table of votes, whose batches have any order and size, each time that it is read."""
    as_id = (lambda number: number) if ids == "integers" else (lambda number: None if number is None else f"é{number}")
    schema = pa.schema(
        {"observation_id": IDS[ids], "user_id": IDS[ids], "label": pa.large_string(), "voted_at": pa.timestamp("ns")}
    )

    def scan(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        rows = order.sample(votes, len(votes))
        while rows:
            some, rows = rows[: (n := order.randrange(1, 5))], rows[n:]
            values = {
                "observation_id": [as_id(vote[0]) for vote in some],
                "user_id": [as_id(vote[1]) for vote in some],
                "label": [vote[2] for vote in some],
                "voted_at": [None if vote[3] is None else START + timedelta(days=vote[3]) for vote in some],
            }
            yield pa.record_batch({name: pa.array(values[name], schema.field(name).type) for name in columns})

    return schema, scan


def expected(votes: Sequence[Vote]) -> list[Vote] | None:
    """The votes that are used; None if the table is refused. Found one by one."""
    used = []
    for vote in votes:
        observation, user, label, time = vote
        if observation is None or user is None:
            continue
        alike = [other for other in votes if (other[0], other[1], other[3]) == (observation, user, time)]
        if time is None and len(alike) > 1:
            return None
        if all(other[2] == label for other in alike):
            used.append(vote)
    return used


VOTES = st.lists(
    st.tuples(
        st.sampled_from([None, 1, 2, 3]),
        st.sampled_from([None, 1, 2, 2**53 + 1]),
        st.sampled_from([None, "Acer", "Ilex"]),
        st.sampled_from([None, 0, 1, 2]),
    ),
    max_size=12,
)


@given(VOTES, st.sampled_from(sorted(IDS)), st.randoms(use_true_random=False))
def test_what_is_read_does_not_depend_on_the_order_of_the_rows(
    votes: list[Vote], ids: str, order: random.Random
) -> None:
    account = Account()
    wanted = expected(votes)
    schema, scan = scanned(votes, ids, order)
    if wanted is None:
        with pytest.raises(VotesError, match=r"votes on .* without a voted_at, and the rows"):
            list(lake_parts("table", schema, scan, None, account))
        return
    batches = [batch for _, batch in lake_parts("table", schema, scan, None, account)]
    rows = [row for batch in batches for row in batch.to_pylist()]
    days = [None if row["voted_at"] is None else (row["voted_at"] - START).days for row in rows]
    found = [
        (int(str(row["observation_id"]).lstrip("é")), int(str(row["user_id"]).lstrip("é")), row["label"], day)
        for row, day in zip(rows, days, strict=True)
    ]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert account.n_read["votes"] == len(votes)
    assert account.n_used() == len(found)
    assert {batch.schema for batch in batches} <= {batches[0].schema} if batches else True


def test_hashes_that_are_equal_by_chance_reject_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plant_aggregate.formats.lakes.MIXERS", (0, 0, 0))
    votes: list[Vote] = [
        (1, 1, "Acer", 0),
        (1, 1, "Ilex", 0),
        (2, 1, "Acer", 0),
        (2, 2, "Ilex", None),
        (3, 1, "Acer", 1),
    ]
    account = Account()
    parts = list(lake_parts("table", *scanned(votes, "texts", random.Random(0)), None, account))
    assert sum(batch.num_rows for _, batch in parts) == account.n_used() == 3


@pytest.mark.parametrize(
    ("layout", "log", "package"),
    [(Delta(), "_delta_log/0.json", "deltalake"), (Iceberg(), "metadata/v1.metadata.json", "pyiceberg")],
)
def test_a_missing_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Delta | Iceberg, log: str, package: str
) -> None:
    (tmp_path / log).parent.mkdir()
    (tmp_path / log).write_text("{}")

    def missing(module: str) -> NoReturn:
        raise ModuleNotFoundError(module)

    monkeypatch.setattr("plant_aggregate.formats.lakes.import_module", missing)
    with pytest.raises(ParameterError) as caught:
        read_tables(layout, tmp_path)
    assert str(caught.value) == f"{package} is not installed; pip install 'plant-aggregate[{layout.name}]'"
