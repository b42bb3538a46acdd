"""The measurement of the strategies runs from end to end on a tiny crowd; no time is asserted."""

import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.crowds import expected_accuracy
from benchmarks.strategy_results import COMPARED, CONVERGED, KIT, OTHERS, OURS, regret, regret_by_crowd
from tests.paths import ROOT


@pytest.fixture
def crowds(tmp_path: Path) -> Path:
    """One crowd of 12 observations, and one without truth."""
    chance = random.Random(1)
    truth = {f"o{i}": "abc"[i % 3] for i in range(12)}
    rows = [
        {"observation_id": o, "user_id": f"u{u}", "label": label if chance.random() < 0.7 else chance.choice("abc")}
        for o, label in truth.items()
        for u in range(5)
    ]
    for name, known in (("tiny", truth), ("unknown", {})):
        folder = tmp_path / "crowds" / name
        folder.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist([*rows, rows[0]]), folder / "votes.parquet")
        columns = {"observation_id": pa.array(list(known), pa.string()), "label": pa.array(known.values(), pa.string())}
        pq.write_table(pa.table(columns), folder / "truth.parquet")
    return tmp_path / "crowds"


def measured(*options: str, output: Path) -> tuple[str, dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.strategies", *options, "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(output.read_text())


@pytest.mark.slow
def test_every_strategy_is_measured_on_every_crowd_with_truth(crowds: Path, tmp_path: Path) -> None:
    output = tmp_path / "strategies.json"
    text, results = measured("--crowds", str(crowds), output=output)
    fits = results["crowds"]["measured"]
    assert {fit["crowd"] for fit in fits} == {"tiny"}
    assert {fit["votes"] for fit in fits} == {60}  # of the same user on the same observation one counts
    assert all(0 <= fit["accuracy"] <= 1 for fit in fits)
    accuracy = {(fit["contender"], fit["strategy"]): fit["accuracy"] for fit in fits}
    if importlib.util.find_spec("crowdkit"):
        assert accuracy["crowd-kit", "majority"] == pytest.approx(accuracy["plant-aggregate", "majority"])
        assert len(accuracy) == len(COMPARED) + len(OTHERS) + len(COMPARED) + 1
        assert "| crowd-kit's majority | " in text
    else:
        assert len(accuracy) == len(COMPARED) + len(OTHERS)
    assert "| tiny | 12 | 12 | 5 | 3 | 60 |" in text
    assert {fit["fitted"] for fit in fits if fit["strategy"] == "auto"} == {"dawid-skene"}

    _, again = measured("--crowds", str(crowds), "--peers", output=output)
    kits = [fit for fit in fits if fit["contender"] == KIT]
    dated = {"kept_from": results["crowds"]["date"]}
    assert [fit for fit in again["crowds"]["measured"] if fit["contender"] == KIT] == [dated | fit for fit in kits]

    text, results = measured("--crowds", str(crowds), "--priors", output=output)
    assert set(results) == {"crowds", "priors"}
    assert "| `mace` | `guess_votes` | 1: " in text


@pytest.mark.slow
def test_simulated_logs_are_timed(tmp_path: Path) -> None:
    text, results = measured("--scales", "0.0005", output=tmp_path / "strategies.json")
    assert {fit["log"] for fit in results["scales"]["measured"]} == {"scale 0.0005"}
    assert "`dawid-skene`" in text
    text, results = measured("--two-labels", "500", output=tmp_path / "strategies.json")
    assert set(results) == {"scales", "two-labels"}
    assert {fit["labels"] for fit in results["two-labels"]["measured"]} == {2}
    assert "500 observations: " in text


def test_regret_is_what_the_best_of_the_peers_is_ahead_by() -> None:
    accuracy = {
        (KIT, "majority"): (0.8, 0.6),
        (KIT, "mace"): (0.7, 0.9),
        (KIT, CONVERGED): (1.0, 1.0),
        (OURS, "majority"): (0.8, 0.6),
        (OURS, "dawid-skene"): (0.85, 0.88),
        (OURS, "auto"): (0.85, 0.95),
    }
    fits = [
        {"contender": contender, "strategy": name, "crowd": crowd, "accuracy": share, "fitted": "wawa"}
        for (contender, name), shares in accuracy.items()
        for crowd, share in zip(("one", "other"), shares, strict=True)
    ]
    fits += [{**fit, "strategy": name} for name in COMPARED for fit in fits[:2] if name not in ("majority", "mace")]
    results = {"crowds": {"measured": fits}, "crowds before": {"accuracy": {"dawid-skene": {"one": 0.8, "other": 0.8}}}}
    _, *rows = [line.strip("| ").split(" | ") for line in regret(results).splitlines()[1:]]
    assert [row[0] for row in rows[:2]] == ["`auto`", "`dawid-skene`"]
    assert rows[0][1:4] == ["-5.00", "-5.0", "one"]
    assert rows[1][1:] == ["-1.50", "+2.0", "other", "+5.00", "+10.0"]
    assert ["`majority`", "+15.00", "+30.0", "other"] in [row[:4] for row in rows]
    assert not [row for row in rows if CONVERGED in row[0]]
    lines = regret_by_crowd(results).splitlines()
    assert lines[0] == "| crowd | best of crowd-kit's | `auto` | `dawid-skene` | `dawid-skene` before |"
    assert lines[2] == "| one | 80.0 | -5.0 `wawa` | -5.0 | +0.0 |"
    assert lines[-2] == "| mean | 85.0 | -5.00 | -1.50 | +5.00 |"
    assert lines[-1] == "| largest |  | -5.0 | +2.0 | +10.0 |"


def test_the_right_label_among_tied_ones_counts_in_part() -> None:
    shares = [("1", "a", 0.5), ("1", "b", 0.5), ("2", "a", 0.6), ("2", "b", 0.4), ("3", "c", 1.0), ("4", "c", 1.0)]
    soft = pd.DataFrame(shares, columns=["observation_id", "label", "share"])
    truth = pd.DataFrame({"observation_id": ["1", "2", "3", "absent"], "label": ["a", "a", "b", "a"]})
    assert expected_accuracy(soft, truth) == pytest.approx((0.5 + 1 + 0 + 0) / 4)
