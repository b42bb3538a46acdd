"""Whatever becomes of the disk, the output folder, the votes or the clock: a line, and ``latest`` as it was."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plant_aggregate.cli.main import run_command
from plant_aggregate.files import parquet
from plant_aggregate.files.sources import Source
from plant_aggregate.publishing import releases
from tests.command_line import Capture, Disk, Published, Write, as_nobody, error_line
from tests.records import record_of

from .promises import Watch, known_runs, latest_of, leftovers, runs_in
from .steps import GUARD, OTHER_RUN, RUN, named, write_votes

COMMANDS = {
    "a run with changes": ((RUN,), OTHER_RUN, 0),
    "a run that is held": ((RUN,), [*OTHER_RUN, *GUARD], 3),
    "publish of a held run": ((RUN, [*OTHER_RUN, *GUARD]), ["publish", "HELD"], 0),
    "rollback": ((RUN, RUN), ["rollback"], 0),
}
"""What happened before, the command, and how it ends if nothing is wrong."""

NOTHING_HAPPENED = "nothing was published; what was published before is untouched"
PLENTY = 1000


@pytest.fixture
def votes(work: Path) -> None:
    write_votes(work)


def call(command: list[str], output: Path) -> int:
    return run_command([*named(command, output), "-o", str(output)])


def set_up(before: tuple[list[str], ...], output: Path, capfd: Capture) -> Published:
    for command in before:
        assert call(command, output) in (0, 3)
    capfd.readouterr()
    return Published(output)


def assert_refused(capfd: Capture, output: Published, saying: str) -> None:
    """One clear line, and nothing is other than before."""
    line = error_line(capfd)
    assert line.startswith(f"plant-aggregate: error: {output.folder}")
    assert saying in line
    assert line.endswith(f"{NOTHING_HAPPENED}\n")
    assert_untouched(output)


def assert_untouched(output: Published) -> None:
    assert output.is_untouched()
    assert Watch(output.folder).broken() == []
    assert leftovers(output.folder) == []


def pages(folder: Path) -> int:
    """Kilobytes that files take, in pages of four."""
    return sum(-(-file.stat().st_size // 4096) * 4 for file in folder.rglob("*") if file.is_file())


def failures_until_it_fits(capfd: Capture, disk: Disk, name: str, limits: Iterator[tuple[int, int]]) -> int:
    """How often a command fails for want of room, which changes nothing, while the ``limits`` of the disk grow."""
    before, command, exit_code = COMMANDS[name]
    disk.limit(PLENTY)
    output = set_up(before, disk.folder, capfd)
    known = known_runs(disk.folder)
    for failures, limit in enumerate(limits):
        disk.limit(*limit)
        found = call(command, disk.folder)
        if found == exit_code:
            return failures
        assert found == 1
        assert_refused(capfd, output, "cannot be written (no space left on device); make room; ")
        assert known_runs(disk.folder) == known
    pytest.fail("it never fits")


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("name", ["a run with changes", "a run that is held"])
def test_a_disk_may_be_full_at_any_page(capfd: Capture, disk: Disk, name: str) -> None:
    """It grows page by page, so that each write in turn is the one that does not fit."""

    def sizes() -> Iterator[tuple[int, int]]:
        used = pages(disk.folder)
        yield from ((size, PLENTY) for size in range(used, 4 * used, 4))

    assert failures_until_it_fits(capfd, disk, name, sizes()) >= 3


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_disk_may_have_no_room_for_another_name(capfd: Capture, disk: Disk, name: str) -> None:
    """Files, folders and links: each in turn is the one too many."""

    def numbers_of_files() -> Iterator[tuple[int, int]]:
        counts = os.statvfs(disk.folder)
        yield from ((PLENTY, files) for files in range(counts.f_files - counts.f_ffree, PLENTY))

    assert failures_until_it_fits(capfd, disk, name, numbers_of_files()) >= 1
    assert Watch(disk.folder).broken() == []


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_read_only_output(capfd: Capture, disk: Disk, name: str) -> None:
    before, command, _ = COMMANDS[name]
    disk.limit(PLENTY)
    output = set_up(before, disk.folder, capfd)
    disk.may_be_written(False)
    assert call(command, disk.folder) == 1
    assert_refused(capfd, output, "cannot be written (read-only file system); choose another output folder; ")
    assert call(["runs"], disk.folder) == 0
    assert call(["diff", "latest", "latest"], disk.folder) == 0


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("closed", [".", "runs"])
@pytest.mark.parametrize("name", list(COMMANDS))
def test_an_output_of_somebody_else(capfd: Capture, work: Path, open_folder: Path, name: str, closed: str) -> None:
    before, command, _ = COMMANDS[name]
    if closed == "runs" and name == "rollback":
        pytest.skip("nothing is written in runs")
    for file in work.glob("*.parquet"):
        shutil.copy(file, open_folder)
    os.chdir(open_folder)
    output = set_up(before, open_folder / "out", capfd)
    for folder in (output.folder, *output.folder.glob("*/")):
        folder.chmod(0o777)
    (output.folder / ".lock").chmod(0o666)
    (output.folder / closed).resolve().chmod(0o555)
    with as_nobody():
        exit_code = call(command, output.folder)
    for folder in (output.folder, *output.folder.glob("*/")):
        folder.chmod(0o755)
    os.chdir(work)
    assert exit_code == 1
    assert_refused(capfd, output, "cannot be written (permission denied); choose another output folder; ")


@pytest.mark.usefixtures("votes")
def test_what_somebody_else_left_is_a_warning(capfd: Capture, work: Path, open_folder: Path) -> None:
    """Root once ran the job by hand: what it left cannot be cleared away, and keeps nobody from working."""
    if os.geteuid() != 0:
        pytest.skip("somebody else has to be made up")
    for file in work.glob("*.parquet"):
        shutil.copy(file, open_folder)
    os.chdir(open_folder)
    output = set_up((RUN, RUN), open_folder / "out", capfd)
    oldest = min(runs_in(output.folder / "runs"))
    for folder in (output.folder, *output.folder.glob("*/")):
        folder.chmod(0o777)
    (output.folder / ".lock").chmod(0o666)
    said, found = [], []
    for command in ([*RUN, "--keep", "1"], [*RUN, "--keep", "1"], ["rollback"]):
        with as_nobody():
            found.append(call(command, output.folder))
        said.append(capfd.readouterr().err)
    os.chdir(work)
    assert found == [0, 0, 0]
    leftover = output.folder / "runs" / f".{oldest}.partial"
    warning = f"warning: {leftover} is left over and cannot be removed (permission denied): remove it by hand"
    assert [warning in text for text in said] == [False, True, True]


@pytest.mark.usefixtures("votes")
def test_a_missing_parent_is_made(work: Path) -> None:
    output = work / "not" / "there" / "yet"
    assert call(RUN, output) == 0
    assert Watch(output).broken() == []


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("place", [".", "runs", "held", ".lock"])
def test_something_of_yours_in_the_place_of_a_folder_or_of_the_lock(capfd: Capture, work: Path, place: str) -> None:
    output = work / "out"
    taken = output / place
    if place == ".lock":
        taken.mkdir(parents=True)
    else:
        taken.parent.mkdir(exist_ok=True)
        taken.write_text("mine")
    assert call(RUN, output) == 1
    error = capfd.readouterr().err
    assert error.startswith(f"plant-aggregate: error: {output}")
    assert ("cannot be read (not a directory); see that it is a folder" in error) == (place == "held")
    assert ("cannot be written (" in error and "; choose another output folder; " in error) == (place != "held")
    assert error.count("\n") == 1
    assert taken.is_dir() if place == ".lock" else taken.read_text() == "mine"
    assert leftovers(output) == []


@pytest.mark.usefixtures("votes")
@pytest.mark.parametrize("target", ["runs/20200101T000000Z", "gone", "latest"])
def test_a_dangling_latest(capfd: Capture, work: Path, target: str) -> None:
    """Nothing is published then: the next run is compared with the newest one, and rollback goes to that."""
    output = work / "out"
    assert call(RUN, output) == 0
    run_id = latest_of(output)

    def lose_latest() -> None:
        (output / "latest").unlink()
        (output / "latest").symlink_to(target)

    lose_latest()
    capfd.readouterr()
    assert call(["diff", "latest", "latest"], output) == 1
    assert f"{output}: has no published run; see plant-aggregate runs" in capfd.readouterr().err
    assert call(["rollback"], output) == 0
    assert latest_of(output) == run_id
    lose_latest()
    assert call(["publish", str(run_id)], output) == 0
    assert latest_of(output) == run_id
    lose_latest()
    capfd.readouterr()
    assert call([*OTHER_RUN, *GUARD], output) == 3
    named = f"no run of {output}" if target in ("gone", "latest") else "run 20200101T000000Z, which is gone"
    assert f"latest names {named}: the new one is compared with the newest there, {run_id}" in capfd.readouterr().err
    assert call(OTHER_RUN, output) == 0
    assert latest_of(output) not in (run_id, None)
    assert Watch(output).broken() == []


# --- The votes --------------------------------------------------------------------------------------------------------


def delete(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    """As a job does that writes aside and renames: the same size, another file."""
    shutil.copy(path, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)


def overwrite(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def rewrite(path: Path) -> None:
    """The same bytes again: only the time tells."""
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("change", [delete, truncate, replace, overwrite, append, rewrite])
@pytest.mark.parametrize("instant", ["found", "opened", "in the middle", "at the end", "fingerprinted"])
def test_votes_that_change_while_they_are_read(
    capfd: Capture,
    published: Published,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    instant: str,
) -> None:
    path = write()
    read, check, fingerprint = parquet._read, parquet.check_files, Source.fingerprint

    def read_and_change(file: Any, columns: Any, _rows: int, dictionaries: Any) -> Iterator[Any]:
        batches = read(file, columns, 1, dictionaries)
        for number, batch in enumerate(batches):
            if (number, instant) in ((0, "opened"), (2, "in the middle")):
                change(path)
            yield batch
        if instant == "at the end":
            change(path)

    def change_and_check(*arguments: Any, **more: Any) -> Any:
        if instant == "found":
            change(path)
        return check(*arguments, **more)

    def fingerprint_and_change(source: Source) -> str:
        digest = fingerprint(source)
        if instant == "fingerprinted":
            change(path)
        return digest

    monkeypatch.setattr(parquet, "_read", read_and_change)
    monkeypatch.setattr("plant_aggregate.ingest.check_files", change_and_check)
    monkeypatch.setattr(Source, "fingerprint", fingerprint_and_change)
    assert run_command(["run", str(path), "-q"]) == 1
    error = capfd.readouterr().err
    assert error.startswith(f"plant-aggregate: error: {path}: ")
    assert "changed while it was read; run again when it is complete" in error or "cannot be read" in error
    assert error.count("\n") == 1
    assert_untouched(published)


# --- The clock --------------------------------------------------------------------------------------------------------


class Clock(datetime):
    """Says what the test wants."""

    hour_now = 12

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime(2026, 11, 23, cls.hour_now, tzinfo=UTC)


@pytest.mark.usefixtures("votes")
def test_a_clock_that_goes_backwards(capfd: Capture, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs stay in order, and pruning keeps the newest, whatever the clock said."""
    output = work / "out"
    monkeypatch.setattr(releases, "datetime", Clock)
    named_after = []
    for hour in (12, 11, 12, 3, 13):
        monkeypatch.setattr(Clock, "hour_now", hour)
        assert call([*RUN, "--keep", "2"], output) == 0
        latest = latest_of(output)
        assert latest is not None
        named_after.append(latest)
        assert ("the clock says" in capfd.readouterr().err) == (hour in (11, 3))
        manifest = record_of(output / "latest")
        assert ("see that the clock is right" in " ".join(manifest["warnings"])) == (hour in (11, 3))
    assert named_after == ["20261123T120000Z", *(f"20261123T120000Z-{n}" for n in (2, 3, 4)), "20261123T130000Z"]
    assert runs_in(output / "runs") == set(named_after[-3:])
    assert Watch(output).broken() == []
    assert call(["rollback"], output) == 0
    assert latest_of(output) == named_after[-2]


@pytest.mark.usefixtures("votes")
def test_a_clock_set_back_does_not_hide_a_held_run(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = work / "out"
    monkeypatch.setattr(releases, "datetime", Clock)
    for hour, command in ((12, RUN), (14, [*OTHER_RUN, *GUARD]), (13, RUN)):
        monkeypatch.setattr(Clock, "hour_now", hour)
        call(command, output)
    assert latest_of(output) == "20261123T140000Z-2"
    assert runs_in(output / "held") == {"20261123T140000Z"}
