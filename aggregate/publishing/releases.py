"""Changes which run is published: releases a run that was held back, or rolls back to an earlier one."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import ParameterError, PublishError, VotesError, warn
from ..files.destination import RECORD_FILE
from ..files.locations import is_uri, local_path
from ..progress import SILENT, Progress
from .command_lines import command
from .integrity import DAMAGED, check_tables, record_in
from .record import RunRecord
from .stores.folder import RunFolder
from .stores.history import baseline, before, names_none, record_of
from .stores.lock import locked
from .stores.run_ids import age_key
from .stores.store import RunStore
from .tables import CONSENSUS_FILE


@dataclass(frozen=True)
class Run:
    """A run that is complete."""

    run_id: str
    folder: Path | str
    """The run's own folder; a URI if it is not local."""
    latest: Path | str
    """The pointer to the published run: a link, or the URI of latest.json."""
    record: RunRecord = field(repr=False)
    """Its run.json."""
    seconds: Mapping[str, float] = field(repr=False)
    """Seconds of each phase, publishing included."""
    replaced: str | None = None
    """The run that ``latest`` named before."""

    @property
    def manifest(self) -> dict[str, Any]:
        """The content of its run.json; :attr:`record` has it with types."""
        return self.record.plain()


@dataclass(frozen=True)
class ListedRun:
    """A run in an output folder."""

    run_id: str
    state: str
    """``published``, ``kept`` for rollback, or ``held``."""
    record: RunRecord | None
    """Its run.json; None if that cannot be read."""

    @property
    def manifest(self) -> dict[str, Any] | None:
        """The content of its run.json; :attr:`record` has it with types."""
        return None if self.record is None else self.record.plain()


def open_output(output: str | os.PathLike[str]) -> RunStore:
    """The store of runs that a name stands for: a folder, or a URI. Raises ParameterError if it is empty."""
    name = os.fspath(output)
    if not name:
        raise ParameterError("output is empty but must name a folder")
    if not is_uri(name):
        return RunFolder(local_path(name))
    from .stores.bucket import RunBucket

    return RunBucket(name)


@dataclass(frozen=True)
class Turn:
    """The exclusive right of a process to write in an output folder."""

    began: datetime
    has_waited: bool  # whether this process waited for another one to finish writing there


@contextmanager
def sole_writer(folder: RunStore, lock: str, progress: Progress) -> Iterator[Turn]:
    """Hold the lock of an output folder, which is created, and clear away what killed runs left there."""
    with locked(folder.lock_folder, lock, progress.note, folder.where) as has_waited:
        folder.prepare()
        for left in folder.tidy():
            progress.note(f"cleared away what a killed run left: {left}")
        yield Turn(datetime.now(UTC), has_waited)


def publish(output: str | os.PathLike[str], run_id: str, *, lock: str = "wait", progress: Progress = SILENT) -> Run:
    """Publish a run that was held back, or an older one again.

    Raises PublishError if there is no such run or it is damaged, and LockedError; then ``latest`` is as it was.
    """
    folder = _existing(output)
    folder.check()
    with sole_writer(folder, lock, progress):
        return _switched(folder, run_id)


def rollback(output: str | os.PathLike[str], *, lock: str = "wait", progress: Progress = SILENT) -> Run:
    """Go back to the run that was published when the present one was made. The present one stays, and can be published.

    Raises PublishError if there is none or it is damaged, and LockedError; then ``latest`` is as it was.
    """
    folder = _existing(output)
    folder.check()
    with sole_writer(folder, lock, progress):
        now = folder.published_id
        target = baseline(folder) if now is None else before(folder, now)
        if now is None and target is not None:
            warn(f"{names_none(folder)}: the newest there is published, {target}")
        if target is None:
            raise PublishError(
                f"there is no run before {now}" if now else "there is no run to go back to",
                where=folder.where,
                remedy=f"see {command('runs', folder.where)}",
            )
        return _switched(folder, target)


def list_runs(output: str | os.PathLike[str]) -> list[ListedRun]:
    """The runs of an output folder, oldest first."""
    folder = _existing(output)
    published = folder.published_id
    states = dict.fromkeys(folder.held_ids, "held")
    states |= {run_id: "published" if run_id == published else "kept" for run_id in folder.run_ids}
    return [ListedRun(run_id, states[run_id], record_of(folder, run_id)) for run_id in sorted(states, key=age_key)]


def published_in(folder: RunStore) -> str:
    """The published run. Raises VotesError if there is none."""
    run_id = folder.published_id
    if run_id is None:
        raise VotesError("has no published run", where=folder.where, remedy=f"see {command('runs', folder.where)}")
    return run_id


def check_run(folder: RunStore, run_id: str) -> RunRecord:
    """The run.json of a run. Raises PublishError if it, or a table that it lists, is damaged."""
    try:
        place = folder.file(run_id, "")
        record = record_in(place)
        if CONSENSUS_FILE not in record.outputs:
            raise VotesError(f"says nothing of {CONSENSUS_FILE}", where=RECORD_FILE)
        check_tables(place, record)
    except VotesError as error:
        raise PublishError(
            f"run {run_id} is damaged ({error.where}: {error.what.removeprefix(DAMAGED)})",
            where=folder.where,
            remedy=f"publish another one ({command('publish RUN_ID', folder.where)}), see "
            f"{command('runs', folder.where)}",
        ) from error
    return record


def _existing(output: str | os.PathLike[str]) -> RunStore:
    folder = open_output(output)
    if not folder.exists:
        raise PublishError(
            "is no output folder",
            where=folder.where,
            remedy="name one that plant-aggregate run wrote (-o, or --config)",
        )
    return folder


def _switched(folder: RunStore, run_id: str) -> Run:
    """Check a run, and switch ``latest`` to it."""
    record, replaced = check_run(folder, run_id), folder.published_id
    final = folder.release(run_id) if run_id in folder.held_ids else folder.switch_to(run_id)
    return Run(run_id, final, folder.latest, record, record.seconds, replaced)
