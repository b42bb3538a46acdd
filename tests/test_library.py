"""The package as a whole: its public names, and what loading it costs."""

import ast
import importlib.util
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

import plant_aggregate
from tests.paths import ROOT

HEAVY = ("numba", "pandas", "pyarrow", "scipy", "numpy")


CODE = (".py", ".pyc", ".nbi", ".nbc")
"""Endings of what is no data: ours, and what Python and Numba make of it."""


def loaded_by(code: str) -> set[str]:
    """Heavy modules that a fresh interpreter has loaded after ``code``."""
    report = f"{code}\nimport sys; print('\\n' + ' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import plant_aggregate") == set()


@pytest.mark.parametrize("module", ["plant_aggregate", "plant_aggregate.cli", "aggregate"])
def test_the_package_is_the_command_line(module: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", module]
    folder = ROOT if module == "aggregate" else tmp_path
    done = subprocess.run([*command, "--version"], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == f"plant-aggregate, version {plant_aggregate.__version__}\n"
    done = subprocess.run([*command, "runs", "--help"], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Usage: python -m {module} runs [OPTIONS]")


def test_a_checkout_that_is_not_installed_says_so() -> None:
    command = [sys.executable, "-SE", "-c", "import runpy; runpy.run_module('aggregate', run_name='__main__')"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("plant-aggregate: error: the package is not installed; install it with")


def test_the_groups_help_loads_nothing_heavy() -> None:
    assert loaded_by("from plant_aggregate.cli.main import run_command; run_command(['--help'])") == set()


@pytest.mark.parametrize("command", ["evaluate", "ambiguity", "calibrate", "simulate"])
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert loaded_by(f"from plant_aggregate.cli.main import run_command; run_command(['{command}', '--help'])") == set()


def test_help_of_run_loads_no_engine() -> None:
    loaded = loaded_by("from plant_aggregate.cli.main import run_command; run_command(['run', '--help'])")
    assert loaded <= {"numpy"}


FRAMES = {
    "dict": "dict(rows)",
    "numpy": "{name: __import__('numpy').array(values) for name, values in rows.items()}",
    "arrow": "plant_aggregate.read_votes(rows).to_arrow()",
    "polars": "__import__('polars').DataFrame(rows)",
    "duckdb": "__import__('duckdb').sql('select 7 as task, 8 as worker, 9 as label')",
}


@pytest.mark.parametrize(
    "kind", [pytest.param(name, marks=pytest.mark.extras) if name in ("polars", "duckdb") else name for name in FRAMES]
)
def test_a_frame_of_another_program_loads_no_pandas(kind: str) -> None:
    """It would cost a third of a second."""
    if kind in ("polars", "duckdb"):
        pytest.importorskip(kind)
    code = f"""
        import plant_aggregate
        rows = dict(task=[7, 7], worker=["ana", "bo"], label=["Acer", "Ilex"])
        plant_aggregate.Majority().fit(plant_aggregate.read_votes({FRAMES[kind]})).to_arrow()
    """
    assert "pandas" not in loaded_by(textwrap.dedent(code))


def test_every_public_name_can_be_loaded() -> None:
    for name in plant_aggregate.__all__:
        assert getattr(plant_aggregate, name) is not None
    assert set(dir(plant_aggregate)) == set(plant_aggregate.__all__)


def test_type_checkers_see_the_public_names_where_they_are_loaded_from() -> None:
    tree = ast.parse((ROOT / "aggregate" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {name.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert seen == plant_aggregate._HOMES | {"charts": None}


def outcome_in_checkout(code: str, *options: str) -> str:
    """The last line that ``code`` prints in the folder of a checkout, or that says why it failed."""
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[-1]


def test_in_a_checkout_the_folders_name_is_an_alias() -> None:
    same = "import aggregate as a, plant_aggregate as p; print(all(getattr(a, n) == getattr(p, n) for n in p.__all__))"
    assert outcome_in_checkout(same) == "True"
    not_installed = "import aggregate as a; print(a.VotesError.__module__, a.__version__ > '0')"
    assert outcome_in_checkout(not_installed, "-SE") == "aggregate.errors True"
    assert outcome_in_checkout("import aggregate.votes") == "ModuleNotFoundError: No module named 'aggregate.votes'"


def test_the_wheel_has_every_folder_and_file() -> None:
    """A folder that pyproject.toml does not name would be missing, and nobody would see it in a checkout."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    homes = {"plant_aggregate": Path("aggregate"), "plant_aggregate.cli": Path("cli")}
    assert setuptools["package-dir"] == {name: str(home) for name, home in homes.items()}
    packages = {
        ".".join([name, *path.parent.relative_to(ROOT / home).parts])
        for name, home in homes.items()
        for path in (ROOT / home).rglob("*.py")
    }
    assert sorted(setuptools["packages"]) == sorted(packages)
    assert [name for name in packages if not importlib.util.find_spec(name).origin] == []
    data = {
        path for pattern in setuptools["package-data"]["plant_aggregate"] for path in (ROOT / "aggregate").glob(pattern)
    }
    assert data == {path for home in homes.values() for path in (ROOT / home).rglob("*.*") if path.suffix not in CODE}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = plant_aggregate.nothing  # type: ignore[attr-defined]
