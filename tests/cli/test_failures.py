"""Whatever breaks outside of the input: a line, an exit code, and what was published before untouched."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate.pipeline
from plant_aggregate.cli.main import run_command
from plant_aggregate.publishing.stores.lock import locked
from tests.command_line import Capture, Disk, Published, Write, as_nobody

from ..processes import started

RUN = [sys.executable, "-m", "plant_aggregate.cli.start", "run"]

STEPS = ["read_found", "PlantNet.fit", "write_consensus", "write_table", "_record", "write_record"]


def break_step(monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException) -> None:
    """Let a step of the pipeline do its work and then fail."""
    *inside, name = step.split(".")
    place = getattr(plant_aggregate, inside[0]) if inside else plant_aggregate.pipeline
    work = getattr(place, name)

    def work_and_fail(*arguments: Any, **more: Any) -> Any:
        work(*arguments, **more)
        raise error

    monkeypatch.setattr(place, name, work_and_fail)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("error", "exit_code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted; an unfinished run is not published"),
        (MemoryError(), 1, "out of memory; an unfinished run is not published"),
        (RuntimeError("oh\nno"), 1, "internal error, please report it (RuntimeError: oh); --debug shows where"),
        (OSError(5, "Input/output error", "disk"), 1, "disk: input/output error; an unfinished run is not published"),
        (BrokenPipeError(32, "Broken pipe"), 1, "broken pipe; an unfinished run is not published"),
        (EOFError("Ran out of input"), 1, "internal error, please report it (EOFError: Ran out of input); --debug"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_a_step_that_fails_publishes_nothing(
    capfd: Capture,
    published: Published,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: BaseException,
    exit_code: int,
    line: str,
) -> None:
    break_step(monkeypatch, step, error)
    assert run_command(["run", str(write()), "-q"]) == exit_code
    captured = capfd.readouterr()
    assert captured.out == ""
    said = captured.err.removeprefix("\n")  # the terminal's ^C stands on the line
    assert said.startswith(f"plant-aggregate: error: {line}")
    assert said.count("\n") == 1
    assert published.is_untouched()


def test_debug_shows_where_the_engine_itself_failed(
    published: Published, write: Write, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    break_step(monkeypatch, "_record", RuntimeError("oh no"))
    for log_format, place in (("text", 'pipeline.py", line'), ("json", 'pipeline.py\\", line')):
        assert run_command(["run", str(write()), "-q", "--debug", "--log-format", log_format]) == 1
        said = capfd.readouterr().err
        assert place in said
        assert "internal error, please report it (RuntimeError: oh no)" in said.splitlines()[-1]
    assert [json.loads(line)["event"] for line in said.splitlines()] == ["traceback", "error"]
    assert published.is_untouched()


def test_a_disk_may_be_full_at_any_file(capfd: Capture, write: Write, disk: Disk) -> None:
    """The disk grows page by page, so that each file in turn is the one that does not fit."""
    path = str(write())
    disk.limit(64)
    folder = disk.folder
    assert run_command(["run", path, "-q", "-o", str(folder)]) == 0
    capfd.readouterr()
    on_disk = Published(folder)
    used = sum(-(-file.stat().st_size // 4096) * 4 for file in folder.rglob("*") if file.is_file())
    failures = []
    for size in range(used, 4 * used, 4):
        disk.limit(size)
        exit_code = run_command(["run", path, "-q", "-o", str(folder)])
        error = capfd.readouterr().err
        if exit_code == 0:
            break
        assert exit_code == 1
        assert re.match(rf"plant-aggregate: error: {folder}(/runs/\.[\w-]+\.partial/\w+\.\w+)?:", error)
        assert error.endswith(
            " cannot be written (no space left on device); make room; "
            "nothing was published; what was published before is untouched\n"
        )
        assert error.count("\n") == 1
        assert on_disk.is_untouched()
        assert {path.name for path in folder.iterdir()} == {"runs", "latest", ".lock"}
        failures.append(size)
    assert exit_code == 0
    assert len(failures) >= 3
    assert on_disk.state() != on_disk.before


def stands(work: Path) -> bool:
    return (work / "consensus/latest/consensus.parquet").exists()


@pytest.mark.parametrize(
    ("streams", "exit_code", "said"),
    [
        (">/dev/full", 1, "the summary cannot be printed (no space left on device); the work itself is done"),
        ("--json >/dev/full", 1, "the summary cannot be printed (no space left on device)"),
        (">&-", 0, ""),
        ("2>&-", 0, "3 observations"),
        ("2>/dev/full", 0, "3 observations"),
        (">/dev/null 2> >(exit)", 0, ""),
        (">&- 2>&-", 0, ""),
    ],
)
def test_the_run_is_published_whatever_becomes_of_its_streams(
    write: Write, work: Path, streams: str, exit_code: int, said: str
) -> None:
    """A full log, a closed stream, a reader that has left: no reason to lose a night's work."""
    quiet = "-q" if "2>" not in streams else ""
    command = f"{' '.join(RUN)} {write()} {quiet} {streams}"
    done = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == exit_code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert stands(work)


@pytest.mark.parametrize("arguments", ["run good.parquet -q", "runs --csv", "runs --help", "--help", "config --show"])
def test_a_reader_that_has_left_ends_the_command_as_sigpipe_would(
    write: Write, work: Path, published: Published, arguments: str
) -> None:
    command = f"{' '.join(RUN[:-1])} {arguments} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGPIPE, "", "")


def test_names_that_an_encoding_does_not_have_are_escaped(write: Write, work: Path) -> None:
    for name in ("a.parquet", "b.parquet"):
        subprocess.run([*RUN, str(write(name, label=["銀杏", "É", f"{name} 銀", "x"])), "-q"], cwd=work, check=True)
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [*RUN[:-1], "diff"]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"a.parquet \u9280" in done.stdout


def test_an_error_on_a_closed_terminal_is_still_an_exit_code(work: Path) -> None:
    done = subprocess.run(["bash", "-c", f"{' '.join(RUN)} gone.parquet 2>&-"], cwd=work, capture_output=True)
    assert done.returncode == 1


def test_warnings_as_errors_find_nothing(write: Write, work: Path) -> None:
    """Even the engine's own warning stays a line."""
    command = [sys.executable, "-W", "error", *RUN[1:], str(write(is_author=None)), "-q"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("plant-aggregate: warning: no vote is known to be its observation's author")
    assert done.stderr.count("\n") == 1


def test_quiet_says_nothing_on_stderr(write: Write, work: Path, capfd: Capture) -> None:
    assert run_command(["run", str(write()), "-q"]) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("options", [[], ["--ambiguous-quantile", "0.5"], ["--max-iter", "1"]])
def test_run_json_is_json_that_any_parser_takes(write: Write, work: Path, options: list[str]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    assert run_command(["run", str(write()), "-q", *options]) == 0
    json.loads((work / "consensus/latest/run.json").read_bytes(), parse_constant=refuse)


@pytest.mark.parametrize(("n_null", "exit_code"), [(1, 0), (2, 1)])
def test_the_allowed_share_may_be_reached_but_not_passed(
    write: Write, work: Path, capfd: Capture, n_null: int, exit_code: int
) -> None:
    """One of a hundred is the default."""
    ids = [None] * n_null + list(range(100 - n_null))
    table = pa.table({"observation_id": ids, "user_id": range(100), "label": range(100)})
    assert run_command(["run", str(write("hundred.parquet", table)), "-q"]) == exit_code
    assert (
        "more than the allowed share of 0.01; mend the input, or raise --max-rejected" in capfd.readouterr().err
    ) == (exit_code == 1)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(("as_of", "exit_code"), [("9999-12-31T23:59:59.999999", 0), ("0001-01-01", 1)])
def test_a_time_limit_may_lie_beyond_what_the_column_can_hold(
    write: Write, work: Path, capfd: Capture, unit: str, as_of: str, exit_code: int
) -> None:
    path = write(voted_at=pa.array([0, 1, 2, 3], pa.timestamp(unit)))
    assert run_command(["run", str(path), "-q", "--as-of", as_of]) == exit_code
    assert ("no usable vote left" in capfd.readouterr().err) == (exit_code == 1)


def test_a_vote_without_a_time_is_rejected_where_times_count(write: Write, work: Path) -> None:
    path = write(voted_at=pa.array([0, None, 0, 0], pa.timestamp("s")))
    assert run_command(["run", str(path), "-q"]) == 0
    assert run_command(["run", str(path), "-q", "--as-of", "2000-01-01", "--max-rejected", "0.25"]) == 0
    rejected = pq.read_table(work / "consensus/latest/rejected.parquet").to_pylist()
    assert [(row["row"], row["user_id"], row["reason"]) for row in rejected] == [(1, "bo", "null voted_at")]


def test_user_weights_are_read_before_the_votes(published: Published, write: Write, capfd: Capture) -> None:
    """A slip in a small file shows before an hour of reading."""
    assert run_command(["run", "gone.parquet", "-q", "--user-weights", "away.csv"]) == 1
    assert "away.csv: no such file or folder; check the path" in capfd.readouterr().err
    assert published.is_untouched()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_something_of_yours_named_latest_is_left_alone(
    published: Published, write: Write, work: Path, capfd: Capture, kind: str
) -> None:
    (work / "other").mkdir()
    place = work / "other" / "latest"
    place.mkdir() if kind == "folder" else place.write_text("mine")
    assert run_command(["run", str(write()), "-q", "-o", "other"]) == 1
    assert capfd.readouterr().err == (
        "plant-aggregate: error: other/latest: is in the way: it should be the link to the published run; "
        "move it, or choose another output folder\n"
    )
    assert place.is_dir() if kind == "folder" else place.read_text() == "mine"
    assert published.is_untouched()


WRONG = [
    ["gone.parquet"],
    ["gone/*.parquet"],
    ["good.parquet", "--column", "label=nope"],
    ["good.parquet", "--as-of", "2026-01-01"],
    ["good.parquet", "--ai-votes", "gone.parquet"],
    ["good.parquet", "--ai-votes", "good.parquet"],
    ["good.parquet", "--user-weights", "gone.csv"],
    ["good.parquet", "--calibration", "gone.json"],
    ["good.parquet", "--scores", "gone"],
    ["good.parquet", "--scores", "good.parquet"],
]
"""Inputs that are seen to be wrong before any row is read."""


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
@pytest.mark.parametrize("output", ["new", "made/new", "empty"])
def test_wrong_inputs_leave_no_trace(write: Write, work: Path, arguments: list[str], output: str) -> None:
    write("good.parquet")
    (work / "empty").mkdir()
    assert run_command(["run", *arguments, "-q", "-o", output]) in (1, 2)
    assert sorted(str(path.relative_to(work)) for path in work.rglob("*")) == ["empty", "good.parquet"]


def test_a_run_that_fails_later_leaves_no_new_folder(write: Write, work: Path) -> None:
    path = write(label=[None, None, None, None])
    assert run_command(["run", str(path), "-q", "-o", "made/new"]) == 1
    assert [path.name for path in work.iterdir()] == ["votes.parquet"]


@pytest.mark.parametrize("arguments", [WRONG[0], WRONG[2]], ids=" ".join)
def test_wrong_inputs_do_not_wait_for_the_lock(published: Published, arguments: list[str]) -> None:
    with locked(published.folder, "fail", print):
        assert run_command(["run", *arguments, "-q", "--lock", "wait"]) == 1
    assert published.is_untouched()


def test_who_waited_reads_what_is_there_by_then(published: Published, write: Write, work: Path) -> None:
    path = write("other.parquet", observation_id=[1, 2, 3, 4])
    with started("run", str(path), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=work) as waiting:
        with locked(published.folder, "wait", print):
            assert waiting.stderr is not None
            while " waiting for " not in (line := waiting.stderr.readline()):
                assert line
            write("next.parquet", observation_id=[5, 6, 7, 8]).rename(path)
        assert waiting.wait(60) == 0
    ids = pq.read_table(published.folder / "latest/consensus.parquet")["observation_id"].to_pylist()
    assert ids == [5, 6, 7, 8]


def test_an_output_that_cannot_be_written_is_told_first(open_folder: Path, capfd: Capture) -> None:
    (open_folder / "closed").mkdir(mode=0o555)
    with as_nobody():
        assert run_command(["run", "gone.parquet", "-q", "-o", str(open_folder / "closed/new")]) == 1
    assert capfd.readouterr().err.startswith(
        f"plant-aggregate: error: {open_folder}/closed: cannot be written (permission denied); choose another output"
    )


def test_a_run_that_may_start_no_more_threads_ends_in_a_line(
    capfd: Capture, published: Published, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thread in turn is the one too many; nothing waits for one that never began, and the lock is free."""
    path, start = str(write()), threading.Thread.start
    failures = 0
    for allowed in range(100):
        begun: list[threading.Thread] = []

        def start_or_fail(
            thread: threading.Thread, begun: list[threading.Thread] = begun, allowed: int = allowed
        ) -> None:
            if len(begun) >= allowed:
                raise RuntimeError("can't start new thread")
            begun.append(thread)
            start(thread)

        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start_or_fail)
            exit_code = run_command(["run", path, "-q", "--threads", "3", "--lock", "fail"])
        said = capfd.readouterr().err
        if exit_code == 0:
            break
        assert exit_code == 1
        assert said == (
            "plant-aggregate: error: no thread can be started; an unfinished run is not published; "
            "allow more threads or memory (ulimit -u, -v), or run on fewer (--threads 1)\n"
        )
        assert published.is_untouched()
        assert not [thread for thread in begun if thread.is_alive() and thread.name.startswith("ahead")]
        failures += 1
    assert exit_code == 0
    assert failures >= 3


@pytest.mark.parametrize("megabytes", [650, 800, 1050])
def test_an_address_space_that_is_too_small_is_said_before_the_libraries_meet_it(
    write: Write, work: Path, megabytes: int
) -> None:
    command = f"ulimit -v {megabytes * 1024} && exec {shlex.join(RUN)} {write()} -q --threads 2"
    done = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"error: the address space is limited to {megabytes:,} MB, and the libraries take 1,100 " in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (work / "consensus").exists()


@pytest.mark.parametrize(
    "line",
    [
        "ambiguity {votes} --scores {votes}",
        "calibrate . --truth {votes}",
        "calibrate-ai {votes} --truth {votes}",
        "compare {votes} --truth {votes}",
        "diff a b",
        "evaluate . --truth {votes}",
    ],
)
def test_so_it_is_of_every_command_that_needs_the_compiler(write: Write, work: Path, line: str) -> None:
    program = shlex.join([sys.executable, "-m", "plant_aggregate.cli.start"])
    command = f"ulimit -v {800 * 1024} && exec {program} {line.format(votes=write())}"
    done = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error: the address space is limited to 800 MB" in done.stderr
    assert done.stderr.count("\n") == 1
