import pyarrow as pa

from plant_aggregate.formats.base import Account, Rejected
from plant_aggregate.formats.rows import BATCH_ROWS, Rows


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
