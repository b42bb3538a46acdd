"""What the operating system says against writing, as an error of ours."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import PublishError, reason_of

ROOM = (errno.ENOSPC, errno.EDQUOT)
ANOTHER = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST)
"""Errors of the operating system that more room helps against, or another place."""

OUTPUT_FOLDER = "output folder"

NOTHING_HAPPENED = "nothing was published; what was published before is untouched"


@contextmanager
def writing(where: str | os.PathLike[str], what: str = OUTPUT_FOLDER) -> Iterator[None]:
    """Turn what the operating system raises while ``what`` is written into a PublishError."""
    try:
        yield
    except OSError as error:
        place = error.filename2 or error.filename  # the second is what was to be made
        remedies = [
            *(["make room"] if error.errno in ROOM else []),
            *([f"choose another {what}"] if error.errno in ANOTHER else []),
            *([NOTHING_HAPPENED] if what == OUTPUT_FOLDER else []),
        ]
        raise PublishError(
            f"cannot be written ({reason_of(error)})",
            where=os.fspath(place if isinstance(place, str | os.PathLike) else where),
            remedy="; ".join(remedies) or None,
        ) from error


@contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write, which takes its place when the block ends. Raises PublishError.

    What goes wrong in the block is for the block to tell: it may do more than write.
    """
    if not path.name:
        raise PublishError("is no file", where=str(path), remedy="name a file to write")
    staged = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield staged
        with writing(path, "file"):
            os.replace(staged, path)
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """See that a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
