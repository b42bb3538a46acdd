import re
from collections import Counter
from pathlib import Path

import pytest

from plant_aggregate.archives.members import open_archive
from plant_aggregate.archives.metafile import DataFile, Description, describe, describe_header, needed, parse_xml
from plant_aggregate.archives.text_rows import Dialect, Fault
from plant_aggregate.errors import VotesError

from .made import CSV, TERMS, TSV, Table, make_folder

CORE = Table("occurrence.txt", "Occurrence", ["id", "scientificName"], [["1", "Acer campestre"]])


def described(folder: Path, xml: str | None = None) -> Description:
    if xml is not None:
        (folder / "meta.xml").write_text(xml)
    description = describe(open_archive(folder))
    assert description is not None
    return description


def values(folder: Path, table: DataFile, *terms: str, notes: Counter[str] | None = None) -> list[tuple[str, ...]]:
    fields = [field for field in map(table.field, terms) if field]
    assert len(fields) == len(terms)
    faults: list[tuple[str, Fault]] = []
    rows = table.rows(open_archive(folder), Counter() if notes is None else notes, lambda *fault: faults.append(fault))
    found = [tuple(field.value(row.fields) for field in fields) for _, row in rows]
    assert faults == []
    return found


def test_the_defaults_are_those_of_the_text_guide(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('1,"a, b"\n2,c\n')
    xml = f'''<archive xmlns="http://rs.tdwg.org/dwc/text/"><core rowType="{TERMS}Occurrence">
    <files><location>a.csv</location></files>
    <field index="0" term="{TERMS}occurrenceID"/><field index="1" term="{TERMS}scientificName"/></core></archive>'''
    core = described(tmp_path, xml).core
    assert core.dialect == Dialect(",", '"', "\n", "UTF-8", 0)
    assert core.row_type == "Occurrence"
    assert values(tmp_path, core, "occurrenceID", "scientificName") == [("1", "a, b"), ("2", "c")]


def test_attributes_say_how_the_file_is_written(tmp_path: Path) -> None:
    dialect = Dialect("|", "'", "\r\n", "ISO-8859-1", 2)
    folder = make_folder(tmp_path, Table("a", "Taxon", ["id", "scientificName"], [["1", "Épilobe|'"]], dialect))
    core = described(folder).core
    assert core.dialect == dialect
    assert values(folder, core, "scientificName") == [("Épilobe|'",)]


def test_a_default_fills_what_is_empty_and_is_the_value_where_there_is_no_column(tmp_path: Path) -> None:
    rows = [["1", "", "x"], ["2", "Ann", "x"], ["3"]]
    defaults = {"identifiedBy": "Kim", "country": "Belgium"}
    folder = make_folder(tmp_path, Table("a", "Occurrence", ["id", "identifiedBy", "sex"], rows, TSV, defaults))
    notes: Counter[str] = Counter()
    found = values(folder, described(folder).core, "identifiedBy", "country", "sex", notes=notes)
    assert found == [("Kim", "Belgium", "x"), ("Ann", "Belgium", "x"), ("Kim", "Belgium", "")]
    assert notes == {"rows with fewer columns than declared, filled up with empty ones": 1}


def test_columns_that_are_not_declared_are_skipped(tmp_path: Path) -> None:
    rows = [["1", "secret", "Acer campestre", "more"]]
    folder = make_folder(tmp_path, Table("a", "Occurrence", ["id", None, "scientificName"], rows, CSV))
    assert values(folder, described(folder).core, "scientificName") == [("Acer campestre",)]


def test_a_header_that_is_not_declared_is_no_row(tmp_path: Path) -> None:
    rows = [["scientificName", "scientificName", "identifiedBy"], ["scientificName", "a", "b"]]
    table = Table("a", "Occurrence", ["id", "scientificName", "identifiedBy"], rows, Dialect("\t", ""))
    folder = make_folder(tmp_path, table)
    notes: Counter[str] = Counter()
    assert values(folder, described(folder).core, "scientificName", notes=notes) == [("a",)]
    assert notes == {"headers that meta.xml does not declare, which were skipped": 1}


@pytest.mark.parametrize(("delimiter", "name"), [("\t", "tabulators"), (";", "semicolons")])
def test_another_delimiter_than_the_declared_one_is_an_error(tmp_path: Path, delimiter: str, name: str) -> None:
    rows = [["1", "Acer", "Ann"]]
    table = Table("a.txt", "Occurrence", ["id", "scientificName", "identifiedBy"], rows, Dialect(delimiter))
    folder = make_folder(tmp_path, table)
    xml = (folder / "meta.xml").read_text()
    xml = re.sub(' fieldsTerminatedBy="[^"]*"', "", xml)
    with pytest.raises(VotesError) as error:
        values(folder, described(folder, xml).core, "scientificName")
    assert "a.txt: line 1 has one column by fieldsTerminatedBy ','; it has 3 by " + name in str(error.value)


def test_the_rows_of_a_table_may_be_in_several_files(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, CORE)
    xml = (folder / "meta.xml").read_text().replace("</location>", "</location><location>b.txt</location>")
    (folder / "b.txt").write_text("id\tscientificName\n2\tAcer opalus\n")
    assert values(folder, described(folder, xml).core, "scientificName") == [("Acer campestre",), ("Acer opalus",)]


def test_the_core_of_an_extension_is_found_in_either_spelling(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, CORE, Table("i.txt", "Identification", ["coreid", "identifiedBy"], [["1", "Ann"]]))
    xml = (folder / "meta.xml").read_text()
    for spelling in ("coreid", "coreId"):
        (extension,) = described(folder, xml.replace("coreid", spelling)).extensions
        assert extension.id is not None
        assert extension.id.index == 0
        assert extension.row_type == "Identification"


def test_a_term_is_found_by_its_name_in_the_namespace_of_darwin_core_first(tmp_path: Path) -> None:
    others = ["http://rs.tdwg.org/dwc/iri/identifiedBy", "http://rs.gbif.org/terms/1.0/identifiedBy"]
    table = Table("a", "Occurrence", ["id", *others, "identifiedBy"], [["1", "iri", "gbif", "dwc"]])
    core = described(make_folder(tmp_path / "all", table)).core
    assert values(tmp_path / "all", core, "identifiedBy", others[0]) == [("dwc", "iri")]
    folder = make_folder(tmp_path / "others", Table("a", "Occurrence", ["id", *others], [["1", "iri", "gbif"]]))
    assert values(folder, described(folder).core, "identifiedBy") == [("gbif",)]


def test_prefixes_of_namespaces_are_read_over(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, CORE)
    xml = (folder / "meta.xml").read_text().replace("<", "<d:").replace("<d:/", "</d:").replace("<d:?", "<?")
    assert described(folder, xml.replace("xmlns=", "xmlns:d=")).core.locations == ("occurrence.txt",)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<archive", "<archive><", "is no XML: not well-formed"),
        ("</archive>", "", "is no XML: no element found"),
        ("archive", "eml", "has 0 <core> elements; an archive has one"),
        ('index="1"', 'index="one"', "<field>: index of scientificName is 'one'; write an integer from 0"),
        ("occurrence.txt", "../a.txt", "names '../a.txt', which is outside of the archive"),
        ('fieldsEnclosedBy=""', 'fieldsEnclosedBy="--"', "fieldsEnclosedBy is '--'; one character encloses"),
        ("<files><location>occurrence.txt</location></files>", "", "names no file in <core>; add <files><location>"),
        ("?>", '?><!DOCTYPE archive [<!ENTITY a "b">]>', "declares a document type, 'archive'; remove it"),
    ],
)
def test_what_is_wrong_in_meta_xml_is_said(tmp_path: Path, old: str, new: str, words: str) -> None:
    folder = make_folder(tmp_path, CORE)
    xml = (folder / "meta.xml").read_text().replace(old, new)
    if words.startswith("has 0"):
        xml = (folder / "meta.xml").read_text().replace("core", "kernel")
    with pytest.raises(VotesError) as error:
        described(folder, xml)
    assert f"meta.xml: {words}" in str(error.value)


def test_entities_are_not_expanded_and_files_not_included() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    for body in (f'<!ENTITY l0 "ha">{laughs}', '<!ENTITY l9 SYSTEM "file:///etc/passwd">'):
        with pytest.raises(VotesError, match="declares a document type"):
            parse_xml(f"<?xml version='1.0'?><!DOCTYPE a [{body}]><a>&l9;</a>".encode(), "meta.xml")


def test_without_meta_xml_the_header_has_the_terms(tmp_path: Path) -> None:
    (tmp_path / "eml.xml").write_text("<eml/>")
    (tmp_path / "votes.csv").write_text(f'\ufeffdwc:occurrenceID,"scientificName",{TERMS}identifiedBy\n1,"a, b",Ann\n')
    found = describe_header(open_archive(tmp_path), ("gbifID", "occurrenceID"))
    assert found is not None
    assert found.core.id is not None
    assert values(tmp_path, found.core, "occurrenceID", "scientificName", "identifiedBy") == [("1", "a, b", "Ann")]


def test_a_table_with_tabs_has_no_enclosure(tmp_path: Path) -> None:
    (tmp_path / "0001.csv").write_text('gbifID\tlocality\n1\t"Le Mas, 3"\n')  # as GBIF writes its simple download
    found = describe_header(open_archive(tmp_path / "0001.csv"), ("gbifID", "occurrenceID"))
    assert found is not None
    assert values(tmp_path, found.core, "gbifID", "locality") == [("1", '"Le Mas, 3"')]


def test_a_table_with_tabs_has_an_enclosure_if_its_header_has_one(tmp_path: Path) -> None:
    (tmp_path / "o.tsv").write_text('"occurrenceID"\t"locality"\n"1"\t"Le Mas\t3"\n')
    found = describe_header(open_archive(tmp_path / "o.tsv"), ("occurrenceID",))
    assert found is not None
    assert values(tmp_path, found.core, "occurrenceID", "locality") == [("1", "Le Mas\t3")]


def test_a_header_without_terms_describes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("task,worker\n1,2\n")
    assert describe_header(open_archive(tmp_path), ("occurrenceID",)) is None
    (tmp_path / "b.csv").write_text("occurrenceID,identifiedBy\n1,2\n")
    assert describe_header(open_archive(tmp_path), ("occurrenceID",)) is None  # two tables


def test_a_term_that_is_needed_must_be_there_once(tmp_path: Path) -> None:
    table = Table("a", "Occurrence", ["id", "scientificName", "identifiedBy", "identifiedBy"], [["1", "a", "b", "c"]])
    description = described(make_folder(tmp_path, table))
    assert needed(description.core, "scientificName", description).index == 1
    with pytest.raises(VotesError, match="Occurrence has identifiedBy in two columns, 2 and 3; remove one of them"):
        needed(description.core, "identifiedBy", description)
    with pytest.raises(VotesError, match="Occurrence has no term scientificname; did you mean 'scientificName'"):
        needed(description.core, "scientificname", description)
    with pytest.raises(VotesError, match="Occurrence has no term taxonID; it has scientificName, identifiedBy"):
        needed(description.core, "taxonID", description)
