"""One row that cannot be used stops nothing: it is kept aside, with file, row and reason, or named in a line."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from plant_aggregate.ids.text_faults import LONGEST
from tests.command_line import Capture, Write
from tests.records import record_of

N = 200
LATIN1 = "Isoëtes".encode("latin-1")
LONG = b"x" * (LONGEST + 1)
REASONS = {LATIN1: "is not UTF-8", LONG: "longer than 32,768 bytes"}
SHOWN = {LATIN1: "Iso\\xebtes", LONG: "x" * 200 + "..."}


def texts(*values: Any) -> pa.Array:
    """Strings with whatever bytes."""
    return pa.array([value.encode() if isinstance(value, str) else value for value in values], pa.binary()).view(
        pa.string()
    )


def votes(n: int = N, **columns: pa.Array) -> pa.Table:
    rows = {
        "observation_id": texts(*(f"o{i:04d}" for i in range(n))),
        "user_id": texts(*(f"u{i % 7}" for i in range(n))),
        "label": texts(*(f"Species {i % 5}" for i in range(n))),
        "is_author": pa.array([True] * n),
    }
    return pa.table(rows | columns)


def with_text(column: str, row: int, text: bytes, table: pa.Table) -> pa.Array:
    values = table[column].to_pylist()
    values[row] = text
    return texts(*values)


def rejected() -> list[dict[str, Any]]:
    table = pq.read_table("consensus/latest/rejected.parquet")
    table.validate(full=True)
    return table.to_pylist()


def refusal(capfd: Capture, *arguments: object, exit_code: int = 1) -> str:
    assert run_command(list(map(str, arguments))) == exit_code
    captured = capfd.readouterr()
    assert captured.err.count("\n") == 1, captured.err
    return captured.err


@pytest.mark.parametrize("text", [LATIN1, LONG], ids=["not UTF-8", "long"])
@pytest.mark.parametrize("column", ["observation_id", "user_id", "label"])
@pytest.mark.parametrize("encoding", ["dictionary", "plain", "delta", "large"])
def test_a_vote_with_text_that_cannot_be_used(
    write: Write, work: Path, column: str, text: bytes, encoding: str
) -> None:
    """However it is encoded: a name of a dictionary is on many rows, and those of other files are sound."""
    write("log/a.parquet", votes())
    bad = votes().set_column(votes().column_names.index(column), column, with_text(column, 150, text, votes()))
    if encoding == "large":
        bad = bad.cast(
            pa.schema([(f.name, pa.large_string() if f.type == pa.string() else f.type) for f in bad.schema])
        )
    how: dict[str, Any] = {
        "dictionary": {},
        "plain": {"use_dictionary": False},
        "delta": {"use_dictionary": False, "column_encoding": dict.fromkeys(["user_id", "label"], "DELTA_BYTE_ARRAY")},
        "large": {},
    }
    pq.write_table(bad, work / "log" / "b.parquet", row_group_size=60, **how[encoding])
    assert run_command(["run", "log", "-q"]) == 0
    (row,) = rejected()
    assert (row["file"], row["row"], row["reason"]) == ("log/b.parquet", 150, f"{column} {REASONS[text]}")
    assert row[column] == SHOWN[text]
    counts = record_of()["counts"]["votes"]
    assert counts["rejected_by_reason"] == {f"{column} {REASONS[text]}": 1}
    labels = pq.read_table("consensus/latest/consensus.parquet")["label"].unique().to_pylist()
    assert sorted(labels) == [f"Species {i}" for i in range(5)]


def test_a_name_of_a_dictionary_that_is_on_many_rows(write: Write, capfd: Capture) -> None:
    labels = ["Acer", LATIN1, None, LONG] * 50
    line = refusal(capfd, "run", write("votes.parquet", votes(), label=texts(*labels)), "-q")
    assert "100 of 200 rows cannot be used (50 label is not UTF-8, 50 label longer than 32,768 bytes; " in line
    assert "first: row 1 of " in line
    assert run_command(["run", "votes.parquet", "-q", "--max-rejected", "0.5"]) == 0
    assert [row["row"] for row in rejected()] == [i for i in range(200) if i % 4 in (1, 3)]


def test_the_line_names_the_file_and_the_row_it_stands_in(write: Write, capfd: Capture) -> None:
    for night in range(3):
        label = texts("Acer", LATIN1 if night == 2 else "Acer")
        write(f"log/{night}.parquet", votes(2), label=label)
    assert "first: row 1 of log/2.parquet, label is not UTF-8" in refusal(capfd, "run", "log", "-q")


def test_rows_after_the_time_limit_are_not_rejected(write: Write) -> None:
    import datetime as dt

    times = pa.array([dt.datetime(2026, 1, 1 + (i == 3)) for i in range(4)], pa.timestamp("us"))
    write("votes.parquet", votes(4, voted_at=times), label=texts("Acer", "Acer", "Acer", LATIN1))
    assert run_command(["run", "votes.parquet", "-q", "--as-of", "2026-01-01", "--max-rejected", "0"]) == 0
    assert rejected() == []


def ai_votes(n: int = N, **columns: pa.Array) -> pa.Table:
    rows = {
        "observation_id": texts(*(f"o{i:04d}" for i in range(n))),
        "label": texts(*(f"Species {i % 5}" for i in range(n))),
        "score": pa.array(np.full(n, 0.9)),
    }
    return pa.table(rows | columns)


@pytest.mark.parametrize("text", [LATIN1, LONG], ids=["not UTF-8", "long"])
@pytest.mark.parametrize("column", ["observation_id", "label"])
def test_an_ai_vote_with_text_that_cannot_be_used(write: Write, column: str, text: bytes) -> None:
    ai = write("ai.parquet", ai_votes(**{column: with_text(column, 150, text, ai_votes())}))
    assert run_command(["run", str(write("votes.parquet", votes())), "-q", "--ai-votes", str(ai)]) == 0
    (row,) = rejected()
    assert (row["file"], row["row"], row["reason"]) == (str(ai), 150, f"{column} {REASONS[text]}")
    assert row[column] == SHOWN[text]
    counts = record_of()["counts"]["ai"]
    assert counts["rejected_by_reason"] == {f"{column} {REASONS[text]}": 1}


@pytest.mark.slow
def test_long_labels_on_many_observations_are_held_once(write: Write, capfd: Capture) -> None:
    """As texts of their own they would be 2.2 GB in each of several columns."""
    n = 70_000
    ids = pa.array(np.arange(n))
    for turn, length in enumerate((5, LONGEST, LONGEST)):
        names = texts(*(f"{name}{turn}".ljust(length, "x") for name in "abc"))
        labels = pa.DictionaryArray.from_arrays(pa.array((np.arange(n) % 3).astype(np.int8)), names)
        table = pa.table({"observation_id": ids, "user_id": ids, "label": labels, "is_author": pa.array([True] * n)})
        assert run_command(["run", str(write("votes.parquet", table)), "-q", "--soft"]) == 0
    assert "0 new, 0 gone, 70,000 labels changed" in capfd.readouterr().out
    before, now = sorted(Path("consensus/runs").iterdir())[-2:]
    assert run_command(["diff", str(before), str(now), "--table", "changes.parquet"]) == 0
    out = capfd.readouterr().out
    assert f"23,334  {'a1'.ljust(LONGEST, 'x')}  {'a2'.ljust(LONGEST, 'x')}\n" in out
    assert pq.read_schema("changes.parquet").equals(pq.read_schema("consensus/latest/changes.parquet"))
    assert pq.read_schema("changes.parquet").field("old_label").type == pa.string()
    assert pq.read_schema("consensus/latest/posteriors.parquet").field("label").type == pa.string()


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64()])
def test_an_ai_vote_whose_integers_the_votes_have_no_room_for(write: Write, kind: pa.DataType) -> None:
    numbers = pa.array(range(N), pa.int32())
    write("votes.parquet", votes(observation_id=numbers, label=pa.array([i % 5 for i in range(N)], pa.int16())))
    wide = pa.array([*range(N - 1), 2**40], kind)
    labels = pa.array([2**20, *(i % 5 for i in range(N - 1))], kind)
    ai = write("ai.parquet", ai_votes(observation_id=wide, label=labels))
    assert run_command(["run", "votes.parquet", "-q", "--ai-votes", str(ai)]) == 0
    first, last = rejected()
    assert (first["row"], first["reason"]) == (0, "label beyond int16, the type of the votes")
    assert (first["observation_id"], first["label"]) == (0, None)
    assert (last["row"], last["reason"]) == (N - 1, "observation_id beyond int32, the type of the votes")
    assert (last["observation_id"], last["label"]) == (None, (N - 2) % 5)


@pytest.mark.parametrize("text", [LATIN1, LONG], ids=["not UTF-8", "long"])
@pytest.mark.parametrize("column", ["observation_id", "label"])
def test_expert_labels_that_cannot_be_used_are_named_with_their_rows(
    write: Write, capfd: Capture, column: str, text: bytes
) -> None:
    assert run_command(["run", str(write("votes.parquet", votes())), "-q"]) == 0
    capfd.readouterr()
    truth = votes().select(["observation_id", "label"])
    write("truth/a.parquet", truth[:100])
    write("truth/b.parquet", truth[100:], **{column: with_text(column, 5, text, truth[100:])})
    line = refusal(capfd, "evaluate", "consensus", "--truth", "truth")
    what = REASONS[text].removeprefix("is ")
    assert (
        f"column '{column}' holds text {'that is ' if text == LATIN1 else ''}{what} in row 5 of truth/b.parquet" in line
    )


def test_user_weights_that_cannot_be_used_are_named_with_their_rows(write: Write, capfd: Capture, work: Path) -> None:
    write("votes.parquet", votes())
    ids = texts("u1", "u2", LATIN1)
    pq.write_table(pa.table({"user_id": ids, "fixed_weight": [1.0] * 3}), work / "weights.parquet")
    line = refusal(capfd, "run", "votes.parquet", "-q", "--user-weights", "weights.parquet")
    assert "weights.parquet: column 'user_id' holds text that is not UTF-8 in row 2; write it as UTF-8" in line
    (work / "weights.csv").write_text("user_id,min_weight\nu1,1\nu2,2\nu1,3\nu2,4\n")
    line = refusal(capfd, "run", "votes.parquet", "-q", "--user-weights", "weights.csv")
    assert "weights.csv: user 'u1' occurs more than once, in lines 2, 4; leave one row of each user" in line
