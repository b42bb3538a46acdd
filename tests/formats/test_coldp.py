from pathlib import Path

import pytest

from plant_aggregate.errors import VotesError
from plant_aggregate.formats.coldp import ColDp
from plant_aggregate.formats.reading import read_tables
from plant_aggregate.formats.recognition import Sample

from ..archives.made import zipped

USAGES = (
    "col:ID\tcol:parentID\tcol:status\tcol:scientificName\tcol:rank\n"
    "1\t\taccepted\tAcer\tgenus\n2\t1\taccepted\tAcer campestre\tspecies\n3\t2\tsynonym\tAcer molle\tspecies\n"
    "4\t2\tmisapplied\tAcer pictum\tspecies\n5\t1\taccepted\tAcer opalus\tSPECIES\n"
)


def test_a_package_becomes_a_taxonomy(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/NameUsage.tsv").write_text(USAGES)
    expected = [("Acer", None, "genus"), ("Acer campestre", "Acer", "species"), ("Acer opalus", "Acer", "species")]
    for path in (tmp_path / "a", zipped(tmp_path / "a", tmp_path / "a.zip")):
        tables, account = read_tables(ColDp(), path)
        taxa = tables["taxonomy"].to_pylist()
        assert [(taxon["label"], taxon["parent"], taxon["rank"]) for taxon in taxa] == expected
        assert account.left_out["taxonomy"] == {"synonyms, which --synonyms reads": 1, "with the status misapplied": 1}
        assert (account.n_read["taxonomy"], account.n_used("taxonomy")) == (5, 3)
        assert ColDp.recognises(Sample.of(path))


def test_labels_may_be_ids(tmp_path: Path) -> None:
    (tmp_path / "NameUsage.tsv").write_text(USAGES)
    (taxonomy,) = read_tables(ColDp(label="id"), tmp_path).tables.values()
    assert taxonomy["label"].to_pylist() == ["1", "2", "5"]
    assert taxonomy["parent"].to_pylist() == [None, "1", "1"]
    assert taxonomy["name"].to_pylist() == ["Acer", "Acer campestre", "Acer opalus"]


def test_rows_that_cannot_be_read_are_rejected_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "NameUsage.csv").write_text('ID,status,scientificName\n1,accepted,"Acer"x\n2,accepted,Salix\n')
    tables, account = read_tables(ColDp(), tmp_path)
    assert tables["taxonomy"]["label"].to_pylist() == ["Salix"]
    assert [(item.table, item.number, item.reason) for item in account.rejected] == [
        ("taxonomy", 2, "with text after an enclosed field")
    ]
    assert (account.n_read["taxonomy"], account.n_used("taxonomy")) == (2, 1)


def test_other_layouts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "meta.xml").write_text("<archive/>")
    with pytest.raises(VotesError, match="and not both Name and Taxon; it looks like darwin-core; name that format"):
        read_tables(ColDp(), tmp_path)
