"""``plant-aggregate compare-sets``: methods side by side, and a line for whatever cannot be used."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from plant_aggregate import compare_sets, read_truth
from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, refused
from tests.test_coverage_check import observed

METHODS = ["--method", "softmax", "--method", "pas/interp-q:tau=0.5", "--method", "aps"]


@pytest.fixture
def month(work: Path) -> list[str]:
    scores, truth = observed(600, 1, first=1)
    pq.write_table(scores, "scores.parquet")
    pq.write_table(truth, "truth.parquet")
    return ["compare-sets", "scores.parquet", "--truth", "truth.parquet", "-q"]


def test_a_table_for_each_level_says_what_is_guaranteed(month: list[str], capfd: Capture) -> None:
    assert run_command([*month, *METHODS, "--alpha", "0.2", "--alpha", "0.1"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("evaluated on 2") or lines[0].startswith("evaluated on 3")
    assert [line for line in lines if line.startswith("alpha")] == ["alpha 0.2", "alpha 0.1"]
    softmax, *_ = (line for line in lines if line.startswith("softmax"))
    assert softmax.endswith("marginal 1 - alpha")
    assert next(line for line in lines if line.startswith("pas")).endswith("marginal 1 - 2 alpha, nearly")


def test_a_prior_of_other_rows_keeps_the_whole_guarantee(month: list[str]) -> None:
    counts = dict.fromkeys(pq.read_table("truth.parquet")["label"].unique().to_pylist(), 1.0)
    for given, guarantee in (({}, "marginal >= 1 - alpha, nearly"), ({"counts": counts}, "marginal >= 1 - alpha")):
        found = compare_sets("scores.parquet", read_truth("truth.parquet"), ["pas", "softmax"], resamples=0, **given)
        assert [each.guarantee for each in found.compared] == [guarantee, "marginal >= 1 - alpha"]


def test_experts_labels_without_a_column_are_told_the_option_that_maps_it(month: list[str], capfd: Capture) -> None:
    for options in (["--truth", "scores.parquet"], ["--truth", "truth.parquet", "--calibration", "scores.parquet"]):
        line = refused(capfd, "compare-sets", "scores.parquet", *options, "-q")
        assert line.endswith("map names with --truth-column label=NAME\n")


def test_all_methods_are_compared_by_default_and_unusable_ones_with_the_reason(
    month: list[str], capfd: Capture
) -> None:
    short = pq.read_table("scores.parquet").to_pylist()
    for row in short:
        row["labels"], row["probabilities"] = row["labels"][:2], row["probabilities"][:2]
    pq.write_table(pq.read_table("scores.parquet").from_pylist(short), "scores.parquet")
    assert run_command([*month, "--json"]) == 0
    methods = json.loads(capfd.readouterr().out, parse_constant=pytest.fail)["methods"]
    faults = {each["method"]: each["fault"] for each in methods}
    assert len(faults) >= 15
    assert "needs the probabilities of all labels" in faults["aps/standard"]
    assert faults["softmax/standard"] is None


def test_files_and_json_are_what_the_library_finds(month: list[str], capfd: Capture) -> None:
    found = compare_sets("scores.parquet", read_truth("truth.parquet"), METHODS[1::2], resamples=20)
    options = [*METHODS, "--resamples", "20"]
    assert run_command([*month, *options, "--json"]) == 0
    assert json.loads(capfd.readouterr().out, parse_constant=pytest.fail) == found.to_dict()
    for name in ("out.parquet", "out.csv"):
        assert run_command([*month, *options, "-o", name, "--csv"]) == 0
        printed = capfd.readouterr().out
        assert printed.splitlines()[0].replace('"', "").split(",")[:3] == ["method", "alpha", "guarantee"]
    assert pq.read_table("out.parquet").equals(found.to_arrow())
    assert csv.read_csv("out.csv").column_names == found.to_arrow().column_names


def test_observations_to_fit_on_may_be_named(month: list[str], capfd: Capture) -> None:
    truth = pq.read_table("truth.parquet")
    pq.write_table(truth.slice(0, 250), "first.parquet")
    pq.write_table(truth.slice(250), "rest.parquet")
    given = ["compare-sets", "scores.parquet", "--calibration", "first.parquet", "--truth", "rest.parquet", *METHODS]
    assert run_command([*given, "-q"]) == 0
    assert capfd.readouterr().out.startswith("evaluated on 350 observations, fitted on 250 others")
    assert "exclude each other" in refused(capfd, *given, "--repeats", "2", exit_code=2)


def test_labels_at_risk_have_columns_of_their_own(month: list[str], capfd: Capture) -> None:
    label = pq.read_table("truth.parquet")["label"][0].as_py()
    Path("risk.txt").write_text(f"{label}\n")
    assert run_command([*month, "--at-risk", "risk.txt", "--gamma", "5", "--repeats", "3", "--method", "wpas"]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("means over 3 divisions")
    assert {"at risk", "others", "weighted"} <= {*map(str.strip, printed.splitlines()[3].split("  "))}
    assert any(line.startswith("at risk, others: ") for line in printed.splitlines())


@pytest.mark.extras
def test_a_plot_has_a_panel_for_each_level(month: list[str]) -> None:
    pytest.importorskip("matplotlib")
    options = [*METHODS, "--alpha", "0.2", "--alpha", "0.1", "--plot", "plot.svg", "--resamples", "10"]
    assert run_command([*month, *options]) == 0
    drawn = Path("plot.svg").read_text()
    assert drawn.count("<!-- alpha 0.") == 2


@pytest.mark.parametrize(
    ("options", "code", "saying"),
    [
        (["--method", "sofmax"], 2, "score is 'sofmax' but must be one of softmax"),
        (["--method", "softmax/interp-q:tau=3"], 2, "tau is 3.0 but must be in [0, 1]"),
        (["--method", "softmax/interp-q:beta=3"], 2, "interp-q has no option 'beta'"),
        (["--alpha", "2"], 2, "2 but must be a number in (0, 1)"),
        (["--share", "1"], 2, "1.0 is not in the range 0<x<1"),
        (["--share", "0.000001"], 1, "would be fitted on"),
        (["--gamma", "5"], 2, "--at-risk"),
        (["--output", "out.xls"], 2, "must end in .parquet or .csv"),
        (["--calibration", "truth.parquet"], 1, "all observations to evaluate on are to be fitted on"),
    ],
)
def test_a_line_says_what_is_wrong(
    month: list[str], options: list[str], code: int, saying: str, capfd: Capture
) -> None:
    assert saying in refused(capfd, *month, *options, exit_code=code)
