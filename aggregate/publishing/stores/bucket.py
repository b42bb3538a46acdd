"""Runs in an object store, where there are neither links nor renames: ``latest.json`` names the published run.

A run is written to a local folder, copied to ``runs/RUN_ID/``, and published by replacing ``latest.json``, which is one
step: a reader that begins there sees the old run or the new one, whole. Objects whose names begin with a dot are marks:
they say what a process is doing, so that the next one can clear away what a killed one left:

- ``.latest-RUN_ID``: a run that is being published; if ``latest.json`` does not name it, no reader has seen it;
- ``.hold-RUN_ID``: a run that is being moved to ``held/``;
- ``.release-RUN_ID``: a run that is being moved from ``held/`` and published;
- ``.remove-RUN_ID``: a run that is being removed.

The lock and the run that is being written lie in a local folder, one for each place: the writers of one user on one
machine wait for each other. Whoever sets up the jobs must see that no other machine writes to the same place; if one
does all the same, its marks are left alone for half a day, and ``latest.json`` names no run that is not whole.
"""

import hashlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ...errors import PublishError, on_one_line, warn
from ...files.destination import POINTER, RECORD_FILE, UNFINISHED, check_folder_name
from ...files.locations import CHUNK, StoreLocation, locate, reaching
from ...files.writing import NOTHING_HAPPENED, removed, writing
from .run_ids import in_order, is_run_id, next_run_id, warn_if_behind
from .store import NewRun, no_such_run

STAGED_POINTER = f".{POINTER}{UNFINISHED}"
PROBE = ".writable-"
"""Prefix of an object that is written to test whether the store is writable."""

NEW, HOLD, RELEASE, REMOVE = ".latest-", ".hold-", ".release-", ".remove-"
"""Prefixes of objects that mark what is being done to a run; the run id follows."""

WORDS = {
    NEW: "about to be published",
    HOLD: "about to be held",
    RELEASE: "about to be released",
    REMOVE: "on its way out",
}
"""Mark -> what was being done to the run."""

LEFT_TO_OTHERS = timedelta(hours=12)  # how long the mark of another machine is not taken for what a killed process left


class RunBucket:
    """A store of runs in an object store. Every failure is a PublishError that leaves ``latest.json`` as it was."""

    def __init__(self, uri: str) -> None:
        self._place = locate(uri)

    @property
    def where(self) -> str:
        """The URI, without secrets."""
        return self._place.name

    @property
    def place(self) -> str:
        """The URI as given."""
        return self._place.uri

    @property
    def latest(self) -> str:
        """The pointer to the published run."""
        return self._place.child(POINTER).name

    @property
    def lock_folder(self) -> Path:
        """A local folder for the lock and for runs that are being written."""
        digest = hashlib.sha256(self._place.identity.encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"plant-aggregate-{os.getuid()}" / digest

    @property
    def exists(self) -> bool:
        """Whether runs were ever written to this store."""
        return bool(self._names("runs"))

    @property
    def published_id(self) -> str | None:
        """The run that ``latest.json`` names; None if there is none."""
        run_id = self._named_id
        return run_id if run_id is not None and run_id in self._names("runs") else None

    @property
    def lost_id(self) -> str | None:
        """The run that ``latest.json`` names though it is gone; None if there is none."""
        run_id = self._named_id
        return None if run_id is None or run_id in self._names("runs") else run_id

    @property
    def _named_id(self) -> str | None:
        pointer = self._place.child(POINTER)
        with self._reaching():
            if POINTER not in self._names():
                return None
            content = pointer.read()
        try:
            run_id = json.loads(content)["run_id"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return run_id if isinstance(run_id, str) and is_run_id(run_id) else None

    @property
    def run_ids(self) -> list[str]:
        """The runs that were published, now or before; oldest first."""
        under_way = {name.removeprefix(mark) for name in self._names() for mark in (NEW, RELEASE, REMOVE)}
        published = self.published_id
        return in_order(name for name in self._names("runs") if name not in under_way or name == published)

    @property
    def held_ids(self) -> list[str]:
        """The runs that are held back, oldest first."""
        return in_order(self._names("held"))

    def file(self, run_id: str, name: str) -> str:
        """The URI of a file of a run. Raises PublishError if there is no such run."""
        for parent in ("runs", "held"):
            if is_run_id(run_id) and self._is_folder(self._place.child(parent, run_id)):
                return self._place.child(parent, run_id, *([name] if name else [])).uri
        raise no_such_run(self, run_id)

    def check(self) -> None:
        """Check that the store can be written to, before any work is done."""
        from pyarrow.fs import FileType

        probe, filesystem = self._place.child(f"{PROBE}{os.getpid()}"), self._place.filesystem
        with self._reaching():
            is_new = filesystem.get_file_info(self._place.path).type == FileType.NotFound
            if is_new:
                check_folder_name(self._place.name.partition("?")[0])
            self._make_folder(self._place)
            probe.write(b"")
            with suppress(FileNotFoundError):  # another process may have removed it first
                filesystem.delete_file(probe.path)
            if is_new and not self._names():
                filesystem.delete_dir(self._place.path)
        folder = self.lock_folder
        with writing(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.parent.is_symlink() or folder.parent.stat().st_uid != os.getuid():
                raise PublishError("belongs to somebody else", where=str(folder.parent), remedy="set another TMPDIR")

    def prepare(self) -> None:
        """Create the folder, if the store has folders."""
        with self._reaching():
            self._make_folder(self._place)

    def tidy(self) -> list[str]:
        """Remove what killed processes left; returns what that was, in words."""
        cleared = {}
        for left in sorted(self.lock_folder.glob(f".*{UNFINISHED}")):
            if left.is_dir() and removed(left):
                cleared[left.name[1:].removesuffix(UNFINISHED)] = "not complete"
        with self._reaching():
            for name in sorted(self._names()):
                if name.startswith(PROBE) or name == STAGED_POINTER:
                    self._place.filesystem.delete_file(self._place.child(name).path)
                for mark in (NEW, HOLD, RELEASE, REMOVE):
                    run_id = name.removeprefix(mark)
                    if name.startswith(mark) and is_run_id(run_id):
                        is_done = mark in (NEW, RELEASE) and run_id == self.published_id
                        other = None if is_done else self._other_writer(name)
                        if other is not None:
                            warn(
                                f"{self.where}: {other} may be writing run {run_id}, which is left alone for now; see "
                                "that one machine alone runs the job"
                            )
                            continue
                        if not is_done:
                            cleared[run_id] = WORDS[mark]
                        self._take_back(mark, run_id)
        return [f"{run_id}, which was {what}" for run_id, what in cleared.items()]

    @contextmanager
    def new_run(self, started: datetime) -> Iterator[NewRun]:
        """A run to write files into; what is neither published nor held when the block ends is removed."""
        run_id = next_run_id(started, filter(is_run_id, [*self._names("runs"), *self._names("held")]))
        warn_if_behind(started, run_id)
        folder = self.lock_folder / f".{run_id}{UNFINISHED}"
        with writing(self.lock_folder):
            folder.mkdir()
        try:
            yield NewRun(self, run_id, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, run_id: str, staged: Path) -> str:
        """Copy the run in ``staged`` to the store, and let ``latest.json`` name it; returns its location."""
        with self._under_way(NEW, run_id):
            run = self._place.child("runs", run_id)
            self._upload(staged, run)
            self._check_whole(run, {file.name: file.stat().st_size for file in staged.iterdir()})
            self._point_to(run_id)
        return self._place.child("runs", run_id).name

    def hold(self, run_id: str, staged: Path) -> str:
        """Copy the run in ``staged`` to ``held/``; returns its location."""
        with self._under_way(HOLD, run_id):
            self._upload(staged, self._place.child("held", run_id))
        return self._place.child("held", run_id).name

    def release(self, run_id: str) -> str:
        """Publish a run that was held back; returns its location."""
        held, run = self._place.child("held", run_id), self._place.child("runs", run_id)
        with self._under_way(RELEASE, run_id):
            self._make_folder(run)
            for name in self._names("held", run_id):
                held.filesystem.copy_file(held.child(name).path, run.child(name).path)
            self._check_whole(run, self._sizes(held))
            self._point_to(run_id)
            with suppress(Exception):  # readers see the run already
                self._delete(held)
        return run.name

    def switch_to(self, run_id: str) -> str:
        """Let ``latest.json`` name another run; returns its location."""
        with self._reaching():
            self._point_to(run_id)
        return self._place.child("runs", run_id).name

    def remove(self, run_ids: Iterable[str]) -> dict[str, str]:
        """Remove runs; returns the first that cannot be removed, and why: those after it are not tried."""
        for run_id in run_ids:
            try:
                with self._under_way(REMOVE, run_id):
                    self._remove(run_id)
            except PublishError as error:
                return {self._place.child("runs", run_id).name: error.what}
        return {}

    @property
    def _me(self) -> dict[str, Any]:
        """Identifies the writers that share the folder for the lock, and so wait for each other."""
        found = self.lock_folder.stat()
        return {"host": socket.gethostname(), "lock": [found.st_dev, found.st_ino]}

    def _other_writer(self, sign: str) -> str | None:
        """The other writer that a mark names; None if the mark is ours, stale or damaged."""
        try:
            known = json.loads(self._place.child(sign).read())
            age = datetime.now(UTC) - datetime.fromisoformat(known["since"])
            is_mine = {name: known[name] for name in self._me} == self._me
            return None if is_mine or age > LEFT_TO_OTHERS else on_one_line(f"a process on {known['host']}")
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def _is_folder(self, place: StoreLocation) -> bool:
        from pyarrow.fs import FileType

        with self._reaching():
            return bool(place.filesystem.get_file_info(place.path).type == FileType.Directory)

    def _names(self, *folder: str) -> list[str]:
        """The names in a folder; none if there is no such folder."""
        return list(self._sizes(self._place.child(*folder) if folder else self._place))

    def _sizes(self, folder: StoreLocation) -> dict[str, int | None]:
        """The names in a folder, and the sizes of files in bytes."""
        from pyarrow.fs import FileSelector

        with self._reaching():
            found = folder.filesystem.get_file_info(FileSelector(folder.path, allow_not_found=True))
        return {info.base_name: info.size for info in found}

    def _check_whole(self, run: StoreLocation, sizes: Mapping[str, int | None]) -> None:
        """Raise PublishError if a run does not have just these files."""
        if self._sizes(run) != sizes:
            raise PublishError(
                "is not whole in the store: does another machine write here?", where=run.name, remedy=NOTHING_HAPPENED
            )

    @contextmanager
    def _under_way(self, mark: str, run_id: str) -> Iterator[None]:
        """Mark in the store what the block does to a run; if the block fails, that is undone."""
        sign = self._place.child(f"{mark}{run_id}")
        with self._reaching():
            sign.write(json.dumps(self._me | {"since": datetime.now(UTC).isoformat()}).encode())
            try:
                yield
            except BaseException:
                if not self._place.filesystem.is_stuck:  # else the next run does, when the outcome is known
                    with suppress(Exception):  # the next run tries again
                        self._take_back(mark, run_id)
                raise
            with suppress(Exception):  # the block is complete
                sign.filesystem.delete_file(sign.path)

    def _take_back(self, mark: str, run_id: str) -> None:
        """Undo what was not finished, or finish it if readers have seen the result."""
        sign, is_published = self._place.child(f"{mark}{run_id}"), self.published_id == run_id
        is_held = mark == HOLD and RECORD_FILE in self._names("held", run_id)  # run.json is copied last
        if mark == REMOVE and not is_published:
            self._remove(run_id)
        elif (mark == RELEASE and is_published) or (mark == HOLD and not is_held):
            self._delete(self._place.child("held", run_id))
        elif mark in (NEW, RELEASE) and not is_published:
            self._delete(self._place.child("runs", run_id))
        sign.filesystem.delete_file(sign.path)

    def _point_to(self, run_id: str) -> None:
        """Replace ``latest.json``, which is complete at any time."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        staged, pointer = self._place.child(STAGED_POINTER), self._place.child(POINTER)
        staged.write(json.dumps({"run_id": run_id, "path": f"runs/{run_id}", "switched": now}).encode() + b"\n")
        try:
            staged.filesystem.move(staged.path, pointer.path)
        except Exception:  # a move is a copy, which may be complete though the rest failed
            if self.published_id != run_id:
                raise

    def _upload(self, folder: Path, place: StoreLocation) -> None:
        self._make_folder(place)
        for file in sorted(folder.iterdir(), key=lambda file: (file.name == RECORD_FILE, file.name)):
            target = place.child(file.name)
            with file.open("rb") as source, target.filesystem.open_output_stream(target.path) as stream:
                while chunk := source.read(CHUNK):
                    stream.write(chunk)

    def _remove(self, run_id: str) -> None:
        self._delete(self._place.child("runs", run_id))
        self._delete(self._place.child("held", run_id))

    @staticmethod
    def _make_folder(place: StoreLocation) -> None:
        place.filesystem.create_dir(place.path, recursive=True)

    @staticmethod
    def _delete(place: StoreLocation) -> None:
        from pyarrow.fs import FileType

        if place.filesystem.get_file_info(place.path).type == FileType.Directory:
            place.filesystem.delete_dir(place.path)

    def _reaching(self) -> AbstractContextManager[None]:
        return reaching(self._place.uri, PublishError, NOTHING_HAPPENED)
