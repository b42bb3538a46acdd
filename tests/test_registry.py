"""Strategies of other packages are found by their entry points, and cost nothing unless one is named."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate import Majority, votes_from_table
from plant_aggregate.registry import Registry
from plant_aggregate.strategies.registry import STRATEGIES

from .command_line import VOTES
from .paths import ROOT

EXAMPLE = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
TOY = """
from dataclasses import dataclass, replace
from plant_aggregate import Majority
from plant_aggregate.progress import SILENT

@dataclass(frozen=True)
class Lenient:
    theta_acc: float = 0.5
    name = "lenient"
    takes = frozenset()

    def fit(self, votes, given=None, *, progress=SILENT):
        consensus = Majority(theta_acc=self.theta_acc).fit(votes, progress=progress)
        return replace(consensus, strategy=self.name)
"""
ENTRY_POINTS = """
[plant_aggregate.strategies]
lenient = toy_strategies:Lenient
majority = toy_strategies:Lenient
broken = toy_strategies_missing:Broken
other = toy_strategies:dataclass
twice = toy_strategies:Lenient
"""


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """A folder with two packages that add strategies; the votes beside it."""
    for package, entry_points in (
        ("toy", ENTRY_POINTS),
        ("toy-too", "[plant_aggregate.strategies]\ntwice = os:path\n"),
    ):
        info = tmp_path / "others" / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points)
    (tmp_path / "others" / "toy_strategies.py").write_text(TOY)
    pq.write_table(VOTES, tmp_path / "votes.parquet")
    return tmp_path / "others"


def command(others: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of a command line, and what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "plant_aggregate.cli.start", *arguments],
        cwd=others.parent,
        env={**os.environ, "PYTHONPATH": str(others)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_strategy_of_another_package_runs(others: Path) -> None:
    code, output = command(others, "run", "votes.parquet", "--strategy", "lenient", "--theta-acc", "0.6", "--json")
    assert code == 0, output
    assert '"strategy": "lenient"' in output
    assert '"theta_acc": 0.6' in output
    (others.parent / "a.toml").write_text('[run]\nvotes = "votes.parquet"\nstrategy = "lenient"\n')
    code, output = command(others, "config", "--config", "a.toml", "--show")
    assert code == 0, output
    assert "theta-acc = 0.5" in output


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (
            "broken",
            "strategy 'broken' of toy 1.0: toy_strategies_missing:Broken cannot be loaded (ModuleNotFoundError: No "
            "module named 'toy_strategies_missing'); update or uninstall that package",
        ),
        ("other", "strategy 'other' of toy 1.0: toy_strategies:dataclass has no name, takes, fit"),
        ("twice", "strategy 'twice' is in several packages (toy 1.0, toy-too 1.0): uninstall all but one"),
    ],
)
def test_what_another_package_has_wrong_is_an_error_when_it_is_used(others: Path, name: str, fault: str) -> None:
    code, output = command(others, "run", "votes.parquet", "--strategy", name)
    assert (code, len(output.splitlines())) == (2, 1), output
    assert fault in output


@pytest.mark.parametrize("arguments", [["run", "--strategy", "oracle"], ["compare", "--strategies", "oracle"]])
def test_an_unknown_name_is_an_error_that_lists_all_names(others: Path, arguments: list[str]) -> None:
    code, output = command(others, *arguments, "votes.parquet")
    assert (code, len(output.splitlines())) == (2, 1), output
    listed = output.replace("'", "").partition("; see")[0]
    assert listed.endswith(
        "plantnet, majority, naive-soft, wawa, two-thirds, zero-based-skill, dawid-skene, one-coin, "
        "glad, mace, iwmv, wds, broken, lenient, other, twice"
    )


@pytest.mark.slow
def test_a_strategy_of_another_package_is_compared_and_replaces_none(others: Path) -> None:
    truth = VOTES.select(["observation_id", "label"]).slice(1)
    pq.write_table(truth, others.parent / "truth.parquet")
    code, output = command(
        others, "compare", "votes.parquet", "--truth", "truth.parquet", "--strategies", "lenient,wawa"
    )
    assert code == 0, output
    code, output = command(others, "run", "votes.parquet", "--strategy", "majority", "--json")
    assert code == 0, output
    assert '"theta_acc": 0.7' in output


def test_the_example_in_the_docs_is_a_strategy() -> None:
    module: dict[str, Any] = {"__name__": "my_package.strategies"}
    exec(EXAMPLE, module)
    votes = votes_from_table(VOTES.take([0, 1, 2, 3, 3]).set_column(1, "user_id", pa.array([*"abcde"])))
    found, expected = module["SimpleMajority"]().fit(votes), Majority(theta_acc=0.5).fit(votes)
    assert found.to_arrow().equals(expected.to_arrow())
    assert (found.strategy, found.parameters) == ("simple-majority", expected.parameters)


def test_built_in_strategies_are_found_without_the_metadata_of_packages() -> None:
    code = (
        "import sys; from plant_aggregate.cli.main import run_command; run_command(['run', '--help']); "
        "from plant_aggregate.strategies.registry import STRATEGIES; [*STRATEGIES.values()]; "
        "print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_strategies_are_listed_by_their_own_names() -> None:
    assert [strategy.name for strategy in STRATEGIES.values()] == list(STRATEGIES)


def test_a_module_is_loaded_on_use() -> None:
    registry: Registry[object] = Registry("toy", "toys", "tests", {"lost": ".lost:Lost"})
    assert list(registry) == ["lost"]
    assert "lost" in registry
    assert "found" not in registry
    with pytest.raises(ModuleNotFoundError):
        registry["lost"]
    with pytest.raises(KeyError):
        registry["found"]
