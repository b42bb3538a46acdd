"""Reads lists of names, and of synonyms, in the layouts that they are published in."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import VotesError, quoted
from ..files.locations import is_uri, local_path
from ..files.sources import find_sources, printable
from ..formats import delimited, json_records
from ..formats.opening import opened

VERBATIM = ("verbatim", "synonym", "name", "label", "from", "old", "original", "scientificname", "verbatim_label")
ACCEPTED = ("accepted", "accepted_name", "acceptedname", "acceptednameusage", "species", "to", "new", "valid_name")
NAMES = ("label", "species", "scientificname", "canonicalname", "name", "accepted", "accepted_name", "taxon", "class")
"""Names of columns, in lower case, the first that is there counts."""

OF_TAXA = ({"taxonid", "scientificname"}, {"id", "scientificname", "status"})
"""Columns of a table of taxa: of Darwin Core, and of a ColDP."""

AS_PAIRS = "write two columns, verbatim and accepted"
AS_LIST = "write one name in each line, or a column species"


class Pair(NamedTuple):
    """A name, and the accepted one that it stands for; both are the same for a name that is said to be accepted."""

    verbatim: str
    accepted: str


@contextmanager
def local_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """The local path of a file or folder; in an object store, that of a copy which is there meanwhile.

    Raises VotesError.
    """
    name = os.fspath(path)
    if not is_uri(name):
        yield Path(local_path(name))
        return
    (source,) = find_sources([name])
    try:
        yield Path(source.local)
    except VotesError as error:
        raise VotesError(error.what, where=source.path, remedy=error.remedy) from error


def fingerprint_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file; of a folder, that of the names and digests of its files. Raises VotesError."""
    name = os.fspath(path)
    if is_uri(name) or not os.path.isdir(local_path(name)):
        return find_sources([path])[0].fingerprint()
    place = Path(local_path(name))
    files = sorted(file for file in place.rglob("*") if file.is_file())
    lines = (f"{file.relative_to(place).as_posix()} {find_sources([file])[0].fingerprint()}\n" for file in files)
    return sha256("".join(lines).encode()).hexdigest()


def pairs(path: str | os.PathLike[str]) -> Iterator[Pair]:
    """The synonyms in a file with their accepted names, and accepted names with themselves where it lists them.

    Raises VotesError with the line or record that is wrong.
    """
    with local_file(path) as place:
        kind, header = _kind_of(place)
        if kind == "taxa":
            yield from _pairs_of_taxa(place)
        elif kind == "json":
            yield from _pairs_of_json(place)
        else:
            yield from _pairs_of_text(place, header)


def listed(path: str | os.PathLike[str]) -> Iterator[str]:
    """The names that a file lists; of a table of taxa the accepted ones. Raises VotesError."""
    from ..archives.taxa import accepted_names

    with local_file(path) as place:
        kind, header = _kind_of(place)
        if kind == "taxa":
            yield from accepted_names(place)
        elif kind == "json":
            yield from _listed_in_json(place)
        else:
            yield from _listed_in_text(place, header)


class _Header(NamedTuple):
    """The first line of a text, if it names columns."""

    delimiter: str
    columns: Sequence[str]  # in lower case, without a prefix such as `col:`


def _kind_of(path: Path) -> tuple[str, _Header]:
    """``taxa``, ``json`` or ``text``, and the first line of a text."""
    none = _Header(",", ())
    if path.is_dir():
        return "taxa", none
    with opened(path) as file:
        begins = file.peek(4)[:4]  # type: ignore[attr-defined]
        if begins == b"PK\x03\x04":
            return "taxa", none
        first = file.readline(1 << 16).decode(errors="replace").strip()
    if first[:1] in ("[", "{"):
        return "json", none
    if not first or begins in delimited.KINDS:
        delimited.header(path)  # which says what it is instead
    delimiter = next((mark for mark in "\t;" if mark in first), ",")
    header = _Header(delimiter, [_plain(name) for name in first.split(delimiter)])
    if any(columns <= set(header.columns) for columns in OF_TAXA):
        return "taxa", header
    return "text", header


def _plain(column: str) -> str:
    """A column's name in lower case, without quotes and without a prefix."""
    return column.strip().strip('"').rpartition(":")[2].strip().lower()


def _pairs_of_taxa(path: Path) -> Iterator[Pair]:
    from ..archives.taxa import synonyms_of, usages

    for usage in usages(path):
        if usage.is_taxon and usage.name:
            yield Pair(usage.full_name, usage.name)
            if usage.full_name != usage.name:
                yield Pair(usage.name, usage.name)
    for name, accepted in synonyms_of(path):
        yield Pair(name, accepted)


def _pairs_of_json(path: Path) -> Iterator[Pair]:
    """Of ``[{"species": NAME, "synonyms": [NAME, ...]}, ...]`` or ``{NAME: ACCEPTED, ...}``."""
    if json_records.kind_of(path) == "object":
        for number, (name, accepted) in enumerate(_members(path), 1):
            if not isinstance(accepted, str | None):
                raise _fault(path, f"record {number} is no text", AS_PAIRS)
            yield Pair(name, accepted or "")
        return
    for number, record in enumerate(json_records.items(path), 1):
        species, synonyms = _species_of(record.value)
        if species is None:
            raise _fault(
                path, f"record {number} has no species with synonyms", 'write {"species": ..., "synonyms": []}'
            )
        yield Pair(species, species)
        for synonym in synonyms:
            yield Pair(synonym, species)


def _species_of(value: Any) -> tuple[str | None, list[str]]:
    """The species of a record, and its synonyms; None if it has another form."""
    if not isinstance(value, dict) or not isinstance(value.get("species"), str):
        return None, []
    synonyms = value.get("synonyms") or []
    if not isinstance(synonyms, list) or not all(isinstance(item, str) for item in synonyms):
        return None, []
    return value["species"], synonyms


def _members(path: Path) -> Iterator[tuple[str, Any]]:
    for record in json_records.members(path):
        yield record.key or "", record.value


def _pairs_of_text(path: Path, header: _Header) -> Iterator[Pair]:
    columns = list(header.columns)
    verbatim, accepted = (next((name for name in known if name in columns), None) for known in (VERBATIM, ACCEPTED))
    has_names = verbatim is not None and accepted is not None
    if not has_names and len(columns) != 2:
        found = ", ".join(map(quoted, columns[:6]))
        raise _fault(path, f"has no columns verbatim and accepted; its first line is {found}", AS_PAIRS)
    places = (columns.index(verbatim), columns.index(accepted)) if verbatim and accepted else (0, 1)
    for row in delimited.rows(path, delimiter=header.delimiter):
        if fault := delimited.fault_of(row, len(columns)):
            raise _fault(path, f"line {row.line} is a record {fault}", "put names with commas in quotes, or use tabs")
        if not (has_names and row.line == 1):
            yield Pair(*(row.fields[place] for place in places))


def _listed_in_json(path: Path) -> Iterator[str]:
    """Of a list of names or of species with synonyms, or the keys of an object."""
    if json_records.kind_of(path) == "object":
        yield from (name for name, _ in _members(path))
        return
    for number, record in enumerate(json_records.items(path), 1):
        name = record.value if isinstance(record.value, str) else _species_of(record.value)[0]
        if name is None:
            raise _fault(path, f"record {number} is no name", "write a list of names")
        yield name


def _listed_in_text(path: Path, header: _Header) -> Iterator[str]:
    column = next((name for name in NAMES if name in header.columns), None)
    if column is None and len(header.columns) > 1 and path.name.lower().endswith((".csv", ".tsv")):
        found = ", ".join(map(quoted, header.columns[:6]))
        raise _fault(path, f"has no column of names; its first line is {found}", AS_LIST)
    if column is None:
        with opened(path) as file:
            yield from (line.decode(errors="replace") for line in file if line.strip())
        return
    for row in delimited.rows(path, delimiter=header.delimiter):
        if fault := delimited.fault_of(row, len(header.columns)):
            raise _fault(path, f"line {row.line} is a record {fault}", "put names with commas in quotes")
        if row.line > 1:
            yield row.fields[header.columns.index(column)]


def _fault(path: Path, what: str, remedy: str) -> VotesError:
    return VotesError(what, where=printable(str(path)), remedy=remedy)
