"""The package as a whole: its public names, and what loading it costs."""

import subprocess
import sys

import pytest

import aggregate

HEAVY = ("numba", "pandas", "pyarrow", "scipy", "numpy")


def loaded_by(code: str) -> set[str]:
    """Heavy modules that a fresh interpreter has loaded after ``code``."""
    report = f"{code}\nimport sys; print('\\n' + ' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import aggregate") == set()


def test_the_groups_help_loads_nothing_heavy() -> None:
    assert loaded_by("from aggregate_cli.main import run_command; run_command(['--help'])") == set()


@pytest.mark.parametrize("command", ["evaluate", "ambiguity", "calibrate", "simulate"])
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert loaded_by(f"from aggregate_cli.main import run_command; run_command(['{command}', '--help'])") == set()


def test_help_of_run_loads_no_engine() -> None:
    loaded = loaded_by("from aggregate_cli.main import run_command; run_command(['run', '--help'])")
    assert loaded <= {"numpy"}


def test_every_public_name_can_be_loaded() -> None:
    for name in aggregate.__all__:
        assert getattr(aggregate, name) is not None
    assert set(dir(aggregate)) == set(aggregate.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = aggregate.nothing  # type: ignore[attr-defined]
