"""Rows of archives beside those of python-dwca-reader, on archives made in all dialects that it reads."""

import itertools
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from plant_aggregate.archives.members import open_archive
from plant_aggregate.archives.metafile import describe
from plant_aggregate.archives.text_rows import Dialect

from ..archives.made import Table, make_folder

pytestmark = pytest.mark.extras

DIALECTS = [
    Dialect(delimiter, enclosure, terminator, encoding, header_lines)
    for delimiter, enclosure, terminator, encoding, header_lines in itertools.product(
        [",", "\t", ";", "|"], ["", '"', "'"], ["\n", "\r\n", "\r"], ["UTF-8", "ISO-8859-1"], [0, 1, 2]
    )
]

Rows = list[tuple[str, dict[str, str]]]  # id, and term -> value


def rows_here(folder: Path) -> list[Rows]:
    archive = open_archive(folder)
    description = describe(archive)
    assert description is not None
    tables = []
    for table in (description.core, *description.extensions):
        assert table.id is not None
        rows = table.rows(archive, Counter(), lambda where, fault: pytest.fail(f"{where}: {fault}"))
        tables.append(
            [
                (table.id.value(row.fields), {uri: field.value(row.fields) for uri, field in table.fields.items()})
                for _, row in rows
            ]
        )
    return tables


def rows_of_peer(folder: Path) -> list[Rows]:
    from dwca.read import DwCAReader

    with DwCAReader(str(folder)) as reader:
        core = [(row.id, dict(row.data)) for row in reader]
        extensions = [[(row.core_id, dict(row.data)) for row in file.iter_rows()] for file in reader.extension_files]
    return [core, *extensions]


def test_rows_are_those_of_python_dwca_reader_in_every_dialect(tmp_path: Path) -> None:
    pytest.importorskip("dwca")
    random = Random(16)
    for number, dialect in enumerate(DIALECTS):
        special = [dialect.delimiter, "\n"] if dialect.enclosure else []
        parts = ["a", "é", " ", "007", "NA", '"', "'", "x y", "\\", *special]

        def text(parts: list[str] = parts) -> str:
            return "".join(random.choices(parts, k=random.randrange(4)))

        core = Table(
            "occurrence.txt",
            "Occurrence",
            ["id", "recordedBy", None, "country"],
            [[f"i{row}", text(), text(), text()] for row in range(4)],
            dialect,
            {"country": "Belgium", "basisOfRecord": "HumanObservation"},
        )
        rows = [[f"i{random.randrange(4)}", text(), f"{text()}z"] for _ in range(5)]
        extension = Table("i.txt", "Identification", ["coreid", "identifiedBy", "scientificName"], rows, dialect)
        folder = make_folder(tmp_path / str(number), core, extension)
        found = rows_here(folder)
        assert found == rows_of_peer(folder), dialect
        assert [len(rows) for rows in found] == [4, 5]
