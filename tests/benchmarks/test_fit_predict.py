"""The measurement of fit_predict runs from end to end on a tiny crowd; no time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.paths import ROOT


@pytest.mark.extras
@pytest.mark.slow
def test_both_sides_are_measured_from_the_same_frame(tmp_path: Path) -> None:
    pytest.importorskip("crowdkit")
    folder = tmp_path / "crowds" / "tiny"
    folder.mkdir(parents=True)
    truth = {f"o{number}": "abc"[number % 3] for number in range(12)}
    rows = [
        (o, f"u{user}", label if (user + int(o[1:])) % 4 else "a") for o, label in truth.items() for user in range(5)
    ]
    votes = pd.DataFrame(rows, columns=["observation_id", "user_id", "label"])
    votes.to_parquet(folder / "votes.parquet")
    votes.drop_duplicates("observation_id").assign(label=list(truth.values())).to_parquet(folder / "truth.parquet")
    output = tmp_path / "fit_predict.json"
    command = [sys.executable, "-m", "benchmarks.fit_predict", "--crowds", str(tmp_path / "crowds")]
    done = subprocess.run([*command, "--output", str(output)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads(output.read_text())["measured"]
    assert len(measured) == 7
    assert all(here > 0 and there > 0 for here, there in (fit["seconds"] for fit in measured))
    assert {fit["strategy"]: fit["accuracy"] for fit in measured}["majority"] == [1.0, 1.0]
    assert "| tiny | 60 |" in done.stdout
