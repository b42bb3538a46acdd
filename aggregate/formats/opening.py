"""Files as bytes: unpacked if they are compressed, without a byte order mark, and faults as errors of ours."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import VotesError, reason_of
from ..files.sources import printable

CHUNK = 1 << 16  # bytes

GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PACKED = ("", ".gz", ".zst")
MARK = b"\xef\xbb\xbf"
OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
CUT = "Truncated compressed stream"  # pyarrow's message, of an OSError


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, whatever its name ends in. Raises VotesError if it cannot be read, then or later."""
    where = printable(str(path))
    try:
        with path.open("rb") as packed, _unpacked(packed) as file:
            _skip_mark(file, where)
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise VotesError("the gzipped file is cut or damaged", where=where, remedy="fetch it again") from error
    except OSError as error:
        if not error.errno:
            raise VotesError("the compressed file is cut or damaged", where=where, remedy="fetch it again") from error
        if path.is_dir():
            raise VotesError("is a folder", where=where, remedy="name the files in it") from error
        remedy = "see that it is there and may be read"
        raise VotesError(f"cannot be read ({reason_of(error)})", where=where, remedy=remedy) from error


def find_file(folder: Path, *names: str) -> Path | None:
    """The first of some files of a folder, compressed or not; None if there is none."""
    paths = (folder / f"{name}{ending}" for name in names for ending in PACKED)
    return next((path for path in paths if path.is_file()), None)


def _unpacked(packed: io.BufferedReader) -> io.BufferedReader:
    begins = packed.peek(4)
    if begins.startswith(GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=packed), CHUNK)
    if begins.startswith(ZSTANDARD):
        import pyarrow as pa

        return io.BufferedReader(pa.CompressedInputStream(packed, "zstd"), CHUNK)
    return packed


def _skip_mark(file: io.BufferedReader, where: str) -> None:
    begins = file.peek(len(MARK))
    if begins[:2] in OTHER_MARKS:
        raise VotesError(f"is text in {OTHER_MARKS[begins[:2]]}", where=where, remedy="save it as UTF-8")
    if begins.startswith(MARK):
        file.read(len(MARK))
