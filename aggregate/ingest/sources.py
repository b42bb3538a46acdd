"""Which files: paths, folders and globs become a sorted list, each with a fingerprint."""

import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from ..errors import VotesError, reason_of
from ..storage import Place, is_uri, local_path, locate, reaching, redacted
from .remote import Copy, copied, find_remote, hidden, regular, would_find_remote

PARQUET_SUFFIXES = (".parquet", ".parq", ".pq")

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""The value of a folder's name that stands for null."""


@dataclass(frozen=True)
class Source:
    """A file as it was found."""

    path: str
    """As it is shown: without the secrets of a URI."""
    bytes: int
    state: tuple[int, int, int]
    """Size, modification time (ns) and inode: another state is another file."""
    copy: Copy | None = None
    """Of a file in another store."""
    partition: Mapping[str, str | None] = field(default_factory=dict)
    """What the names of its folders say, if these are ``key=value``."""

    @property
    def local(self) -> str:
        """The path to open."""
        return self.path if self.copy is None else self.copy.path

    def check_unchanged(self) -> None:
        """Raise VotesError if the file is not the one that was found."""
        if self.copy is None and _state(self.path) != self.state:
            raise VotesError("changed while it was read", where=self.path, remedy="run again when it is complete")

    def fingerprint(self) -> str:
        """SHA-256 of the content, as 64 hexadecimal digits."""
        if self.copy is not None:
            return self.copy.sha256
        try:
            with open(self.path, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(error, self.path) from error


@dataclass(frozen=True)
class Input:
    """A file that was read."""

    path: str
    rows: int
    bytes: int
    fingerprint: str
    """SHA-256 of its content, as hexadecimal digits."""


def find_sources(paths: Iterable[str | os.PathLike[str]]) -> list[Source]:
    """The Parquet files that ``paths`` name, each once, in the order of their paths; those of URIs are copied.

    A folder stands for the Parquet files below it, whatever the depth. A path that does not exist is tried as a glob.
    In folders and globs names that begin with ``.`` or ``_`` are passed over, as Spark and Hive do. Raises VotesError.
    """
    names = [os.fspath(path) for path in paths]
    found: dict[str, str] = {}
    for file in sorted({file for name in names if not is_uri(name) for file in _expand(local_path(name))}):
        found.setdefault(os.path.realpath(file), file)
    remote = {place.uri: place for name in names if is_uri(name) for place in find_remote(name, PARQUET_SUFFIXES)}
    if not found and not remote:
        raise VotesError("no paths were given", remedy="name files, folders or globs")
    return [_source(path) for path in found.values()] + [_remote_source(remote[uri]) for uri in sorted(remote)]


def files_of(path: str) -> list[str]:
    """The local files that a local path names. Raises VotesError if there are none."""
    return _expand(local_path(path))


def would_find(path: str, file: str) -> bool:
    """Whether a Parquet file, a path or a URI, is among those that a path names, or will be when it is there."""
    if is_uri(path) or is_uri(file):
        return is_uri(path) and is_uri(file) and would_find_remote(path, file, PARQUET_SUFFIXES)
    if "\0" in path:
        return False
    path = local_path(path)
    if os.path.isdir(path):
        return _is_visible(os.path.relpath(os.path.realpath(file), os.path.realpath(path)))
    if os.path.lexists(path):
        return False
    pattern = os.path.abspath(path)
    for spelling in map(Path, (os.path.abspath(file), os.path.realpath(file))):
        for match in (spelling, *spelling.parents):
            as_spelled = hidden(match.parts) == hidden(Path(pattern).parts)
            if re.fullmatch(regular(pattern), str(match)) and as_spelled:
                return _is_visible(os.path.relpath(spelling, match))
    return False


def _is_visible(path: str) -> bool:
    """Whether a relative path is one that folders are looked through for: below, with no hidden name."""
    return path == os.curdir or not hidden(path.split(os.sep))


def read_text(path: str | os.PathLike[str], remedy: str) -> str:
    """The content of a small text file, local or not. Raises VotesError."""
    name = os.fspath(path)
    try:
        if is_uri(name):
            place = locate(name)
            with reaching(name, remedy=remedy):
                content = place.read()
            return content.decode("utf-8")
        return Path(local_path(name)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it is not text"
        raise VotesError(f"cannot be read ({reason})", where=redacted(name), remedy=remedy) from error


def _expand(path: str) -> list[str]:
    if not path:
        raise VotesError("a path is empty", remedy="name files, folders or globs")
    if os.path.isdir(path):
        files = list(_walk(path))
        if not files:
            raise VotesError(
                "no Parquet file in this folder", where=path, remedy=f"it looks for {', '.join(PARQUET_SUFFIXES)}"
            )
        return files
    if os.path.lexists(path):
        return [path]
    matches = [
        file
        for match in glob.glob(path, recursive=True)
        if _underscored(match) == _underscored(path)  # a wildcard stands for no _temporary, as it stands for no .git
        for file in _expand(match)
    ]
    if not matches:
        raise VotesError("no such file or folder", where=path, remedy="check the path")
    return matches


def _underscored(path: str) -> int:
    """How many parts of a path begin with an underscore."""
    return sum(part.startswith("_") for part in Path(path).parts)


def _walk(folder: str) -> Iterator[str]:
    """The Parquet files below ``folder``; links to folders are followed, each folder is visited once."""

    def give_up(error: OSError) -> None:
        raise _unreadable(error, error.filename or folder) from error

    seen = {os.path.realpath(folder)}
    for parent, folders, names in os.walk(folder, onerror=give_up, followlinks=True):
        visible = sorted(name for name in folders if not name.startswith((".", "_")))
        targets = {os.path.realpath(os.path.join(parent, name)): name for name in reversed(visible)}
        folders[:] = sorted(name for target, name in targets.items() if target not in seen)
        seen.update(targets)
        for name in names:
            if name.lower().endswith(PARQUET_SUFFIXES) and not name.startswith((".", "_")):
                yield str(Path(parent) / name)


def _state(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError as error:
        raise _unreadable(error, path) from error
    return found.st_size, found.st_mtime_ns, found.st_ino


def _unreadable(error: OSError, path: str) -> VotesError:
    return VotesError(f"cannot be read ({reason_of(error)})", where=path, remedy="see that it is there and may be read")


def _remote_source(place: Place) -> Source:
    copy = copied(place)
    return Source(place.name, copy.bytes, (copy.bytes, 0, 0), copy, _partition(place.path.split("/")))


def _source(path: str) -> Source:
    if os.path.exists(path) and not os.path.isfile(path):
        raise VotesError("neither a file nor a folder", where=path, remedy="Parquet cannot be read from a pipe")
    state = _state(path)
    return Source(path, state[0], state, partition=_partition(path.split(os.sep)))


def _partition(parts: Sequence[str]) -> dict[str, str | None]:
    """What the folders of a path say of its file, as Hive partitions a table: ``key=value``, percent-encoded.

    >>> _partition("log/is_author=true/label=Acer%20opalus/user_id=__HIVE_DEFAULT_PARTITION__/0.parquet".split("/"))
    {'is_author': 'true', 'label': 'Acer opalus', 'user_id': None}
    """
    split = [folder.partition("=") for folder in parts[:-1]]
    return {
        _decoded(key): None if value == NO_VALUE else _decoded(value) for key, equals, value in split if key and equals
    }


def _decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")
