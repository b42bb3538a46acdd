"""Records of the behaviour: the same twice, and a change is shown."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

COMMAND = Path(sys.executable).with_name("plant-aggregate")


def behaviour(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.behaviour", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(not COMMAND.exists(), reason="plant-aggregate is not installed beside this Python")
def test_a_record_is_the_same_twice_and_shows_what_is_another(tmp_path: Path) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    done = behaviour("record", before, "--only", "damage")
    assert done.returncode == 0, done.stderr
    again = behaviour("check", before, "--only", "damage")
    assert again.returncode == 0, again.stdout
    entries = json.loads(before.read_text())
    assert again.stdout == f"{len(entries)} of {len(entries)} the same\n"
    changed = next(name for name in entries if name.endswith("consensus.parquet"))
    entries[changed]["columns"]["weight"] = "another"
    after.write_text(json.dumps(entries))
    compared = behaviour("compare", before, after)
    assert compared.returncode == 1
    lines = compared.stdout.splitlines()
    assert lines[0] == f"--- {changed}"
    assert '    +  "weight": "another"' in [line.rstrip(",") for line in lines]
    assert lines[-1] == f"{len(entries) - 1} of {len(entries)} the same"
