from collections import Counter
from pathlib import Path

import pytest

from plant_aggregate.archives.taxa import accepted_names, synonyms_of, usages
from plant_aggregate.errors import VotesError

from .made import CSV, TSV, Table, make_folder, zipped

ACER = [
    ["1", "Aceraceae Juss.", "Juss.", "family", "", "", "accepted"],
    ["2", "Acer L.", "L.", "GENUS", "1", "", "accepted"],
    ["3", "Acer campestre L.", "L.", "species", "2", "", "accepted"],
    ["4", "Acer erythrocarpum Dippel", "Dippel", "species", "", "3", "heterotypic synonym"],
    ["5", "Acer molle Opiz", "Opiz", "species", "", "4", "synonym"],  # of a synonym
    ["6", "Acer opalus Mill.", "Mill.", "species", "2", "6", "accepted"],  # its own accepted name
    ["7", "Acer italum Lauth", "Lauth", "species", "", "99", "synonym"],  # of a taxon that is not there
    ["8", "Acer a", "", "species", "", "9", "synonym"],
    ["9", "Acer b", "", "species", "", "8", "synonym"],  # of each other
    ["10", "Acer pictum auct.", "auct.", "species", "", "3", "misapplied"],
    ["11", "Acer x", "", "species", "", "", "synonym"],
]
TERMS = ["id", "scientificName", "scientificNameAuthorship", "taxonRank", "parentNameUsageID"]


def dwca(folder: Path, rows: list[list[str]] = ACER, **changes: object) -> Path:
    columns = [*TERMS, "acceptedNameUsageID", "taxonomicStatus"]
    return make_folder(folder, Table("taxon.txt", "Taxon", columns, rows, **changes))  # type: ignore[arg-type]


def test_synonyms_of_an_archive_of_taxa(tmp_path: Path) -> None:
    notes: Counter[str] = Counter()
    assert list(synonyms_of(dwca(tmp_path), notes)) == [
        ("Acer erythrocarpum", "Acer campestre"),
        ("Acer erythrocarpum Dippel", "Acer campestre"),
        ("Acer molle", "Acer campestre"),
        ("Acer molle Opiz", "Acer campestre"),
    ]
    assert notes == {"synonyms whose accepted name is not in the table": 3, "synonyms without an accepted name": 1}


def test_accepted_names_are_without_authorship(tmp_path: Path) -> None:
    assert list(accepted_names(dwca(tmp_path, dialect=CSV))) == ["Aceraceae", "Acer", "Acer campestre", "Acer opalus"]


def test_ranks_and_parents_are_those_of_the_table(tmp_path: Path) -> None:
    found = [usage for usage in usages(dwca(tmp_path)) if usage.is_taxon]
    assert [(usage.id, usage.parent, usage.rank, usage.line) for usage in found] == [
        ("1", "", "family", 2),
        ("2", "1", "genus", 3),
        ("3", "2", "species", 4),
        ("6", "2", "species", 7),
    ]


def test_accepted_names_may_stand_in_the_rows_themselves(tmp_path: Path) -> None:
    rows = [["1", "Acer molle Opiz", "Acer campestre L."], ["2", "Acer campestre L.", "Acer campestre L."]]
    table = Table("t.txt", "Taxon", ["taxonID", "scientificName", "acceptedNameUsage"], rows)
    assert list(synonyms_of(make_folder(tmp_path, table))) == [("Acer molle Opiz", "Acer campestre L.")]
    assert list(accepted_names(tmp_path)) == ["Acer campestre L."]


def test_gbifs_canonical_name_is_the_name(tmp_path: Path) -> None:
    columns = ["taxonID", "scientificName", "http://rs.gbif.org/terms/1.0/canonicalName", "acceptedNameUsageID"]
    rows = [["1", "Acer campestre L.", "Acer campestre", ""], ["2", "Acer molle Opiz", "Acer molle", "1"]]
    folder = make_folder(tmp_path / "a", Table("Taxon.tsv", "Taxon", columns, rows))
    expected = [("Acer molle", "Acer campestre"), ("Acer molle Opiz", "Acer campestre")]
    assert list(synonyms_of(folder)) == expected
    assert list(synonyms_of(zipped(folder, tmp_path / "a.zip", "backbone/"))) == expected


NAME_USAGES = """col:ID\tcol:parentID\tcol:status\tcol:scientificName\tcol:authorship\tcol:rank
1\t\taccepted\tAcer\tL.\tgenus
2\t1\taccepted\tAcer campestre\tL.\tspecies
3\t1\tprovisionally accepted\tAcer opalus\t\tspecies
4\t2\tsynonym\tAcer molle\tOpiz\tspecies
5\t3\tambiguous synonym\tAcer italum\tLauth\tspecies
6\t2\tambiguous synonym\tAcer italum\tLauth\tspecies
7\t2\tmisapplied\tAcer pictum\t\tspecies
8\t\tbare name\tAcer nudum\t\tspecies
"""

EXPECTED = [
    ("Acer molle", "Acer campestre"),
    ("Acer molle Opiz", "Acer campestre"),
    ("Acer italum", "Acer opalus"),
    ("Acer italum Lauth", "Acer opalus"),
    ("Acer italum", "Acer campestre"),
    ("Acer italum Lauth", "Acer campestre"),
]


def test_name_usages_of_a_coldp(tmp_path: Path) -> None:
    (tmp_path / "name-usage.TSV").write_text(NAME_USAGES)
    assert list(synonyms_of(tmp_path)) == EXPECTED
    assert list(accepted_names(tmp_path)) == ["Acer", "Acer campestre", "Acer opalus"]


def test_names_taxa_and_synonyms_of_a_coldp(tmp_path: Path) -> None:
    (tmp_path / "Name.csv").write_text(
        "ID,scientificName,authorship,rank\nn1,Acer,L.,genus\nn2,Acer campestre,L.,species\n"
        'n3,Acer opalus,,species\nn4,Acer molle,"Opiz",species\nn5,Acer italum,Lauth,species\nn7,Acer pictum,,species\n'
    )
    (tmp_path / "Taxon.csv").write_text("ID,parentID,nameID,provisional\n1,,n1,\n2,1,n2,\n3,1,n3,true\n")
    (tmp_path / "Synonym.csv").write_text("taxonID,nameID,status\n2,n4,\n3,n5,synonym\n2,n5,\n2,n7,misapplied\n")
    assert list(synonyms_of(tmp_path)) == EXPECTED
    assert list(accepted_names(tmp_path)) == ["Acer", "Acer campestre", "Acer opalus"]
    assert [usage.rank for usage in usages(tmp_path)][:3] == ["genus", "species", "species"]


def test_a_header_is_needed_in_a_coldp(tmp_path: Path) -> None:
    (tmp_path / "NameUsage.tsv").write_text(NAME_USAGES.partition("\n")[2])
    with pytest.raises(VotesError, match=r"NameUsage\.tsv: has no column ID, scientificName, status in its first line"):
        list(synonyms_of(tmp_path))


def test_other_archives_are_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "a", Table("o.txt", "Occurrence", ["id", "scientificName"], [], TSV))
    with pytest.raises(VotesError, match=r"meta\.xml: is an archive of Occurrence, not of Taxon; name a Darwin Core"):
        list(synonyms_of(folder))
    (tmp_path / "votes.csv").write_text("observation_id,user_id,label\n")
    with pytest.raises(VotesError, match=r"votes\.csv: has no table of taxa; name a Darwin Core archive of taxa"):
        list(synonyms_of(tmp_path / "votes.csv"))
