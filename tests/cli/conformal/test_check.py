"""``plant-aggregate conformal check``: exit codes, what is printed, metrics."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, refused
from tests.test_coverage_check import observed

BAD = {"blunt": 0.4}


@pytest.fixture
def months(work: Path, capfd: Capture) -> Path:
    """Sets that were fitted on one month, a month like it, and one in which the classifier got worse, and better."""
    for name, seed, how in (("may", 1, {}), ("june", 2, {}), ("july", 3, BAD), ("august", 5, {"blunt": -0.6})):
        scores, truth = observed(800, seed, first=1000 * seed, **how)
        pq.write_table(scores, f"{name}.parquet")
        pq.write_table(truth, f"{name}_truth.parquet")
    fitted = ["conformal", "fit", "may.parquet", "--truth", "may_truth.parquet", "--alpha", "0.1", "--alpha", "0.2"]
    assert run_command(fitted) == 0
    capfd.readouterr()
    return work


def checked(month: str, *arguments: str) -> int:
    return run_command([*of_month(month), *arguments])


def of_month(month: str, sets: str = "sets.json") -> list[str]:
    return ["conformal", "check", f"{month}.parquet", "--truth", f"{month}_truth.parquet", "--sets", sets]


def test_a_month_like_the_calibration_rows_is_compatible(months: Path, capfd: Capture) -> None:
    assert checked("june") == 0
    printed, warned = capfd.readouterr()
    assert warned == ""
    lines = printed.splitlines()
    assert lines[0] == "800 observations with a true label, from june_truth.parquet"
    assert lines[1] == "softmax/standard, fitted on 800 calibration rows from may_truth.parquet"
    (first, second) = (line for line in lines if line.startswith("0."))
    assert first.split()[0] == "0.1"
    assert first.endswith("compatible")
    assert second.endswith("compatible")
    assert any(line.startswith("lists lack the true label of ") for line in lines)
    assert any(line.startswith("alpha 0.2: sets of ") for line in lines)


def test_a_month_in_which_too_few_are_covered_ends_with_code_3(months: Path, capfd: Capture) -> None:
    assert checked("july", "--alpha", "0.1") == 3
    printed, warned = capfd.readouterr()
    assert "too few" in printed
    assert "other sizes than before" in printed
    (line,) = warned.splitlines()
    assert line.startswith("plant-aggregate: error: alpha 0.1: ")
    assert line.endswith("are compatible; fit anew on recent observations")


def test_a_month_in_which_more_are_covered_fails_only_if_asked(months: Path, capfd: Capture) -> None:
    assert checked("august") == 0
    assert "more than expected" in capfd.readouterr().out
    assert checked("august", "--fail-if-high") == 3
    assert "at most" in capfd.readouterr().err


def test_significance_decides(months: Path, capfd: Capture) -> None:
    assert checked("july", "--alpha", "0.1", "--significance", "1e-30") == 0
    capfd.readouterr()


def test_json_has_all_numbers_and_the_same_exit_code(months: Path, capfd: Capture) -> None:
    assert checked("july", "--alpha", "0.1", "--json") == 3
    found = json.loads(capfd.readouterr().out)
    (level,) = found["levels"]
    assert not found["compatible"]
    assert level["covered"] < level["fewest"] <= level["most"]
    assert level["p_low"] < found["significance"] == 0.001
    assert level["coverage"] == level["covered"] / level["observations"]


def test_metrics_are_written_whatever_is_found(months: Path, capfd: Capture) -> None:
    assert checked("july", "--metrics", "sets.prom") == 3
    text = Path("sets.prom").read_text()
    assert f'plant_aggregate_sets_coverage_too_low{{alpha="0.1",sets="{months / "sets.json"}"}} 1.0' in text
    capfd.readouterr()
    assert "metrics cannot be written" in refused(capfd, *of_month("july"), "--metrics", "no/x")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "saying"),
    [
        ("june.parquet --sets sets.json", 2, "give the labels of experts (--truth), or of a run (--run)"),
        ("june.parquet --truth june_truth.parquet", 2, "missing option '--sets'"),
        ("june.parquet --truth june_truth.parquet --sets gone.json", 1, "gone.json: cannot be read (no such file"),
        ("june.parquet --truth june_truth.parquet --sets june.parquet", 1, "june.parquet: "),
        (
            "june.parquet --truth june_truth.parquet --sets sets.json --alpha 0.3",
            2,
            "alpha is 0.3 but was fitted at 0.1",
        ),
        ("june.parquet --truth june_truth.parquet --sets sets.json --significance 0", 2, "--significance"),
        ("june.parquet --truth june_truth.parquet --sets sets.json --significance 0.5", 2, "--significance"),
        ("gone.parquet --truth june_truth.parquet --sets sets.json", 1, "gone.parquet"),
        ("june.parquet --truth may_truth.parquet --sets sets.json", 1, "june.parquet"),
    ],
)
def test_bad_input_is_one_line(months: Path, capfd: Capture, arguments: str, exit_code: int, saying: str) -> None:
    assert saying in refused(capfd, "conformal", "check", *arguments.split(), exit_code=exit_code)


def test_a_rule_without_a_known_distribution_is_refused(months: Path, capfd: Capture) -> None:
    fitted = "conformal fit may.parquet --truth may_truth.parquet --threshold interp-q -o other.json"
    assert run_command(fitted.split()) == 0
    line = refused(
        capfd,
        *["conformal", "check", "june.parquet", "--truth", "june_truth.parquet", "--sets", "other.json"],
        exit_code=2,
    )
    assert "thresholds of rule interp-q are no order statistics" in line


def test_integer_labels_of_sets_are_no_texts(months: Path, capfd: Capture) -> None:
    truth = pq.read_table("june_truth.parquet")
    pq.write_table(truth.set_column(1, "label", pa.array([1] * truth.num_rows)), "june_truth.parquet")
    line = refused(
        capfd, *["conformal", "check", "june.parquet", "--truth", "june_truth.parquet", "--sets", "sets.json"]
    )
    assert "june" in line
