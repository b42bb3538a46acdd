"""Kernels are compiled once, kept on disk, and a disk that cannot keep them costs no result."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregate.errors import AggregateWarning
from aggregate.kernels import jit


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning comes once in a process."""
    monkeypatch.setattr(jit._Told, "uncached", False)


def double(x: int) -> int:
    return 2 * x


def test_without_a_writable_folder_kernels_still_work_and_a_warning_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_function = numba.njit

    def njit(*arguments: Any, cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compile_function(*arguments, **options)

    monkeypatch.setattr(numba, "njit", njit)
    with pytest.warns(AggregateWarning, match="cannot be kept on disk") as told:
        compiled, _ = jit.kernel(double), jit.kernel(double)
    assert compiled(4) == 8
    assert len(told) == 1


def test_a_cache_that_cannot_be_saved_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: Any = numba.njit(cache=True)(double)

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiled._cache, "save_overload", full_disk)
    jit._forgive_failed_saves(compiled)
    with pytest.warns(AggregateWarning, match="No space left"):
        assert compiled(np.float32(4)) == 8


@pytest.mark.slow
def test_the_first_run_says_that_it_compiles_and_the_second_does_not(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"observation_id": [1, 1], "user_id": [1, 2], "label": ["x", "y"], "is_author": [True, False]}),
        tmp_path / "votes.parquet",
    )
    command = [sys.executable, "-m", "aggregate_cli.main", "run", "votes.parquet", "-o"]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    first, second = (
        subprocess.run([*command, name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        for name in ("one", "two")  # a run that finds another is held against it, with a kernel of its own
    )
    assert first.stderr.count("compiling kernels") == 1
    assert "compiling" not in second.stderr
    assert first.stdout.splitlines()[:6] == second.stdout.splitlines()[:6]


def test_compiled_kernels_are_kept_apart_from_the_installed_files(tmp_path: Path) -> None:
    """Numba would put them beside the sources, where they outlive an uninstallation."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["XDG_CACHE_HOME"] = str(tmp_path)
    code = "import numba; from aggregate.kernels.compiler import load_compiler as l; l(); print(numba.config.CACHE_DIR)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"  # what others compile goes where it went before
    assert list((tmp_path / "plant-aggregate" / "kernels").rglob("*.nbi"))
