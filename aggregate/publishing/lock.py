"""One writer at a time in an output folder.

The lock is the operating system's (flock on ``.lock``): it falls free when its holder dies, however that happens, so
there is no stale lock to clear away. (Where a file system has none, filelock makes do with the file itself, and takes
that of a dead process of the same machine for stale.) ``.lock-holder`` beside it says who has it, for those who wait.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from ..errors import LockedError, ParameterError, on_one_line
from .writing import writing

LOCK, HOLDER = ".lock", ".lock-holder"

LOCK_MODES = ("wait", "fail")
"""What to do while another has the lock."""

LOOK_AGAIN = 0.2
"""Seconds between attempts while waiting."""


@contextmanager
def locked(folder: Path, mode: str, say: Callable[[str], None], where: str | None = None) -> Iterator[None]:
    """Hold the lock of ``folder`` for the length of a block.

    While another process has it: ``mode`` "wait" says who it is and waits, "fail" raises LockedError. ``where`` is
    what the folder is called in messages.
    """
    from filelock import FileLock, Timeout

    if mode not in LOCK_MODES:
        raise ParameterError(f"lock is {mode!r} but must be one of {', '.join(LOCK_MODES)}")
    lock = FileLock(folder / LOCK)
    with writing(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            holder = _holder(folder)
            if mode == "fail":
                raise LockedError(
                    f"is being written by {holder}", where=where or str(folder), remedy="wait for it, or --lock wait"
                ) from None
            say(f"waiting for {holder}, which is writing {where or folder}")
            lock.acquire(poll_interval=LOOK_AGAIN)
    try:
        with suppress(OSError):  # nobody but who waits misses it
            _sign(folder)
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _sign(folder: Path) -> None:
    """Say who holds the lock."""
    me = {"pid": os.getpid(), "host": socket.gethostname(), "started": datetime.now(UTC).isoformat(timespec="seconds")}
    staged = folder / f"{HOLDER}.partial"
    try:
        staged.write_text(json.dumps(me), encoding="utf-8")
        os.replace(staged, folder / HOLDER)
    finally:
        staged.unlink(missing_ok=True)


def _holder(folder: Path) -> str:
    """The process that has the lock, in words."""
    try:
        known = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return on_one_line(f"process {known['pid']:d} on {known['host']}, started {known['started']}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # it has just come, or is about to leave
        return "another process"
