"""What the operating system says against writing, as an error of ours."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import PublishError, reason_of

REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EROFS: "choose another output folder",
    errno.EACCES: "choose another output folder",
    errno.EPERM: "choose another output folder",
    errno.EISDIR: "choose another output folder",
    errno.ENOTDIR: "choose another output folder",
    errno.EEXIST: "choose another output folder",
}
"""What helps against an error of the operating system."""

NOTHING_HAPPENED = "nothing was published; what was published before is untouched"


@contextmanager
def writing(where: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the operating system raises while writing into a PublishError."""
    try:
        yield
    except OSError as error:
        place = error.filename2 or error.filename  # the second is what was to be made
        raise PublishError(
            f"cannot be written ({reason_of(error)})",
            where=os.fspath(place if isinstance(place, str | os.PathLike) else where),
            remedy="; ".join(filter(None, [REMEDIES.get(error.errno or 0), NOTHING_HAPPENED])),
        ) from error


def flush(path: Path) -> None:
    """See that a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
