"""Whoever reads ``latest`` while runs are published has one run, whole.

A reader resolves the link once and reads from there, as ``open_latest`` or an open folder does. One that goes
through ``latest/...`` anew for each file is given whole files, but maybe of two runs: no publisher can help that.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plant_aggregate.publishing.open_run import open_latest
from plant_aggregate.publishing.stores.folder import RunFolder
from plant_aggregate.publishing.stores.history import prune
from tests.records import record_of

TABLES = ("consensus.parquet", "users.parquet", "rejected.parquet", "changes.parquet")
START = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
KEEP = 14
RUNS, READS, READERS = 50, 1000, 4


def content_of(number: int, name: str) -> bytes:
    return f"{number} {name} ".encode() * 500


def publish(output: RunFolder, number: int) -> None:
    """A run whose files all carry its number, and what a job does after it."""
    with output.new_run(START + timedelta(seconds=number)) as run:
        digests = {}
        for name in TABLES:
            content = content_of(number, name)
            (run.folder / name).write_bytes(content)
            digests[name] = {"sha256": hashlib.sha256(content).hexdigest()}
        (run.folder / "run.json").write_text(json.dumps({"run_id": run.run_id, "number": number, "outputs": digests}))
        run.publish()
    prune(output, KEEP)


@dataclass
class Readings:
    """What readers found."""

    numbers: list[list[int]] = field(default_factory=list)
    """Of each reading, the numbers that its files carry, in the order they were read."""
    torn: list[str] = field(default_factory=list)
    """Files that are not whole."""


def read(folder: Path, found: Readings) -> None:
    """Read a run as a training job does: what was made, then all of it."""
    manifest = record_of(folder)
    numbers = [manifest["number"]]
    for name, facts in manifest["outputs"].items():
        content = (folder / name).read_bytes()
        number = int(content.split()[0])
        digest = hashlib.sha256(content).hexdigest()
        if content != content_of(number, name) or (number == numbers[0] and digest != facts["sha256"]):
            found.torn.append(f"{folder / name} of run {number}")
        numbers.append(number)
    found.numbers.append(numbers)


def read_while_publishing(output: RunFolder, place: Callable[[], Path]) -> Readings:
    """Read and publish at the same time until both was done often enough."""
    publish(output, 0)
    found = Readings()
    failures: list[BaseException] = []
    published = threading.Event()

    def keep_reading() -> None:
        try:
            while not published.is_set() or len(found.numbers) < READS:
                read(place(), found)
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=keep_reading) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    for number in range(1, RUNS + 1):
        publish(output, number)
        # Readers come on as runs do: at the end each run had its share of the readings.
        while len(found.numbers) < READS * number // RUNS and not failures:
            time.sleep(0.001)
    published.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(found.numbers) >= READS
    assert len({number for numbers in found.numbers for number in numbers}) > RUNS // 2
    return found


@pytest.mark.parametrize("how", [pytest.param("realpath", marks=pytest.mark.slow), "open_latest"])
def test_who_resolves_latest_once_reads_one_run(output: RunFolder, how: str) -> None:
    def place() -> Path:
        return Path(os.path.realpath(output.latest) if how == "realpath" else open_latest(output.path).folder)

    found = read_while_publishing(output, place)
    assert found.torn == []
    assert [numbers for numbers in found.numbers if len(set(numbers)) > 1] == []
    assert len(list(output.runs.iterdir())) == KEEP + 1


@pytest.mark.slow
def test_who_goes_through_latest_each_time_reads_whole_files_of_maybe_two_runs(output: RunFolder) -> None:
    """Never half a file, none, or an older one after a newer."""
    found = read_while_publishing(output, lambda: output.latest)
    assert found.torn == []
    assert [numbers for numbers in found.numbers if numbers != sorted(numbers)] == []


def test_who_reads_longer_than_runs_are_kept_has_what_was_opened(output: RunFolder) -> None:
    """A reader that sleeps through ``--keep`` runs loses the files it has not opened, and none that it has."""
    publish(output, 0)
    folder = Path(os.path.realpath(output.latest))
    with (folder / TABLES[0]).open("rb") as file:
        for number in range(1, KEEP + 1):
            publish(output, number)
        assert folder.is_dir()
        publish(output, KEEP + 1)
        assert not folder.exists()
        assert file.read() == content_of(0, TABLES[0])
