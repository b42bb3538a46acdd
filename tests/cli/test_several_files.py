"""AI votes, expert labels and user weights are read from several files, folders and globs, as votes are."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, Write
from tests.records import record_of

AI = pa.table({"observation_id": [1, 2, 3], "label": ["Acer opalus", "Abies alba", "Ilex"], "score": [0.9, 0.8, 0.7]})
TRUTH = AI.drop_columns(["score"])
RUN = ("run", "good.parquet", "-q")


def published_table() -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = pq.read_table("consensus/latest/consensus.parquet").to_pydict()
    return table


@pytest.fixture
def parts(write: Write) -> list[str]:
    """The AI's votes in three files, of which one has no row and one a folder that says the label."""
    write("good.parquet")
    return [
        str(write("ai/1.parquet", AI.slice(0, 2))),
        str(write("ai/2.parquet", AI.slice(0, 0))),
        str(write("ai/label=Ilex/3.parquet", AI.slice(2).drop_columns(["label"]))),
    ]


def test_ai_votes_of_several_files_are_those_of_one(parts: list[str], write: Write, work: Path) -> None:
    assert run_command([*RUN, "--ai-votes", str(write("ai.parquet", AI))]) == 0
    expected = published_table()
    assert record_of()["settings"]["ai_votes"] == f"{work}/ai.parquet"
    for given in ([parts[0], parts[1], parts[2]], [f"{work}/ai"], ["ai/*.parquet", "ai/label=*"]):
        assert run_command([*RUN, *(word for path in given for word in ("--ai-votes", path))]) == 0
        assert published_table() == expected
        inputs = record_of()["inputs"][1:]
        assert [Path(item["path"]).name for item in inputs] == ["1.parquet", "2.parquet", "3.parquet"]
        assert [item["rows"] for item in inputs] == [2, 0, 1]
        assert inputs[0]["fingerprint"] == hashlib.sha256(Path(parts[0]).read_bytes()).hexdigest()
        assert record_of()["settings"]["ai_votes"] == (given if len(given) > 1 else given[0])


def test_rejected_rows_say_which_file_of_ai_votes(parts: list[str], write: Write) -> None:
    write("ai/4.parquet", pa.table({"observation_id": [4, 5], "label": ["x", "y"], "score": [0.5, 7.0]}))
    assert run_command([*RUN, "--ai-votes", "ai", "--max-rejected", "0.5"]) == 0
    (row,) = pq.read_table("consensus/latest/rejected.parquet").to_pylist()
    assert (row["file"], row["row"], row["reason"]) == ("ai/4.parquet", 1, "score not in [0, 1]")


def test_files_of_ai_votes_that_disagree(parts: list[str], write: Write, capfd: Capture) -> None:
    write("ai/4.parquet", AI.set_column(0, "observation_id", pa.array(["a", "b", "c"])))
    assert run_command([*RUN, "--ai-votes", "ai"]) == 1
    reported = capfd.readouterr().err
    assert "ai/4.parquet: column 'observation_id' has type string, but int64 in ai/1.parquet" in reported
    assert reported.count("\n") == 1


def test_a_configuration_may_name_one_or_several(parts: list[str], work: Path) -> None:
    for spelled in ('"ai"', json.dumps(parts)):
        (work / "job.toml").write_text(f"[run]\nai-votes = {spelled}\n")
        assert run_command([*RUN, "--config", "job.toml"]) == 0
        assert len(record_of()["inputs"]) == 4


def test_expert_labels_of_several_files(parts: list[str], write: Write, work: Path, capfd: Capture) -> None:
    assert run_command([*RUN]) == 0
    write("truth/label=Ilex/1.parquet", pa.table({"observation_id": [3]}))
    write("truth/2.parquet", TRUTH.slice(0, 2))
    whole = str(write("truth.parquet", TRUTH))
    capfd.readouterr()
    reported = []
    for given in ([whole], ["truth"], ["truth/2.parquet", "truth/label=Ilex"]):
        words = [word for path in given for word in ("--truth", path)]
        assert run_command(["evaluate", "consensus", *words, "--json"]) == 0
        found = json.loads(capfd.readouterr().out)
        assert found.pop("truth") == (given[0] if len(given) == 1 else given)
        reported.append(found)
    assert reported[0] == reported[1] == reported[2]
    assert plant_aggregate.read_truth([work / "truth"]).origin == f"{work}/truth/2.parquet and 1 more"


def test_user_weights_of_several_files(parts: list[str], write: Write, work: Path, capfd: Capture) -> None:
    (work / "a.csv").write_text("user_id,fixed_weight\nana,3\n")
    write("b.parquet", pa.table({"user_id": ["bo"], "min_weight": [2.5]}))
    assert run_command([*RUN, "--user-weights", "a.csv", "--user-weights", "b.parquet"]) == 0
    users = pq.read_table("consensus/latest/users.parquet").to_pydict()
    weights = dict(zip(users["user_id"], users["weight"], strict=True))
    assert (weights["ana"], weights["bo"]) == (3, 2.5)
    both = record_of()["files"]["user_weights"]
    assert both["path"] == "a.csv and 1 more"
    (work / "a.csv").write_text("user_id,fixed_weight\nana,4\n")
    assert run_command([*RUN, "--user-weights", "a.csv", "--user-weights", "b.parquet"]) == 0
    assert record_of()["files"]["user_weights"]["sha256"] != both["sha256"]


def test_a_newer_file_without_times_is_said_to_be_older(write: Write, capfd: Capture) -> None:
    """On stderr and in run.json."""
    times = pa.array([datetime(2026, 1, 1)] * 4, pa.timestamp("us"))
    write("log/2026-01-01.parquet", voted_at=times)
    write("log/2026-01-02.parquet")
    assert run_command(["run", "log", "-q"]) == 0
    reported = "4 rows of 1 file without voted_at, after rows that have one, count as older"
    assert reported in capfd.readouterr().err
    assert any(reported in warning for warning in record_of()["warnings"])
    assert record_of()["counts"]["votes"]["untimed"] == 4
