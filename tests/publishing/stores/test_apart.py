"""Runs that lie on another disk than the output folder: held back ones, or all."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from plant_aggregate.publishing.stores.folder import RunFolder
from plant_aggregate.publishing.stores.run_ids import next_run_id
from tests.breaking.promises import Watch, known_runs, latest_of, leftovers, runs_in
from tests.breaking.steps import GUARD, OTHER_RUN, RUN, named, write_votes
from tests.records import record_of

MEMORY = "/dev/shm"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another disk."""
    if not os.access(MEMORY, os.W_OK) or os.stat(MEMORY).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is no other disk")
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_votes(tmp_path)
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def call(output: Path, *command: str) -> int:
    return run_command([*named(list(command), output), "-o", str(output)])


@pytest.mark.parametrize("apart", [("held",), ("runs",), ("runs", "held")])
def test_all_that_is_done_with_runs_works(output: Path, elsewhere: Path, apart: tuple[str, ...]) -> None:
    for name in apart:
        (elsewhere / name).mkdir()
        (output / name).symlink_to(elsewhere / name)
    watch = Watch(output)
    for command, exit_code in (
        (RUN, 0),
        ([*OTHER_RUN, *GUARD], 3),
        (["publish", "HELD"], 0),
        (["rollback"], 0),
        ([*OTHER_RUN, *GUARD], 3),
        (["publish", "HELD"], 0),
        ([*RUN, "--keep", "0"], 0),
    ):
        before = known_runs(output)
        assert call(output, *command) == exit_code
        assert watch.broken() == []
        assert leftovers(output) == []
        assert runs_in(output / "runs") & runs_in(output / "held") == set()
        assert "--keep" in command or before <= known_runs(output)
    plant_aggregate.open_latest(output).verify()
    assert all((output / name).is_symlink() for name in apart)
    with pytest.raises(plant_aggregate.ParameterError, match="name another place"):
        plant_aggregate.run("votes.parquet", output / apart[0] / "out")


@pytest.mark.parametrize("apart", ["held", "runs"])
def test_what_somebody_put_into_a_run_goes_with_it(output: Path, elsewhere: Path, apart: str) -> None:
    (output / apart).symlink_to(elsewhere)
    assert call(output, *RUN) == 0
    assert call(output, *OTHER_RUN, *GUARD) == 3
    (run,) = (output / "held").iterdir()
    (run / "derived" / "folder").mkdir(parents=True)
    (run / "derived" / "folder" / "notes.txt").write_text("mine")
    (run / "derived" / "votes").symlink_to("/nowhere")
    assert call(output, "publish", run.name) == 0
    assert not run.exists()
    published = output / "latest" / "derived"
    assert (published / "folder" / "notes.txt").read_text() == "mine"
    assert (published / "votes").is_symlink()


class Killed(BaseException):
    """Stands for the end of the process."""


STEPS = ("rename", "replace", "mkdir", "symlink", "unlink", "rmdir", "open")
"""What changes files, or opens them to be copied or flushed."""


@pytest.mark.parametrize("kind", ["hold", "release"])
def test_a_process_may_end_at_any_step(
    output: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Before each change in turn; nothing is taken back, and the next process clears up. No run is lost."""
    (output / "held").symlink_to(elsewhere, target_is_directory=True)
    assert call(output, *RUN) == 0
    step = 0
    ended = True
    while ended:
        hold(staged_run(output))
        store, staged = RunFolder(output), staged_run(output)
        watch, known = Watch(output), known_runs(output)
        assert watch.broken() == []
        held, before = store.held_ids[-1], latest_of(output)
        with monkeypatch.context() as patched:
            left = _end_at(step, patched)
            with suppress(Killed):
                store.release(held) if kind == "release" else store.hold(
                    staged.name[1:].removesuffix(".partial"), staged
                )
            ended = left() < 0
        assert watch.broken() == []
        store = RunFolder(output)
        store.tidy()
        assert watch.broken() == []
        assert leftovers(output) == []
        assert runs_in(output / "runs") & runs_in(output / "held") == set()
        assert known <= known_runs(output)
        assert (held in store.held_ids) == (latest_of(output) == before)
        if kind == "release" and latest_of(output) != before:
            store.switch_to(str(before))
        step += 1
    assert step > 10


def staged_run(output: Path) -> Path:
    """A run that is complete and has no place yet."""
    store = RunFolder(output)
    run_id = next_run_id(datetime.now(UTC), [*store.run_ids, *store.held_ids])
    folder = output / "runs" / f".{run_id}.partial"
    shutil.copytree((output / "latest").resolve(), folder)
    record = record_of(folder)
    (folder / "run.json").write_text(json.dumps({**record, "run_id": run_id}))
    return folder


def hold(staged: Path) -> None:
    RunFolder(staged.parents[1]).hold(staged.name[1:].removesuffix(".partial"), staged)
    shutil.rmtree(staged)


def _end_at(step: int, patched: pytest.MonkeyPatch) -> Callable[[], int]:
    """Have the process end before its n-th change, counted from 0, and all that come after; how many are left."""
    left = [step]

    def ending(work: Callable[..., object]) -> Callable[..., object]:
        def take_a_step(*arguments: object, **more: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return work(*arguments, **more)

        return take_a_step

    for name in STEPS:
        patched.setattr(os, name, ending(getattr(os, name)))
    return lambda: left[0]
