"""Examples, and the code in docs and notebooks, have no error in the editors of those who copy them.

Editors show what pyright finds (in its standard mode); ``.ci/lint`` checks the same code with mypy in strict mode.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


@pytest.mark.slow
@pytest.mark.extras
def test_pyright_finds_nothing_in_what_users_copy(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    if shutil.which("node") is None:
        pytest.skip("pyright needs node")
    packages = tmp_path / "packages"  # under the name that it is imported by, wherever it is installed
    shutil.copytree(ROOT / "aggregate", packages / "plant_aggregate")
    shutil.copytree(ROOT / "cli", packages / "plant_aggregate" / "cli")
    shutil.copytree(ROOT / "examples", tmp_path / "copied", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, ROOT / ".ci" / "snippets.py", tmp_path / "copied"], check=True)
    settings: dict[str, object] = {"include": ["copied"], "extraPaths": ["packages"], "typeCheckingMode": "standard"}
    settings["useLibraryCodeForTypes"] = False  # what pyright makes of the source of others that have no types
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--project", tmp_path, "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
