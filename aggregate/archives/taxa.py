"""Taxa and their synonyms, from a Darwin Core archive of taxa or a Catalogue of Life data package (ColDP).

The layouts are described at https://dwc.tdwg.org/text/ and https://github.com/CatalogueOfLife/coldp: a ColDP has a
table NameUsage, or Name, Taxon and Synonym. Names are taken without authorship, as votes mostly have them.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from ..errors import VotesError
from .members import Archive, open_archive
from .metafile import METAFILE, Description, Field, describe, describe_header, last_part
from .text_rows import Dialect, Fault, Row, read_rows

NO_TAXA = ("misapplied", "bare name")  # statuses of names that are neither taxa nor synonyms
SUFFIXES = {"csv": ",", "tsv": "\t", "tab": "\t", "txt": "\t"}  # of the tables of a ColDP
LOOKS_LIKE = "name a Darwin Core archive of taxa, or a ColDP: a folder or zip file with NameUsage, or Taxon and Name"


class Usage(NamedTuple):
    """A name as one taxonomy uses it: of a taxon, or as a synonym. What is missing is ""."""

    id: str
    name: str  # without authorship
    full_name: str  # with authorship, if it has one
    rank: str  # in lower case
    parent: str  # id of the taxon above it
    accepted: str  # id of the taxon that it is a synonym of, "" if it is one itself
    accepted_name: str  # the name of that, where there is no id
    status: str  # in lower case
    line: int
    where: str

    @property
    def is_taxon(self) -> bool:
        """Whether it is the accepted name of a taxon."""
        return not (self.accepted or self.accepted_name or "synonym" in self.status or self.status in NO_TAXA)


def usages(
    path: str | PathLike[str], notes: Counter[str] | None = None, faulty: Callable[[str, Fault], None] | None = None
) -> Iterator[Usage]:
    """All names of a taxonomy, in the order of its table. Raises VotesError if the file is in another layout.

    Rows that are not written as they should be go to ``faulty``; without it they are counted in ``notes``.
    """
    notes = Counter() if notes is None else notes
    if faulty is None:
        faulty = partial(_count_fault, notes)
    coldp = coldp_usages(path)
    if coldp is not None:
        return coldp(notes, faulty)
    archive = open_archive(Path(path))
    description = describe(archive) or describe_header(archive, ("taxonID",))
    if description is None:
        raise VotesError("has no table of taxa", where=str(path), remedy=LOOKS_LIKE)
    table = description.core
    if table.row_type != "Taxon" and METAFILE in archive.names():
        what = f"is an archive of {table.row_type or 'rows of no type'}, not of Taxon"
        raise VotesError(what, where=description.where, remedy=LOOKS_LIKE)
    return darwin_core_usages(archive, description, notes, faulty)


def coldp_usages(path: str | PathLike[str]) -> "partial[Iterator[Usage]] | None":
    """What reads the names in a ColDP, given notes and faults; None if there is none at the path."""
    archive = open_archive(Path(path))
    tables = _coldp_tables(archive)
    has_names = "nameusage" in tables or {"name", "taxon"} <= set(tables)
    return partial(_of_coldp, archive, tables) if has_names else None


def synonyms_of(path: str | PathLike[str], notes: Counter[str] | None = None) -> Iterator[tuple[str, str]]:
    """Synonym and accepted name, each without authorship; and once more with that of the synonym, if it has one.

    A synonym of a synonym has the accepted name of that. A name may come several times with different accepted names:
    as a synonym of several taxa in part, or used by several authors. What has no accepted name in the table is counted
    in ``notes`` and left out; misapplied names are left out. Takes memory for the synonyms and their accepted names.
    """
    notes = Counter() if notes is None else notes
    accepted: dict[str, str] = {}  # id -> the accepted name, or "" until it is known
    synonyms: list[tuple[str, str, str]] = []
    above: dict[str, str] = {}  # id of a synonym -> id of what it is a synonym of
    for usage in usages(path, notes):
        if usage.status in NO_TAXA or usage.is_taxon:
            continue
        if usage.accepted:
            synonyms.append((usage.name, usage.full_name, usage.accepted))
            above[usage.id] = usage.accepted
            accepted[usage.accepted] = ""
        elif usage.accepted_name:
            yield from _pairs(usage.name, usage.full_name, usage.accepted_name)
        else:
            notes["synonyms without an accepted name"] += 1
    if synonyms:
        for usage in usages(path):
            if usage.is_taxon and usage.id in accepted:
                accepted[usage.id] = usage.name
    for name, full_name, found in synonyms:
        seen = set()
        while not accepted.get(found) and found in above and found not in seen:
            seen.add(found)
            found = above[found]
        if accepted.get(found):
            yield from _pairs(name, full_name, accepted[found])
        else:
            notes["synonyms whose accepted name is not in the table"] += 1


def accepted_names(path: str | PathLike[str]) -> Iterator[str]:
    """The names of all taxa, of any rank, without authorship, in the order of the table."""
    return (usage.name for usage in usages(path) if usage.is_taxon and usage.name)


def _count_fault(notes: Counter[str], _: str, fault: Fault) -> None:
    notes[f"rows {fault.reason}"] += 1


def _pairs(name: str, full_name: str, accepted: str) -> Iterator[tuple[str, str]]:
    for form in dict.fromkeys((name, full_name)):
        if form and form != accepted:
            yield form, accepted


def darwin_core_usages(
    archive: Archive, description: Description, notes: Counter[str], faulty: Callable[[str, Fault], None]
) -> Iterator[Usage]:
    """The names in the core of an archive, whose rows are of type Taxon."""
    table = description.core
    identifier = table.id or table.field("taxonID")
    name = table.field("scientificName")
    if identifier is None or name is None:
        missing = "scientificName" if identifier else "an id"
        raise VotesError(f"Taxon has no {missing}", where=description.where, remedy=f"it has {', '.join(table.terms)}")
    nowhere = Field(None)
    known = {
        term: table.field(term) or nowhere
        for term in (
            *("taxonID", "canonicalName", "scientificNameAuthorship", "taxonRank", "parentNameUsageID"),
            *("acceptedNameUsageID", "acceptedNameUsage", "taxonomicStatus"),
        )
    }
    for where, (line, fields) in table.rows(archive, notes, faulty):
        value = {term: field.value(fields) for term, field in known.items()}
        own_ids = (identifier.value(fields), value["taxonID"])
        full_name, author = name.value(fields), value["scientificNameAuthorship"]
        accepted = value["acceptedNameUsageID"]
        accepted_name = "" if accepted else value["acceptedNameUsage"]
        yield Usage(
            # Other rows name it by its taxonID, which need not be the id of the core.
            id=own_ids[1] or own_ids[0],
            name=value["canonicalName"] or _without(full_name, author),
            full_name=full_name if full_name.endswith(author) else f"{full_name} {author}",
            rank=value["taxonRank"].lower(),
            parent=value["parentNameUsageID"],
            accepted="" if accepted in own_ids else accepted,
            accepted_name="" if accepted_name == full_name else accepted_name,
            status=value["taxonomicStatus"].lower(),
            line=line,
            where=where,
        )


def _of_coldp(
    archive: Archive, tables: Mapping[str, str], notes: Counter[str], faulty: Callable[[str, Fault], None]
) -> Iterator[Usage]:
    def records(table: str, *needed: str) -> _Records:
        return _Records(archive, tables[table], notes, faulty, needed)

    if "nameusage" in tables:
        for get in records("nameusage", "ID", "scientificName", "status"):
            status = get("status").lower()
            is_synonym = "synonym" in status or status == "misapplied"
            parent, accepted = ("", get("parentID")) if is_synonym else (get("parentID"), "")
            yield Usage(get("ID"), *get.name(), parent, accepted, "", status, get.line, get.where)
        return
    names = {get("ID"): get.name() for get in records("name", "ID", "scientificName")}
    unknown = ("", "", "")
    for get in records("taxon", "ID", "nameID"):
        status = "provisionally accepted" if get("provisional").lower() in ("true", "1") else "accepted"
        name = names.get(get("nameID"), unknown)
        yield Usage(get("ID"), *name, get("parentID"), "", "", status, get.line, get.where)
    if "synonym" in tables:
        for get in records("synonym", "taxonID", "nameID"):
            status = get("status").lower() or "synonym"
            name = names.get(get("nameID"), unknown)
            yield Usage(get("ID"), *name, "", get("taxonID"), "", status, get.line, get.where)


class _Record(NamedTuple):
    """A row of a table of a ColDP; called with the name of a column, it returns the value, "" if there is none."""

    columns: Mapping[str, int]  # name in lower case -> position
    fields: list[str]
    line: int
    where: str

    def __call__(self, column: str) -> str:
        index = self.columns.get(column.lower())
        return self.fields[index] if index is not None and index < len(self.fields) else ""

    def name(self) -> tuple[str, str, str]:
        """Name, name with authorship, and rank."""
        name, author = self("scientificName"), self("authorship")
        return name, f"{name} {author}" if author else name, self("rank").lower()


class _Records:
    """The rows of a table of a ColDP; its header names the columns, in any case and with a prefix such as ``col:``."""

    def __init__(
        self,
        archive: Archive,
        name: str,
        notes: Counter[str],
        faulty: Callable[[str, Fault], None],
        needed: tuple[str, ...],
    ) -> None:
        self._where = f"{archive.where}/{name}"
        self._archive, self._name = archive, name
        self._notes = notes
        self._faulty = partial(faulty, self._where)
        delimiter = SUFFIXES[name.rpartition(".")[2].lower()]
        self._dialect = Dialect(delimiter, '"' if delimiter == "," else "", unescapes=delimiter == "\t")
        with archive.stream(name) as file:
            header = next(read_rows(file, self._dialect, self._where, Counter(), self._faulty), Row(1, []))
        self._columns = {last_part(column.strip()).lower(): index for index, column in enumerate(header.fields)}
        missing = [column for column in needed if column.lower() not in self._columns]
        if missing:
            what = f"has no column {', '.join(missing)} in its first line"
            raise VotesError(what, where=self._where, remedy="add the line of column names that ColDP defines")

    def __iter__(self) -> Iterator[_Record]:
        with self._archive.stream(self._name) as file:
            rows = read_rows(file, self._dialect, self._where, self._notes, self._faulty)
            next(rows)
            for row in rows:
                yield _Record(self._columns, row.fields, row.line, self._where)


def _coldp_tables(archive: Archive) -> dict[str, str]:
    """Entity -> its file: named like it in any case, with hyphens or underscores."""
    found = {}
    for name in archive.names():
        stem, _, suffix = name.lower().rpartition(".")
        if suffix in SUFFIXES:
            found[re.sub("[-_]", "", stem)] = name
    return found


def _without(full_name: str, author: str) -> str:
    """A name without its author, if it ends with that."""
    return full_name.removesuffix(author).rstrip() if author else full_name
