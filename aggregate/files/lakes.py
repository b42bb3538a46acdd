"""Folders that are tables of Delta Lake, Apache Iceberg or Apache Hudi.

Only the table's log says which Parquet files are current, and which of their rows are deleted. Read as plain files,
deleted rows would come back, and rewritten ones would count twice.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from ..errors import VotesError

LOGS = {"_delta_log": "a Delta", ".hoodie": "a Hudi", "metadata": "an Iceberg"}
"""The folder with a table's log, and the kind of the table."""

ICEBERG_LOG = (".metadata.json", ".metadata.json.gz")
"""Suffixes of the files in an Iceberg table's log: other folders are called metadata, too."""

EXPORTS = {
    "a Delta": "with DuckDB: COPY (FROM delta_scan('{root}')) TO 'votes.parquet'",
    "an Iceberg": "with DuckDB: COPY (FROM iceberg_scan('{root}')) TO 'votes.parquet'",
    "a Hudi": "with Spark: spark.read.format('hudi').load('{root}').write.parquet('votes')",
}
"""How to export each kind of table to plain Parquet files."""

FORMATS = {"a Delta": "delta", "an Iceberg": "iceberg"}
"""The formats that read votes from such tables in local folders."""


def check_no_lake(files: Iterable[str], given: str, known: dict[str, str | None]) -> None:
    """Raise VotesError if a file or folder lies in such a table, or is one; ``given`` is the path for messages.

    ``known`` caches the kind of each folder seen.
    """
    for file in files:
        for spelled in dict.fromkeys((os.path.abspath(file), os.path.realpath(file))):
            for folder in (spelled, *map(str, PurePosixPath(spelled).parents)):
                if folder not in known:
                    known[folder] = _kind_of(folder)
                if known[folder] is not None:
                    raise refusal(str(known[folder]), folder, given, is_local=True)


def _kind_of(folder: str) -> str | None:
    for log, kind in LOGS.items():
        path = os.path.join(folder, log)
        with suppress(OSError):
            if os.path.isdir(path) and (log != "metadata" or _is_iceberg_log(os.listdir(path))):
                return kind
    return None


def check_no_remote_lake(filesystem: Any, root: str, given: str) -> None:
    """Raise VotesError if a file or folder of a store is such a table, or lies in one."""
    from pyarrow.fs import FileSelector, FileType

    folders = [folder for folder in (root.rstrip("/"), *map(str, PurePosixPath(root).parents)) if folder not in "/."]
    logs = {f"{folder}/{log}": (kind, folder) for folder in folders for log, kind in LOGS.items()}
    there = []
    with suppress(Exception):  # folders above may be unreadable; errors of what is asked for are raised later
        there = [info.path for info in filesystem.get_file_info(list(logs)) if info.type == FileType.Directory]
    for path in there:
        kind, folder = logs[path]
        names: tuple[str, ...] = ()
        if kind == "an Iceberg":
            with suppress(Exception):
                below = filesystem.get_file_info(FileSelector(path, allow_not_found=True))
                names = tuple(item.path for item in below)
        if kind != "an Iceberg" or _is_iceberg_log(names):
            raise refusal(kind, folder, given)


def check_no_lake_among(found: Iterable[str], listed: Iterable[str], given: str) -> None:
    """Raise VotesError if any file of ``found`` lies in such a table, given all files ``listed`` there."""
    tables = dict(_tables_in(listed))
    for file in found if tables else ():
        for folder in map(str, PurePosixPath(file).parents):
            if folder in tables:
                raise refusal(tables[folder], folder, given)


def _tables_in(listed: Iterable[str]) -> Iterable[tuple[str, str]]:
    for path in listed:
        parts = path.split("/")
        for place, part in enumerate(parts[:-1]):
            if part in LOGS and (part != "metadata" or _is_iceberg_log(parts[-1:])):
                yield "/".join(parts[:place]), LOGS[part]


def _is_iceberg_log(names: Iterable[str]) -> bool:
    return any(name.endswith(ICEBERG_LOG) for name in names)


def refusal(kind: str, root: str, given: str, *, is_local: bool = False) -> VotesError:
    """The error for a table."""
    format = FORMATS.get(kind) if is_local else None
    how = f"read votes with --from {format} {root}, or " if format else ""
    return VotesError(
        f"is {kind} table, or part of one ({root}): its files also hold rows that were deleted or replaced",
        where=given,
        remedy=f"{how}export what it holds, {EXPORTS[kind].format(root=root)}",
    )
