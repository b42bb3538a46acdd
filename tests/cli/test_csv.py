"""Tables for programs: CSV on stdout."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from plant_aggregate import schema
from plant_aggregate.cli import console
from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, Published, Write, refused
from tests.paths import SAMPLE

TRUTH = pa.table({"observation_id": [1, 2, 3], "label": ["Acer opalus", "Abies alba", "Abies alba"]})


def printed(capfd: Capture, *arguments: Any) -> str:
    """What a command prints on stdout."""
    capfd.readouterr()
    assert run_command([str(argument) for argument in arguments]) == 0
    return capfd.readouterr().out


def rows(capfd: Capture, *arguments: Any) -> list[dict[str, str]]:
    """The rows of a command with --csv, by the names of their columns."""
    return list(csv.DictReader(io.StringIO(printed(capfd, *arguments, "--csv"), newline="")))


def names_of(table: schema.Table) -> list[str]:
    return [column.name for column in table]


@pytest.fixture
def two_runs(published: Published, write: Write) -> Published:
    """A second run, with another label on one observation."""
    other = write("other.parquet", label=["Acer opalus", "Acer opalus", "Abies alba", "Abies alba"])
    assert run_command(["run", str(other), "-q"]) == 0
    return published


def test_runs(two_runs: Published, capfd: Capture) -> None:
    found = rows(capfd, "runs")
    assert list(found[0]) == names_of(schema.RUNS)
    listed = json.loads(printed(capfd, "runs", "--json"))
    assert [(each["run_id"], int(each["observations"])) for each in found] == [
        (each["run_id"], each["observations"]) for each in listed
    ]
    assert [each["label_changed"] for each in found] == ["", "1"]
    assert [each["held"] for each in found] == ["", ""]


def test_why_a_run_was_held_back_is_in_its_row(two_runs: Published, write: Write, capfd: Capture) -> None:
    assert run_command(["run", str(write()), "-q", "--max-label-changes", "0"]) == 3
    found = rows(capfd, "runs")
    assert found[-1]["state"] == "held"
    assert found[-1]["held"].startswith("1 of 3 labels changed")


def test_diff(two_runs: Published, capfd: Capture) -> None:
    first, _ = [each["run_id"] for each in rows(capfd, "runs")]
    (row,) = rows(capfd, "diff", first, "latest", "--rows", 0)
    assert list(row) == names_of(schema.CHANGES)
    assert (row["observation_id"], row["old_label"], row["new_label"], row["why"]) == (
        *("1", "Acer campestre", "Acer opalus"),
        "votes",
    )


def test_evaluate(published: Published, write: Write, capfd: Capture) -> None:
    command = ("evaluate", "consensus", "--truth", write("truth.parquet", TRUTH), "--resamples", 10)
    found = rows(capfd, *command)
    assert list(found[0]) == names_of(schema.EVALUATION)
    evaluation = json.loads(printed(capfd, *command, "--json"))
    for grouped_by, name in (("subset", "subsets"), ("n_votes", "by_votes")):
        for group in evaluation[name]:
            for measure, estimate in group["measures"].items():
                (row,) = (
                    row
                    for row in found
                    if (row["grouped_by"], row["subset"], row["measure"]) == (grouped_by, group["name"], measure)
                )
                numbers = [float(row[end]) if row[end] else None for end in ("value", "low", "high")]
                assert numbers == [estimate[end] for end in ("value", "low", "high")]  # to the last digit
                assert int(row["observations"]) == group["observations"]


def test_compare(write: Write, capfd: Capture) -> None:
    command = ("compare", write(), "--truth", write("truth.parquet", TRUTH), "--strategies", "majority,wawa", "-q")
    found = rows(capfd, *command)
    assert list(found[0]) == names_of(schema.COMPARISON)
    assert {row["converged"] for row in found} == {"true"}
    assert found[0]["accuracy_low"] != ""  # intervals, which the text has no room for
    command = ("compare", write(), "--experts", write("truth.parquet", TRUTH), "--strategies", "majority,wawa", "-q")
    assert list(rows(capfd, *command)[0]) == names_of(schema.EXPERT_COMPARISON)


def test_calibrate(work: Path, capfd: Capture) -> None:
    assert run_command(["run", str(SAMPLE / "votes.parquet"), "-q"]) == 0
    truth = ("--truth", SAMPLE / "truth.parquet")
    found = rows(capfd, "calibrate", "consensus", *truth)
    assert list(found[0]) == names_of(schema.CALIBRATION)
    saved = json.loads((work / "calibration.json").read_text())
    assert {row["method"]: float(row["log_loss"]) for row in found} == {
        method: measures["log_loss"] for method, measures in saved["cross_validated"].items()
    }
    assert [row["method"] for row in found if row["saved"] == "true"] == [saved["method"]]

    found = rows(capfd, "calibrate-ai", SAMPLE / "ai_votes.parquet", *truth)
    assert list(found[0]) == names_of(schema.AI_CALIBRATION)
    (everywhere,) = json.loads((work / "ai_calibration.json").read_text())["comparisons"]
    for row in found:
        assert (row["subset"], int(row["observations"])) == ("all", everywhere["observations"])
        assert float(row["brier_score"]) == everywhere[row["scores"]]["brier_score"]


def test_ambiguity(write: Write, capfd: Capture) -> None:
    lists = {"labels": [["Acer opalus"]] * 2, "probabilities": [[0.5]] * 2}
    scores = write("scores.parquet", pa.table({"observation_id": [1, 2], "epoch": [0, 0], **lists}))
    command = ("ambiguity", write(), "--scores", scores, "-q")
    found = rows(capfd, *command)
    assert list(found[0]) == names_of(schema.AMBIGUITY_COUNTS)
    counts = json.loads(printed(capfd, *command, "--json"))["counts"]
    assert {row["which"]: int(row["observations"]) for row in found}.items() <= counts.items()
    assert float(found[0]["share"]) == counts["scored"] / counts["observations"]


def test_simulate(work: Path, capfd: Capture) -> None:
    command = ("simulate", "log", "--scale", "0.0001", "-q", "--overwrite")
    found = rows(capfd, *command)
    assert list(found[0]) == names_of(schema.MARGINALS)
    assert json.loads(printed(capfd, *command, "--json")) == [
        {"marginal": row["marginal"], **{name: json.loads(row[name]) for name in ("published", "reached")}}
        for row in found
    ]


def test_names_of_all_kinds_come_back_as_they_are(capfd: Capture) -> None:
    names = ["Acer, opalus", 'the "maple"', "two\nlines", "a\rreturn", "two\r\nlines", " space", "É\x1b[31m", "=1+1"]
    console.result_csv(["name", "number"], [[name, None] for name in names])
    text = capfd.readouterr().out
    assert text.startswith("name,number\n")
    assert [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:] == names


def test_a_terminal_gets_no_control_characters(capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    console.result_csv(["name"], [["\x1b[31m"]])
    assert capfd.readouterr().out == "name\n\\x1b[31m\n"


def test_a_table_of_many_rows_is_printed_in_parts(capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "CSV_ROWS", 3)
    labels = pa.array(["a", None, "b", "a", "b"] * 2).dictionary_encode()
    console.result_table(pa.table({"n": list(range(10)), "share": [0.1 + 0.2] * 10, "label": labels}))
    rows = [f"{n},0.30000000000000004,{label or ''}\n" for n, label in enumerate(labels.to_pylist())]
    assert capfd.readouterr().out == "n,share,label\n" + "".join(rows)


def test_csv_or_json(published: Published, work: Path, capfd: Capture) -> None:
    assert refused(capfd, "runs", "--csv", "--json", exit_code=2).endswith(
        "--csv and --json exclude each other; see plant-aggregate runs --help\n"
    )
    (work / "c.toml").write_text("[runs]\njson = true\n")
    assert printed(capfd, "runs", "--config", "c.toml").startswith("[")
    assert printed(capfd, "runs", "--config", "c.toml", "--csv").startswith("run_id,")
    assert printed(capfd, "runs", "--config", "c.toml", "--no-json").startswith("run ")
    (work / "c.toml").write_text("[runs]\ncsv = true\n")
    assert printed(capfd, "runs", "--config", "c.toml", "--json").startswith("[")
