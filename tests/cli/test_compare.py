"""``plant-aggregate compare``: a table, files, and a line for whatever cannot be used."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from plant_aggregate.cli import console
from plant_aggregate.cli.main import run_command
from plant_aggregate.schema import EXPERT_COMPARISON
from tests.command_line import VOTES, Capture, Write, refused

TRUTH = pa.table({"observation_id": [1, 2, 7], "label": ["Acer campestre", "Abies grandis", "Abies alba"]})


@pytest.fixture
def files(write: Write) -> list[str]:
    return [str(write("votes.parquet", VOTES)), "--truth", str(write("truth.parquet", TRUTH))]


def test_tables(capfd: Capture, files: list[str]) -> None:
    assert run_command(["compare", *files, "--strategies", "majority, plantnet", "-q"]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("2 expert observations: all\n")
    assert [line.split()[0] for line in printed.splitlines()[2:4]] in (
        ["majority", "plantnet"],
        ["plantnet", "majority"],
    )
    assert "accuracy: valid and right" in printed


def test_files_and_json(capfd: Capture, files: list[str], tmp_path: Path) -> None:
    for name in ("out.parquet", "out.csv"):
        options = ["--strategies", "wawa", "-o", str(tmp_path / name), "--json", "-q", "--resamples", "0"]
        assert run_command(["compare", *files, *options]) == 0
        rows = json.loads(capfd.readouterr().out, parse_constant=pytest.fail)
        assert rows[0]["accuracy_low"] is None
        assert [row["subset"] for row in rows] == ["all", "two votes or more", "with a disagreement"]
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["strategy"].to_pylist() == ["wawa"] * 3
    assert csv.read_csv(tmp_path / "out.csv").column_names == table.column_names


@pytest.mark.extras
def test_a_plot_is_drawn(files: list[str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "plot.svg"
    assert run_command(["compare", *files, "--strategies", "majority", "-q", "--plot", str(path)]) == 0
    assert path.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("options", "saying"),
    [
        (["--strategies", "dream"], "strategy is 'dream' but must be one of plantnet, auto, majority"),
        (["--strategies", "wawa,wawa"], "named more than once"),
        (["-o", "out.xls"], "output is 'out.xls' but must end in .parquet or .csv"),
        (["--plot", "out.doc"], "plot is 'out.doc' but must end in"),
    ],
)
def test_unusable_options_get_a_line(capfd: Capture, files: list[str], options: list[str], saying: str) -> None:
    assert saying in refused(capfd, "compare", *files, *options, exit_code=2)


def test_what_cannot_be_used_gets_a_line(capfd: Capture, files: list[str], write: Write) -> None:
    nobody = write("nobody.parquet", TRUTH.set_column(0, "observation_id", pa.array([77, 78, 79])))
    line = refused(capfd, "compare", files[0], "--truth", str(nobody), "-q")
    assert "none of its 3 observations is in the consensus" in line
    line = refused(capfd, "compare", *files, "-q", "-o", "/nowhere/out.csv", "--strategies", "majority")
    assert "/nowhere/out.csv: cannot be written" in line


LABELS = pa.table({"task": [1, 2], "agg_label": ["Acer campestre", "Abies grandis"]})
NAMES = ["--labels-column", "observation_id=task", "--labels-column", "label=agg_label"]


def test_labels_of_other_programs_stand_beside_strategies(
    capfd: Capture, files: list[str], write: Write, tmp_path: Path
) -> None:
    labels = ["--labels", f"theirs={write('labels.parquet', LABELS)}", *NAMES]
    assert run_command(["compare", *files, "--strategies", "wawa", *labels, "-q"]) == 0
    printed = capfd.readouterr().out
    (line,) = [line for line in printed.splitlines()[:5] if line.startswith("theirs")]
    assert line.split()[1:] == ["-", "-", "-", "-", "-", "100.0", "%", "-", "-", "-"]
    assert run_command(["compare", *files, "--strategies", "wawa", *labels, "-q", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert (rows[3]["strategy"], rows[3]["accuracy"], rows[3]["seconds"]) == ("theirs", None, None)
    assert run_command(["compare", *files, "--strategies", "wawa", *labels, "-q", "--csv"]) == 0
    assert csv.read_csv(pa.BufferReader(capfd.readouterr().out.encode()))["accuracy_of_labels"][3].as_py() == 1.0


def test_a_long_name_of_labels_is_cut_before_figures_are_left_out(
    capfd: Capture, files: list[str], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "labels of the program before this one"
    labels = ["--labels", f"{name}={write('labels.parquet', LABELS)}", *NAMES]
    monkeypatch.setattr(console, "terminal_width", lambda: 60)
    assert run_command(["compare", *files, "--strategies", "wawa", *labels, "-q", "--resamples", "0"]) == 0
    heading = capfd.readouterr().out.splitlines()[1:3]
    assert "accuracy  precision  recall" in " ".join(heading)


def test_a_run_stands_beside_strategies(capfd: Capture, files: list[str]) -> None:
    assert run_command(["run", files[0], "--strategy", "wawa", "-q"]) == 0
    capfd.readouterr()
    command = ["compare", *files, "--strategies", "wawa", "--labels", "tonight=consensus", "--labels", "l=latest"]
    assert run_command([*command, "-q", "--json", "--resamples", "0"]) == 0
    rows = json.loads(capfd.readouterr().out)
    measures = [{name: row[name] for name in row if name.startswith(("accuracy", "macro", "kept"))} for row in rows]
    assert measures[0] == measures[3] == measures[6]


def test_labels_that_cannot_be_used(capfd: Capture, files: list[str], write: Write) -> None:
    path = write("labels.parquet", LABELS)
    for options, saying in (
        (["--labels", str(path)], f"'{path}' is not of the form NAME=FILE"),
        (["--labels", f"a={path}", "--labels", f"a={path}", *NAMES], "two have the same name"),
        (["--labels", f"wawa={path}", *NAMES], "labels and a strategy are both named wawa"),
        (["--labels", f"a={path}", *NAMES, "-o", str(path)], "labels.parquet"),
    ):
        line = refused(capfd, "compare", *files, "--strategies", "wawa", *options, "-q", exit_code=2)
        assert saying in line
    assert "no such file" in refused(capfd, "compare", *files, "--labels", "a=gone.parquet", "-q")
    assert pq.read_table(path).equals(LABELS)


LEARNS = "tests.assessment.expert_strategies:Learns"


def test_experts_labels_are_held_out(capfd: Capture, files: list[str], tmp_path: Path) -> None:
    votes, _, truth = files
    command = ["compare", votes, "--experts", truth, "--strategies", f"majority,{LEARNS}", "-q"]
    assert run_command([*command, "--folds", "2"]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("2 expert labels in 2 folds: each judged by fits that did not have it\n")
    assert "best: majority, " in printed
    assert "these labels cannot tell the two apart" in printed
    assert "it is not certain whether experts' labels help learns" in printed
    assert run_command([*command, "--json", "-o", str(tmp_path / "found.csv")]) == 0
    rows = json.loads(capfd.readouterr().out, parse_constant=pytest.fail)
    assert [row["with_experts"] for row in rows] == [False] * 6 + [True] * 3
    assert list(rows[0]) == csv.read_csv(tmp_path / "found.csv").column_names
    assert list(rows[0]) == [column.name for column in EXPERT_COMPARISON]
    assert run_command([*command, "--expert-weight", "5", "--json"]) == 0


@pytest.mark.extras
def test_a_plot_has_strategies_without_and_with_experts_labels(files: list[str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "plot.svg"
    votes, _, truth = files
    assert run_command(["compare", votes, "--experts", truth, "--strategies", LEARNS, "-q", "--plot", str(path)]) == 0
    assert "learns with experts" in path.read_text()


@pytest.mark.parametrize(
    ("options", "saying"),
    [
        ([], "give expert labels with either --truth or --experts"),
        (["--truth", "t.parquet", "--experts", "t.parquet"], "give expert labels with either --truth or --experts"),
        (["--experts", "t.parquet", "--folds", "1"], "--folds"),
        (["--experts", "t.parquet", "--expert-weight", "2", "--strategies", "majority"], "none of the strategies has"),
    ],
)
def test_options_of_experts_that_do_not_go_together(
    capfd: Capture, files: list[str], options: list[str], saying: str
) -> None:
    assert saying in refused(capfd, "compare", files[0], *options, exit_code=2)


def test_experts_labels_that_nobody_voted_on(capfd: Capture, files: list[str], write: Write) -> None:
    nobody = write("nobody.parquet", TRUTH.set_column(0, "observation_id", pa.array([77, 78, 79])))
    line = refused(capfd, "compare", files[0], "--experts", str(nobody), "-q")
    assert "nobody.parquet: none of its 3 observations is in the votes" in line
