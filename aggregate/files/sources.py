"""Finds input files: paths, folders and globs become a sorted list of files with fingerprints."""

import glob
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from ..errors import VotesError, on_one_line, reason_of, warn
from ..frames import is_frame, wrong_type
from .footers import MAGIC
from .lakes import check_no_lake
from .locations import StoreLocation, is_uri, local_path, locate, path_text, reaching, redacted
from .snapshots import Copy, Opened, copied, find_remote, hidden, regular, remote_path_includes

OR_FRAME = "a path or a frame"

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

PARQUET_SUFFIXES = (".parquet", ".parq", ".pq")

NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # the value in a folder's name that means null


def path_list(paths: object, wanted: str = "a path") -> list[str | os.PathLike[str]]:
    """The paths, also if it is a single one. Raises TypeError for what is no path; ``wanted`` says what would do."""
    if isinstance(paths, str | os.PathLike):
        return [paths]
    if is_frame(paths):
        raise wrong_type("a path", paths, "the name of a file that holds it, as this is not read from frames")
    if isinstance(paths, bytes) or not isinstance(paths, Iterable):
        raise wrong_type(wanted, paths, "the name of a file, folder or glob")
    several = list(paths)
    for path in several:
        if not isinstance(path, str | os.PathLike):
            raise wrong_type("a path", path, "names of files, or all rows as one data frame (pandas.DataFrame(rows))")
    return several


@dataclass(frozen=True)
class Source:
    """A file that was found, and its state then."""

    path: str
    """The path for messages: without the secrets of a URI, and bytes that are not text as ``\\xe9``."""
    bytes: int
    state: "State"  # identifies the file's content: it differs after any change
    copy: Copy | None = None  # the local copy of a file in an object store
    # Column -> value, from the names of its folders that are `key=value`.
    partition: Mapping[str, str | None] = field(default_factory=dict)

    place: str = ""  # the path of a local file with all links resolved: so they cannot change while it is read
    opened: Opened | None = None  # a local file that is kept open, because libraries do not accept its name

    @property
    def local(self) -> str:
        """The path to open."""
        if self.copy is not None:
            return self.copy.path
        return self.place if self.opened is None else self.opened.path

    def check_unchanged(self) -> None:
        """Raise VotesError if the file has changed since it was found."""
        if self.copy is None and _state(self.place, self.path) != self.state:
            raise self._changed()

    def fingerprint(self) -> str:
        """SHA-256 of the content, as 64 hexadecimal digits."""
        if self.copy is not None:
            return self.copy.sha256
        try:
            with open(self.place, "rb") as file:
                before = _state_of(os.fstat(file.fileno()))
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                after = _state_of(os.fstat(file.fileno()))
        except OSError as error:
            raise _unreadable(error, self.path) from error
        if not before == after == self.state:
            raise self._changed()
        return digest

    def _changed(self) -> VotesError:
        return VotesError("changed while it was read", where=self.path, remedy="run again when it is complete")


@dataclass(frozen=True)
class Input:
    """A file that was read, for run.json."""

    path: str
    """The path or URI, without secrets, or `table in memory`; bytes that are not UTF-8 as `\\xe9`."""
    rows: int | None
    """Its rows; null for a file of another format."""
    bytes: int
    """Size of the file, or of the table."""
    fingerprint: str
    """SHA-256 of its content, as 64 hexadecimal digits."""


def find_sources(paths: Iterable[str | os.PathLike[str]]) -> list[Source]:
    """The Parquet files that ``paths`` name, each once, in the order of their paths; those of URIs are copied.

    A folder means the Parquet files below it, at any depth: those with a suffix of PARQUET_SUFFIXES, and those without
    any, as Hive, Trino and Impala write them. Parquet files with another suffix are a warning. A path that does not
    exist is tried as a glob. In folders and globs names that begin with ``.`` or ``_`` are skipped, as in Spark and
    Hive. Raises VotesError, also for tables whose current files only a log tells (``files.lakes``).
    """
    names = [os.fspath(path) for path in paths]
    found: dict[str, str] = {}
    passed_over: list[str] = []
    folders: dict[str, str | None] = {}
    files: set[str] = set()
    for name in map(local_path, (name for name in names if not is_uri(name))):
        below = _expand(name, passed_over, folders)
        check_no_lake(below, printable(name), folders)
        files.update(below)
    for file in sorted(files):
        found.setdefault(os.path.realpath(file), file)
    _warn_of(sorted({file for file in passed_over if os.path.realpath(file) not in found}))
    remote = {place.uri: place for name in names if is_uri(name) for place in find_remote(name, PARQUET_SUFFIXES)}
    if not found and not remote:
        raise VotesError("no paths were given", remedy="name files, folders or globs")
    return [source_of(path, place) for place, path in found.items()] + [
        _remote_source(remote[uri]) for uri in sorted(remote)
    ]


def files_of(path: str) -> list[str]:
    """The local files that a local path names. Raises VotesError if there are none."""
    return _expand(local_path(path), [], {})


def path_includes(path: str, file: str) -> bool:
    """Whether a Parquet file, a path or a URI, is among those that a path names, or would be if it existed."""
    if is_uri(path) or is_uri(file):
        return is_uri(path) and is_uri(file) and remote_path_includes(path, file, PARQUET_SUFFIXES)
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
    """Whether a search of a folder includes a relative path: it is below, and has no hidden name."""
    return path == os.curdir or not hidden(path.split(os.sep))


def read_text(path: str | os.PathLike[str], remedy: str) -> str:
    """The content of a small text file, local or not. Raises VotesError."""
    name = path_text(path)
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


def _expand(path: str, passed_over: list[str], folders: dict[str, str | None]) -> list[str]:
    """The files that a path names; other Parquet files are added to ``passed_over``.

    ``folders`` caches which folders are tables with a log.
    """
    if not path:
        raise VotesError("a path is empty", remedy="name files, folders or globs")
    if os.path.isdir(path):
        check_no_lake([path], printable(path), folders)
        files = list(_walk(path, passed_over))
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
        if _underscored(match) == _underscored(path)  # wildcards do not match _temporary, as they do not match .git
        for file in _expand(match, passed_over, folders)
    ]
    if not matches:
        raise VotesError("no such file or folder", where=path, remedy="check the path")
    return matches


def _underscored(path: str) -> int:
    return sum(part.startswith("_") for part in Path(path).parts)


def _walk(folder: str, passed_over: list[str]) -> Iterator[str]:
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
            path = str(Path(parent) / name)
            if name.startswith((".", "_")):
                continue
            if name.lower().endswith(PARQUET_SUFFIXES):
                yield path
            elif _is_parquet(path):
                if "." not in name:
                    yield path
                else:
                    passed_over.append(path)


def _is_parquet(path: str) -> bool:
    """Whether a file begins with Parquet's magic number; False if it cannot be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb", buffering=0) as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _warn_of(passed_over: list[str]) -> None:
    if passed_over:
        few = ", ".join(map(printable, passed_over[:3])) + (", ..." if len(passed_over) > 3 else "")
        files = f"{len(passed_over):,} Parquet file{'s' * (len(passed_over) > 1)}"
        message = (
            f"skipped {files} that do{'es' * (len(passed_over) == 1)} not end in {', '.join(PARQUET_SUFFIXES)}: {few}"
        )
        warn(on_one_line(message))


class State(NamedTuple):
    """Distinguishes a file from another one at the same path, and from itself after a change.

    A writer can reset the modification time (mtime), but not the time of the last change of any kind (ctime).
    """

    size: int
    inode: int
    written_ns: int
    changed_ns: int


def _state(place: str, path: str) -> State:
    try:
        return _state_of(os.stat(place))
    except OSError as error:
        raise _unreadable(error, path) from error


def _state_of(found: os.stat_result) -> State:
    return State(found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)


def _settled_state(place: str, path: str) -> State:
    """The state of a file, which differs after any change from now on.

    Linux takes the time of a change from a clock that ticks some hundred times a second: until its next tick a further
    change would have the same time. So this waits for the tick if the file has just been changed.
    """
    state = _state(place, path)
    if hasattr(time, "CLOCK_REALTIME_COARSE"):
        tick = time.clock_getres(time.CLOCK_REALTIME_COARSE)
        if 0 <= time.clock_gettime_ns(time.CLOCK_REALTIME_COARSE) - state.changed_ns < tick * 1e9:
            time.sleep(2 * tick)
            return _state(place, path)
    return state


def printable(path: str) -> str:
    r"""A path as printable text: bytes that are not UTF-8 as ``\xe9``.

    >>> printable(os.fsdecode(b"caf\xe9.parquet"))
    'caf\\xe9.parquet'
    """
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _unreadable(error: OSError, path: str) -> VotesError:
    return VotesError(f"cannot be read ({reason_of(error)})", where=path, remedy="see that it is there and may be read")


def _remote_source(place: StoreLocation) -> Source:
    copy = copied(place)
    return Source(place.name, copy.bytes, State(copy.bytes, 0, 0, 0), copy, _partition(place.path.split("/")))


def source_of(path: str, place: str) -> Source:
    """A local file: its path as it was given, and with all links resolved. Raises VotesError."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise VotesError(
            "neither a file nor a folder", where=printable(path), remedy="Parquet cannot be read from a pipe"
        )
    state = _settled_state(place, printable(path))
    opened = None
    if printable(place) != place:
        try:
            opened = Opened(os.open(place, os.O_RDONLY))
        except OSError as error:
            raise _unreadable(error, printable(path)) from error
    return Source(
        printable(path), state.size, state, partition=_partition(path.split(os.sep)), place=place, opened=opened
    )


def _partition(parts: Sequence[str]) -> dict[str, str | None]:
    """Column -> value from the folders of a path, as Hive partitions a table: ``key=value``, percent-encoded.

    >>> _partition("log/is_author=true/label=Acer%20opalus/user_id=__HIVE_DEFAULT_PARTITION__/0.parquet".split("/"))
    {'is_author': 'true', 'label': 'Acer opalus', 'user_id': None}
    """
    split = [folder.partition("=") for folder in parts[:-1]]
    return {
        _decoded(key): None if value == NO_VALUE else _decoded(value) for key, equals, value in split if key and equals
    }


def _decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")
