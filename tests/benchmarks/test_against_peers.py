"""The comparison with peers runs from end to end; no time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.paths import ROOT


def compare(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.against_peers", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.extras
def test_contenders_are_compared_and_results_merged(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first, merged = tmp_path / "first", tmp_path / "merged"
    contenders = ["plant-aggregate", "polars_best", "duckdb_best"]
    done = compare("--scales", "0.0005", "--repeat", "1", "--contenders", *contenders, "--output", str(first))
    assert done.returncode == 0, done.stderr
    (session,) = json.loads((first / "against_peers.json").read_text())
    assert session["measurements"][0]["contender"] == "plant-aggregate"
    assert {each["labels"] for each in session["measurements"]} == {"same"}
    results = str(first / "against_peers.json")
    assert compare("--merge", results, results, "--output", str(merged)).returncode == 0
    assert (merged / "against_peers.md").read_text().count("`plant-aggregate`") == 2
    assert (merged / "against_peers.svg").exists()


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.parametrize(
    ("limit", "value", "reported"),
    [("--time-limit", "0.01", "stopped after 0.01 s"), ("--memory-limit", "0.02", "stopped at 0.02 GiB")],
)
def test_what_exceeds_a_limit_is_reported(limit: str, value: str, reported: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    options = [limit, value, "--repeat", "2", "--contenders", "plant-aggregate"]
    done = compare("--scales", "0.0005", *options, "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert reported in (tmp_path / "against_peers.md").read_text()


@pytest.mark.slow
@pytest.mark.extras
def test_a_broken_exact_contender_fails_the_comparison(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    broken = tmp_path / "votes.parquet"
    pq.write_table(pa.table({"observation_id": [1], "user_id": [1]}), broken)
    done = compare(
        "--votes", str(broken), "--repeat", "1", "--contenders", "plant-aggregate", "--output", str(tmp_path)
    )
    assert done.returncode == 1
    assert "plant-aggregate on votes.parquet failed" in done.stderr
