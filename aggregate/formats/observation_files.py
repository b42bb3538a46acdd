"""Which observation a picture or recording is of: a table that whoever ran a classifier on the files has."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from ..errors import VotesError, quoted
from ..files.locations import local_path
from ..files.parquet import check_file, stream
from ..files.sources import printable
from ..parameters import parameter
from ..schema import Column
from .base import Account
from .delimited import delimiter_of, header, records
from .opening import opened

FILE, IMAGE, OBSERVATION = "file", "image", "observation_id"
PARQUET = b"PAR1"
UNKNOWN_FILE = "of a file that --observations does not have"


def observations_parameter() -> Any:
    """The option that names the table."""
    return parameter(
        None,
        f"Parquet, CSV or TSV with the columns {FILE} (or {IMAGE}) and {OBSERVATION}: what each file is of",
        is_file=True,
        metavar="FILE",
        unset="the path of a file is the id of its observation",
        group="Format",
    )


def base_parameter() -> Any:
    """The option that names what paths begin with."""
    return parameter(
        None,
        "folder that the paths of files begin with: it is left out of them",
        metavar="FOLDER",
        unset="none",
        group="Format",
    )


class FileObservations(NamedTuple):
    """The observations of files. Paths with backslashes are those with slashes."""

    by_file: Mapping[str, str] | None  # file -> id of its observation, as text; None where it is the file itself
    base: str  # left out of paths, with a slash at its end, if it has any

    @classmethod
    def read(cls, table: str | None, base: str | None) -> "FileObservations":
        """The table that ``table`` names.

        Raises VotesError if it cannot be read, lacks a column, or gives a file to two observations.
        """
        folder = "" if not base else f"{_with_slashes(base).rstrip('/')}/"
        if table is None:
            return cls(None, folder)
        found: dict[str, str] = {}
        for file, observation in _rows(Path(local_path(table))):
            if found.setdefault(file, observation) != observation:
                fault = f"{quoted(file)} is of two observations, {quoted(found[file])} and {quoted(observation)}"
                raise VotesError(fault, where=printable(table), remedy="leave one of them")
        return cls(found, folder)

    def of(self, file: str) -> str | None:
        """The id of the observation that a file is of, None if it is unknown."""
        path = _with_slashes(file).removeprefix(self.base)
        if self.by_file is not None:
            return self.by_file.get(path)
        return path if self.base else file


def _with_slashes(path: str) -> str:
    return path.replace("\\", "/")


def _rows(table: Path) -> Iterator[tuple[str, str]]:
    with opened(table) as file:
        is_parquet = file.read(len(PARQUET)) == PARQUET
    for path, observation in _rows_of_parquet(table) if is_parquet else _rows_of_text(table):
        if path and observation:
            yield _with_slashes(path), observation


def _rows_of_text(table: Path) -> Iterator[tuple[str, str]]:
    account = Account()
    delimiter = delimiter_of(table)
    column = _column_in(header(table, delimiter=delimiter))
    for record in records(table, account, (column, OBSERVATION), delimiter=delimiter):
        yield record.values[column], record.values[OBSERVATION]
    if account.rejected:
        first = account.rejected[0]
        fault = f"line {first.number:,} is a record {first.reason}"
        raise VotesError(fault, where=printable(str(table)), remedy="mend it")


def _rows_of_parquet(table: Path) -> Iterator[tuple[str, str]]:
    import pyarrow.parquet as pq

    column = _column_in(pq.read_schema(table).names)
    wanted = (Column(OBSERVATION, "id", "what the file is of"), Column(column, "string", "a picture or recording"))
    for batch in stream(check_file(table, wanted, {}), (column, OBSERVATION)):
        files, observations = (batch[name].cast(pa.string()).to_pylist() for name in (column, OBSERVATION))
        yield from zip(files, observations, strict=True)


def _column_in(names: list[str]) -> str:
    return IMAGE if IMAGE in names and FILE not in names else FILE
