"""Names of runs in a store: ``latest``, ``previous``, an id, or the beginning of one."""

from ...errors import PublishError
from ...files.destination import LATEST
from ..command_lines import command
from .history import previous
from .run_ids import in_order, is_run_id
from .store import PREVIOUS, RunStore, no_output, no_such_run

WORDS = (LATEST, PREVIOUS)
"""Names that mean another run after the next is published."""

SHOWN = 6  # number of ids that a message names


def find_run(store: RunStore, name: str) -> str:
    """The id of the run that a name means, published or held back.

    A whole id is returned as it is, whether there is such a run or not. Raises PublishError for an unknown name, and
    for one that several ids begin with.
    """
    if name == LATEST:
        return _known(store, store.published_id, "has no published run")
    if name == PREVIOUS:
        return previous_run(store)
    if is_run_id(name):
        return name
    found = [run_id for run_id in in_order([*store.run_ids, *store.held_ids]) if name and run_id.startswith(name)]
    if not found:
        raise no_such_run(store, name)
    if len(found) > 1:
        named = ", ".join(found[-SHOWN:])
        more = f", and {len(found) - SHOWN} older ones" if len(found) > SHOWN else ""
        raise PublishError(
            f"the ids of {len(found)} runs begin with {name}", where=store.where, remedy=f"name one: {named}{more}"
        )
    return found[0]


def previous_run(store: RunStore) -> str:
    """The run that was published before the published one; if none is published, the newest. Raises PublishError."""
    published = store.published_id
    return _known(
        store, previous(store), f"there is no run before {published}" if published else "there is no run to go back to"
    )


def _known(store: RunStore, run_id: str | None, otherwise: str) -> str:
    if run_id is not None:
        return run_id
    if not store.exists:
        raise no_output(store)
    raise PublishError(otherwise, where=store.where, remedy=f"see {command('runs', store.where)}")
