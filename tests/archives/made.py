"""Archives made by the Darwin Core text guide (https://dwc.tdwg.org/text/) and by the ColDP specification.

https://github.com/CatalogueOfLife/coldp/blob/master/README.md
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from plant_aggregate.archives.text_rows import Dialect

TERMS = "http://rs.tdwg.org/dwc/terms/"
CSV = Dialect(header_lines=1)
TSV = Dialect("\t", "", header_lines=1)


@dataclass(frozen=True)
class Table:
    """A table of an archive: columns by the last part of their terms; None is a column that is not declared."""

    name: str
    row_type: str
    columns: Sequence[str | None]
    rows: Sequence[Sequence[str]]
    dialect: Dialect = TSV
    defaults: Mapping[str, str] = field(default_factory=dict)  # term -> default, of columns or of constants
    id_index: int | None = 0
    text: str | None = None  # instead of the rows

    def written(self) -> bytes:
        """Its rows as the dialect has them, after its header lines."""
        dialect = self.dialect
        header = [dialect.delimiter.join(column or "undeclared" for column in self.columns)] * dialect.header_lines
        text = write_rows(self.rows, dialect) if self.text is None else self.text
        return ("".join(line + dialect.terminator for line in header) + text).encode(dialect.encoding)

    def described(self, element: str) -> str:
        """Its element of meta.xml."""
        dialect = self.dialect
        attributes = {
            "encoding": dialect.encoding,
            "fieldsTerminatedBy": escaped(dialect.delimiter),
            "linesTerminatedBy": escaped(dialect.terminator),
            "fieldsEnclosedBy": escaped(dialect.enclosure),
            "ignoreHeaderLines": str(dialect.header_lines),
            "rowType": TERMS + self.row_type,
        }
        lines = [f"<{element} {' '.join(f'{name}={quoteattr(value)}' for name, value in attributes.items())}>"]
        lines += [f"<files><location>{self.name}</location></files>"]
        if self.id_index is not None:
            lines += [f'<{"id" if element == "core" else "coreid"} index="{self.id_index}"/>']
        for index, column in enumerate(self.columns):
            if column is not None and not (index == self.id_index and column in ("id", "coreid")):
                default = f" default={quoteattr(self.defaults[column])}" if column in self.defaults else ""
                lines += [f'<field index="{index}" term={quoteattr(uri(column))}{default}/>']
        for term, value in self.defaults.items():
            if term not in self.columns:
                lines += [f"<field term={quoteattr(uri(term))} default={quoteattr(value)}/>"]
        return "\n".join([*lines, f"</{element}>"])


def uri(term: str) -> str:
    return term if "://" in term else TERMS + term


def escaped(text: str) -> str:
    """As meta.xml has line breaks and tabs."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def write_rows(rows: Sequence[Sequence[str]], dialect: Dialect) -> str:
    """Rows as delimited text: fields enclosed where they must be."""
    return "".join(
        dialect.delimiter.join(write_field(text, dialect) for text in row) + dialect.terminator for row in rows
    )


def write_field(text: str, dialect: Dialect) -> str:
    quote = dialect.enclosure
    special = any(part in text for part in (dialect.delimiter, dialect.terminator, "\r", "\n", quote) if part)
    return quote + text.replace(quote, 2 * quote) + quote if quote and special else text


def metafile(core: Table, *extensions: Table) -> str:
    body = [core.described("core"), *(table.described("extension") for table in extensions)]
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<archive xmlns="http://rs.tdwg.org/dwc/text/">'
    return "\n".join([start, *body, "</archive>"])


def make_folder(folder: Path, core: Table, *extensions: Table) -> Path:
    """An archive as a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.xml").write_text(metafile(core, *extensions))
    for table in (core, *extensions):
        (folder / table.name).write_bytes(table.written())
    return folder


def zipped(folder: Path, path: Path, inside: str = "") -> Path:
    """A folder's files as a zip file, within the folder ``inside`` of it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for item in sorted(folder.rglob("*")):
            file.write(item, inside + item.relative_to(folder).as_posix())
    return path
