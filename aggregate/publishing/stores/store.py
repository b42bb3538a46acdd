"""What every place for runs can do: a folder (``folder``) or a place in an object store (``bucket``)."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol, TypeAlias

from ...errors import PublishError, on_one_line
from ...files.destination import LATEST

Location: TypeAlias = Path | str  # a local path, or a URI in an object store, without secrets

PREVIOUS = "previous"  # the name of the run that was published before the published one
CLOSE = 0.8  # similarity of two names, in [0, 1], from which on one may be meant by the other


class RunStore(Protocol):
    """A store in which runs are published.

    Methods that write are called with the lock of ``lock_folder`` held; a failure is a PublishError, and leaves the
    published run as it was.
    """

    @property
    def where(self) -> str:
        """Name of the store in messages."""

    @property
    def place(self) -> str:
        """The path or URI of the store, with the secrets that it takes to open it."""

    @property
    def latest(self) -> Location:
        """The pointer to the published run, for messages."""

    @property
    def lock_folder(self) -> Path:
        """The local folder of the lock."""

    @property
    def exists(self) -> bool:
        """Whether runs were ever written to this store."""

    @property
    def published_id(self) -> str | None:
        """The published run; None if there is none."""

    @property
    def lost_id(self) -> str | None:
        """The run that is named as the published one though it is gone; None if there is none."""

    @property
    def run_ids(self) -> list[str]:
        """The runs that were published, now or before; oldest first."""

    @property
    def held_ids(self) -> list[str]:
        """The runs that are held back, oldest first."""

    def file(self, run_id: str, name: str) -> str:
        """The path or URI of a file of a run, or of its folder (""). Raises PublishError if there is no such run.

        ``files.locations`` must be able to open it: ``open_run`` and ``integrity`` read and list runs by such names,
        not by methods of the store. Checks of paths assume that runs are in the folders latest and runs of ``where``.
        """

    def check(self) -> None:
        """Check that the store can be written to, before any work is done. Leaves nothing behind."""

    def prepare(self) -> None:
        """Create the store."""

    def tidy(self) -> list[str]:
        """Remove what killed processes left; returns what that was, in words."""

    def new_run(self, started: datetime) -> AbstractContextManager["NewRun"]:
        """A run to write files into; what is neither published nor held when the block ends is removed."""

    def publish(self, run_id: str, staged: Path) -> Location:
        """Publish the run whose files are in the local folder ``staged``; returns its location."""

    def hold(self, run_id: str, staged: Path) -> Location:
        """Put the run whose files are in the local folder ``staged`` aside; returns its location."""

    def release(self, run_id: str) -> Location:
        """Publish a run that is held back; returns its location."""

    def switch_to(self, run_id: str) -> Location:
        """Publish a run that was published before; returns its location."""

    def remove(self, run_ids: Iterable[str]) -> dict[str, str]:
        """Remove runs, published before or held back; returns those that cannot be removed now, and why."""


class NewRun:
    """A run that is being written into the local ``folder``."""

    def __init__(self, store: RunStore, run_id: str, folder: Path) -> None:
        self.store = store
        self.run_id = run_id
        self.folder = folder

    def publish(self) -> Location:
        """Move the run to its place and publish it; returns its location. Raises PublishError."""
        return self.store.publish(self.run_id, self.folder)

    def hold(self) -> Location:
        """Put the run aside; returns its location. Raises PublishError."""
        return self.store.hold(self.run_id, self.folder)


def no_such_run(store: RunStore, name: str) -> PublishError:
    """The error for an unknown run, which says which ones are meant perhaps, or there."""
    if not store.exists:
        return no_output(store)
    run_ids, held_ids = store.run_ids, store.held_ids
    close = get_close_matches(name, [LATEST, PREVIOUS, *run_ids, *held_ids], cutoff=CLOSE)
    newest = ", ".join(run_ids[-3:] + held_ids[-3:]) or "none"
    remedy = f"did you mean {' or '.join(close)}?" if close else f"the newest are: {newest}"
    return PublishError(f"has no run {on_one_line(name)}", where=store.where, remedy=remedy)


def no_output(store: RunStore) -> PublishError:
    """The error for a place to which no run was ever written."""
    remedy = "name one that plant-aggregate run wrote (-o, or --config)"
    return PublishError("is no output folder", where=store.where, remedy=remedy)
