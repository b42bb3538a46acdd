"""Apache Iceberg: the votes in a snapshot of a table."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from ..errors import VotesError
from ..files.locations import local_path
from ..files.sources import printable
from ..parameters import check_parameters, setting
from .base import Account, Part
from .lakes import columns_parameter, imported, lake_parts, only_table, reading
from .recognition import Sample, wrong_layout

METADATA = re.compile(r"v?(\d+)(-.*)?(\.gz)?\.metadata\.json")  # 00003-UUID.metadata.json, v3.metadata.json
HINT = "version-hint.text"
NAME_FILE = "name the metadata file that the catalog has for the table"


@dataclass(frozen=True)
class Iceberg:
    """A table of Apache Iceberg in a local folder, read by pyiceberg: the rows of one snapshot, without deleted ones.

    The input is the table's folder, or one of its metadata files. In a folder the latest is read, which a catalog may
    not have committed.
    """

    name: ClassVar[str] = "iceberg"

    snapshot: int | None = setting(
        None,
        "the id of the snapshot, by default the current one",
        unset="the current one",
        group="Format",
        metavar="ID",
    )
    columns: Mapping[str, str] | None = columns_parameter()

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a folder is such a table, or a file its metadata."""
        return sample.has_paths("format-version", "table-uuid") or any(
            entry.startswith("metadata/") and METADATA.fullmatch(entry.removeprefix("metadata/"))
            for entry in sample.entries
        )

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes. Raises ParameterError if pyiceberg is not installed."""
        path, table, snapshot = self._opened(paths)
        account.details["snapshot"] = str(snapshot)
        with reading(path):
            schema = table.scan(snapshot_id=snapshot).projection().as_arrow()

        def scan(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            # `to_arrow` fails for the whole table once a file of it has a dictionary or another kind of text
            with reading(path, f"see that its files are where its metadata says, in {table.location()}"):
                yield from table.scan(selected_fields=tuple(columns), snapshot_id=snapshot).to_arrow_batch_reader()

        yield from lake_parts(printable(str(path)), schema, scan, self.columns, account)

    def files(self, paths: Sequence[Path]) -> Iterator[Path]:
        """The list of the snapshot's files, and these; not the metadata, which every commit replaces."""
        path, table, snapshot = self._opened(paths)
        with reading(path):
            tasks = list(table.scan(snapshot_id=snapshot).plan_files())
            names = [file.file_path for task in tasks for file in (task.file, *task.delete_files)]
            names.append(table.snapshot_by_id(snapshot).manifest_list)
        yield from (Path(local_path(name)) for name in dict.fromkeys(names))

    def as_read(self, details: Mapping[str, str]) -> "Iceberg":
        """The format that reads the snapshot in the ``details`` of a conversion, whatever was appended since."""
        return replace(self, snapshot=int(details["snapshot"])) if "snapshot" in details else self

    def _opened(self, paths: Sequence[Path]) -> tuple[Path, Any, int]:
        path = only_table(paths)
        metadata = _metadata_of(path)
        opening = imported("pyiceberg.table", "iceberg").StaticTable
        with reading(path):
            table = opening.from_metadata(os.fspath(metadata.absolute()))
        return path, table, self._snapshot_of(table, printable(str(path)))

    def _snapshot_of(self, table: Any, where: str) -> int:
        known = [snapshot.snapshot_id for snapshot in table.metadata.snapshots]
        if self.snapshot is not None and self.snapshot not in known:
            fault = f"has no snapshot {self.snapshot}"
            raise VotesError(fault, where=where, remedy=f"it has {', '.join(map(str, known)) or 'none'}")
        current = table.metadata.current_snapshot_id if self.snapshot is None else self.snapshot
        if current is None:
            raise VotesError("has no snapshot, so no rows", where=where, remedy="write the votes into it")
        return int(current)


def _metadata_of(path: Path) -> Path:
    """The metadata file of a table, or the folder in which a hint says which it is."""
    if path.is_file():
        if not METADATA.fullmatch(path.name):
            raise wrong_layout(path, Iceberg.name, "is no metadata file of Iceberg", "name the folder of the table")
        return path
    folder = path / "metadata"
    if (folder / HINT).is_file():
        return path
    found: dict[int, list[Path]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if numbered := METADATA.fullmatch(file.name):
            found.setdefault(int(numbered[1]), []).append(file)
    if not found:
        fault = "is no table of Iceberg: there is no file metadata/*.metadata.json in it"
        raise wrong_layout(path, Iceberg.name, fault, "name the folder that is the table, or a metadata file")
    latest = found[max(found)]
    if len(latest) > 1:
        names = " and ".join(file.name for file in latest)
        raise VotesError(f"has several latest metadata files, {names}", where=printable(str(path)), remedy=NAME_FILE)
    return latest[0]
