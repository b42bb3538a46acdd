"""Which run came before which: what a new run is held against, what rollback goes back to, and what is kept for it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..errors import PublishError, VotesError
from .integrity import record_in
from .run_ids import age_key
from .run_store import RunStore


def baseline(store: RunStore) -> str | None:
    """The run that a new one is held against: the published one, or the newest if nothing names that; None if none."""
    return store.published_id or max(store.run_ids, key=age_key, default=None)


def before(store: RunStore, run_id: str, run_ids: Sequence[str] | None = None) -> str | None:
    """The run that was published before a run; None if there is none. ``run_ids``: those of the store, if known.

    It is the one that the run was held against, which is not that of the id before if somebody has gone back in
    between. Where that is not known, or gone, it is the one of the id before.
    """
    older = [other for other in run_ids or store.run_ids if age_key(other) < age_key(run_id)]
    if not older:
        return None
    against = ((manifest_of(store, run_id) or {}).get("changes") or {}).get("against")
    return str(against) if against in older else max(older, key=age_key)


def prune(store: RunStore, keep: int) -> None:
    """Remove what is older than the ``keep`` runs published before the published one.

    As many of those held back stay, and the newest of them in any case. Call it with the lock held. What cannot be
    removed now is left for the next time.
    """
    with suppress(PublishError):
        run_ids, oldest = store.run_ids, baseline(store)
        for _ in range(min(keep, len(run_ids))):
            oldest = (oldest and before(store, oldest, run_ids)) or oldest
        old = [run_id for run_id in run_ids if oldest is not None and age_key(run_id) < age_key(oldest)]
        store.remove([*old, *store.held_ids[: -max(keep, 1)]])


def manifest_of(store: RunStore, run_id: str) -> Mapping[str, Any] | None:
    """The content of a run's run.json; None if that cannot be read, or is not of these tables."""
    try:
        return record_in(store.file(run_id, ""))
    except (VotesError, PublishError):
        return None
