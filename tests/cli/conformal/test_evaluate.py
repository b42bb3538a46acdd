"""``plant-aggregate conformal evaluate``: what is printed and written, and a line for whatever cannot be used."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from plant_aggregate import evaluate_sets, read_truth
from plant_aggregate.cli.main import run_command
from plant_aggregate.prediction_sets import load_sets
from tests.command_line import Capture, refused
from tests.test_coverage_check import observed


@pytest.fixture
def june(work: Path, capfd: Capture) -> list[str]:
    """Sets that were fitted on one month, and the next month."""
    for name, seed in (("may", 1), ("june", 2)):
        scores, truth = observed(800, seed, first=1000 * seed)
        pq.write_table(scores, f"{name}.parquet")
        pq.write_table(truth, f"{name}_truth.parquet")
    fitted = ["conformal", "fit", "may.parquet", "--truth", "may_truth.parquet", "--alpha", "0.2", "--alpha", "0.1"]
    assert run_command(fitted) == 0
    capfd.readouterr()
    return ["conformal", "evaluate", "june.parquet", "--sets", "sets.json", "--truth", "june_truth.parquet"]


def test_levels_stand_side_by_side_with_intervals(june: list[str], capfd: Capture) -> None:
    assert run_command([*june, "--resamples", "50"]) == 0
    printed, warned = capfd.readouterr()
    assert warned == ""
    lines = printed.splitlines()
    assert lines[0].startswith("softmax/standard: 800 observations of ")
    assert next(line for line in lines if line.startswith("alpha")).split() == ["alpha", "0.2", "0.1"]
    names = [line.split("  ")[0] for line in lines]
    assert {"coverage", "macro coverage", "under-coverage gap", "empty sets", "mean size", "9/10 quantile"} <= {*names}
    assert lines[-1] == "[in brackets: 95 % intervals, of 50 resamples of the observations]"


def test_it_prints_what_the_library_finds(june: list[str], capfd: Capture) -> None:
    found = evaluate_sets(load_sets("sets.json"), "june.parquet", read_truth("june_truth.parquet"), resamples=20)
    assert run_command([*june, "--resamples", "20", "--json"]) == 0
    printed = json.loads(capfd.readouterr().out, parse_constant=pytest.fail)
    assert printed == {"sets": "sets.json", "truth": ["june_truth.parquet"], "run": None, **found.to_dict()}
    assert run_command([*june, "--resamples", "20", "--csv", "--alpha", "0.1"]) == 0
    table = csv.read_csv(pa.py_buffer(capfd.readouterr().out.encode()))
    of_level = found.to_arrow().filter(pc.equal(pc.field("alpha"), 0.1))
    assert table["measure"].to_pylist() == of_level["measure"].to_pylist()
    assert table["value"].to_pylist() == of_level["value"].to_pylist()


@pytest.mark.parametrize("name", ["labels.csv", "labels.parquet"])
def test_each_label_has_a_row_for_each_level(june: list[str], name: str, capfd: Capture) -> None:
    assert run_command([*june, "--resamples", "0", "--per-label", name]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == f"written to {name}"
    table = csv.read_csv(name) if name.endswith("csv") else pq.read_table(name)
    assert set(table["alpha"].to_pylist()) == {0.1, 0.2}
    assert pc.sum(table["rows"]).as_py() == 2 * 800
    shares = [
        covered / rows for covered, rows in zip(*(table[n].to_pylist() for n in ("covered", "rows")), strict=True)
    ]
    assert table["coverage"].to_pylist() == shares


def test_sets_that_were_written_are_evaluated(june: list[str], capfd: Capture) -> None:
    assert run_command(["conformal", "predict", "june.parquet", "--sets", "sets.json", "--alpha", "0.1", "-q"]) == 0
    capfd.readouterr()
    printed = []
    for arguments in ([*june, "--alpha", "0.1"], [*june[:2], "sets.parquet", *june[3:]]):
        assert run_command([*arguments, "--resamples", "20"]) == 0
        printed.append(capfd.readouterr().out.splitlines())
    of_lists, of_sets = ([line for line in lines if not line.startswith("  ")] for lines in printed)
    assert of_sets == of_lists


def test_the_genus_of_labels_is_evaluated(june: list[str], capfd: Capture) -> None:
    assert run_command([*june, "--resamples", "0", "--genus"]) == 0
    assert "coverage of the genus" in capfd.readouterr().out
    message = refused(capfd, *june, "--genus", "--taxonomy", "june_truth.parquet", exit_code=2)
    assert "--taxonomy and --genus exclude each other" in message


@pytest.mark.extras
def test_a_plot_is_drawn(june: list[str]) -> None:
    pytest.importorskip("matplotlib")
    assert run_command([*june, "--resamples", "10", "-q", "--plot", "plot.svg"]) == 0
    assert Path("plot.svg").read_text().startswith("<?xml")


def test_a_warning_names_the_mistake_of_evaluating_what_was_fitted_on(june: list[str], capfd: Capture) -> None:
    same = ["conformal", "evaluate", "may.parquet", "--sets", "sets.json", "--truth", "may_truth.parquet"]
    assert run_command([*same, "--resamples", "0"]) == 0
    assert "the thresholds were fitted on these observations" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "saying"),
    [
        (["--alpha", "0.3"], 2, "alpha is 0.3 but was fitted at 0.2, 0.1"),
        (["--per-label", "labels.xls"], 2, "--per-label is 'labels.xls' but must end in .parquet or .csv"),
        (["--per-label", "none/labels.csv"], 1, "there is no folder 'none'"),
        (["--per-label", "june.parquet"], 2, "june.parquet"),
        (["--plot", "plot.doc"], 2, "must end in .svg"),
        (["--sets", "june_truth.parquet"], 1, "june_truth.parquet"),
        (["--resamples", "-1"], 2, "-1 is not in the range x>=0"),
    ],
)
def test_a_line_says_what_is_wrong(june: list[str], options: list[str], code: int, saying: str, capfd: Capture) -> None:
    assert saying in refused(capfd, *june, *options, exit_code=code)
