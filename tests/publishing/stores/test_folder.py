"""A reader of ``latest`` sees one complete run, whatever happens while another is published."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plant_aggregate.errors import AggregateWarning, PublishError
from plant_aggregate.publishing.stores.folder import RunFolder
from plant_aggregate.publishing.stores.history import baseline, prune

NOW = datetime(2026, 11, 23, 2, 15, 0, tzinfo=UTC)


def publish(output: RunFolder, content: str) -> str:
    with output.new_run(NOW) as run:
        for name in ("a.txt", "b.txt"):
            (run.folder / name).write_text(content)
        run.publish()
    return run.run_id


def test_a_run_is_named_by_its_start_and_numbered_if_the_name_is_taken(output: RunFolder) -> None:
    assert [publish(output, "x") for _ in range(3)] == ["20261123T021500Z", "20261123T021500Z-2", "20261123T021500Z-3"]
    assert os.readlink(output.latest) == "runs/20261123T021500Z-3"


@pytest.mark.parametrize("step", ["fsync", "rename", "replace", "symlink"])
def test_a_failure_at_any_step_leaves_latest_as_it_was(
    output: RunFolder, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(output, "old")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(PublishError, match="cannot be written"):
        publish(output, "new")
    monkeypatch.undo()
    assert os.readlink(output.latest) == "runs/20261123T021500Z"
    assert {path.name for path in output.path.iterdir()} == {"runs", "latest"}
    assert [run.name for run in output.runs.iterdir()] == ["20261123T021500Z"]
    assert (output.latest / "a.txt").read_text() == "old"
    publish(output, "next")
    assert (output.latest / "a.txt").read_text() == "next"


def test_what_is_not_published_is_removed(output: RunFolder) -> None:
    with output.new_run(NOW) as run:
        (run.folder / "a.txt").write_text("half")
    assert list(output.runs.iterdir()) == []


def test_a_second_writer_at_the_same_moment_is_refused(output: RunFolder) -> None:
    """The lock keeps it away; where locks do not work, as on some network disks, no run comes to harm."""
    with output.new_run(NOW) as one:
        (one.folder / "a.txt").write_text("x")
        with pytest.raises(PublishError, match="file exists"), output.new_run(NOW):
            pass
        one.publish()
    assert (output.latest / "a.txt").read_text() == "x"


def test_a_folder_cannot_be_flushed_but_the_run_is_published(
    output: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers see the new run from the moment the link is switched: no error may say otherwise."""
    publish(output, "old")
    replace, flush = os.replace, os.fsync
    switched = []

    def note(*paths: Any) -> None:
        replace(*paths)
        switched.append(paths)

    def fail_when_switched(descriptor: int) -> None:
        if switched:
            raise OSError(5, "Input/output error")
        flush(descriptor)

    monkeypatch.setattr(os, "replace", note)
    monkeypatch.setattr(os, "fsync", fail_when_switched)
    publish(output, "new")
    assert (output.latest / "a.txt").read_text() == "new"


def test_an_interrupt_in_the_last_step_takes_the_run_away(output: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(output, "old")

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        publish(output, "new")
    assert [run.name for run in output.runs.iterdir()] == ["20261123T021500Z"]
    assert {path.name for path in output.path.iterdir()} == {"runs", "latest"}


@pytest.mark.parametrize("name", ["backup", "notes.txt", "20261123", "2026-11-23", "20261123T021500Z-old", ".hidden"])
def test_pruning_leaves_alone_what_is_not_a_run(output: RunFolder, name: str) -> None:
    (output.runs / name).mkdir()
    (output.runs / name / "mine").write_text("mine")
    for _ in range(3):
        publish(output, "x")
    prune(output, 0)
    assert (output.runs / name / "mine").read_text() == "mine"
    assert len(list(output.runs.iterdir())) == 2


def test_a_file_is_no_run_whatever_its_name(output: RunFolder) -> None:
    """It would be the newest, and what the next run is compared with if ``latest`` is lost."""
    publish(output, "x")
    for folder in (output.runs, output.held):
        folder.mkdir(exist_ok=True)
        (folder / "20990101T000000Z").write_text("no run")
    output.latest.unlink()
    assert (baseline(output), output.held_ids) == ("20261123T021500Z", [])
    assert publish(output, "y") == "20261123T021500Z-2"


def test_pruning_that_fails_is_no_failure_of_the_run(output: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(output, "x")

    publish(output, "y")

    def fail(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", fail)
    oldest = output.runs / output.run_ids[0]
    with pytest.warns(AggregateWarning, match=f"cannot be removed: {oldest} .permission denied.; the next run tries"):
        prune(output, 0)
    monkeypatch.undo()
    assert len(list(output.runs.iterdir())) == 2


def test_what_is_left_of_a_run_that_is_pruned_is_told(output: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for all runs, and again by the next run, which tries again."""
    for _ in range(4):
        publish(output, "x")

    def fail(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", fail)
        with pytest.warns(AggregateWarning, match=r"\(permission denied\), and 2 more; the next run tries") as caught:
            prune(output, 0)
        assert len(caught) == 1
        with pytest.warns(AggregateWarning, match=r"partial is left over and cannot be removed \(permission denied\)"):
            assert output.tidy() == []
    assert len(output.tidy()) == 3
    assert len(list(output.runs.iterdir())) == 1


def test_runs_that_cannot_be_listed_are_not_pruned(output: RunFolder) -> None:
    publish(output, "x")
    (output.path / "held").write_text("mine")
    with pytest.warns(AggregateWarning, match=r"runs are not removed: .*held: cannot be read \(not a directory\)"):
        prune(output, 0)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_something_else_in_the_place_of_latest_is_refused_at_once(output: RunFolder, kind: str) -> None:
    output.latest.mkdir() if kind == "folder" else output.latest.write_text("mine")
    with pytest.raises(PublishError, match=r"latest: is in the way.*; move it, or choose another output folder$"):
        output.check()


def test_preparing_leaves_nothing_that_a_killed_process_could_not_clear_away(
    output: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "unlink", lambda *_, **__: None)
    output.check()
    output.prepare()
    assert list(output.runs.iterdir()) == []


def test_an_error_names_the_link_that_cannot_be_made(output: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system names the run first, and that relative to the output folder."""

    def fail(target: Any, link: Any, *_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(target), None, str(link))

    monkeypatch.setattr(os, "symlink", fail)
    with pytest.raises(PublishError) as caught:
        publish(output, "new")
    assert caught.value.where == str(output.path / ".latest-20261123T021500Z")


def test_a_dangling_latest_is_replaced(output: RunFolder) -> None:
    output.latest.symlink_to("runs/20200101T000000Z")
    output.prepare()
    publish(output, "new")
    assert (output.latest / "a.txt").read_text() == "new"


def test_pruning_keeps_the_newest(output: RunFolder) -> None:
    ids = [publish(output, "x") for _ in range(12)]
    prune(output, 2)
    assert {run.name for run in output.runs.iterdir()} == set(ids[-3:])


def test_pruning_keeps_all_from_the_published_on(output: RunFolder) -> None:
    """Those after it are what somebody went back from."""
    ids = [publish(output, "x") for _ in range(12)]
    os.replace(_link(output, ids[9]), output.latest)
    prune(output, 2)
    assert {run.name for run in output.runs.iterdir()} == set(ids[7:])


def _link(output: RunFolder, run_id: str) -> Path:
    link = output.path / "link"
    link.symlink_to(f"runs/{run_id}")
    return link


def test_readers_see_one_run_while_others_are_published(output: RunFolder) -> None:
    publish(output, "0")
    stop = threading.Event()
    torn: list[tuple[str, str]] = []
    seen: set[str] = set()

    def read() -> None:
        while not stop.is_set():
            folder = os.open(output.latest, os.O_RDONLY)  # pins the run that latest names now
            names = (os.open(name, os.O_RDONLY, dir_fd=folder) for name in ("a.txt", "b.txt"))
            first, second = (os.fdopen(name) for name in names)
            os.close(folder)
            with first, second:
                contents = first.read(), second.read()
            seen.add(contents[0])
            if contents[0] != contents[1]:
                torn.append(contents)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 60):
        publish(output, str(number))
    stop.set()
    reader.join()
    assert torn == []
    assert len(seen) > 1
