"""A strategy of one's own, as docs/own_strategy.md has it: from Python, from the command line, and in a package."""

import os
import random
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import plant_aggregate
from tests.paths import ROOT, SAMPLE
from tests.processes import PROGRAM, path_with
from tests.records import record_of

PAGE = (ROOT / "docs" / "own_strategy.md").read_text(encoding="utf-8")
CLASS, USE, OF_CROWD_KIT = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PUBLIC = ["Consensus", "Votes"]
"""All that the class of the page imports of this package."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder outside the clone: the module of the page, votes and expert labels."""
    (tmp_path / "my_strategies.py").write_text(CLASS)
    for name in ("votes", "truth"):
        (tmp_path / f"{name}.parquet").symlink_to(SAMPLE / f"{name}.parquet")
    return tmp_path


def called(folder: Path, *command: str, code: int = 0, **environment: str) -> str:
    """What a program prints that is called there."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def program(folder: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    """What the installed script prints, which has no current folder on its path."""
    return called(folder, sys.executable, "-P", *PROGRAM[1:], *arguments, code=code, **environment)


def test_the_class_is_short_and_needs_public_names_alone() -> None:
    (line,) = [line for line in CLASS.splitlines() if "plant_aggregate" in line]
    assert line == f"from plant_aggregate import {', '.join(PUBLIC)}"
    assert set(PUBLIC) <= set(plant_aggregate.__all__)
    assert len([line for line in CLASS[CLASS.index("@dataclass") :].splitlines() if line.strip()]) <= 15


@pytest.mark.slow
def test_it_is_used_from_python(folder: Path) -> None:
    called(folder, sys.executable, "-c", f"from my_strategies import Agreement\n{USE}")
    record = record_of(folder / "consensus" / "latest")
    assert record["strategy"] == "agreement"
    assert record["strategy_class"]["path"] == "my_strategies:Agreement"
    assert record["parameters"]["rounds"] == 3


@pytest.mark.slow
def test_it_is_used_from_the_command_line(folder: Path) -> None:
    run, compare = (line.split()[1:] for line in COMMANDS[0].splitlines())
    program(folder, *run, "-q")
    record = record_of(folder / "consensus" / "latest")
    assert record["strategy"] == "agreement"
    assert (record["parameters"]["rounds"], record["parameters"]["theta_acc"]) == (3, 0.6)
    printed = program(folder, *compare, "-q")
    assert {line.split()[0] for line in printed.splitlines()[2:5]} == {"plantnet", "wawa", "agreement"}
    shown = " ".join(program(folder, "run", "--strategy", "my_strategies:Agreement", "--help").split())
    for part in re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0].split("  --"):
        assert " ".join(part.split()) in shown


@pytest.mark.slow
def test_a_changed_module_is_another_strategy_to_diff(folder: Path) -> None:
    command = ["run", "votes.parquet", "--strategy", "my_strategies:Agreement", "-q"]
    program(folder, *command)
    text = CLASS.replace("weights = np.bincount", "weights = 2 * np.bincount")
    (folder / "my_strategies.py").write_text(text)
    program(folder, *command)
    changes = pq.read_table(folder / "consensus" / "latest" / "changes.parquet")
    assert set(changes["why"].to_pylist()) == {"settings"}


@pytest.mark.slow
def test_options_in_a_configuration(folder: Path) -> None:
    lines = ["[run]", 'votes = "votes.parquet"', 'strategy = "my_strategies:Agreement"', "rounds = 2"]
    (folder / "job.toml").write_text("\n".join(lines))
    assert "nothing is wrong" in program(folder, "config", "--config", "job.toml")
    shown = program(folder, "config", "--config", "job.toml", "--show")
    assert "rounds = 2" in shown
    assert "theta-acc = 0.6" in shown
    assert "alpha" not in shown
    program(folder, "run", "--config", "job.toml", "-q")
    assert record_of(folder / "consensus" / "latest")["parameters"]["rounds"] == 2
    program(folder, "run", "--config", "job.toml", "-q", "--strategy", "majority")
    assert record_of(folder / "consensus" / "latest")["strategy"] == "majority"
    (folder / "job.toml").write_text("\n".join([*lines[:3], "round = 2", "[ambiguity]", "rounds = 2"]))
    errors = program(folder, "config", "--config", "job.toml", code=2).splitlines()
    assert errors == [
        "plant-aggregate: error: job.toml, line 4: [run] round: no such option; did you mean 'rounds'?",
        "plant-aggregate: error: job.toml, line 6: [ambiguity] rounds: no such option; it is an option of [run]",
    ]
    (folder / "job.toml").write_text("\n".join(lines).replace("Agreement", "Agrement"))
    (error,) = program(folder, "run", "--config", "job.toml", code=2).splitlines()
    assert "job.toml, line 3: [run] strategy: strategy 'my_strategies:Agrement': module" in error
    assert "did you mean 'Agreement'?" in error


@pytest.mark.slow
def test_it_has_a_short_name_in_a_package(folder: Path) -> None:
    (declared,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    groups = tomllib.loads(declared)["project"]["entry-points"]
    package = folder / "site" / "crowd_agreement-1.2.dist-info"
    package.mkdir(parents=True)
    (folder / "my_strategies.py").rename(folder / "site" / "my_strategies.py")
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: crowd-agreement\nVersion: 1.2\n")
    (package / "top_level.txt").write_text("my_strategies\n")
    text = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in groups.items()]
    (package / "entry_points.txt").write_text("".join(text))
    program(
        folder, "run", "votes.parquet", "-q", "--strategy", "agreement", "--rounds", "1", PYTHONPATH=path_with("site")
    )
    record = record_of(folder / "consensus" / "latest")
    assert (record["strategy"], record["parameters"]["rounds"]) == ("agreement", 1)
    assert record["strategy_class"]["package"] == "crowd-agreement"
    assert record["strategy_class"]["version"] == "1.2"
    assert len(record["strategy_class"]["sha256"]) == 64


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_a_strategy_of_crowd_kit_becomes_one_of_ours() -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    module: dict[str, Any] = {"__name__": "my_strategies"}
    exec(CLASS + OF_CROWD_KIT, module)
    chance = random.Random(3)
    rows = [(i, u, "abc"[i % 3 if chance.random() < 0.8 else chance.randrange(3)]) for i in range(60) for u in range(5)]
    names = ("observation_id", "user_id", "label")
    votes = plant_aggregate.votes_from_table(dict(zip(names, zip(*rows, strict=True), strict=True)))
    found = module["Mmsr"]().fit(votes)
    theirs = aggregation.MMSR().fit_predict(votes.to_pandas().rename(columns={names[0]: "task", names[1]: "worker"}))
    ours = found.to_pandas().set_index("observation_id")["label"]
    assert (ours == theirs.reindex(ours.index)).all()
    assert found.strategy == "mmsr"
    assert found.counts["valid"] > 0
