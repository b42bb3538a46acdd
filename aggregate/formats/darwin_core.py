"""Darwin Core archives: identifications of occurrences, or of taxa.

The layout is that of the Darwin Core text guide, https://dwc.tdwg.org/text/; identifications are in GBIF's extension
https://rs.gbif.org/extension/dwc/identification_history_2025-07-10.xml, or in the core.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from itertools import islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from ..archives.members import Archive, open_archive
from ..archives.metafile import METAFILE, DataFile, Description, Field, describe, describe_header, needed
from ..archives.taxa import darwin_core_usages
from ..archives.text_rows import Fault, Row
from ..arrays import Flags, UserCodes, Words
from ..errors import VotesError
from ..files.sources import printable
from ..parameters import check_parameters, parameter
from .base import LONGEST, Account, Part, Rejected
from .coldp import taxonomy_rows
from .recognition import wrong_layout
from .rows import BATCH_ROWS, Rows
from .times import utc_time

if TYPE_CHECKING:
    from .recognition import Sample

IDENTIFICATIONS = ("Identification", "IdentificationHistory")  # types of rows
OCCURRENCE_IDS = ("gbifID", "occurrenceID")  # of a table without meta.xml: GBIF's own come first, as they are unique
CURRENT = "https://www.inaturalist.org/terms/identificationCurrent"  # false: its user has withdrawn it
KEPT = ("dateIdentified", "identificationVerificationStatus", "identificationQualifier", "taxonRank")
"""Terms that are columns of the votes, too."""

NO_PERSON, NO_NAME = "without anybody who identified it", "without a name"
NO_ID, ORPHAN = "without the id of an occurrence", "of an occurrence that is not in the core"
DOUBTED = "with a qualifier, such as cf., that doubts the name"

FULL_DATE = re.compile(r"\d{4}-?\d\d-?\d\d([T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?")

_option = partial(parameter, group="Format")
ID = pa.string()
COLUMNS = {
    "observation_id": ID,
    "user_id": ID,
    "label": ID,
    "is_author": pa.bool_(),
    "voted_at": pa.timestamp("us", tz="UTC"),
    "date_identified": ID,
    "identification_verification_status": ID,
    "identification_qualifier": ID,
    "taxon_rank": ID,
}


@dataclass(frozen=True)
class DarwinCore:
    """A Darwin Core archive, a folder or zip file: the identifications of its occurrences, or its taxa."""

    name: ClassVar[str] = "darwin-core"

    label: str = _option("scientificName", "term of the label: `scientificName`, `taxonID`, `acceptedNameUsageID`, ...")
    user: str = _option(
        "identifiedBy",
        "term that says who voted; where identifiedByID is missing, identifiedBy does",
        choices=("identifiedBy", "identifiedByID"),
    )
    people: str = _option(
        "each",
        "where several identified together (`a | b`): a vote of each, or one of them joined, as one user",
        choices=("each", "joined"),
    )
    identifications: str = _option(
        "all",
        "those of the extension and, for occurrences that have none there, of the core; or of one of them",
        choices=("all", "extension", "core"),
    )
    doubted: str = _option(
        "leave-out",
        "identifications with a qualifier (`cf.`, `aff.`): left out, or kept as votes on their name",
        choices=("leave-out", "keep"),
    )
    not_user: Sequence[str] = _option(
        ("plant-aggregate", "unknown", "not specified"),
        "who identified, but is no user: a program, or a word for nobody; in any case of letters",
        several=True,
        metavar="NAME",
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether it has a meta.xml, or the columns of GBIF's tables."""
        has_metafile = any(entry.rpartition("/")[2] == METAFILE for entry in sample.entries)
        return has_metafile or any(sample.has_columns(name, "scientificName") for name in OCCURRENCE_IDS)

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The identifications in archives as votes; taxa as a taxonomy."""
        for path in paths:
            yield from self._read(path, account)

    def _read(self, path: Path, account: Account) -> Iterator[Part]:
        if path.name == METAFILE and path.is_file():
            what = "is no archive but a description of one"
            raise VotesError(what, where=printable(str(path)), remedy="name the folder that it is in")
        archive = open_archive(path)
        description = describe(archive) or describe_header(archive, OCCURRENCE_IDS)
        if description is None:
            raise _no_archive(path)
        core = description.core
        if core.row_type == "Taxon":
            usages = partial(darwin_core_usages, archive, description)
            yield from taxonomy_rows(usages, "name" if self.label == "scientificName" else "id", account)
            return
        extensions = [table for table in description.extensions if table.row_type in IDENTIFICATIONS]
        if core.row_type == "Event" and not extensions:
            extensions = [table for table in description.extensions if table.row_type == "Occurrence"]
        in_core = core.row_type != "Event" and any(map(core.field, _user_terms(self.user)))
        if self.identifications == "core" or not extensions:
            if self.identifications == "extension" or not in_core:
                raise _no_identifications(description, self.identifications)
            yield from self._votes(_Source.of(archive, description, core, self), account)
            return
        found = _read_core(archive, description, self.user, account)
        for table in extensions:
            yield from self._votes(_Source.of(archive, description, table, self, found), account)
        left = found.has_identifier & ~found.is_identified
        if in_core and self.identifications == "all" and left.any():
            account.note("occurrences whose only identification is in the core", int(left.sum()))
            yield from self._votes(_Source.of(archive, description, core, self, only=left), account)

    def _votes(self, source: "_Source", account: Account) -> Iterator[Part]:
        """The identifications in a table as votes."""
        votes = Rows("votes", **COLUMNS)
        undated = _undated(source)
        not_users = {name.casefold() for name in self.not_user}
        for record in source.records(account):
            account.read()
            people = _people(record.user)
            users = [user for user in people if user.casefold() not in not_users]
            if not record.observation:
                account.reject(record.rejected(NO_ID))
            elif not record.is_known:
                account.reject(record.rejected(ORPHAN))
            elif record.current == "false":
                account.leave_out("that its user has withdrawn (identificationCurrent)")
            elif not people:
                account.leave_out(NO_PERSON)
            elif not users:
                account.leave_out(f"by {' and '.join(people)}, which is no user")
            elif record.qualifier.strip() and self.doubted == "leave-out":
                account.leave_out(DOUBTED)
            elif not record.label.strip():
                account.leave_out(NO_NAME)
            else:
                authors = {*_people(record.recorded_by)}
                if self.people == "joined":
                    users = [record.user if len(users) > 1 else users[0]]
                account.note("further votes, as several identified together", len(users) - 1)
                for user in users:
                    # All of those who are one user together: a bar may be in an id, as in a|b, beside a|c.
                    is_author = authors.issuperset(_people(user)) if authors else None
                    voted_at = None if undated.has(record, user) else _time_of(record.date)
                    kept = (text or None for text in (record.date, record.status, record.qualifier, record.rank))
                    votes.add(record.observation, user, record.label, is_author, voted_at, *kept)
                yield from votes.full()
        yield from votes.rest()


class _Record(NamedTuple):
    """An identification as it stands in the archive; what is missing is ""."""

    file: str
    row: Row
    observation: str
    is_known: bool  # whether the core has its id
    user: str
    label: str
    recorded_by: str
    date: str
    status: str
    qualifier: str
    rank: str
    current: str

    def rejected(self, reason: str) -> Rejected:
        """It as one that cannot be used."""
        text = " | ".join(self.row.fields)[:LONGEST]
        given = (self.observation or None, self.user or None, self.label or None)
        return Rejected("votes", self.file, "line", self.row.line, reason, *given, text)


@dataclass(frozen=True)
class _Source:
    """A table with identifications, and what the core says of their occurrences."""

    archive: Archive
    table: DataFile
    reference: Field  # the id of the core; for an extension, of the row that it is about
    observation: Field
    user: tuple[Field, ...]  # the first that is not empty
    label: Field
    recorded_by: tuple[Field, ...]  # where it is in this table
    kept: tuple[Field, ...]
    current: Field
    core: "_Core | None" = None  # of an extension
    only: Flags | None = None  # of the core: the rows that are read

    @classmethod
    def of(
        cls,
        archive: Archive,
        description: Description,
        table: DataFile,
        options: DarwinCore,
        core: "_Core | None" = None,
        only: Flags | None = None,
    ) -> "_Source":
        """The columns that are read of a table. Raises VotesError if one is missing, or ambiguous."""
        reference = table.id or table.field("occurrenceID")
        if reference is None:
            raise VotesError(f"{table.row_type} has no id", where=description.where, remedy="name its column in <id>")
        users = _user_terms(options.user)
        known = [term for term in users if table.field(term)] or ["identifiedBy"]
        recorded = [term.replace("identified", "recorded") for term in users]
        is_of_event = core is not None and description.core.row_type == "Event"
        return cls(
            archive,
            table,
            reference,
            needed(table, "occurrenceID", description) if is_of_event else reference,
            tuple(needed(table, term, description) for term in known),
            needed(table, options.label, description),
            tuple(found for term in recorded if (found := table.field(term))),
            tuple(table.field(term) or Field(None) for term in KEPT),
            table.field(CURRENT) or Field(None),
            core,
            only,
        )

    def rows(self, account: Account | None = None) -> Iterator[tuple[str, Row]]:
        """The rows that are read; faults and notes are counted in ``account``, if there is one."""
        if account is None or self.only is not None:
            account = Account()  # they are counted already
        rows = self.table.rows(self.archive, account.facts, partial(_reject_fault, account))
        if self.only is None:
            return rows
        return (row for row, is_read in zip(rows, self.only.tolist(), strict=True) if is_read)

    def records(self, account: Account) -> Iterator[_Record]:
        """The identifications in their order."""
        rows = self.rows(account)
        while batch := list(islice(rows, BATCH_ROWS)):
            if self.core is None:
                authors: Iterable[str | None] = repeat("")
            else:
                authors = self.core.authors_of([self.reference.value(row.fields) for _, row in batch])
            for (file, row), author in zip(batch, authors, strict=False):
                fields = row.fields
                date, status, qualifier, rank = (field.value(fields) for field in self.kept)
                yield _Record(
                    file,
                    row,
                    self.observation.value(fields),
                    author is not None,
                    self.user_of(fields),
                    self.label.value(fields),
                    _joined(self.recorded_by, fields) if self.recorded_by else author or "",
                    date,
                    status,
                    qualifier,
                    rank,
                    self.current.value(fields),
                )

    def user_of(self, fields: Sequence[str]) -> str:
        """Who identified, "" if nobody is named."""
        return next(filter(None, (field.value(fields) for field in self.user)), "")


def _user_terms(user: str) -> tuple[str, ...]:
    return ("identifiedByID", "identifiedBy") if user == "identifiedByID" else ("identifiedBy",)


def _joined(fields: Sequence[Field], values: Sequence[str]) -> str:
    return " | ".join(filter(None, (field.value(values) for field in fields)))


def _people(text: str) -> list[str]:
    """Those whom a text names, each once: several are separated by a bar, and one alone is not trimmed.

    >>> _people("Theodore Pappenfuss | Robert Macey")
    ['Theodore Pappenfuss', 'Robert Macey']
    """
    if "|" in text:
        return [*dict.fromkeys(filter(None, map(str.strip, text.split("|"))))]
    return [text] if text.strip() else []


def _time_of(date: str) -> datetime | None:
    """The time of a date that has at least a day, which is then its beginning; None of all others.

    A time without a zone is taken for UTC.

    >>> print(_time_of("1963-03-08T14:07-0600"), _time_of("1963-03-08"), _time_of("1963-03"))
    1963-03-08 20:07:00+00:00 1963-03-08 00:00:00+00:00 None
    """
    if not FULL_DATE.fullmatch(date):
        return None
    return utc_time(date if "T" in date or " " in date else f"{date}T00:00")


class _Undated:
    """Pairs of observation and user with an identification that has no date, or only a part of one.

    Which of a user's identifications is the latest, their order says then, and no date: those with one lose it. Takes 8
    bytes for each such identification, and none where no identification has a date.
    """

    def __init__(self, digests: Words) -> None:
        self._digests = array("Q", np.unique(digests).tobytes())

    def has(self, record: _Record, user: str) -> bool:
        """Whether a pair is one of them."""
        if not self._digests:
            return False
        digest = _digest(record.observation, user)
        place = bisect_left(self._digests, digest)
        return place < len(self._digests) and self._digests[place] == digest


def _undated(source: _Source) -> _Undated:
    found, is_any_dated = array("Q"), False
    date = source.kept[0]
    if date != Field(None):
        for _, row in source.rows():
            if _time_of(date.value(row.fields)):
                is_any_dated = True
            else:
                observation, user = source.observation.value(row.fields), source.user_of(row.fields)
                found.extend(_digest(observation, name) for name in {*_people(user), user})
    return _Undated(np.frombuffer(found if is_any_dated else array("Q"), np.uint64))


class _Core:
    """The ids of the core, and who recorded each occurrence; 22 bytes for each row, and the names of the recorders.

    Of an id 64 bits of its BLAKE2 digest are kept: an unknown id passes for one of 10 million with a probability of one
    to a million millions.
    """

    def __init__(self, digests: Words, recorders: UserCodes, names: list[str], has_identifier: Flags) -> None:
        self._order = np.argsort(digests, kind="stable")
        self._digests = digests[self._order]
        self._recorders = recorders
        self._names = names
        self.has_identifier = has_identifier
        self.is_identified = np.zeros(digests.size, np.bool_)  # by a row of an extension that was asked for

    @property
    def n_repeated(self) -> int:
        """Number of rows whose id an earlier row has."""
        return int((self._digests[1:] == self._digests[:-1]).sum())

    def authors_of(self, ids: Sequence[str]) -> list[str | None]:
        """Who recorded the occurrence of each id, "" if nobody is named; None for ids that the core does not have."""
        if not self._digests.size:
            return [None] * len(ids)
        wanted = np.array([_digest(text) for text in ids], np.uint64)
        places = np.minimum(np.searchsorted(self._digests, wanted), self._digests.size - 1)
        rows, is_known = self._order[places], self._digests[places] == wanted
        self.is_identified[rows[is_known]] = True
        codes = np.where(is_known, self._recorders[rows], -1)
        return [self._names[code] if code >= 0 else None for code in codes.tolist()]


def _read_core(archive: Archive, description: Description, user: str, account: Account) -> _Core:
    table = description.core
    if table.id is None:
        raise VotesError(f"{table.row_type} has no id", where=description.where, remedy="name its column in <id>")
    recorded_by, identified_by = (
        [found for term in _user_terms(user) if (found := table.field(term.replace("identified", verb)))]
        for verb in ("recorded", "identified")
    )
    names: dict[str, int] = {"": 0}
    digests, recorders, has_identifier = array("Q"), array("i"), array("b")
    rows = table.rows(archive, account.facts, lambda _, fault: account.note(f"rows of the core {fault.reason}"))
    for _, row in rows:
        digests.append(_digest(table.id.value(row.fields)))
        recorders.append(names.setdefault(_joined(recorded_by, row.fields), len(names)))
        has_identifier.append(bool(_joined(identified_by, row.fields).strip()))
    core = _Core(
        np.frombuffer(digests, np.uint64),
        np.frombuffer(recorders, np.int32),
        list(names),
        np.frombuffer(has_identifier, np.bool_),
    )
    account.note("rows of the core with the id of an earlier row", core.n_repeated)
    return core


def _digest(*texts: str) -> int:
    data = "\0".join(texts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def _reject_fault(account: Account, file: str, fault: Fault) -> None:
    account.read()
    account.reject(Rejected("votes", file, "line", fault.line, fault.reason, text=fault.text[:LONGEST]))


def _no_archive(path: Path) -> VotesError:
    if path.is_file() and not path.stat().st_size:
        return VotesError("is empty", where=printable(str(path)), remedy="export it again")
    remedy = "name a folder or zip file with one, or a table whose first line has Darwin Core terms"
    return wrong_layout(path, DarwinCore.name, f"has no {METAFILE}", remedy)


def _no_identifications(description: Description, wanted: str) -> VotesError:
    core = description.core
    if wanted == "extension":
        what, remedy = "has no Identification extension", "leave out --identifications extension"
    elif core.row_type == "Event":
        what, remedy = "is an archive of events without occurrences or identifications", "name one with an extension"
    else:
        what = f"says of no {core.row_type} who identified it: it has no identifiedBy, and no Identification extension"
        remedy = "consensus needs the identifications of several people"
    return VotesError(what, where=description.where, remedy=remedy)
