"""What tests of the command line share: one way to call, a published run to be left alone, what an error looks like."""

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from plant_aggregate.cli.main import run_command

Capture = pytest.CaptureFixture[str]
Write = Callable[..., Path]
"""The fixture ``write``."""
PREFIX = "plant-aggregate: error: "

VOTES = pa.table(
    {
        "observation_id": [1, 1, 2, 3],
        "user_id": ["ana", "bo", "ana", "eve"],
        "label": ["Acer campestre", "Acer opalus", "Abies alba", "Abies alba"],
        "is_author": [True, False, True, True],
    }
)


def refused(capfd: Capture, *arguments: str | Path, exit_code: int = 1) -> str:
    """The one line of a command that refuses."""
    capfd.readouterr()
    assert run_command([str(argument) for argument in arguments]) == exit_code
    return error_line(capfd)


def error_line(capfd: Capture) -> str:
    """The one line on stderr."""
    (line,) = error_lines(capfd)
    return line


def error_lines(capfd: Capture) -> list[str]:
    """The lines on stderr, all of errors, with nothing on stdout."""
    captured = capfd.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines(keepends=True)
    assert [line for line in lines if not line.startswith(PREFIX) or not line.endswith("\n")] == []
    return lines


class Published:
    """An output folder with a run in it, and what that run was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before = self.state()

    def state(self) -> tuple[str, dict[str, str]]:
        latest = self.folder / "latest"
        files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in latest.iterdir()}
        return str(latest.readlink()), files

    def is_untouched(self) -> bool:
        leftovers = [path for path in (self.folder / "runs").iterdir() if path.name.startswith(".")]
        return self.state() == self.before and leftovers == []


class Disk:
    """A small file system of its own, whose size and number of files can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = False

    def limit(self, kilobytes: int, files: int = 1000) -> None:
        """Give it so many kB and files, no fewer than it holds."""
        self._mount(f"size={kilobytes}k,nr_inodes={files}")

    def may_be_written(self, may: bool) -> None:
        """Make it read-only or not."""
        self._mount("rw" if may else "ro")

    def _mount(self, options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", f"remount,{options}" if self.mounted else options, "tmpfs"]
        done = subprocess.run([*command, self.folder], capture_output=True, text=True)
        if done.returncode != 0 and not self.mounted:
            pytest.skip("this user may not mount a small file system")
        self.mounted = True
        assert done.returncode == 0, done.stderr


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything: become somebody who may not, who can still reach the tests' folders."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
