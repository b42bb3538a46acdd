"""What every place for runs can do: a folder (``folder``) or a place in an object store (``bucket``)."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from ...errors import PublishError, on_one_line

Location: TypeAlias = Path | str  # a local path, or a URI in an object store, without secrets


class RunStore(Protocol):
    """A store in which runs are published.

    Methods that write are called with the lock of ``lock_folder`` held; a failure is a PublishError, and leaves the
    published run as it was.
    """

    @property
    def where(self) -> str:
        """Name of the store in messages."""

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


def no_such_run(store: RunStore, run_id: str) -> PublishError:
    """The error for an unknown run, which names the existing ones."""
    known = ", ".join(store.run_ids[-3:] + store.held_ids[-3:]) or "none"
    return PublishError(f"has no run {on_one_line(run_id)}", where=store.where, remedy=f"the newest are: {known}")
