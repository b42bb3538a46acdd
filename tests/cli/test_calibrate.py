"""``plant-aggregate calibrate`` and ``run --calibration``."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, Published, Write
from tests.paths import SAMPLE


@pytest.fixture
def on_sample(work: Path, capfd: Capture) -> Path:
    assert run_command(["run", str(SAMPLE / "votes.parquet"), "-q"]) == 0
    capfd.readouterr()
    return work


def failed(capfd: Capture, *arguments: str | Path) -> str:
    assert run_command([*map(str, arguments)]) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_calibrate_then_run_then_evaluate(on_sample: Path, capfd: Capture) -> None:
    truth = str(SAMPLE / "truth.parquet")
    assert run_command(["calibrate", "consensus", "--truth", truth]) == 0
    printed = capfd.readouterr().out
    assert "5,025 observations known to experts, 4,651 labelled right (92.6 %)" in printed
    assert "saved as calibration.json" in printed
    assert run_command(["run", str(SAMPLE / "votes.parquet"), "-q", "--calibration", "calibration.json"]) == 0
    assert capfd.readouterr().err == ""
    assert pq.read_schema("consensus/latest/consensus.parquet").names[-2] == "probability"
    assert run_command(["evaluate", "consensus", "--truth", truth, "--resamples", "0"]) == 0
    assert "calibration error of probability" in capfd.readouterr().out


def test_json_is_what_is_saved(on_sample: Path, capfd: Capture) -> None:
    arguments = ["--method", "isotonic", "-o", "other.json", "--json"]
    assert run_command(["calibrate", "consensus", "--truth", str(SAMPLE / "truth.parquet"), *arguments]) == 0
    printed = capfd.readouterr().out
    assert printed == Path("other.json").read_text()
    assert json.loads(printed)["fitted_on"]["strategy"] == "plantnet"


@pytest.mark.filterwarnings("always::plant_aggregate.AggregateWarning")
def test_the_simulated_calibration_is_announced(published: Published, write: Write, capfd: Capture) -> None:
    assert run_command(["run", str(write()), "-q", "--calibration", "simulated", "-o", "other"]) == 0
    assert "warning: probabilities are calibrated on simulated votes" in capfd.readouterr().err
    assert pq.read_table("other/latest/consensus.parquet")["probability"].null_count == 0


def test_calibrations_that_cannot_be_used(published: Published, write: Write, work: Path, capfd: Capture) -> None:
    votes = write()
    (work / "broken.json").write_text("{")
    (work / "bytes.json").write_bytes(b"\xff\xfe\xff")
    for name, saying in (
        ("gone.json", "cannot be read (no such file"),
        ("broken.json", "is not a calibration"),
        ("bytes.json", "cannot be read (it is not text)"),
        (".", "cannot be read (is a directory)"),
    ):
        line = failed(capfd, "run", votes, "-q", "--calibration", name)
        assert saying in line
        assert name in line
    assert published.is_untouched()


def test_truth_that_cannot_be_used(published: Published, write: Write, capfd: Capture) -> None:
    few = write("truth.parquet", pa.table({"observation_id": [1, 2], "label": ["Abies alba"] * 2}))
    line = failed(capfd, "calibrate", published.folder, "--truth", few)
    assert "2 of its 2 observations are in the consensus, and a calibration needs 20" in line
    text_ids = write("text.parquet", pa.table({"observation_id": ["1"], "label": ["Abies alba"]}))
    assert "has type string, but int64" in failed(capfd, "calibrate", published.folder, "--truth", text_ids)
    assert "no such file" in failed(capfd, "calibrate", published.folder, "--truth", "gone.parquet")


def test_a_calibration_that_cannot_be_saved(on_sample: Path, capfd: Capture) -> None:
    truth = str(SAMPLE / "truth.parquet")
    line = failed(capfd, "calibrate", "consensus", "--truth", truth, "-o", "no/such/folder.json")
    assert "cannot be written" in line
