"""The measurements of prediction sets run from end to end on tiny lists; no time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.score_lists import made_lists
from tests.paths import ROOT


def test_made_up_lists_are_sorted_and_distinct_and_have_the_true_label_first_most_often():
    lists = made_lists(2000, 20, 500)
    assert (np.diff(lists.probabilities, axis=1) <= 0).all()
    assert (lists.probabilities > 0).all()
    np.testing.assert_allclose(lists.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert all(len(set(row)) == 20 for row in lists.labels.tolist())
    assert 0.7 < (lists.labels[:, 0] == lists.truth).mean() < 0.8
    assert 0.98 < (lists.labels == lists.truth[:, None]).any(axis=1).mean() < 1
    counts = np.bincount(lists.truth, minlength=500)
    assert counts.max() > 20 * np.median(counts)


@pytest.mark.extras
@pytest.mark.slow
def test_contenders_make_the_same_sets_and_are_measured(tmp_path: Path) -> None:
    for package in ("mapie", "crepes", "deel.puncc"):
        pytest.importorskip(package)
    output = tmp_path / "conformal.json"
    command = [sys.executable, "-m", "benchmarks.conformal", "peers", "--sizes", "100,30", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads(output.read_text())["peers"]["measured"]
    names = ["plant-aggregate, lists", "plant-aggregate, matrix", "MAPIE", "crepes", "puncc"]
    assert [(one["contender"], one["ending"]) for one in measured] == [(name, "") for name in names]
    assert len({run["digest"] for one in measured for run in one["runs"]}) == 1
    assert "| 2 × 100 | 30 | lists |" in done.stdout


@pytest.mark.slow
def test_fit_and_predict_are_measured_through_the_command_line(tmp_path: Path) -> None:
    output = tmp_path / "conformal.json"
    command = [sys.executable, "-m", "benchmarks.conformal", "scale", "--rows", "1000", "2000", "--repeat", "1"]
    done = subprocess.run([*command, "--output", str(output)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads(output.read_text())["scale"]["measured"]
    assert all(run["predict"]["seconds"] > 0 for runs in measured.values() for run in runs)
    assert "| `softmax/clustered` |" in done.stdout
