"""The order of runs: which one a new run is compared with, rollback goes back to, and is kept for that."""

from bisect import bisect_left
from collections.abc import Sequence

from ...errors import PublishError, VotesError, warn
from ...files.destination import is_run_id
from ..integrity import record_in
from ..record import RunRecord
from .run_ids import age_key
from .store import RunStore


def baseline(store: RunStore) -> str | None:
    """The run that a new one is compared with: the published one, or the newest; None without runs."""
    return store.published_id or max(store.run_ids, key=age_key, default=None)


def previous(store: RunStore) -> str | None:
    """The run that :func:`rollback` publishes: the one before the published one; without that, the newest; or None."""
    published = store.published_id
    return baseline(store) if published is None else before(store, published)


def names_none(store: RunStore) -> str:
    """A message why there is no published run though there may be others."""
    lost = store.lost_id
    return f"{store.latest} names " + (f"run {lost}, which is gone" if lost else f"no run of {store.where}")


def before(store: RunStore, run_id: str, run_ids: Sequence[str] | None = None) -> str | None:
    """The run that was published before a run; None if there is none. ``run_ids``: as the store has them.

    It is the one that the run was compared with, which is not that of the id before if there was a rollback in
    between. Where that is not known, or gone, it is the one of the id before.
    """
    run_ids = store.run_ids if run_ids is None else run_ids
    n_older = _place(run_ids, run_id)
    if n_older == 0:
        return None
    record = record_of(store, run_id)
    against = None if record is None or record.changes is None else record.changes.against
    if against is not None and is_run_id(against):
        place = _place(run_ids, against)
        if place < n_older and run_ids[place] == against:
            return against
    return run_ids[n_older - 1]


def _place(run_ids: Sequence[str], run_id: str) -> int:
    """Number of runs, given oldest first, that are older than one."""
    return bisect_left(run_ids, age_key(run_id), key=age_key)


def prune(store: RunStore, keep: int) -> None:
    """Remove runs older than the ``keep`` runs published before the published one.

    As many of those held back stay, and the newest of them in any case. Call it with the lock held. Warns of what
    cannot be removed now, which is left for the next time.
    """
    try:
        old = [*_older_than_kept(store, keep), *store.held_ids[: -max(keep, 1)]]
        failed = store.remove(old)
    except PublishError as error:
        warn(f"older runs are not removed: {error}")
        return
    if failed:
        place, reason = next(iter(failed.items()))
        more = f", and {len(failed) - 1:,} more" if len(failed) > 1 else ""
        warn(f"older runs are left over and cannot be removed: {place} ({reason}){more}; the next run tries again")


def _older_than_kept(store: RunStore, keep: int) -> Sequence[str]:
    """The runs older than the ``keep`` published before the published one."""
    run_ids, oldest = store.run_ids, baseline(store)
    if oldest is None or _place(run_ids, oldest) <= keep:  # however far one goes back, it ends at the oldest
        return []
    for _ in range(keep):
        oldest = before(store, oldest, run_ids) or oldest
    return run_ids[: _place(run_ids, oldest)]


def record_of(store: RunStore, run_id: str) -> RunRecord | None:
    """The run.json of a run; None if it cannot be read, or lists tables that are not there."""
    try:
        return record_in(store.file(run_id, ""))
    except (VotesError, PublishError):
        return None
