"""Delta Lake: the votes in a version of a table."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from ..errors import VotesError
from ..files.sources import printable
from ..parameters import check_parameters, setting
from .base import Account, Part
from .lakes import columns_parameter, imported, lake_parts, only_table, reading
from .recognition import Sample, wrong_layout

LOG = "_delta_log"


@dataclass(frozen=True)
class Delta:
    """A table of Delta Lake in a local folder, read by deltalake: the rows of one version, without deleted ones."""

    name: ClassVar[str] = "delta"

    version: int | None = setting(
        None,
        "the version of the table, by default the latest",
        "at least 0",
        unset="the latest",
        group="Format",
        metavar="N",
    )
    columns: Mapping[str, str] | None = columns_parameter()

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a folder is such a table."""
        return any(entry.startswith(f"{LOG}/") for entry in sample.entries)

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes. Raises ParameterError if deltalake is not installed."""
        path, table = self._opened(paths)
        with reading(path):
            schema = pa.schema(table.schema().to_arrow())
        account.details["version"] = str(table.version())

        def scan(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            # `to_pyarrow_table` refuses tables with deletion vectors; the files alone have rows that were deleted, too
            with reading(path, "see that the table is whole: its files may have been vacuumed"):
                yield from pa.RecordBatchReader.from_stream(table.scan(columns=list(columns)))

        yield from lake_parts(printable(str(path)), schema, scan, self.columns, account)

    def files(self, paths: Sequence[Path]) -> Iterator[Path]:
        """The files of the version, and the entry of the log that made it. Raises as :meth:`read`."""
        path, table = self._opened(paths)
        yield path / LOG / f"{table.version():020}.json"
        with reading(path):
            yield from (path / os.path.relpath(file, os.path.realpath(path)) for file in table.file_uris())

    def as_read(self, details: Mapping[str, str]) -> "Delta":
        """The format that reads the version in the ``details`` of a conversion, whatever was appended since."""
        return replace(self, version=int(details["version"])) if "version" in details else self

    def _opened(self, paths: Sequence[Path]) -> tuple[Path, Any]:
        path = only_table(paths)
        if not (path / LOG).is_dir():
            fault = f"is no table of Delta Lake: there is no folder {LOG} in it"
            raise wrong_layout(path, self.name, fault, "name the folder that is the table")
        opening = imported("deltalake", "delta").DeltaTable
        with reading(path):
            table = opening(os.fspath(path))
            latest = table.version()
            if self.version is not None and self.version > latest:
                fault = f"has no version {self.version}, the latest is {latest}"
                raise VotesError(fault, where=printable(str(path)), remedy=f"name an earlier one, 0 to {latest}")
            if self.version is not None:
                table.load_as_version(self.version)
        return path, table
