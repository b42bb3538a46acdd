"""Examples, and the code in docs and notebooks, have no error in the editors of those who copy them.

Editors show what pyright finds (in its standard mode); ``.ci/lint`` checks the same code with mypy in strict mode.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import plant_aggregate
from plant_aggregate import charts
from tests.paths import ROOT


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with the package under the name that it is imported by, wherever it is installed."""
    pytest.importorskip("pyright")
    if shutil.which("node") is None:
        pytest.skip("pyright needs node")
    shutil.copytree(ROOT / "aggregate", tmp_path / "packages" / "plant_aggregate")
    shutil.copytree(ROOT / "cli", tmp_path / "packages" / "plant_aggregate" / "cli")
    return tmp_path / "packages"


def faults_found(folder: Path, mode: str, **settings: object) -> str:
    """What pyright says of the code in the folder ``copied``; empty if there is nothing wrong."""
    chosen = {"include": ["copied"], "extraPaths": ["packages"], "typeCheckingMode": mode, **settings}
    (folder / "pyrightconfig.json").write_text(json.dumps(chosen), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--project", folder, "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.usefixtures("packages")
def test_pyright_finds_nothing_in_what_users_copy(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "copied", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, ROOT / ".ci" / "snippets.py", tmp_path / "copied"], check=True)
    # Others may not be installed, and what pyright makes of the source of those without types is left out. A cell of a
    # notebook ends in what it shows.
    others = {"reportMissingImports": False, "useLibraryCodeForTypes": False, "reportUnusedExpression": False}
    assert faults_found(tmp_path, "standard", **others) == ""


@pytest.mark.slow
@pytest.mark.extras
@pytest.mark.usefixtures("packages")
def test_every_public_name_has_a_type_that_is_known_in_strict_mode(tmp_path: Path) -> None:
    names = [name for name in plant_aggregate.__all__ if name not in ("__version__", "charts")]
    lines = [f"{name}_ = plant_aggregate.{name}" for name in names]
    lines += [f"{name}_ = plant_aggregate.charts.{name}" for name in charts.__all__]
    lines.append("consensus: plant_aggregate.Consensus = plant_aggregate.Wawa(theta_acc=0.8).fit(read_votes_('votes'))")
    (tmp_path / "copied").mkdir()
    (tmp_path / "copied" / "names.py").write_text("\n".join(["import plant_aggregate", *lines]), encoding="utf-8")
    assert faults_found(tmp_path, "strict") == ""
