"""meta.xml of a Darwin Core archive: which file has which terms in which columns.

By the Darwin Core text guide, https://dwc.tdwg.org/text/, and its schema, tdwg_dwc_text.xsd.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..errors import VotesError, did_you_mean, quoted
from .members import Archive, member_of, read_small
from .text_rows import Dialect, Fault, Row, read_rows

METAFILE = "meta.xml"
TERMS = "http://rs.tdwg.org/dwc/terms/"
BESIDE = ("eml.xml", "metadata.xml", "citations.txt", "rights.txt")  # that are no tables, in archives without meta.xml
TABLES = (".txt", ".csv", ".tsv", ".tab", ".gz")
DELIMITERS = {"\t": "tabulators", ",": "commas", ";": "semicolons", "|": "bars"}
ESCAPES = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\f": "\f", r"\\": "\\"}


@dataclass(frozen=True)
class Field:
    """Where the values of a term are: in a column, and a default where that is empty or absent."""

    index: int | None
    default: str = ""

    def value(self, fields: Sequence[str]) -> str:
        """Its value in a row, "" if there is none."""
        index = self.index
        return (fields[index] if index is not None and index < len(fields) else "") or self.default


@dataclass(frozen=True)
class DataFile:
    """The core of an archive, or an extension of it."""

    row_type: str  # the last part of its URI: Occurrence, Identification, Taxon, ...
    locations: tuple[str, ...]
    dialect: Dialect
    id: Field | None  # what identifies a row of the core; in an extension, the row of the core that it is about
    fields: Mapping[str, Field]  # by URI
    twice: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # URI -> columns that both claim to have it

    @property
    def width(self) -> int:
        """The number of columns that a row must have for all that are declared."""
        indexes = [item.index for item in (*self.fields.values(), self.id) if item and item.index is not None]
        return max(indexes, default=-1) + 1

    def field(self, term: str) -> Field | None:
        """Where a term is, given by its last part or its URI; Darwin Core's own namespace comes first.

        GBIF and others had terms of the same names before Darwin Core did, and people write http and https.
        """
        if "://" in term or TERMS + term in self.fields:
            return self.fields.get(term if "://" in term else TERMS + term)
        others = (uri for uri in self.fields if last_part(uri) == term and "/iri/" not in uri)
        return next((self.fields[uri] for uri in others), None)

    @property
    def terms(self) -> list[str]:
        """The last parts of the terms that it has."""
        return [last_part(uri) for uri in self.fields]

    def rows(
        self, archive: Archive, notes: Counter[str], faulty: Callable[[str, Fault], None]
    ) -> Iterator[tuple[str, Row]]:
        """The rows of its files, with the file of each.

        Rows with too few columns, and headers that ``ignoreHeaderLines`` should have named, are counted in ``notes``.
        Raises VotesError if the columns are delimited by something else than is declared.
        """
        width = self.width
        for location in self.locations:
            where = f"{archive.where}/{location}"
            with archive.stream(location) as file:
                is_first = True
                for row in read_rows(file, self.dialect, where, notes, partial(faulty, where)):
                    if is_first:
                        is_first = False
                        self._check_delimiter(row, where)
                        if not self.dialect.header_lines and self._is_header(row):
                            notes["headers that meta.xml does not declare, which were skipped"] += 1
                            continue
                    if len(row.fields) < width:
                        notes["rows with fewer columns than declared, filled up with empty ones"] += 1
                    yield where, row

    def _check_delimiter(self, row: Row, where: str) -> None:
        """Raise VotesError if another delimiter than the declared one gives a row the columns that it must have."""
        if len(row.fields) > 1 or self.width < 2:
            return
        for delimiter, name in DELIMITERS.items():
            n_fields = row.fields[0].count(delimiter) + 1
            if n_fields >= self.width:
                what = f"line {row.line:,} has one column by fieldsTerminatedBy {quoted(self.dialect.delimiter)}"
                remedy = f"it has {n_fields} by {name}: say so in meta.xml, where a comma is meant if nothing is said"
                raise VotesError(what, where=where, remedy=remedy)

    def _is_header(self, row: Row) -> bool:
        """Whether a row has the names of the terms in place of values."""
        columns = {uri: field.index for uri, field in self.fields.items() if field.index is not None}
        named = [row.fields[index] for index in columns.values() if index < len(row.fields)]
        return len(named) > 1 and named == [last_part(uri) for uri in columns]


@dataclass(frozen=True)
class Description:
    """What meta.xml, or a header, says of an archive."""

    where: str  # the file that says it
    core: DataFile
    extensions: tuple[DataFile, ...] = ()


def last_part(uri: str) -> str:
    """The name of a term without its namespace.

    >>> last_part("http://rs.tdwg.org/dwc/terms/identifiedBy")
    'identifiedBy'
    """
    return re.split(r"[/#:]", uri)[-1]


def parse_xml(data: bytes, where: str) -> Element:
    """The root of an XML document; names have no namespaces, and what declares entities is refused.

    Entities may be defined by each other until their text fills the memory, or name files to be read; they are declared
    in a document type, and meta.xml needs none. Raises VotesError.
    """
    builder = TreeBuilder()

    def refuse(name: str, *_: object) -> None:
        raise VotesError(f"declares a document type, {quoted(name)}", where=where, remedy="remove it")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: builder.start(last_part(name), attributes)
    parser.EndElementHandler = lambda name: builder.end(last_part(name))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data.strip(), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise VotesError(f"is no XML: {error}", where=where, remedy="it is cut or damaged") from error
    return builder.close()


def describe(archive: Archive) -> Description | None:
    """What an archive holds by its meta.xml; None if it has none. Raises VotesError."""
    if METAFILE not in archive.names():
        return None
    where = f"{archive.where}/{METAFILE}"
    root = parse_xml(read_small(archive, METAFILE), where)
    cores = [_data_file(item, archive, where) for item in root if item.tag == "core"]
    if len(cores) != 1:
        remedy = "an archive has one" if root.tag == "archive" else f"its root is <{root.tag}>, not <archive>"
        raise VotesError(f"has {len(cores)} <core> elements", where=where, remedy=remedy)
    extensions = tuple(_data_file(item, archive, where) for item in root if item.tag == "extension")
    return Description(where, cores[0], extensions)


def _data_file(element: Element, archive: Archive, where: str) -> DataFile:
    locations = [item.text or "" for item in element.iterfind("files/location")]
    if not locations:
        raise VotesError(f"names no file in <{element.tag}>", where=where, remedy="add <files><location>")
    is_core = element.tag == "core"
    identifier = next((item for item in element if item.tag.lower() == ("id" if is_core else "coreid")), None)
    enclosure = _unescaped(element.get("fieldsEnclosedBy", '"'))
    if len(enclosure) > 1:
        raise VotesError(f"fieldsEnclosedBy is {quoted(enclosure)}", where=where, remedy="one character encloses")
    fields: dict[str, Field] = {}
    twice: dict[str, tuple[int, int]] = {}
    for item in element.iterfind("field"):
        term, found = item.get("term", ""), _field(item, where)
        first = fields.setdefault(term, found)
        if first.index is not None and found.index is not None and first.index != found.index:
            twice[term] = (first.index, found.index)
    return DataFile(
        row_type=last_part(element.get("rowType", "")),
        locations=tuple(member_of(archive, location, METAFILE) for location in locations),
        dialect=Dialect(
            delimiter=_unescaped(element.get("fieldsTerminatedBy")) or ",",
            enclosure=enclosure,
            terminator=_unescaped(element.get("linesTerminatedBy")) or "\n",
            encoding=(element.get("encoding") or "UTF-8").strip(),
            header_lines=_integer(element, "ignoreHeaderLines", where) or 0,
        ),
        id=None if identifier is None else _field(identifier, where),
        fields=fields,
        twice=twice,
    )


def _field(element: Element, where: str) -> Field:
    return Field(_integer(element, "index", where), element.get("default", ""))


def _integer(element: Element, name: str, where: str) -> int | None:
    text = element.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        of = f" of {last_part(element.get('term', ''))}" if element.get("term") else ""
        raise VotesError(
            f"<{element.tag}>: {name}{of} is {quoted(text)}", where=where, remedy="write an integer from 0"
        )
    return int(text)


def _unescaped(text: str | None) -> str:
    r"""An attribute that has characters as they are, or as \t, \n and \r: XML readers make spaces of them otherwise.

    >>> _unescaped(r"\r\n")
    '\r\n'
    """
    return re.sub(r"\\[tnrf\\]", lambda found: ESCAPES[found[0]], text or "")


def describe_header(archive: Archive, ids: Sequence[str]) -> Description | None:
    """What the one table of an archive without meta.xml holds, by its header; None if its header has no terms of ids.

    As in Simple Darwin Core, the first line has terms. A table with tabs has no enclosure, as in GBIF's downloads,
    unless the terms have one; others have double quotes. ``ids``: the terms that may identify a row, the best first.
    Raises VotesError.
    """
    names = archive.names()
    tables = [name for name in names if name.lower() not in BESIDE and name.lower().endswith(TABLES)]
    if len(tables) != 1 and len(names) == 1:
        tables = names
    if len(tables) != 1:
        return None
    where = f"{archive.where}/{tables[0]}"
    with archive.stream(tables[0]) as file:
        lines = read_rows(file, Dialect("\n", ""), where, Counter(), lambda fault: None)
        header = next(lines, Row(1, [""])).fields[0]
    delimiter = max("\t,;|", key=header.count)
    is_plain = delimiter == "\t" and not header.startswith('"')
    dialect = Dialect(delimiter, "" if is_plain else '"', header_lines=1)
    columns = [name.strip().strip('"') for name in header.split(delimiter)]
    terms = [name if "://" in name else TERMS + last_part(name) for name in columns]
    fields = {term: Field(index) for index, term in reversed([*enumerate(terms)])}  # of two the first counts
    found = DataFile("Occurrence", (tables[0],), dialect, None, fields)
    identifier = next((field for field in map(found.field, ids) if field), None)
    return None if identifier is None else Description(where, replace(found, id=identifier))


def needed(table: DataFile, term: str, description: Description) -> Field:
    """Where a term is. Raises VotesError if it is nowhere, or in two columns."""
    found = table.field(term)
    if found is None:
        remedy = did_you_mean(term, table.terms) or f"it has {', '.join(table.terms)}"
        raise VotesError(f"{table.row_type} has no term {term}", where=description.where, remedy=remedy)
    for uri, (first, second) in table.twice.items():
        if found.index in (first, second):
            what = f"{table.row_type} has {last_part(uri)} in two columns, {first} and {second}"
            raise VotesError(what, where=description.where, remedy="remove one of them")
    return found
