"""Inputs in object stores: found there, and copied before they are read.

A copy is a snapshot: its SHA-256 is computed while it is copied, and it cannot be changed later. It has no name in the
file system, so that nothing is left over, however the process ends.
"""

import errno
import hashlib
import os
import re
import resource
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import parse_qsl

from ..errors import VotesError, reason_of
from .footers import MAGIC
from .lakes import check_no_lake_among, check_no_remote_lake
from .locations import CHUNK, StoreLocation, locate, reaching, redacted

INCOMPLETE = "run again when it is complete"


@dataclass(frozen=True)
class Opened:
    """A file that stays open as long as this object lives."""

    descriptor: int

    def __post_init__(self) -> None:
        weakref.finalize(self, os.close, self.descriptor)

    @property
    def path(self) -> str:
        """Path under which the file can be opened."""
        return f"/dev/fd/{self.descriptor}"


@dataclass(frozen=True)
class Copy(Opened):
    """A copy of a file, which exists as long as this object lives."""

    bytes: int
    sha256: str


def find_remote(uri: str, suffixes: tuple[str, ...]) -> list[StoreLocation]:
    """The files that a URI names: one, those with these suffixes below a folder, or those that match ``*`` and ``**``.

    Names that begin with ``.`` or ``_`` are skipped below a folder and by wildcards. Raises VotesError.
    """
    from pyarrow.fs import FileSelector, FileType

    path, mark, query = uri.partition("?")
    if "*" in path:
        fixed, pattern = _split(path)
        place = locate(fixed + mark + query)
        check_no_remote_lake(place.filesystem, place.path, redacted(uri))
    else:
        place, pattern = locate(uri), ""
        with reaching(uri):
            kind = place.filesystem.get_file_info(place.path).type
        check_no_remote_lake(place.filesystem, place.path, place.name)
        if kind == FileType.File:
            return [place]
    with reaching(uri):
        listed = place.filesystem.get_file_info(FileSelector(place.path, allow_not_found=True, recursive=True))
    below = sorted(info.path for info in listed if info.type == FileType.File)
    root = len(place.path.rstrip("/")) + 1
    files = [place.child(name[root:]) for name in below if _is_wanted(name[root:], pattern, suffixes)]
    if not pattern:
        files += [place.child(name[root:]) for name in below if _is_unmarked_table(place, name, root)]
    check_no_lake_among((file.path for file in files), below, redacted(uri))
    if not files:
        if listed and not pattern:
            raise VotesError(
                "no Parquet file in this folder", where=place.name, remedy=f"it looks for {', '.join(suffixes)}"
            )
        raise VotesError("no such file or folder", where=redacted(uri), remedy="check the path")
    return files


def _is_unmarked_table(place: StoreLocation, path: str, root: int) -> bool:
    """Whether a file in a folder is Parquet without a suffix, as Hive, Trino and Impala name theirs."""
    if "." in path.rpartition("/")[2] or hidden(path[root:].split("/")):
        return False
    with reaching(place.uri), place.filesystem.open_input_stream(path) as stream:
        return bytes(stream.read(len(MAGIC))) == MAGIC


def remote_path_includes(uri: str, file: str, suffixes: tuple[str, ...]) -> bool:
    """Whether :func:`find_remote` finds a file, or would if it existed; both are URIs in the same spelling."""
    path, endpoint = _parts(uri)
    below, its_endpoint = _parts(file)
    fixed, pattern = _split(path) if "*" in path else (path.rstrip("/"), "")
    is_below = endpoint == its_endpoint and below.startswith(f"{fixed}/")
    return is_below and _is_wanted(below[len(fixed) + 1 :], pattern, suffixes)


def _parts(uri: str) -> tuple[str, str | None]:
    """A URI without its query, and the server that the query names."""
    path, _, query = redacted(uri).partition("?")
    return path, dict(parse_qsl(query)).get("endpoint_override")


def copied(place: StoreLocation) -> Copy:
    """A copy of a file. Raises VotesError, also if the file changes meanwhile."""
    with reaching(place.uri):
        before = _state(place)
        stream = place.filesystem.open_input_stream(place.path)
    digest, n_bytes = hashlib.sha256(), 0
    with stream, _temporary_file(place) as file:
        while True:
            with reaching(place.uri):
                chunk = stream.read(CHUNK)
            if not chunk:
                break
            digest.update(chunk)
            n_bytes += len(chunk)
            _write(file, chunk, place)
        with _writing(place):
            copy = Copy(os.dup(file.fileno()), n_bytes, digest.hexdigest())
    with reaching(place.uri):
        after = _state(place)
    if before != after or n_bytes != before[0]:
        raise VotesError("changed while it was read", where=place.name, remedy=INCOMPLETE)
    return copy


def _temporary_file(place: StoreLocation) -> IO[bytes]:
    """A temporary file without a buffer, which would raise the error of a full disk again when closed."""
    _allow_more_files()
    with _writing(place):
        return tempfile.TemporaryFile(buffering=0)


def _allow_more_files() -> None:
    """Raise the process's limit of open files, usually 1,024: each copy is one."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != most:
        with suppress(ValueError, OSError):  # the system may have a lower limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _write(file: IO[bytes], chunk: bytes, place: StoreLocation) -> None:
    left = memoryview(chunk)
    with _writing(place):
        while left:
            left = left[file.write(left) :]


@contextmanager
def _writing(place: StoreLocation) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        too_many = error.errno == errno.EMFILE
        raise VotesError(
            f"cannot be copied to {tempfile.gettempdir()} ({reason_of(error)})",
            where=place.name,
            remedy="allow more with ulimit -n, or use fewer files"
            if too_many
            else "set TMPDIR to a folder with more room",
        ) from error


def _state(place: StoreLocation) -> tuple[int, Any]:
    info = place.filesystem.get_file_info(place.path)
    if info.size is None:
        raise FileNotFoundError(place.name)
    return info.size, info.mtime


def _split(path: str) -> tuple[str, str]:
    """The folder above the first wildcard, and the pattern below it."""
    head, _, _ = path.partition("*")
    fixed = head.rpartition("/")[0]
    return fixed, path[len(fixed) + 1 :]


def regular(pattern: str) -> str:
    """A pattern as a regular expression: ``**/`` is any depth, ``*`` any part of a name.

    >>> re.fullmatch(regular("day=*/**/v*.parquet"), "day=1/a/b/votes.parquet") is not None
    True
    """
    parts = re.split(r"(\*\*/|\*+)", pattern)
    known = {"**/": "(?:[^/]+/)*"}
    return "".join(known.get(part, "[^/]*" if part.startswith("*") else re.escape(part)) for part in parts)


def _is_wanted(name: str, pattern: str, suffixes: tuple[str, ...]) -> bool:
    """Whether a file below a folder matches a pattern, itself or by a folder above it; "" matches the folder itself."""
    parts = name.split("/")
    is_table = name.lower().endswith(suffixes)
    if not pattern:
        return is_table and not hidden(parts)
    for depth in range(1, len(parts) + 1):
        if re.fullmatch(regular(pattern), "/".join(parts[:depth])):
            # Wildcards do not match hidden names; a name that is spelled out may be hidden.
            as_spelled = hidden(parts[:depth]) == hidden(pattern.split("/"))
            return as_spelled and not hidden(parts[depth:]) and (is_table or depth == len(parts))
    return False


def hidden(parts: Sequence[str]) -> int:
    """Number of the parts of a path that are hidden names."""
    return sum(part.startswith((".", "_")) for part in parts)
