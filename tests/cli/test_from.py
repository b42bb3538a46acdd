"""Votes of another format, read by ``run --from`` without a step between."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from plant_aggregate import ParameterError, Settings, VotesError, convert, open_run, read_votes, run
from plant_aggregate.cli.main import run_command
from plant_aggregate.formats.csv import Csv
from tests.command_line import Capture, refused

ROWS = [f"{number // 3},{'abc'[number % 3]},Acer,{2026 - number % 3}-01-01" for number in range(300)]
CLEAN = "\n".join(["observation_id,user_id,label,voted_at", *ROWS]) + "\n"
VOTES = CLEAN + "7,,Acer,\n8,dee\n"  # lines 302 and 303


@pytest.fixture
def votes(work: Path) -> Path:
    path = work / "votes.csv"
    path.write_text(VOTES)
    return path


def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("consensus/latest/run.json").read_text())
    return found


def published(*arguments: str) -> dict[str, Any]:
    assert run_command(["run", *arguments, "-q"]) == 0
    return record()


def test_a_run_of_another_format_is_that_of_the_converted_votes(votes: Path) -> None:
    published("votes.csv", "--from", "csv")
    direct = pq.read_table("consensus/latest/consensus.parquet")
    convert("csv", votes, "converted")
    published("converted/votes.parquet")
    assert pq.read_table("consensus/latest/consensus.parquet").equals(direct)
    changes = record()["changes"]
    assert (changes["label_changed"], changes["status_changed"]) == (0, 0)


def test_what_run_json_says(votes: Path) -> None:
    found = published("votes.csv", "--from", "csv")
    (given,) = found["inputs"]
    assert given == {
        "path": "votes.csv",
        "rows": None,
        "bytes": len(VOTES),
        "fingerprint": sha256(VOTES.encode()).hexdigest(),
    }
    reasons = {"without a user": 1, "with fewer fields than the header": 1}
    assert found["conversion"] == {
        "format": "csv",
        "options": {},
        "ids": None,
        "paths": ["votes.csv"],
        "records": {"read": 302, "used": 300, "left_out": {}, "rejected": reasons, "rows": 300},
        "notes": {},
        "details": {},
    }
    assert found["counts"]["votes"]["read"] == 300
    assert (found["settings"]["format"], found["settings"]["format_options"]) == ("csv", {})


def test_a_run_of_parquet_says_nothing_of_it(votes: Path) -> None:
    convert("csv", votes, "converted")
    found = published("converted/votes.parquet")
    assert "conversion" not in found
    assert pq.read_schema("consensus/latest/rejected.parquet").names[-1] == "label"


def test_rejected_records_are_among_the_rejected_rows(votes: Path) -> None:
    votes.write_text(VOTES + f"9,{'x' * 40_000},Acer,\n")  # a user that csv allows, and a run does not
    published("votes.csv", "--from", "csv")
    rows = {row["number"]: row for row in pq.read_table("consensus/latest/rejected.parquet").to_pylist()}
    for number, reason in {302: "without a user", 303: "with fewer fields than the header"}.items():
        row = rows[number]
        assert (row["file"], row["row"], row["unit"], row["reason"]) == ("votes.csv", None, "line", reason)
    assert (rows[302]["observation_id"], rows[303]["text"]) == ("7", "8,dee")
    assert (rows[None]["file"], rows[None]["row"], rows[None]["unit"]) == ("votes of votes.csv", 300, None)


def test_ids_may_be_integers(votes: Path) -> None:
    text = CLEAN.replace(",a,", ",1,").replace(",b,", ",2,").replace(",c,", ",3,")
    votes.write_text(f"{text}x7\n")
    published("votes.csv", "--from", "csv", "--from-option", "ids=integer")
    schema = pq.read_schema("consensus/latest/consensus.parquet")
    assert str(schema.field("observation_id").type) == "int64"
    (row,) = pq.read_table("consensus/latest/rejected.parquet").to_pylist()
    assert (row["observation_id"], row["number"]) == (None, 302)


def test_the_votes_of_a_run_are_read_again(votes: Path) -> None:
    published("votes.csv", "--from", "csv")
    done = open_run("consensus")
    again = done.votes()
    assert (again.n_votes, again.n_observations) == (300, 100)
    assert done.votes(["5"]).n_votes == 3
    votes.write_text(VOTES + "1,eve,Acer,2026-01-01\n")
    with pytest.raises(VotesError, match=r"votes.csv: has another SHA-256 by now \(votes of run"):
        done.votes()
    assert done.votes(paths=votes).n_votes == 301
    votes.unlink()
    with pytest.raises(VotesError, match=r"no such file or folder \(votes of run"):
        done.votes()


def test_times_and_names_of_columns(votes: Path) -> None:
    votes.write_text(VOTES.replace("observation_id", "obs").replace("voted_at", "when"))
    columns = ["--column", "observation_id=obs", "--column", "voted_at=when"]
    found = published("votes.csv", "--from", "csv", *columns, "--as-of", "2024-06-01")
    assert found["counts"]["votes"]["after_as_of"] == 200
    assert found["settings"]["columns"] == {"observation_id": "obs", "voted_at": "when"}
    assert open_run("consensus").votes().n_votes == 100


def test_columns_of_a_format_without_names_of_its_own(work: Path) -> None:
    (work / "votes.csv").write_text("task,worker,label\n1,ana,Acer\n")
    columns = {"observation_id": "task", "user_id": "worker"}
    assert read_votes("votes.csv", format=Csv(columns=columns)).n_votes == 1
    with pytest.raises(ParameterError, match="names of columns are given twice"):
        read_votes("votes.csv", format=Csv(columns=columns), columns=columns)


def test_options_of_the_format(votes: Path) -> None:
    votes.write_text(CLEAN.replace(",", ";"))
    found = published("votes.csv", "--from", "csv", "--from-option", "delimiter=;")
    assert found["conversion"]["options"] == {"delimiter": ";"}
    assert found["settings"]["format_options"] == {"delimiter": ";"}
    assert open_run("consensus").votes().n_votes == 300


def test_why_and_guards_work_between_runs_of_a_format(votes: Path, capfd: Capture) -> None:
    published("votes.csv", "--from", "csv")
    votes.write_text(VOTES.replace("Acer", "Abies"))
    arguments = ["run", "votes.csv", "--from", "csv", "--max-label-changes", "0.1", "-q"]
    assert run_command(arguments) == 3
    capfd.readouterr()
    assert published("votes.csv", "--from", "csv")["changes"]["why"]["votes"] == 100


def test_settings_in_python(votes: Path) -> None:
    lines = [f"{line},true" for line in CLEAN.splitlines()]
    votes.write_text("\n".join([lines[0].replace("true", "is_author"), *lines[1:]]))
    done = run(votes, "out", settings=Settings(format="csv"))
    assert done.record.conversion is not None
    assert done.record.conversion.records is not None
    assert done.record.conversion.records.read == 300
    settings = Settings(format=Csv(delimiter=",", columns={"label": "label"}))
    assert (settings.format, settings.format_options) == ("csv", {"columns": {"label": "label"}})
    assert run(votes, "out", settings=settings).votes().n_votes == 300
    with pytest.raises(ParameterError, match="format is csv, but the votes are a frame"):
        run({"observation_id": [1], "user_id": [1], "label": ["a"]}, "out", settings=Settings(format="csv"))
    with pytest.raises(ParameterError, match="is read from files, not from frames"):
        read_votes({"observation_id": [1], "user_id": [1], "label": ["a"]}, format="csv")


def test_a_configuration(votes: Path, capfd: Capture) -> None:
    Path("job.toml").write_text(
        '[run]\nvotes = ["votes.csv"]\nfrom = "csv"\nfrom-option = ["delimiter=,", "column=label=label"]\n'
    )
    found = published("--config", "job.toml")
    assert found["conversion"]["options"] == {"columns": {"label": "label"}}
    assert run_command(["config", "run", "--show", "--config", "job.toml"]) == 0
    assert 'from = "csv"' in capfd.readouterr().out
    Path("job.toml").write_text('[run]\nfrom = "csv"\nfrom-option = ["delimeter=,"]\n')
    message = refused(capfd, "config", "--config", "job.toml", exit_code=2)
    assert "format csv has no option 'delimeter'; did you mean 'delimiter'" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "cvs"], "format is 'cvs' but must be one of"),
        (["--from-option", "a=b"], "--from-option is given without --from"),
        (["--from", "csv", "--from-option", "task"], "'task' is not of the form NAME=VALUE"),
        (["--from", "csv", "--from-option", "task=T0"], "format csv has no option 'task'"),
        (["--from", "csv", "--from-option", "ids=float"], "ids is 'float' but must be one of integer, text"),
        (["--from", "csv", "--from-option", "table=truth", "--from-option", "table=votes"], "table is given 2 times"),
    ],
)
def test_wrong_usage(votes: Path, capfd: Capture, arguments: list[str], message: str) -> None:
    assert message in refused(capfd, "run", "votes.csv", "-q", *arguments, exit_code=2)
    assert not Path("consensus").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--max-rejected", "0"],
            "2 of 302 records of votes cannot be used (1 with fewer fields than the header, 1 without",
        ),
        (
            ["--from-option", "table=truth"],
            "votes.csv: holds no votes, but truth (format csv); write that with plant-aggregate convert csv",
        ),
        (["--from-option", "delimiter=;"], "column 'observation_id' is missing"),
    ],
)
def test_votes_that_cannot_be_used(votes: Path, capfd: Capture, arguments: list[str], message: str) -> None:
    if "table=truth" in arguments:
        votes.write_text("observation_id,label\n1,Acer\n")
    assert message in refused(capfd, "run", "votes.csv", "-q", "--from", "csv", *arguments)
    assert not Path("consensus/latest").exists()


def test_other_commands_that_take_votes(votes: Path, capfd: Capture) -> None:
    Path("truth.csv").write_text("observation_id,label\n" + "".join(f"{number},Acer\n" for number in range(50)))
    convert("csv", "truth.csv", "experts", table="truth")
    arguments = ["--truth", "experts/truth.parquet", "--strategies", "majority", "-q", "--from", "csv"]
    assert run_command(["compare", "votes.csv", *arguments, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)[0]["observations"] == 50
    published("votes.csv", "--from", "csv")
    assert run_command(["evaluate", "consensus", "--truth", "experts/truth.parquet", "--votes", "votes.csv", "-q"]) == 0


def test_read_votes_of_another_format(votes: Path) -> None:
    found = read_votes(votes, format="csv", as_of=datetime(2025, 6, 1, tzinfo=UTC))
    assert found.n_votes == 200
    assert read_votes(votes, format="csv", format_options={"ids": "text"}).n_votes == 300
    with pytest.raises(ParameterError, match="format_options are given without format"):
        read_votes(votes, format_options={"ids": "text"})
    with pytest.raises(TypeError, match="a format is"):
        read_votes(votes, format=3)  # type: ignore[arg-type]


def test_what_else_is_wrong_with_the_files_does_not_matter(work: Path) -> None:
    for name, content in {
        "answers/answers.json": {"0": {"0": 0, "1": 1}},
        "converters/classes.json": {"Acer": 0, "Abies": 1},
        "converters/tasks.json": {"100": 0},
        "aggregation/ai_answers.json": {"0": 7},
        "aggregation/ai_classes.json": {"Acer": 0},
        "aggregation/ai_scores.json": {"0": 0.5},
    }.items():
        path = work / "CrowdSWE" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    (work / "CrowdSWE/answers/ground_truth.txt").write_text("-1\n")
    with pytest.raises(VotesError, match="1 of 1 records of ai_votes cannot be used"):
        convert("crowdswe", "CrowdSWE", "converted")
    assert published("CrowdSWE", "--from", "crowdswe")["conversion"]["records"]["used"] == 2
    assert not pq.read_metadata("consensus/latest/rejected.parquet").num_rows
