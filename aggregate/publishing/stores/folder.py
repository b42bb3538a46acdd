"""The output folder: ``runs/RUN_ID/`` holds runs, ``held/RUN_ID/`` those held back, the symlink ``latest`` names one.

A run is written to a hidden folder, flushed to disk, renamed to its id, and published by replacing the symlink,
which is one atomic step: a reader of ``latest`` sees the old run or the new one, complete, through any crash.

What a killed process leaves is hidden, too, and its name says what the process was doing, so that the next one can
clear it away:

- ``runs/.RUN_ID.partial``: a run that is not complete, or being removed;
- ``.latest-RUN_ID``: a run that was to be published; if ``latest`` does not name it, no reader has seen it;
- ``.release-RUN_ID``: the same of a run that was held back before;
- ``.switch-RUN_ID``: ``latest`` was to name another run, which stays in any case.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from ...errors import PublishError, reason_of
from ...files.destination import RECORD_FILE, UNFINISHED, check_folder_name, check_place
from ...files.writing import flush, removed, writing
from .run_ids import in_order, is_run_id, next_run_id, warn_if_behind
from .store import NewRun, no_such_run

NEW, RELEASED, SWITCHED = ".latest-", ".release-", ".switch-"
"""Prefixes of links that are about to become ``latest``; the run id follows."""


class RunFolder:
    """A store of runs in a local folder. Every failure is a PublishError that leaves ``latest`` as it was."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.runs = self.path / "runs"
        self.held = self.path / "held"
        self.latest = self.path / "latest"

    @property
    def where(self) -> str:
        """The path."""
        return str(self.path)

    place = where

    @property
    def lock_folder(self) -> Path:
        """The folder itself."""
        return self.path

    def check(self) -> None:
        """Check that the folder can be published to, before any work is done."""
        if os.path.exists(self.path / RECORD_FILE):
            raise PublishError("is a run itself", where=self.where, remedy="name the output folder that it lies in")
        check_place(self.path)
        check_folder_name(self.path)
        if self.latest.exists() and not self.latest.is_symlink():
            raise PublishError(
                "is in the way: it should be the link to the published run",
                where=str(self.latest),
                remedy="move it, or choose another output folder",
            )
        with writing(self.path):
            _check_writable(self.runs)

    def prepare(self) -> None:
        """Create the folder."""
        with writing(self.path):
            self.runs.mkdir(parents=True, exist_ok=True)

    @property
    def exists(self) -> bool:
        """Whether runs were ever written to this folder."""
        return os.path.isdir(self.runs)

    @property
    def published_id(self) -> str | None:
        """The run that ``latest`` names; None if there is none."""
        name = self._named_id
        return name if name is not None and os.path.isdir(self.runs / name) else None

    @property
    def lost_id(self) -> str | None:
        """The run that ``latest`` names though it is gone; None if there is none."""
        name = self._named_id
        return None if name is None or os.path.isdir(self.runs / name) else name

    @property
    def _named_id(self) -> str | None:
        try:
            name = Path(os.readlink(self.latest)).name
        except OSError:
            return None
        return name if is_run_id(name) else None

    @property
    def run_ids(self) -> list[str]:
        """The runs that were published, now or before; oldest first."""
        return in_order(_folders_in(self.runs))

    @property
    def held_ids(self) -> list[str]:
        """The runs that are held back, oldest first."""
        return in_order(_folders_in(self.held))

    def file(self, run_id: str, name: str) -> str:
        """The path of a file of a run. Raises PublishError if there is no such run."""
        for parent in (self.runs, self.held):
            if is_run_id(run_id) and os.path.isdir(parent / run_id):
                return str(parent / run_id / name)
        raise no_such_run(self, run_id)

    def tidy(self) -> list[str]:
        """Remove what killed processes left; returns what that was, in words. Call it with the lock held."""
        cleared = []
        with writing(self.path):
            for link in sorted(_names_in(self.path)):
                for mark in (NEW, RELEASED, SWITCHED):
                    run_id = link.removeprefix(mark)
                    if link.startswith(mark) and is_run_id(run_id):
                        cleared.append(f"{run_id}, which was about to be published")
                        self._take_back(mark, run_id)
            for folder in (self.runs, self.held):
                for name in sorted(_names_in(folder)):
                    run_id = name.removeprefix(".").removesuffix(UNFINISHED)
                    if name == f".{run_id}{UNFINISHED}" and is_run_id(run_id) and removed(folder / name):
                        cleared.append(f"{run_id}, which was not complete")
            self._remove_copies()
        return cleared

    @contextmanager
    def new_run(self, started: datetime) -> Iterator[NewRun]:
        """A run to write files into; what is neither published nor held when the block ends is removed."""
        run_id = next_run_id(started, [*self.run_ids, *self.held_ids])
        warn_if_behind(started, run_id)
        folder = self.runs / f".{run_id}{UNFINISHED}"
        with writing(self.runs):
            folder.mkdir()
        try:
            yield NewRun(self, run_id, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, run_id: str, staged: Path) -> Path:
        """Flush the run in the folder ``staged`` to disk, give it its name, and switch ``latest`` to it."""
        with self._switching(NEW, run_id) as final:
            _flush_all(staged)
            os.rename(staged, final)
        return final

    def hold(self, run_id: str, staged: Path) -> Path:
        """Flush the run in the folder ``staged`` to disk, and move it to ``held/RUN_ID``; returns its final folder."""
        final = self.held / run_id
        with writing(self.path):
            self.held.mkdir(exist_ok=True)
            _flush_all(staged)
            _move(staged, final)
            flush(self.held)
        return final

    def release(self, run_id: str) -> Path:
        """Publish a run that was held back; returns its final folder."""
        with self._switching(RELEASED, run_id) as final:
            _move(self.held / run_id, final)
        with suppress(OSError, PublishError):  # readers see the run already
            self._remove_copies()
        return final

    def switch_to(self, run_id: str) -> Path:
        """Let ``latest`` name another run of ``runs``; returns its folder."""
        with self._switching(SWITCHED, run_id) as final:
            pass
        return final

    @contextmanager
    def _switching(self, mark: str, run_id: str) -> Iterator[Path]:
        """Switch ``latest`` to a run that the block moves to its place; if that fails, everything is as before.

        The link that is to become ``latest`` is created before the run: if both are found, the publication was
        interrupted.
        """
        final, link = self.runs / run_id, self.path / f"{mark}{run_id}"
        with writing(self.path):
            try:
                link.unlink(missing_ok=True)
                link.symlink_to(Path("runs") / run_id, target_is_directory=True)
                flush(self.path)
                yield final
                flush(self.runs)
                os.replace(link, self.latest)
            except BaseException:
                with suppress(OSError):
                    self._take_back(mark, run_id)
                raise
            with suppress(OSError):  # readers see the run already
                flush(self.path)

    def _take_back(self, mark: str, run_id: str) -> None:
        """Undo a publication that was not finished, unless ``latest`` names the run after all."""
        link, final = self.path / f"{mark}{run_id}", self.runs / run_id
        if self.published_id != run_id and final.is_dir():
            if mark == NEW or (mark == RELEASED and (self.held / run_id).is_dir()):
                self._remove(final)
            elif mark == RELEASED:
                self.held.mkdir(exist_ok=True)
                _move(final, self.held / run_id)
                if final.is_dir():
                    self._remove(final)
        link.unlink(missing_ok=True)

    def _remove_copies(self) -> None:
        """Remove published runs from those held back: a run may have been copied to another disk."""
        for run_id in {*self.held_ids}.intersection(self.run_ids):
            self._remove(self.held / run_id)

    def remove(self, run_ids: Iterable[str]) -> dict[str, str]:
        """Remove runs; returns those that cannot be removed now, and why."""
        failed = {}
        for run_id in run_ids:
            for run in (self.runs / run_id, self.held / run_id):
                try:
                    if run.is_dir():
                        self._remove(run, strictly=True)
                except OSError as error:
                    failed[str(run)] = reason_of(error)
        return failed

    @staticmethod
    def _remove(run: Path, *, strictly: bool = False) -> None:
        """Remove a run; under its own name it is complete or absent. ``strictly``: remaining files are an error."""
        hidden = run.with_name(f".{run.name}{UNFINISHED}")
        os.rename(run, hidden)
        shutil.rmtree(hidden, ignore_errors=not strictly)


def _move(run: Path, final: Path) -> None:
    """Move a run to its place. If that is on another disk the run is copied, and the original stays."""
    try:
        os.rename(run, final)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    copy = final.with_name(f".{final.name}{UNFINISHED}")
    try:
        shutil.copytree(run, copy, symlinks=True)
        _flush_all(copy)
        os.rename(copy, final)
    except BaseException:
        shutil.rmtree(copy, ignore_errors=True)
        raise


def _check_writable(folder: Path) -> None:
    """Raise OSError if a folder cannot be written to, or does not exist and cannot be created."""
    place = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    if not os.path.isdir(place):
        number = errno.ENOTDIR if os.path.exists(place) else errno.ENOENT
    elif os.access(place, os.W_OK | os.X_OK, effective_ids=True):
        return
    else:
        number = errno.EROFS if os.statvfs(place).f_flag & os.ST_RDONLY else errno.EACCES
    raise OSError(number, os.strerror(number), str(place))


def _names_in(folder: Path) -> list[str]:
    """The names in a folder; none if there is no such folder. Raises PublishError."""
    return [entry.name for entry in _entries_of(folder)]


def _folders_in(folder: Path) -> list[str]:
    """The names of folders in a folder: a file is not a run, whatever its name. Raises PublishError."""
    return [entry.name for entry in _entries_of(folder) if entry.is_dir()]


def _entries_of(folder: Path) -> "list[os.DirEntry[str]]":
    """The entries of a folder; none if there is no such folder. Raises PublishError."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise PublishError(
            f"cannot be read ({reason_of(error)})", where=str(folder), remedy="see that it is a folder, and whose it is"
        ) from error


def _flush_all(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for path in (Path(place, name) for name in files):
            if not path.is_symlink():
                flush(path)
        flush(Path(place))
