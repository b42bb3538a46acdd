"""Checklists: labels that are not in them count as no opinion."""

from pathlib import Path

import pytest

from plant_aggregate import VotesError, clean_names

from .rows import written

LAYOUTS = {
    "lines.txt": "Quercus robur L.\n\nPetasites hybridus (L.) G.Gaertn., B.Mey. & Scherb.\nMentha × piperita\n"
    "Viola spp.\n",
    "one.csv": 'species\nQuercus robur\n"Petasites hybridus (L.) G.Gaertn., B.Mey. & Scherb."\nMentha x piperita\n'
    "Viola spp.\n",
    "column.tsv": "id\tscientificName\n1\tQuercus robur\n2\tPetasites hybridus\n3\tMentha × piperita\n4\tViola spp.\n",
    "list.json": '["Quercus robur", "Petasites hybridus", "Mentha × piperita", "Viola spp."]',
    "classes.json": '{"Quercus robur": 0, "Petasites hybridus": 1, "Mentha × piperita": 2, "Viola spp.": 3}',
    "species.json": '[{"species": "Quercus robur"}, {"species": "Petasites hybridus", "synonyms": []}, '
    '{"species": "Mentha × piperita"}, {"species": "Viola spp."}]',
    "taxa.csv": "taxonID,scientificName,taxonomicStatus\n1,Quercus robur,accepted\n2,Petasites hybridus,accepted\n"
    "3,Mentha × piperita,accepted\n4,Viola spp.,accepted\n5,Acer campestre,synonym\n",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name: str, tmp_path: Path) -> None:
    file = written(tmp_path / name, LAYOUTS[name])
    labels = ["quercus robur l.", "Mentha piperita", "Petasites hybridus", "Viola spp.", "Acer campestre", "Viola"]
    found = clean_names(labels, checklist=file)
    assert found.labels.to_pylist() == [
        "Quercus robur",
        "Mentha × piperita",
        "Petasites hybridus",
        "Viola spp.",
        None,
        None,
    ]
    reasons = {row["verbatim"]: row["reason"] for row in found.table.to_pylist()}
    assert reasons["Acer campestre"] == "not in the checklist"
    assert reasons["Mentha piperita"] == "checklist"


def test_labels_and_the_checklist_meet_at_the_accepted_name(tmp_path: Path) -> None:
    synonyms = written(tmp_path / "synonyms.csv", "verbatim,accepted\nOrobus vernus,Lathyrus vernus\n")
    checklist = written(tmp_path / "list.txt", "Orobus vernus\n")
    for label in ("Orobus vernus", "Lathyrus vernus"):
        assert clean_names([label], synonyms=synonyms, checklist=checklist).labels.to_pylist() == ["Lathyrus vernus"]


def test_a_subspecies_is_in_the_list_if_its_species_counts(tmp_path: Path) -> None:
    checklist = written(tmp_path / "list.txt", "Quercus robur\n")
    label = ["Quercus robur subsp. robur"]
    assert clean_names(label, checklist=checklist).labels.to_pylist() == [None]
    assert clean_names(label, checklist=checklist, to_species=True).labels.to_pylist() == ["Quercus robur"]


def test_higher_taxa_are_in_a_list_of_taxa_and_yet_no_species(tmp_path: Path) -> None:
    checklist = written(tmp_path / "list.txt", "Quercus L.\nQuercus robur\n")
    assert clean_names(["Quercus"], checklist=checklist).labels.to_pylist() == [None]
    assert clean_names(["Quercus sp."], checklist=checklist, higher_taxa=True).labels.to_pylist() == ["Quercus"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("list.csv", "id,kind\n1,oak\n", "has no column of names; its first line is 'id', 'kind'"),
        ("list.txt", "\n \n", "lists no name"),
        ("list.json", "[1, 2]", "record 1 is no name"),
        ("short.csv", "id,species\n1,Quercus robur\n2\n", "line 3 is a record with fewer fields than the header"),
    ],
)
def test_a_file_that_cannot_be_used_names_the_place(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(VotesError) as error:
        clean_names(["Acer campestre"], checklist=written(tmp_path / name, text))
    assert name in str(error.value)
    assert message in str(error.value)
