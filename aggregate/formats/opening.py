"""Files as bytes: unpacked if they are gzipped, without a byte order mark, and faults as errors of ours."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from ..errors import VotesError, reason_of
from ..files.sources import printable

CHUNK = 1 << 16  # bytes

GZIPPED = b"\x1f\x8b"
MARK = b"\xef\xbb\xbf"
OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, whatever its name ends in. Raises VotesError if it cannot be read, then or later."""
    where = printable(str(path))
    try:
        with path.open("rb") as packed:
            begins = packed.read(len(GZIPPED))
            packed.seek(0)
            file = cast("IO[bytes]", gzip.GzipFile(fileobj=packed) if begins == GZIPPED else packed)
            _skip_mark(file, where)
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise VotesError("the gzipped file is cut or damaged", where=where, remedy="fetch it again") from error
    except OSError as error:
        remedy = "see that it is there and may be read"
        raise VotesError(f"cannot be read ({reason_of(error)})", where=where, remedy=remedy) from error


def _skip_mark(file: IO[bytes], where: str) -> None:
    begins = file.read(len(MARK))
    if begins[:2] in OTHER_MARKS:
        raise VotesError(f"is text in {OTHER_MARKS[begins[:2]]}", where=where, remedy="save it as UTF-8")
    if begins != MARK:
        file.seek(0)
