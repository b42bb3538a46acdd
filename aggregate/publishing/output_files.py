"""Checks, before any work is done, that a command overwrites neither what it reads nor what it writes itself.

Each path must also be one that ``files.destination`` allows; ``cli.outputs`` finds the paths among the options.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..errors import AggregateError, ParameterError
from ..files.destination import LATEST, RECORD_FILE, RUNS, check_kind, check_place, is_null, stream_of
from ..files.locations import beside, child, is_uri, local_path, redacted
from ..files.sources import PARQUET_SUFFIXES, files_of, path_includes
from .open_run import consensus_path
from .tables import CONSENSUS_FILE


def check_output_files(
    outputs: Mapping[str, Sequence[str]], inputs: Mapping[str, Sequence[str]], folder: str | None = None
) -> None:
    """Raise ParameterError if a file to write may not be written, or is one that is read, or another one to write.

    ``outputs`` and ``inputs`` are paths by the names of the options that say so; inputs may be anything that can be
    read: files, folders, patterns, runs, URIs. ``folder`` is the output folder that the command publishes in, if any.
    """
    writes = [(option, path) for option, paths in outputs.items() for path in paths]
    for option, path in writes:
        if not path:
            raise ParameterError(f"the name that {option} gives is empty", remedy="name a file to write")
        check_place(path, folder)
        check_kind(path)
    writes = [(option, path) for option, path in writes if not is_null(path) and stream_of(path) is None]
    for number, (option, path) in enumerate(writes):
        for other, earlier in writes[:number]:
            if _is_same(path, earlier):
                raise _refused(f"would be written by both {other} and {option}", path)
        for reader, name in ((reader, name) for reader, names in inputs.items() for name in names):
            if is_uri(name) or not name or "\0" in name:
                continue
            if any(_is_same(path, file) for file in _files_of(name)):
                raise _refused(f"would be written over ({option}), but is read ({reader})", path)
            if _would_be_read(name, path):
                raise _refused(f"would be written ({option}) among what {name} names ({reader})", path)


def check_apart(output: str, paths: Iterable[str | os.PathLike[str]]) -> None:
    """Raise ParameterError if the next run would read the tables of the one before among what ``paths`` name.

    ``output`` is the output folder, ``paths`` are votes or other tables: files, folders, patterns, URIs.
    """
    any_run = "20261123T021500Z"
    tables = [child(output, *names, CONSENSUS_FILE) for names in ([LATEST], [RUNS, any_run])]
    for path in paths:
        if any(path_includes(os.fspath(path), table) for table in tables):
            raise ParameterError(
                f"the output folder {redacted(output)} lies among what {redacted(os.fspath(path))} names: the next run "
                "would read it; choose another (-o), or one whose name begins with _"
            )


def _refused(what: str, path: str) -> ParameterError:
    return ParameterError(what, where=path, remedy="name another file to write")


def _files_of(name: str) -> Iterator[str]:
    """The local files that a name means; none if it names no files."""
    try:
        name = local_path(name)
        if _is_run(name):
            consensus = consensus_path(name)
            yield from (consensus, beside(consensus, "users.parquet"), beside(consensus, RECORD_FILE))
        else:
            yield from files_of(name)
            yield from (
                beside(name, part)
                for part in ("users.parquet", RECORD_FILE)
                if os.path.basename(name) == CONSENSUS_FILE
            )
    except AggregateError:  # reported when it is read
        return


def _would_be_read(name: str, path: str) -> bool:
    """Whether the next command of the same names would read a file that is not there yet."""
    try:
        local = local_path(name)
    except AggregateError:
        return False
    if not path.lower().endswith(PARQUET_SUFFIXES) or _is_run(local):
        return False
    return path_includes(local, path)


def _is_run(folder: str) -> bool:
    """Whether a folder means a consensus, not all Parquet files below it."""
    return any(os.path.isfile(os.path.join(folder, *names, CONSENSUS_FILE)) for names in ([], ["latest"]))


def _is_same(path: str, other: str) -> bool:
    """Whether two paths lead to one file, or will, whatever links there are."""
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
