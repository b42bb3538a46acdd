"""What tests of the command line share: votes on disk, a published run to be left alone, one way to call."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregate_cli.main import run_command

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
