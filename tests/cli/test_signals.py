"""A signal ends the program, wherever that is, with a line and never with a traceback."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import plant_aggregate
from tests.command_line import Published, Write

from ..processes import HANG, Mute, process, started

WORDS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated"), signal.SIGHUP: (129, "hung up")}

WAITING = """
import re
import socket
import fsspec
from plant_aggregate.cli.start import main

class Waiting(fsspec.AbstractFileSystem):
    protocol = "waiting"

    def info(self, path, **_):
        port = int(re.search("[0-9]+", path)[0])
        socket.create_connection(("127.0.0.1", port)).recv(1)

fsspec.register_implementation("waiting", Waiting)
main()
"""
"""The program with another kind of store, which waits for an answer for ever."""


@pytest.fixture
def mute() -> Iterator[Mute]:
    server = Mute()
    yield server
    server.close()


@contextmanager
def running(command: list[str], **options: object) -> Iterator["subprocess.Popen[str]"]:
    with process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as child:
        yield child


def last_line(child: "subprocess.Popen[str]") -> str:
    """The only line on stderr that is not progress, when the process has ended."""
    _, said = child.communicate(timeout=HANG)
    assert "Traceback" not in said
    assert "Exception" not in said
    ends = [line for line in said.splitlines() if not re.match(r"20\d\d-\d\d-\d\dT", line)]
    assert len(ends) == 1, said
    return ends[0]


@pytest.mark.parametrize("store", ["gs", "s3", "fsspec"])
@pytest.mark.parametrize("number", WORDS)
def test_a_run_that_waits_for_a_store_is_stopped_by_one_signal(mute: Mute, work: Path, store: str, number: int) -> None:
    with running([sys.executable, "-c", WAITING, "run", mute.uri(store), "-q"], cwd=work) as job:
        mute.wait_for_somebody()
        job.send_signal(number)
        said = last_line(job)
    exit_code, word = WORDS[signal.Signals(number)]
    assert said == f"plant-aggregate: error: {word}; an unfinished run is not published"
    assert job.returncode == exit_code
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("first", WORDS)
def test_a_run_that_waits_for_a_store_is_stopped_by_two_signals(mute: Mute, work: Path, first: int) -> None:
    second = signal.SIGTERM if first != signal.SIGTERM else signal.SIGINT
    with running([sys.executable, "-c", WAITING, "run", mute.uri("gs"), "-q"], cwd=work) as job:
        mute.wait_for_somebody()
        job.send_signal(first)
        job.send_signal(second)
        said = last_line(job)
    assert job.returncode in (WORDS[first][0], WORDS[second][0])  # the first may have been enough
    assert re.match(r"plant-aggregate: error: (interrupted|terminated|hung up)( at once, .*)?; an unfinished run", said)


@pytest.mark.parametrize("store", ["gs", "s3", "fsspec"])
@pytest.mark.parametrize("command", ["run", "runs"])
def test_a_store_that_does_not_answer_in_time_is_an_error(mute: Mute, work: Path, store: str, command: str) -> None:
    arguments = ["run", mute.uri(store), "-q"] if command == "run" else ["runs", "-o", mute.uri(store)]
    with running([sys.executable, "-c", WAITING, *arguments, "--store-timeout", "0.5"], cwd=work) as job:
        said = last_line(job)
    assert job.returncode == 1
    assert re.match(r"plant-aggregate: error: (gs|s3|waiting)://.*: cannot be (reached|opened) ", said)
    assert "(no answer within 0.5 s, see --store-timeout); " in said
    assert list(work.iterdir()) == []


STUCK = """
import ctypes, sys
from plant_aggregate.cli import interrupts
from plant_aggregate.cli.log_format import set_format

set_format(sys.argv[1])
interrupts.listen(["run"])
interrupts.begin()
mutex = ctypes.create_string_buffer(256)
lock = ctypes.CDLL(None).pthread_mutex_lock
lock(mutex)
try:
    print("stuck", flush=True)
    lock(mutex)  # for ever, and no signal ends it
except KeyboardInterrupt:  # one that came before that
    lock(mutex)
"""


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_library_that_does_not_come_back_is_ended_by_the_second_signal(log_format: str) -> None:
    with running([sys.executable, "-c", STUCK, log_format]) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "stuck\n"
        job.send_signal(signal.SIGINT)
        job.send_signal(signal.SIGHUP)
        said = last_line(job)
    assert job.returncode in (129, 130)  # whichever the system delivers last
    word = WORDS[signal.Signals(job.returncode - 128)][1]
    message = f"{word} at once, without cleaning up, which the next run does; an unfinished run is not published"
    if log_format == "text":
        assert said == f"plant-aggregate: error: {message}"
    else:
        logged = json.loads(said)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", logged.pop("time"))
        assert logged == {"level": "error", "event": "error", "message": message, "exit_code": job.returncode}


@pytest.mark.slow
@pytest.mark.parametrize("number", WORDS)
def test_a_library_that_does_not_come_back_is_ended_by_one_signal_after_a_while(number: int) -> None:
    with running([sys.executable, "-c", STUCK, "text"]) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "stuck\n"
        job.send_signal(number)
        said = last_line(job)
    exit_code, word = WORDS[signal.Signals(number)]
    assert job.returncode == exit_code
    assert said.startswith(f"plant-aggregate: error: {word} at once, ")


SIGNALLED = """
import os, sys

plan, *arguments = sys.argv[1:]
plan = [moment.split("/") for moment in plan.split()]

def audit(event, details):
    if plan and event == plan[0][0] and plan[0][1] in str(details[0]):
        for number in plan.pop(0)[2:]:
            os.kill(os.getpid(), int(number))

from plant_aggregate.cli.start import main
sys.addaudithook(audit)
sys.argv[1:] = arguments
main()
"""
"""The program, which gets signals in moments of a plan: event of the interpreter/what it is about/signals."""


def check_end(work: Path, plan: str, *arguments: str) -> None:
    """Run by a plan, and see that the end is a line that fits the exit code."""
    with running([sys.executable, "-c", SIGNALLED, plan, "run", *arguments, "-q"]) as job:
        said = last_line(job)
    assert said.startswith("plant-aggregate: error: ")
    assert any(job.returncode == exit_code and f" {word}" in said for exit_code, word in WORDS.values()), job.returncode
    assert said.endswith("; an unfinished run is not published")
    assert not (work / "consensus/latest").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", WORDS)
@pytest.mark.parametrize("opened", ["good.parquet", "consensus.parquet", "users.parquet", "run.json"])
def test_who_ends_a_run_leaves_nothing_behind(published: Published, work: Path, opened: str, number: int) -> None:
    command = [sys.executable, "-c", SIGNALLED, f"open/{opened}/{int(number)}", "run", "good.parquet"]
    with running(command, cwd=work) as job:
        said = last_line(job)
    exit_code, word = WORDS[signal.Signals(number)]
    assert job.returncode == exit_code
    assert said == f"plant-aggregate: error: {word}; an unfinished run is not published"
    assert published.is_untouched()


@pytest.mark.parametrize("is_held", [False, True])
def test_who_ends_a_run_that_is_done_is_told_what_became_of_it(
    published: Published, write: Write, work: Path, is_held: bool
) -> None:
    votes = str(write("others.parquet", label=["Acer campestre", "Acer opalus", "Abies alba", "Picea abies"]))
    options = ["--metrics", "metrics.prom", *(["--max-label-changes", "0"] if is_held else [])]
    command = [sys.executable, "-c", SIGNALLED, f"os.rename/metrics.prom/{int(signal.SIGINT)}", "run", votes, *options]
    with running(command, cwd=work) as job:
        said = last_line(job)
    assert job.returncode == 130
    if is_held:
        (held,) = (work / "consensus/held").iterdir()
        assert said == f"plant-aggregate: error: interrupted; run {held.name} is held back"
        assert published.is_untouched()
    else:
        latest = (work / "consensus/latest").readlink().name
        assert said == f"plant-aggregate: error: interrupted; run {latest} is published"
        assert not published.is_untouched()


@pytest.mark.slow
@pytest.mark.parametrize("numbers", ["2", "15", "1", "2/2", "2/15", "15/2/1"])
@pytest.mark.parametrize("module", ["click", "dataclasses", "pyarrow.parquet", "numba"])
def test_signals_while_modules_are_loaded(write: Write, work: Path, module: str, numbers: str) -> None:
    check_end(work, f"import/{module}/{numbers}", str(write()))


@pytest.mark.slow
@pytest.mark.parametrize("numbers", ["2", "15/2"])
@pytest.mark.parametrize("event", ["shutil.rmtree/partial", "os.remove/holder"])
def test_signals_while_is_cleaned_up(write: Write, work: Path, event: str, numbers: str) -> None:
    check_end(work, f"open/consensus.parquet/15 {event}/{numbers}", str(write()))


def test_signals_while_another_error_is_told(work: Path) -> None:
    check_end(work, "open/pipeline.py/2/15/2", "gone.parquet", "--debug")


def test_a_run_under_nohup_is_not_hung_up(mute: Mute, work: Path) -> None:
    with started(
        "run", mute.uri("gs"), "-q", ignored=(signal.SIGHUP,), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as job:
        mute.wait_for_somebody()
        job.send_signal(signal.SIGHUP)
        job.send_signal(signal.SIGINT)
        job.send_signal(signal.SIGTERM)
        said = last_line(job)
    assert "hung up" not in said
    assert job.returncode in (130, 143)


def test_signals_stay_pythons_own_in_a_library(write: Write, work: Path) -> None:
    before = [signal.getsignal(number) for number in WORDS]
    plant_aggregate.run(write(), "consensus")
    assert [signal.getsignal(number) for number in WORDS] == before
