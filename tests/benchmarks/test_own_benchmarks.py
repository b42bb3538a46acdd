"""The benchmarks of plant-aggregate alone run from end to end, on tiny logs; no time is asserted."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


def printed(name: str, *options: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_all_numbers_of_threads_write_the_same_bytes() -> None:
    options = ["--scale", "0.01", "--repeat", "1", "--threads", "1", "4", "--ids", "int", "string"]
    lines = printed("main_job", *options).splitlines()
    assert "int ids: the same bytes from every run" in lines
    assert "string ids: the same bytes from every run" in lines


@pytest.mark.slow
def test_ambiguity_is_measured() -> None:
    options = ["--scale", "0.0005", "--epochs", "2", "--trust", "confusion", "weight", "--repeat", "1"]
    assert printed("ambiguity", *options).count("GiB") == 3


@pytest.mark.slow
@pytest.mark.extras
def test_recorders_are_measured() -> None:
    pytest.importorskip("torch")
    options = ["--labels", "20", "--batch", "2", "--steps", "1", "--rounds", "2"]
    device, *kinds = printed("recorder", *options).splitlines()
    assert "20 labels, 2 pictures a step" in device
    assert [line[:10].strip() for line in kinds] == ["plain", "recorder", "attached", "all scores"]


@pytest.mark.slow
def test_memory_is_counted_and_measured() -> None:
    assert printed("memory", "--scales", "0.0005").count("MiB") == 2


@pytest.mark.slow
def test_cold_and_warm_starts() -> None:
    assert [line.split(":")[0] for line in printed("start", "--repeat", "1").splitlines()] == ["cold", "warm"]


@pytest.mark.slow
def test_ai_votes_are_measured() -> None:
    lines = printed("ai_votes", "--scale", "0.0005", "--repeat", "1", "--modes", "confident").splitlines()
    assert [line.split()[1] for line in lines[2:]] == ["without", "confident"]


def test_a_walk_is_the_files_that_mention_a_name(tmp_path: Path) -> None:
    files = {
        "aggregate/schema.py": 'COLUMNS = ["waum"]',
        "aggregate/assessment/areas.py": "from .. import schema\nwaum = schema.COLUMNS",
        "aggregate/other.py": '"""Of waum."""',
        "cli/areas.py": "from aggregate.assessment.areas import waum",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    count, *found = printed("walks", "--root", str(tmp_path), "wa*").splitlines()
    assert count == "wa*: 3 files in 3 folders, 2 imports from folder to folder"
    assert [line.strip() for line in found] == ["aggregate/assessment/areas.py", "aggregate/schema.py", "cli/areas.py"]


@pytest.mark.slow
def test_single_sets_are_timed() -> None:
    options = ["--labels", "500", "--listed", "20", "--calls", "5"]
    assert [line.split(":")[0] for line in printed("one_set", *options).splitlines()] == [
        f"{score}, {labels}" for score in ("softmax", "pas") for labels in ("known labels", "one unknown label")
    ]
