"""``plant-aggregate convert``: what it prints, what it refuses, and what it leaves where it is stopped."""

import csv
import io
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from plant_aggregate.formats.registry import FORMATS, SUMMARIES
from tests.command_line import Capture, Disk, refused
from tests.processes import HANG, path_with, started

VOTES = "observation_id,user_id,label\n" + "".join(f"{n},ana,Acer\n" for n in range(199)) + "200,,Acer\n"

SLOW = """
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import ClassVar

import pyarrow as pa


@dataclass(frozen=True)
class Slow:
    name: ClassVar[str] = "slow"

    def read(self, paths, account):
        account.read(table="truth")
        yield "truth", pa.record_batch({"observation_id": ["1"], "label": ["Acer"]})
        Path("begun").touch()
        while True:
            sleep(0.01)
            account.read()
"""
"""A format that never comes to an end."""


@pytest.fixture
def votes(work: Path) -> Path:
    (work / "votes.csv").write_text(VOTES)
    return work / "votes.csv"


def printed(capfd: Capture, *arguments: str) -> str:
    assert run_command(["convert", *arguments]) == 0
    return capfd.readouterr().out


def test_the_summary(votes: Path, capfd: Capture) -> None:
    assert printed(capfd, "csv", "votes.csv", "-o", "out").splitlines() == [
        "votes: 199 rows of 200 records",
        "  used                      199   99.5 %",
        "  rejected                    1    0.5 %   without a user",
        "",
        "written to out: rejected.parquet, votes.parquet",
    ]


def test_json_and_csv(votes: Path, capfd: Capture) -> None:
    found = json.loads(printed(capfd, "csv", "votes.csv", "-o", "out", "--json"))
    assert found == json.loads(Path("out/conversion.json").read_text())
    rows = list(csv.DictReader(io.StringIO(printed(capfd, "csv", "votes.csv", "-o", "out", "--overwrite", "--csv"))))
    assert [(row["outcome"], row["reason"], row["records"]) for row in rows] == [
        ("read", "", "200"),
        ("used", "", "199"),
        ("rejected", "without a user", "1"),
        ("rows", "", "199"),
    ]


def test_all_formats_are_listed_without_being_loaded(capfd: Capture) -> None:
    text = " ".join(printed(capfd, "--help").split())
    assert list(SUMMARIES) == list(FORMATS) == sorted(FORMATS)
    for name, summary in SUMMARIES.items():
        assert f"{name} {summary}" in text


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_help(name: str, capfd: Capture) -> None:
    text = printed(capfd, name, "--help")
    assert "INPUT..." in text
    first = (FORMATS[name].__doc__ or "").split("\n")[0]
    assert first in " ".join(text.split())


def test_a_configuration(votes: Path, capfd: Capture) -> None:
    lines = ["[convert]", 'format = "csv"', 'inputs = "votes.csv"', 'output = "out"', 'column = ["label=label"]']
    Path("job.toml").write_text("\n".join(lines))
    assert "199 rows" in printed(capfd, "--config", "job.toml")
    assert run_command(["config", "--config", "job.toml"]) == 0
    assert "nothing is wrong" in capfd.readouterr().out
    Path("job.toml").write_text("\n".join([*lines, 'delimeter = ";"']))
    message = refused(capfd, "config", "--config", "job.toml", exit_code=2)
    assert "line 6: [convert] delimeter: no such option; did you mean 'delimiter'?" in message


@pytest.mark.parametrize(
    ("arguments", "message", "exit_code"),
    [
        (["cvs", "votes.csv", "-o", "out"], "did you mean 'csv'?", 2),
        (["csv", "-o", "out"], "missing argument 'INPUT...'", 2),
        (["csv", "votes.csv"], "missing option '-o'", 2),
        (["csv", "votes.csv", "-o", "out", "--tabel", "truth"], "did you mean --table?", 2),
        (["csv", "votes.csv", "-o", "out", "--table", "trut"], "did you mean 'truth'?", 2),
        (["csv", "votes.csv", "-o", "out", "--delimiter", "::"], "--delimiter is '::' but must be", 2),
        (["csv", "votes.csv", "-o", "votes.csv"], "votes.csv: is the name of a file, but a folder is written", 2),
        (["csv", "votes.csv", "-o", "s3://bucket/out"], "must be a local path", 2),
        (["csv", "none.csv", "-o", "out"], "none.csv: no such file or folder", 1),
        (["csv", ".", "-o", "out"], "is a folder; name the files in it", 1),
        (["csv", "votes.csv", "-o", "out", "--max-rejected", "0"], "1 of 200 records of votes cannot be used", 1),
        (["zooniverse", "votes.csv", "-o", "out"], "it looks like csv; name that format instead of zooniverse", 1),
    ],
)
def test_what_is_refused(votes: Path, capfd: Capture, arguments: list[str], message: str, exit_code: int) -> None:
    assert message in refused(capfd, "convert", *arguments, "-q", exit_code=exit_code)
    assert [path.name for path in votes.parent.iterdir()] == ["votes.csv"]


def test_a_full_disk(votes: Path, disk: Disk, capfd: Capture) -> None:
    disk.limit(1000)
    rows = [f"{n},user{n * 7919},{n * 104_729 % 1_000_003}\n" for n in range(300_000)]
    votes.write_text("observation_id,user_id,label\n" + "".join(rows))
    message = refused(capfd, "convert", "csv", "votes.csv", "-o", str(disk.folder / "out"), "-q")
    assert "no space left on device" in message
    assert list(disk.folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_conversion_that_is_stopped_leaves_what_was_there(votes: Path, number: int, is_there: bool) -> None:
    if is_there:
        assert run_command(["convert", "csv", "votes.csv", "-o", "out", "-q"]) == 0
    before = {path.name: path.read_bytes() for path in Path("out").glob("*")}
    Path("slow_format.py").write_text(SLOW)
    arguments = ["convert", "slow_format:Slow", "votes.csv", "-o", "out", "--overwrite", "-q"]
    with started(*arguments, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path_with(".")}) as job:
        began = time.monotonic()
        while not Path("begun").exists() and time.monotonic() - began < HANG:
            time.sleep(0.01)
        job.send_signal(number)
        _, said = job.communicate(timeout=HANG)
    words = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
    assert said == (f"plant-aggregate: error: {words[number]}\n" if number in words else "")
    assert {path.name: path.read_bytes() for path in Path("out").glob("*")} == before
    assert run_command(["convert", "csv", "votes.csv", "-o", "out", "--overwrite", "-q"]) == 0
    assert pq.read_metadata("out/votes.parquet").num_rows == 199
    assert [path.name for path in Path().iterdir() if "partial" in path.name] == []
