"""Where one file may be written: not into a run or among runs, and only where a regular file is or will be.

The rule for one path; ``publishing.output_files`` compares all that a command writes with all that it reads, and
``cli.outputs`` finds these among its options.

Links are followed, and stay. Only regular files are replaced: ``/dev/null`` and the process's own streams
(``/dev/stdout``) are written to, anything else is refused, since opening a pipe may block for ever.
"""

import os
import re
import stat
from pathlib import Path

from ..errors import ParameterError, reason_of

RUN_ID = re.compile(r"(\d{8}T\d{6}Z)(?:-([1-9]\d{0,8}))?", re.ASCII)

RUNS, HELD, LATEST, POINTER = "runs", "held", "latest", "latest.json"  # names of the entries of an output folder

RECORD_FILE = "run.json"

UNFINISHED = ".partial"  # suffix of a file or folder that is being written

STREAM = re.compile(r"/dev/fd/(\d+)|/proc/(\d+)/fd/(\d+)", re.ASCII)
"""Path of a process's file descriptor, with its links resolved."""

MOST_LINKS = 40  # symbolic links that are followed at most, as by the operating system

REMEDY = "name another place"

OF_FILES = (
    *(".parquet", ".parq", ".pq", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson"),
    *(".arrow", ".feather", ".ipc", ".orc", ".avro", ".xls", ".xlsx", ".html", ".gz", ".zst", ".zip"),
)
"""Suffixes of names that are meant as files, not as folders."""


def is_run_id(name: str) -> bool:
    """Whether a name is a run id.

    >>> is_run_id("20261123T021500Z"), is_run_id("20261123T021500Z-2"), is_run_id("../latest")
    (True, True, False)
    """
    return RUN_ID.fullmatch(name) is not None


def check_place(path: str | os.PathLike[str], output: str | os.PathLike[str] | None = None) -> None:
    """Raise ParameterError if a file or folder would lie in a run, or among an output folder's own entries.

    Output folders are recognised by their entries; ``output`` is one that may not exist yet.
    """
    own = None if output is None else Path(os.path.realpath(output))
    for place in {os.path.realpath(path), os.path.abspath(path)}:  # a link may lead into runs
        fault = _fault_of(Path(place), own)
        if fault:
            raise ParameterError(fault, where=os.fspath(path), remedy=REMEDY)


def _fault_of(place: Path, own: Path | None) -> str | None:
    """The error of a location to write to, None if there is none."""
    for folder in place.parents:
        if folder.name in (RUNS, HELD) and keeps_runs(folder.parent, own):
            return f"lies among the runs of the output folder {str(folder.parent)!r}, where nothing else is written"
        if is_run_id(folder.name) and (folder / RECORD_FILE).exists():
            return f"lies in run {folder.name}, which stays as it is"
    for file in (place, *(folder for folder in place.parents if not folder.is_dir())):
        is_taken = file.name.startswith(".") or file.name in (RUNS, HELD, LATEST, POINTER)
        if is_taken and keeps_runs(file.parent, own):
            return f"is what the output folder {str(file.parent)!r} keeps its runs with"
    if own is not None and place in (own, *own.parents):
        return "is the output folder, or one that it lies in"
    return None


def keeps_runs(folder: Path, own: Path | None = None) -> bool:
    """Whether a folder is an output folder: ``own``, or one with runs, complete or not."""
    if own is not None and Path(os.path.realpath(folder)) == own:
        return True
    names = (name for parent in (RUNS, HELD) for name in _names_in(folder / parent))
    return any(is_run_id(name.removeprefix(".").removesuffix(UNFINISHED)) for name in names)


def _names_in(folder: Path) -> list[str]:
    """The names in a folder; none if it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def check_folder_name(path: str | os.PathLike[str], *, file: str = "") -> None:
    """Raise ParameterError if a folder to create has the name of a file.

    ``file``: the suffix with which a file is written instead.
    """
    stem, suffix = os.path.splitext(os.fspath(path).rstrip("/"))
    if suffix.lower() not in OF_FILES or os.path.isdir(path):
        return
    meant = f"{stem}{file}, or {stem} for a folder" if file else stem
    what = f"is the name of a file, but a folder {'or a ' + file + ' file ' if file else ''}is written"
    raise ParameterError(what, where=os.fspath(path), remedy=f"write {meant}")


def check_kind(path: str | os.PathLike[str]) -> None:
    """Raise ParameterError if what is at a path can neither be written to nor be replaced by a file."""
    if is_null(path) or stream_of(path) is not None:
        return
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        if isinstance(error, PermissionError | NotADirectoryError):  # reported when it is written
            return
        raise ParameterError(
            f"cannot be looked at ({reason_of(error)})", where=os.fspath(path), remedy=REMEDY
        ) from error
    kinds = {
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
        stat.S_ISCHR: "a device",
        stat.S_ISBLK: "a device",
        stat.S_ISDIR: "a folder",
    }
    for is_kind, kind in kinds.items():
        if is_kind(mode):
            raise ParameterError(f"is {kind}", where=os.fspath(path), remedy="name a file to write")


def is_null(path: str | os.PathLike[str]) -> bool:
    """Whether a path is the null device, which discards what is written to it."""
    try:
        found, null = os.stat(path), os.stat(os.devnull)
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == null.st_rdev


def stream_of(path: str | os.PathLike[str]) -> int | None:
    """The descriptor of this process that a path such as ``/dev/stdout`` stands for; None if it is another path."""
    place = os.path.abspath(path)
    for _ in range(MOST_LINKS):
        place = os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))
        found = STREAM.fullmatch(place)
        if found:
            is_mine = found[1] is not None or int(found[2]) == os.getpid()
            return int(found[1] or found[3]) if is_mine else None
        if not os.path.islink(place):
            return None
        place = os.path.join(os.path.dirname(place), os.readlink(place))
    return None
