"""The example of the whole loop does what it says, where scikit-learn is installed."""

import re
import subprocess
import sys

import pytest

from tests.paths import ROOT

EXAMPLE = ROOT / "examples" / "waum_loop.py"


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.parametrize("seed", [0, 1])
def test_pruning_helps_and_not_by_chance(seed: int) -> None:
    pytest.importorskip("sklearn")
    command = [sys.executable, "-W", "ignore", str(EXAMPLE), "--seed", str(seed)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    on_all, pruned, by_chance = (float(number) for number in re.findall(r"accuracy .* ([\d.]+) %", printed))
    assert pruned > on_all + 2
    assert pruned > by_chance + 2
