"""What tests of the command line share: votes on disk, a published run to be left alone, one way to call."""

import gc
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command

VOTES = pa.table(
    {
        "observation_id": [1, 1, 2, 3],
        "user_id": ["ana", "bo", "ana", "eve"],
        "label": ["Acer campestre", "Acer opalus", "Abies alba", "Abies alba"],
        "is_author": [True, False, True, True],
    }
)


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


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(work: Path) -> Callable[..., Path]:
    """Write a table (default VOTES, columns replaced by the keywords, None drops one) and return its path."""

    def write_votes(name: str = "votes.parquet", table: pa.Table = VOTES, **columns: Any) -> Path:
        for column, values in columns.items():
            if column in table.column_names:
                table = table.drop_columns([column])
            if values is not None:
                table = table.append_column(column, values if isinstance(values, pa.Array) else pa.array(values))
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        return path

    return write_votes


@pytest.fixture
def published(write: Callable[..., Path], work: Path, capfd: pytest.CaptureFixture[str]) -> Published:
    """A published run in the folder ``consensus``."""
    assert run_command(["run", str(write("good.parquet")), "-q"]) == 0
    capfd.readouterr()
    return Published(work / "consensus")


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


@pytest.fixture
def disk(work: Path) -> Iterator[Disk]:
    """A small file system at ``work/disk``."""
    small = Disk(work / "disk")
    small.folder.mkdir()
    yield small
    if small.mounted:
        gc.collect()  # a writer that failed may hold its file until then
        subprocess.run(["umount", small.folder], check=True)


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


@pytest.fixture
def open_folder(work: Path) -> Iterator[Path]:
    """A folder that anybody may reach and write to; pytest's own are for their owner alone."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)
