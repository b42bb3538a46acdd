from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from plant_aggregate.formats import base
from plant_aggregate.formats.base import Account, Rejected
from plant_aggregate.formats.rows import BATCH_ROWS, TIME, Rows


def test_what_is_neither_left_out_nor_rejected_is_used() -> None:
    account = Account()
    account.read(5)
    account.read(2, table="truth")
    account.leave_out("of a test phase", 2)
    account.leave_out("of a test phase", 0)
    account.reject(Rejected("votes", "votes.csv", "line", 3, "two fields instead of three"))
    assert account.n_used() == 2
    assert account.n_used("truth") == 2
    assert account.left_out == {"votes": {"of a test phase": 2}}


def test_rows_come_in_batches_of_the_declared_types() -> None:
    rows = Rows("votes", observation_id=pa.string(), user_id=pa.int64(), label=pa.string())
    batches = []
    for number in range(BATCH_ROWS + 1):
        rows.add(str(number), number, None)
        batches += rows.full()
    batches += rows.rest()
    assert [name for name, _ in batches] == ["votes", "votes"]
    assert [batch.num_rows for _, batch in batches] == [BATCH_ROWS, 1]
    assert batches[0][1].schema == batches[1][1].schema
    assert batches[1][1].to_pylist() == [{"observation_id": str(BATCH_ROWS), "user_id": BATCH_ROWS, "label": None}]
    assert list(rows.rest()) == []


def test_rows_of_every_type_are_those_of_pyarrow() -> None:
    values = {
        pa.string(): ["a", None, ""],
        pa.int64(): [2**62, None, -1],
        pa.float64(): [0.5, None, 1e300],
        pa.bool_(): [True, None, False],
        TIME: [datetime(2026, 1, 2, 3, 4, 5, 6, UTC), None, datetime(1969, 1, 1, tzinfo=timezone(timedelta(hours=-4)))],
        pa.list_(pa.string()): [["a", None], None, []],
        pa.list_(pa.float64()): [[0.5], None, []],
    }
    rows = Rows("votes", **{str(kind): kind for kind in values})
    for row in zip(*values.values(), strict=True):
        rows.add(*row)
    ((_, batch),) = rows.rest()
    assert batch.columns == [pa.array(column, kind) for kind, column in values.items()]


def test_rows_of_nulls_alone() -> None:
    rows = Rows("votes", text=pa.string(), time=TIME, items=pa.list_(pa.string()))
    rows.add(None, None, None)
    ((_, batch),) = rows.rest()
    assert batch.to_pylist() == [{"text": None, "time": None, "items": None}]


def test_all_rejected_records_are_counted_and_some_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MOST_KEPT", 2)
    account = Account()
    account.read(5)
    for number in range(3):
        account.reject(Rejected("votes", "votes.csv", "line", number, "without a user"))
    assert [item.number for item in account.rejected] == [0, 1]
    assert account.n_rejected == {"votes": {"without a user": 3}}
    assert account.n_used() == 2
