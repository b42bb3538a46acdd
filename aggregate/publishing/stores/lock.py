"""One writer at a time in an output folder.

The lock is the operating system's (flock), on ``.lock`` and on the folder itself: it is released when its
holder dies, however that happens, so there is no stale lock to clear away; and removing ``.lock`` does not open it.
(Where a file system has no locks, filelock uses the file itself, and takes that of a dead process of the same machine
for stale; where it has none for folders, the file alone is locked.) ``.lock-holder`` beside it names the holder, for
those who wait.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from ...errors import LockedError, ParameterError, on_one_line
from ...files.writing import writing
from ...settings import LOCK_MODES

LOCK, HOLDER = ".lock", ".lock-holder"

LOOK_AGAIN = 0.2  # seconds between attempts while waiting


WITHOUT_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Errors of file systems without locks on folders, such as network file systems."""


@contextmanager
def locked(folder: Path, mode: str, say: Callable[[str], None], where: str | None = None) -> Iterator[bool]:
    """Hold the lock of ``folder``, which is made, for the length of a block; yields whether it waited.

    While another process has it: ``mode`` "wait" reports which and waits, "fail" raises LockedError. ``where`` is
    the folder's name in messages. If the block fails and the folder is new and empty, it is removed again.
    """
    if mode not in LOCK_MODES:
        raise ParameterError(f"lock is {mode!r} but must be one of {', '.join(LOCK_MODES)}")
    new = _missing(folder)
    with writing(folder), ExitStack() as held:
        has_waited = False
        while not _take(folder, held):
            if not has_waited:
                holder = _holder(folder)
                if mode == "fail":
                    raise LockedError(
                        f"is being written by {holder}",
                        where=where or str(folder),
                        remedy="wait for it, or --lock wait",
                    )
                say(f"waiting for {holder}, which is writing {where or folder}")
                has_waited = True
            time.sleep(LOOK_AGAIN)
        release = held.pop_all()
    with release:
        try:
            with suppress(OSError):  # only those who wait read it
                _sign(folder)
            yield has_waited
        except BaseException:
            _clear_away(folder, new)
            raise
        finally:
            with suppress(OSError):
                (folder / HOLDER).unlink(missing_ok=True)


def _take(folder: Path, held: ExitStack) -> bool:
    """Take the lock, which ``held`` will release; False if another process has it."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as taken:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # its holder has just removed the folder
            return False
        taken.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken.callback(fcntl.flock, descriptor, fcntl.LOCK_UN)  # also releases a copy in a child process
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise
        try:
            if not os.path.samestat(os.fstat(descriptor), os.stat(folder)):
                return False
            lock = FileLock(folder / LOCK)
            lock.acquire(timeout=0)
        except (FileNotFoundError, Timeout):
            return False
        taken.callback(lock.release)
        held.push(taken.pop_all())
    return True


def _missing(folder: Path) -> list[Path]:
    """The folder and those above it that do not exist; the innermost first."""
    return [place for place in (folder, *folder.parents) if not os.path.lexists(place)]


def _clear_away(folder: Path, new: list[Path]) -> None:
    """Remove ``new`` folders that are empty. Call it with the lock held."""
    with suppress(OSError):
        if folder in new:
            for inside in folder.iterdir():
                if inside.is_dir():
                    inside.rmdir()
            for name in (HOLDER, LOCK):
                (folder / name).unlink(missing_ok=True)
        for place in new:
            place.rmdir()


def _sign(folder: Path) -> None:
    me = {"pid": os.getpid(), "host": socket.gethostname(), "started": datetime.now(UTC).isoformat(timespec="seconds")}
    staged = folder / f"{HOLDER}.partial"
    try:
        staged.write_text(json.dumps(me), encoding="utf-8")
        os.replace(staged, folder / HOLDER)
    finally:
        staged.unlink(missing_ok=True)


def _holder(folder: Path) -> str:
    try:
        known = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return on_one_line(f"process {known['pid']:d} on {known['host']}, started {known['started']}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # it has just started, or is about to end
        return "another process"
