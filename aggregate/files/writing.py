"""Writes files in one step, and turns OSError on writing into PublishError."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import PublishError, reason_of, warn
from .destination import UNFINISHED, check_kind, check_place, is_null, stream_of

ROOM = (errno.ENOSPC, errno.EDQUOT)
ANOTHER = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST)
"""Errors of the operating system that call for more room, or for another location."""

OUTPUT_FOLDER = "output folder"

NOTHING_HAPPENED = "nothing was published; what was published before is untouched"


@contextmanager
def writing(where: str | os.PathLike[str], what: str = OUTPUT_FOLDER) -> Iterator[None]:
    """Turns OSError while ``what`` is written into a PublishError."""
    try:
        yield
    except OSError as error:
        place = error.filename2 or error.filename  # the second is the target
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
    """A temporary file to write, which replaces ``path`` when the block ends without an error.

    A link stays, and leads to the new file; if ``path`` is a stream of the process, the content is copied to it. Raises
    PublishError, or ParameterError if no file may be written there (see ``plant_aggregate.files.destination``).

    Errors inside the block are not translated: it may do more than write.
    """
    if not path.name:
        raise PublishError("is no file", where=str(path), remedy="name a file to write")
    check_place(path)
    check_kind(path)
    stream = stream_of(path)
    if stream is not None or is_null(path):
        import tempfile

        with writing(path, "file"), tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / path.name
            if stream is not None:
                _copy_to(stream, Path(folder) / path.name)
        return
    target = Path(os.path.realpath(path))
    staged = target.with_name(f".{target.name}.{os.getpid()}{UNFINISHED}")
    try:
        yield staged
        with writing(path, "file"):
            if target.exists():
                shutil.copymode(target, staged)
            os.replace(staged, target)
    finally:
        with suppress(OSError):
            staged.unlink(missing_ok=True)


def _copy_to(descriptor: int, file: Path) -> None:
    with file.open("rb") as source, os.fdopen(os.dup(descriptor), "wb") as stream:
        shutil.copyfileobj(source, stream)


def flush(path: Path) -> None:
    """Flush a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def removed(leftover: Path) -> bool:
    """Remove a folder that a killed process left; whether that worked. A failure is a warning."""
    try:
        shutil.rmtree(leftover)
    except OSError as error:
        warn(
            f"{leftover} is left over and cannot be removed ({reason_of(error)}): remove it by hand; files of another "
            "user are there when the job was run as that user"
        )
        return False
    return True
