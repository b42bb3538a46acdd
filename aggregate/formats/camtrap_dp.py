"""Camtrap DP 1.0: the observations of a camera trap data package, classified by people and machines.

https://camtrap-dp.tdwg.org/data/#observations; a package is a folder or zip file with a datapackage.json, by
https://specs.frictionlessdata.io/data-package/.
"""

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from ..archives.members import Archive, member_of, open_archive, read_small
from ..archives.text_rows import Dialect, Fault, Row, read_rows
from ..errors import VotesError, did_you_mean, quoted
from ..parameters import check_parameters, parameter
from .base import LONGEST, Account, Part, Rejected
from .recognition import wrong_layout
from .rows import Rows
from .scores import share_of
from .times import utc_time

if TYPE_CHECKING:
    from .recognition import Sample

PACKAGE, TABLE = "datapackage.json", "observations"
MISSING = frozenset(["", "NA", "NaN", "nan"])
IDS = {"media": "mediaID", "event": "eventID"}  # by observationLevel
TYPES = ("animal", "blank", "human", "vehicle", "unknown", "unclassified")
TABLES = {"human": "votes", "machine": "ai_votes"}  # by classificationMethod

NO_SCORE = "without a classificationProbability in [0, 1]"
SEVERAL = "with more than one species"
AGAIN = "further rows of the same species, such as of young ones"
ID = pa.string()
_option = partial(parameter, group="Format")


@dataclass(frozen=True)
class CamtrapDp:
    """A camera trap data package (Camtrap DP 1.0): people's classifications as votes, a machine's as AI votes."""

    name: ClassVar[str] = "camtrap-dp"

    level: str = _option(
        "media",
        "which classifications: of single pictures and videos, or of events; a package may have both of the same",
        choices=tuple(IDS),
    )
    model: str | None = _option(
        None, "the machine, as in classifiedBy, whose classifications are the AI's votes", unset="the only one"
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether it has a data package with observations, or is the table of these."""
        entries = {entry.rpartition("/")[2] for entry in sample.entries}
        is_package = PACKAGE in entries and any(entry.startswith(TABLE) for entry in entries)
        return is_package or sample.has_columns("observationLevel", "observationType")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The votes of people, and a machine's votes."""
        tables = [_find_table(path) for path in paths]
        survey = _Survey()
        for table in tables:
            for row in table.rows(self.level, Account()):
                survey.add(row)
        model = survey.the_model(self.model, tables[0].where)
        reading = _Reading(survey.repeated(), model, account)
        for table in tables:
            for row in table.rows(self.level, account):
                yield from reading.use(row)
        yield from reading.rest()


class _Observation(NamedTuple):
    """A row of the table, with "" for what is missing."""

    where: str
    row: Row
    level: str
    id: str  # of the medium, or the event
    type: str
    label: str
    method: str
    classified_by: str
    time: str
    probability: str
    deployment: str
    event: str
    is_of_level: bool  # that is read

    @property
    def table(self) -> str:
        """The table that it would be a row of."""
        return TABLES.get(self.method, "votes")

    @property
    def user(self) -> str:
        """Who classified; someone who is not named is a user of one medium or event."""
        return self.classified_by or f"unknown:{self.id}"

    @property
    def is_opinion(self) -> bool:
        """Whether it is about a species."""
        return bool(self.is_of_level and self.id and self.type == "animal" and self.label and self.method in TABLES)

    @property
    def key(self) -> tuple[str, str, str]:
        """What its row of the table is identified by: there are several of one classification."""
        return self.table, self.id, self.user if self.method == "human" else ""

    def rejected(self, reason: str) -> Rejected:
        """It as one that cannot be used."""
        given = (self.id or None, self.user if self.method == "human" else None, self.label or None)
        text = ",".join(self.row.fields)[:LONGEST]
        return Rejected(self.table, self.where, "line", self.row.line, reason, *given, text)


COLUMNS = {
    "level": "observationLevel",
    "type": "observationType",
    "label": "scientificName",
    "method": "classificationMethod",
    "classified_by": "classifiedBy",
    "time": "classificationTimestamp",
    "probability": "classificationProbability",
    "deployment": "deploymentID",
    "event": "eventID",
}


@dataclass(frozen=True)
class _Table:
    """The observations of a package, in one or several files."""

    path: Path  # of the package
    archive: Archive
    files: tuple[str, ...]
    dialect: Dialect

    @property
    def where(self) -> str:
        return f"{self.archive.where}/{self.files[0]}"

    def rows(self, level: str, account: Account) -> Iterator[_Observation]:
        """The rows; what cannot be read is counted in ``account``."""
        for name in self.files:
            where = f"{self.archive.where}/{name}"
            with self.archive.stream(name) as file:
                rows = read_rows(file, self.dialect, where, account.facts, partial(_reject_fault, account, where))
                columns = _columns(next(rows, Row(1, [])).fields, level, where, self.path)
                n_fields = max(columns.values()) + 1
                for row in rows:
                    if len(row.fields) < n_fields:
                        _reject_fault(account, where, Fault(row.line, "cut short", ",".join(row.fields)))
                        continue
                    found = {
                        name: "" if (text := row.fields[index]) in MISSING else text for name, index in columns.items()
                    }
                    yield _Observation(where, row, **found, is_of_level=found["level"] == level)


def _columns(header: Sequence[str], level: str, where: str, path: Path) -> dict[str, int]:
    """Which column has what. Raises VotesError."""
    wanted = {**COLUMNS, "id": IDS[level]}
    missing = [column for column in wanted.values() if column not in header]
    if len(missing) == len(wanted) and path == Path(where):
        raise wrong_layout(path, CamtrapDp.name, f"has no column {missing[0]}", f"it has {', '.join(header)}")
    if missing:
        is_early = "observationLevel" in missing and "observationType" in header
        remedy = "Camtrap DP has it since 1.0" if is_early else did_you_mean(missing[0], header)
        raise VotesError(f"has no column {missing[0]}", where=where, remedy=remedy or f"it has {', '.join(header)}")
    return {name: header.index(column) for name, column in wanted.items()}


class _Survey:
    """What must be known before the first row is used."""

    def __init__(self) -> None:
        self._digests = array("Q")
        self._models: Counter[str] = Counter()

    def add(self, row: _Observation) -> None:
        """Count a row."""
        if row.is_opinion:
            self._digests.append(_digest(row.key))
            if row.method == "machine":
                self._models[row.classified_by] += 1

    def the_model(self, wanted: str | None, where: str) -> str:
        """The one whose votes are the AI's. Raises VotesError if that is not clear."""
        models = {name: f"{name or 'without a name'} ({n:,})" for name, n in self._models.most_common()}
        if wanted is None and len(models) > 1:
            what = f"has classifications of {len(models)} machines: {', '.join(models.values())}"
            raise VotesError(what, where=where, remedy="name one with --model")
        if wanted is not None and models and wanted not in models:
            remedy = did_you_mean(wanted, models) or f"it has {', '.join(models.values())}"
            raise VotesError(f"has no classifications of the machine {quoted(wanted)}", where=where, remedy=remedy)
        return next(iter(models), "") if wanted is None else wanted

    def repeated(self) -> frozenset[int]:
        """The digests of classifications that have several rows, of 64 bits: others have these by chance."""
        digests, counts = np.unique(np.frombuffer(self._digests, np.uint64), return_counts=True)
        return frozenset(digests[counts > 1].tolist())


def _digest(key: tuple[str, ...]) -> int:
    data = "\0".join(key).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


class _Classification(NamedTuple):
    """A row that can be used: one of a classification that may have several."""

    row: _Observation
    time: datetime | None
    score: float | None


class _Reading:
    """Makes rows of votes and AI votes; those of a classification are held until the end if there are several."""

    def __init__(self, repeated: frozenset[int], model: str, account: Account) -> None:
        time = pa.timestamp("us", tz="UTC")
        self._rows = {
            "votes": Rows(
                "votes", observation_id=ID, user_id=ID, label=ID, voted_at=time, deployment_id=ID, event_id=ID
            ),
            "ai_votes": Rows("ai_votes", observation_id=ID, label=ID, score=pa.float64()),
        }
        self._repeated = repeated
        self._held: dict[tuple[str, ...], list[_Classification]] = {}
        self._model = model
        self._account = account

    def use(self, row: _Observation) -> Iterator[Part]:
        """Count a row of the observations."""
        self._account.read(table=row.table)
        if row.level not in IDS or (row.is_of_level and row.type not in TYPES):
            column = "observationType" if row.level in IDS else "observationLevel"
            self._account.reject(row.rejected(f"with an unknown {column}"))
        elif absence := self._absence(row):
            self._account.leave_out(absence, table=row.table)
        elif not row.id:
            self._account.reject(row.rejected(f"without {IDS[row.level]}"))
        elif row.method == "machine" and (score := share_of(row.probability.strip())) is None:
            self._account.reject(row.rejected(NO_SCORE))
        else:
            time = utc_time(row.time)
            if row.time and time is None:
                self._account.note("times that are not in ISO 8601, taken as missing")
            if row.method == "human" and not row.classified_by:
                self._account.note("classifications of someone who is not named: each a user of one medium or event")
            found = _Classification(row, time, score if row.method == "machine" else None)
            if _digest(row.key) in self._repeated:
                self._held.setdefault(row.key, []).append(found)
            else:
                yield from self._add([found])

    def rest(self) -> Iterator[Part]:
        """The classifications that have several rows, and all that is left."""
        for several in self._held.values():
            labels = {found.row.label for found in several}
            if len(labels) > 1:
                for found in several:
                    self._account.reject(found.row.rejected(SEVERAL))
            else:
                self._account.leave_out(AGAIN, len(several) - 1, table=several[0].row.table)
                yield from self._add(several)
        for rows in self._rows.values():
            yield from rows.rest()

    def _absence(self, row: _Observation) -> str:
        """Why a row says nothing of a species; "" if it does."""
        if not row.is_of_level:
            return f"of the level {row.level}"
        if row.method not in TABLES:
            return "without a classificationMethod of human or machine"
        if row.type != "animal":
            return f"of the type {row.type}: no species"
        if not row.label:
            return "of animals without a name"
        if row.method == "machine" and row.classified_by != self._model:
            return f"of the machine {row.classified_by or 'without a name'}"
        return ""

    def _add(self, several: Sequence[_Classification]) -> Iterator[Part]:
        """A row of a table, from those of one classification."""
        row = several[0].row
        rows = self._rows[row.table]
        if row.method == "machine":
            rows.add(row.id, row.label, max(found.score for found in several if found.score is not None))
        else:
            voted_at = max((found.time for found in several if found.time), default=None)
            rows.add(row.id, row.user, row.label, voted_at, row.deployment or None, row.event or None)
        yield from rows.full()


def _find_table(path: Path) -> _Table:
    """The observations of the package at a path, or in that file. Raises VotesError."""
    archive = open_archive(path)
    names = archive.names()
    if PACKAGE not in names:
        if path.is_file() and names == [path.name]:
            return _Table(path, archive, (path.name,), Dialect())
        remedy = "name a folder or zip file with one, or the table of observations"
        raise wrong_layout(path, CamtrapDp.name, f"has no {PACKAGE}", remedy)
    where = f"{archive.where}/{PACKAGE}"
    try:
        package = json.loads(read_small(archive, PACKAGE))
        resources = {resource["name"]: resource for resource in package["resources"]}
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        remedy = "it needs resources with names"
        raise VotesError(f"is no data package ({type(error).__name__})", where=where, remedy=remedy) from error
    if TABLE not in resources:
        raise wrong_layout(path, CamtrapDp.name, f"{PACKAGE} has no resource {TABLE}", f"it has {', '.join(resources)}")
    return _described_table(path, archive, resources[TABLE], where)


def _described_table(path: Path, archive: Archive, resource: Mapping[str, Any], where: str) -> _Table:
    paths = resource.get("path")
    files = [paths] if isinstance(paths, str) else paths
    if not files or not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise VotesError(f"names no file of {TABLE}", where=where, remedy="add its path")
    if any(file.lower().endswith(".parquet") for file in files):
        remedy = "write it as CSV, or map its columns: plant-aggregate run --column"
        raise VotesError(f"has {TABLE} as Parquet", where=where, remedy=remedy)
    dialect = resource.get("dialect")
    given = dialect if isinstance(dialect, dict) else {}
    return _Table(
        path,
        archive,
        tuple(member_of(archive, file, PACKAGE) for file in files),
        Dialect(
            str(given.get("delimiter", ",")),
            str(given.get("quoteChar", '"')),
            encoding=str(resource.get("encoding", "UTF-8")),
        ),
    )


def _reject_fault(account: Account, where: str, fault: Fault) -> None:
    account.read()
    account.reject(Rejected("votes", where, "line", fault.line, fault.reason, text=fault.text[:LONGEST]))
