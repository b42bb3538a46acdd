"""Property tests give the same answer every time; a campaign finds more, and says how to see it again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import load_all_modules
from tests.property.campaign import ROOT, main

PLANTED = """
from hypothesis import given, strategies as st

@given(st.integers())
def test_sound(n):
    assert n == n

@given(st.lists(st.integers(0, 9), min_size=3))
def test_planted(numbers):
    assert sum(numbers) < 20, numbers
"""


@pytest.mark.skipif("HYPOTHESIS_PROFILE" in os.environ, reason="another profile is asked for")
def test_the_default_profile_is_the_same_every_time() -> None:
    drawn: list[list[float]] = []

    @given(st.floats())
    @settings(max_examples=20)
    def draw(number: float) -> None:
        drawn[-1].append(number)

    for _ in range(2):
        drawn.append([])
        draw()
    assert repr(drawn[0]) == repr(drawn[1])
    assert settings().deadline is None


def test_no_module_of_ours_is_loaded_later() -> None:
    before = set(sys.modules)
    load_all_modules()
    assert {name for name in sys.modules if name.split(".")[0] == "plant_aggregate"} <= before


@pytest.mark.slow
def test_a_campaign_says_how_to_repeat_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted = tmp_path / "test_planted.py"
    planted.write_text(PLANTED)
    assert main(["--minutes", "0", "--seed", "7", str(planted)]) == 1
    printed = capsys.readouterr().out
    assert re.search(r"^seed 7: [1-9]\d{2,} examples, 1 failed", printed, re.MULTILINE)
    assert printed.endswith("with a failure: [7]\n")
    (again,) = re.findall(r"^again: HYPOTHESIS_PROFILE=campaign python (.+)$", printed, re.MULTILINE)
    assert "--hypothesis-seed=7" in again
    assert again.endswith("test_planted.py::test_planted")
    repeated = subprocess.run([sys.executable, *again.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    example = re.search(r"AssertionError: \[.*\]", printed)
    assert example is not None
    assert example[0] in repeated.stdout


def test_a_campaign_without_a_test_fails(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    assert main(["--minutes", "0", str(tmp_path)]) != 0
