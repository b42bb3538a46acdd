"""Opens the store of runs that a name stands for, and changes which run is published there: publish, roll back."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..errors import ParameterError, PublishError, VotesError, warn
from ..files.destination import LATEST, RECORD_FILE, RUNS
from ..files.locations import is_uri, local_path, path_text
from ..frames import wrong_type
from ..html_blocks import as_html
from ..listeners import ProgressLike, listening
from ..progress import Progress
from .command_lines import command
from .integrity import DAMAGED, check_tables, record_in
from .record import RunRecord
from .run import Run, made_in
from .stores.folder import RunFolder
from .stores.history import names_none, previous, record_of
from .stores.lock import locked
from .stores.run_ids import age_key
from .stores.run_names import find_run, previous_run
from .stores.store import PREVIOUS, RunStore, no_output
from .tables import CONSENSUS_FILE


@dataclass(frozen=True)
class ListedRun:
    """A run in an output folder."""

    run_id: str
    state: str
    """``published``, ``kept`` for rollback, or ``held``."""
    record: RunRecord | None
    """Its run.json; None if that cannot be read."""
    name: str | None = None
    """``latest``, the published one; ``previous``, the one that :func:`rollback` would publish; None for others."""

    @property
    def manifest(self) -> dict[str, Any] | None:
        """The content of its run.json; :attr:`record` has it with types."""
        return None if self.record is None else self.record.plain()


def open_output(output: str | os.PathLike[str]) -> RunStore:
    """The store of runs that a name stands for: a folder, or a URI. Raises ParameterError if it is empty."""
    name = path_text(output)
    if not name:
        raise ParameterError("output is empty but must name a folder")
    if not is_uri(name):
        return RunFolder(local_path(name))
    from .stores.bucket import RunBucket

    return RunBucket(name)


class Turn(NamedTuple):
    """The exclusive right of a process to write in an output folder."""

    began: datetime
    has_waited: bool  # whether this process waited for another one to finish writing there


@contextmanager
def sole_writer(store: RunStore, lock: str, progress: Progress) -> Iterator[Turn]:
    """Hold the lock of an output folder, which is created, and clear away what killed runs left there."""
    with locked(store.lock_folder, lock, progress.note, store.where) as has_waited:
        store.prepare()
        for left in store.tidy():
            progress.note(f"cleared away what a killed run left: {left}")
        yield Turn(datetime.now(UTC), has_waited)


def publish(output: str | os.PathLike[str], run_id: str, *, lock: str = "wait", progress: ProgressLike = None) -> Run:
    """Publish a run that was held back, or an older one again.

    ``run_id`` is its id, the beginning of its id, or ``previous``. Raises PublishError if there is no such run or it is
    damaged, and LockedError; then ``latest`` is as it was.
    """
    if not isinstance(run_id, str):
        raise wrong_type("the id of a run", run_id, "its run_id")
    store = _existing(output)
    store.check()
    with listening(progress) as listener, sole_writer(store, lock, listener):
        return _switched(store, find_run(store, run_id))


def rollback(output: str | os.PathLike[str], *, lock: str = "wait", progress: ProgressLike = None) -> Run:
    """Go back to the run that was published when the present one was made. The present one stays, and can be published.

    Raises PublishError if there is none or it is damaged, and LockedError; then ``latest`` is as it was.
    """
    store = _existing(output)
    store.check()
    with listening(progress) as listener, sole_writer(store, lock, listener):
        target = previous_run(store)
        if store.published_id is None:
            warn(f"{names_none(store)}: the newest there is published, {target}")
        return _switched(store, target)


class RunList(list[ListedRun]):
    """The runs of an output folder, oldest first: a list that a notebook shows as a table."""

    def __repr__(self) -> str:
        states = Counter(run.state for run in self)
        return f"RunList({', '.join(f'{n:,} {state}' for state, n in states.items()) or 'no runs'})"

    def _repr_html_(self) -> str:
        from .report.run import listing_blocks

        return as_html(listing_blocks(self))


def list_runs(output: str | os.PathLike[str]) -> RunList:
    """The runs of an output folder, oldest first."""
    store = _existing(output)
    published = store.published_id
    states = dict.fromkeys(store.held_ids, "held")
    states |= {run_id: "published" if run_id == published else "kept" for run_id in store.run_ids}
    names = {previous(store): PREVIOUS, published: LATEST}
    return RunList(
        ListedRun(run_id, states[run_id], record_of(store, run_id), names.get(run_id))
        for run_id in sorted(states, key=age_key)
    )


def published_in(store: RunStore) -> str:
    """The published run. Raises VotesError if there is none."""
    run_id = store.published_id
    if run_id is None:
        raise VotesError("has no published run", where=store.where, remedy=f"see {command('runs', store.where)}")
    return run_id


def check_run(store: RunStore, run_id: str) -> RunRecord:
    """The run.json of a run. Raises PublishError if it, or a table that it lists, is damaged."""
    try:
        place = store.file(run_id, "")
        record = record_in(place)
        if CONSENSUS_FILE not in record.outputs:
            raise VotesError(f"says nothing of {CONSENSUS_FILE}", where=RECORD_FILE)
        check_tables(place, record)
    except VotesError as error:
        raise PublishError(
            f"run {run_id} is damaged ({error.where}: {error.what.removeprefix(DAMAGED)})",
            where=store.where,
            remedy=f"publish another one ({command('publish RUN_ID', store.where)}), see "
            f"{command('runs', store.where)}",
        ) from error
    return record


def _existing(output: str | os.PathLike[str]) -> RunStore:
    store = open_output(output)
    if not store.exists:
        raise no_output(store)
    return store


def _switched(store: RunStore, run_id: str) -> Run:
    record, replaced = check_run(store, run_id), store.published_id
    if run_id in store.held_ids:
        store.release(run_id)
    else:
        store.switch_to(run_id)
    return made_in(store, RUNS, record, record.seconds, replaced)
