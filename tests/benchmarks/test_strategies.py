"""The comparison with crowd-kit counts right what it counts, on a crowd of a few; no time is asserted."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_ties_count_by_the_chance_to_pick_the_right_label() -> None:
    program = """
import sys; sys.path.insert(0, sys.argv[1])
import pandas as pd
from strategies import expected_accuracy
scores = pd.DataFrame({
    "task": [1, 1, 2, 2, 3, 3], "label": list("ababab"), "score": [0.5, 0.5, 0.9, 0.1, 0.0, 0.2]
})
truth = pd.Series({1: "a", 2: "a", 3: "a", 4: "a"})
print(expected_accuracy(scores, truth))
"""
    command = [sys.executable, "-c", program, str(BENCHMARKS)]
    assert float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) == (0.5 + 1) / 4


def test_all_strategies_run_on_a_crowd(tmp_path: Path) -> None:
    crowd = tmp_path / "few"
    crowd.mkdir()
    votes = {"observation_id": [1, 1, 1, 2, 2, 3], "user_id": [1, 2, 3, 1, 2, 3], "label": list("aabbba")}
    pd.DataFrame(votes).to_parquet(crowd / "votes.parquet")
    pd.DataFrame({"observation_id": [1, 2], "label": ["a", "b"]}).to_parquet(crowd / "truth.parquet")
    command = [sys.executable, str(BENCHMARKS / "strategies.py"), str(crowd), "--output", str(tmp_path / "found.json")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "| few |" in printed
    (found,) = pd.read_json(tmp_path / "found.json").to_dict("records")
    assert found["strategies"]["dawid-skene"]["accuracy"] == 1.0
    assert len(found["strategies"]) == 11


@pytest.mark.parametrize("strategy", ["majority", "plantnet"])
def test_a_strategy_is_measured_at_scale(strategy: str) -> None:
    command = [sys.executable, str(BENCHMARKS / "strategies_at_scale.py"), "--scale", "0.0005"]
    printed = subprocess.run([*command, "--strategies", strategy], capture_output=True, text=True, check=True).stdout
    assert f"| `{strategy}` | 0." in printed
