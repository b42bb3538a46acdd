"""One writer at a time, whoever the writers are and however they end."""

import errno
import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.cli.main import run_command
from plant_aggregate.errors import LockedError
from plant_aggregate.publishing.stores.lock import HOLDER, LOCK, locked
from tests.command_line import Capture
from tests.processes import started

HOLD = """
import sys
from pathlib import Path
from plant_aggregate.publishing.stores.lock import locked

with locked(Path(sys.argv[1]), "fail", print):
    print("held", flush=True)
    if sys.stdin.readline() == "fail\\n":
        raise SystemExit(1)
"""
"""A process that has the lock until it gets a line."""

OTHER = {"pid": 1, "host": "elsewhere", "started": "2020-01-01T00:00:00+00:00"}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder with a run in it."""
    votes = {"observation_id": [1, 2], "user_id": ["ana", "bo"], "label": ["a", "b"], "is_author": [True, True]}
    pq.write_table(pa.table(votes), tmp_path / "votes.parquet")
    assert run(tmp_path / "consensus", "fail") == 0
    return tmp_path / "consensus"


def run(output: Path, lock: str) -> int:
    return run_command(["run", str(output.parent / "votes.parquet"), "-o", str(output), "--lock", lock])


@pytest.fixture
def hold() -> Iterator[Callable[[Path], "subprocess.Popen[str]"]]:
    """Starts a process that holds the lock of a folder."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", HOLD, str(folder)]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        return holder

    yield start
    for holder in started:
        holder.kill()
        holder.communicate()


Hold = Callable[[Path], "subprocess.Popen[str]"]


def described(holder: "subprocess.Popen[str]") -> str:
    """A pattern for how the holder is named."""
    return rf"process {holder.pid} on \S+, started 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"


def test_who_may_not_wait_is_told_who_writes(output: Path, hold: Hold, capfd: Capture) -> None:
    before = os.readlink(output / "latest")
    holder = hold(output)
    capfd.readouterr()
    for command in (["run", str(output.parent / "votes.parquet"), "-q"], ["rollback"], ["publish", before[5:]]):
        assert run_command([*command, "-o", str(output), "--lock", "fail"]) == 4
        expected = (
            rf"plant-aggregate: error: {output}: is being written by {described(holder)}; "
            r"wait for it, or --lock wait\n"
        )
        captured = capfd.readouterr()
        assert captured.out == ""
        assert re.fullmatch(expected, captured.err)
    assert os.readlink(output / "latest") == before
    assert [path.name for path in (output / "runs").iterdir()] == [Path(before).name]


def test_who_waits_says_for_whom_and_then_runs(output: Path, hold: Hold) -> None:
    before = os.readlink(output / "latest")
    holder = hold(output)
    command = ["run", str(output.parent / "votes.parquet"), "-o", str(output)]
    with started(*command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as waiting:
        assert waiting.stderr is not None
        assert " plant-aggregate " in waiting.stderr.readline()
        said = waiting.stderr.readline()
        assert re.search(rf" waiting for {described(holder)}, which is writing {output}\n$", said)
        time.sleep(0.5)
        assert waiting.poll() is None
        assert os.readlink(output / "latest") == before
        holder.communicate("\n")
        assert waiting.wait() == 0
    assert os.readlink(output / "latest") > before
    assert not (output / HOLDER).exists()


def test_a_killed_holder_is_not_waited_for(output: Path, hold: Hold, capfd: Capture) -> None:
    holder = hold(output)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert json.loads((output / HOLDER).read_text())["pid"] == holder.pid
    assert run(output, "fail") == 0
    assert "waiting" not in capfd.readouterr().err
    assert not (output / HOLDER).exists()


def test_who_waits_goes_on_when_the_holder_is_killed(tmp_path: Path, hold: Hold) -> None:
    holder = hold(tmp_path)
    said = []

    def say_and_kill(line: str) -> None:
        said.append(line)
        holder.kill()

    with locked(tmp_path, "wait", say_and_kill):
        assert json.loads((tmp_path / HOLDER).read_text())["pid"] == os.getpid()
    assert len(said) == 1


@pytest.mark.parametrize("note", [json.dumps(OTHER), "", "{", "[]", json.dumps({"pid": "x"}), "\x00"])
@pytest.mark.parametrize("mode", ["wait", "fail"])
def test_a_note_of_another_host_or_of_nobody_is_no_obstacle(tmp_path: Path, note: str, mode: str) -> None:
    (tmp_path / HOLDER).write_text(note)
    (tmp_path / f"{HOLDER}.partial").write_text(note)
    said: list[str] = []
    with locked(tmp_path, mode, said.append):
        assert json.loads((tmp_path / HOLDER).read_text())["pid"] == os.getpid()
    assert said == []
    assert {path.name for path in tmp_path.iterdir()} == {".lock"}


@pytest.mark.parametrize("note", [None, "", "[]", "{}", "\udcff"])
def test_a_holder_without_a_note_is_another_process(tmp_path: Path, hold: Hold, note: str | None) -> None:
    hold(tmp_path)
    (tmp_path / HOLDER).unlink()
    if note is not None:
        (tmp_path / HOLDER).write_bytes(note.encode(errors="surrogateescape"))
    with pytest.raises(LockedError, match="is being written by another process; "), locked(tmp_path, "fail", print):
        pass


@pytest.mark.parametrize("also", [[], [HOLDER]])
def test_who_removes_the_lock_file_lets_nobody_in(output: Path, hold: Hold, capfd: Capture, also: list[str]) -> None:
    holder = hold(output)
    for name in [LOCK, *also]:
        (output / name).unlink()
    before = os.readlink(output / "latest")
    capfd.readouterr()
    assert run(output, "fail") == 4
    who = "another process" if also else f"process {holder.pid} on"
    assert f"{output}: is being written by {who}" in capfd.readouterr().err
    assert os.readlink(output / "latest") == before
    with started("run", str(output.parent / "votes.parquet"), "-o", str(output), stderr=subprocess.PIPE) as waiting:
        assert waiting.stderr is not None
        assert " plant-aggregate " in waiting.stderr.readline()
        assert " waiting for " in waiting.stderr.readline()
        (output / LOCK).unlink(missing_ok=True)
        assert os.readlink(output / "latest") == before
        holder.communicate("\n")
        assert waiting.wait(60) == 0
    assert os.readlink(output / "latest") > before


def test_who_removes_the_folder_lets_in_who_waits_for_it(tmp_path: Path, hold: Hold) -> None:
    """The holder fails, and takes away the folder that it made."""
    folder = tmp_path / "new" / "consensus"
    holder = hold(folder)

    def let_fail(_: str) -> None:
        holder.communicate("fail\n")
        assert not folder.parent.exists()

    with locked(folder, "wait", let_fail) as has_waited:
        assert has_waited
        assert json.loads((folder / HOLDER).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("number", [errno.EBADF, errno.EOPNOTSUPP])
def test_where_folders_have_no_locks_the_file_does(
    tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    flock = fcntl.flock

    def only_files(descriptor: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", only_files)
    with locked(tmp_path, "fail", print) as has_waited:
        assert not has_waited
    hold(tmp_path)
    with pytest.raises(LockedError), locked(tmp_path, "fail", print):
        pass


def fail_in(folder: Path, made: str) -> None:
    with locked(folder, "fail", print):
        (folder / made).mkdir(parents=True)
        raise RuntimeError("oh no")


@pytest.mark.parametrize("is_new", [True, False])
def test_what_fails_leaves_no_new_folder(tmp_path: Path, is_new: bool) -> None:
    folder = tmp_path / "new" / "consensus"
    if not is_new:
        folder.mkdir(parents=True)
    with pytest.raises(RuntimeError, match="oh no"):
        fail_in(folder, "runs")
    assert [path.name for path in tmp_path.iterdir()] == ([] if is_new else ["new"])


def test_what_fails_leaves_what_is_in_the_folder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="oh no"):
        fail_in(tmp_path / "consensus", "runs/20260101T000000Z")
    assert (tmp_path / "consensus/runs/20260101T000000Z").exists()


def test_threads_of_one_process_take_turns(tmp_path: Path) -> None:
    inside: list[int] = []
    most, said = [0], []

    def work() -> None:
        with locked(tmp_path, "wait", said.append):
            inside.append(1)
            most[0] = max(most[0], len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert len(said) >= 1
    assert all(f"process {os.getpid()} on " in line or "another process" in line for line in said)


def test_an_error_inside_sets_the_lock_free(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="oh no"), locked(tmp_path, "fail", print):
        raise RuntimeError("oh no")
    with locked(tmp_path, "fail", print):
        assert (tmp_path / HOLDER).exists()
