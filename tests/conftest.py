"""Settings and fixtures for all tests."""

import gc
import importlib
import itertools
import os
import pkgutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings

import plant_aggregate
import plant_aggregate.cli
from plant_aggregate.cli.main import run_command
from plant_aggregate.kernels import threads
from plant_aggregate.publishing.stores.folder import RunFolder

from .command_line import VOTES, Capture, Disk, Published, Write
from .object_store import Bucket

NAMES = (f"bucket-{number}" for number in itertools.count())

# A first call may compile a kernel, and the machine may be busy: no example has a deadline, and none is too slow.
UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("project", derandomize=True, **UNTIMED)
settings.register_profile("campaign", database=None, print_blob=True, **UNTIMED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))


def load_all_modules() -> None:
    """Import every module of ours.

    Hypothesis draws from the constants in the source of those that are loaded: which these are must not depend on the
    tests that ran before in the same process.
    """
    for package in (plant_aggregate, plant_aggregate.cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


load_all_modules()


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """Small logs are worth no threads, and tests run side by side already; what is about threads sets their number."""
    threads.set_threads(1)


@pytest.fixture(scope="module")
def even_small_work() -> Iterator[None]:
    """Threads share work however small it is."""
    before, threads.SMALL_WORK = threads.SMALL_WORK, 0
    yield
    threads.SMALL_WORK = before
    threads.set_threads(threads.available_cores())


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(work: Path) -> Write:
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
def published(write: Write, work: Path, capfd: Capture) -> Published:
    """A published run in the folder ``consensus``."""
    assert run_command(["run", str(write("good.parquet")), "-q"]) == 0
    capfd.readouterr()
    return Published(work / "consensus")


@pytest.fixture
def disk(work: Path) -> Iterator[Disk]:
    """A small file system at ``work/disk``."""
    small = Disk(work / "disk")
    small.folder.mkdir()
    yield small
    if small.mounted:
        gc.collect()  # a writer that failed may hold its file until then
        subprocess.run(["umount", small.folder], check=True)


@pytest.fixture
def open_folder(work: Path) -> Iterator[Path]:
    """A folder that anybody may reach and write to; pytest's own are for their owner alone."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


@pytest.fixture
def output(tmp_path: Path) -> RunFolder:
    """An output folder that may be published to."""
    folder = RunFolder(tmp_path / "consensus")
    folder.prepare()
    return folder


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    """Where an S3-compatible server listens on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def bucket(port: int, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket that is empty."""
    from pyarrow.fs import S3FileSystem

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    endpoint = f"127.0.0.1:{port}"
    filesystem = S3FileSystem(endpoint_override=endpoint, scheme="http", region="us-east-1", allow_bucket_creation=True)
    name = next(NAMES)
    filesystem.create_dir(name)
    return Bucket(name, port, filesystem)
