"""Synonyms: what is merged, and what is not because it may be another species."""

import json
from pathlib import Path

import pytest

from plant_aggregate import VotesError, clean_names
from plant_aggregate.taxon_names.files import Pair, pairs
from plant_aggregate.taxon_names.rules import Name, read_name
from plant_aggregate.taxon_names.synonyms import AMBIGUOUS, OTHER_AUTHORS, Found, Synonyms

from .rows import SPECIES, needs_data, written


def found(synonyms: Synonyms, label: str) -> Found | None:
    name = read_name(label)
    assert isinstance(name, Name)
    return synonyms.of_name(name)


def of(*rows: tuple[str, str]) -> Synonyms:
    return Synonyms(Pair(*row) for row in rows)


def test_a_synonym_becomes_the_accepted_name() -> None:
    synonyms = of(("Orobus vernus L.", "Lathyrus vernus (L.) Bernh."))
    for label in ("Orobus vernus", "Orobus vernus L.", "Orobus vernus Linn.", "orobus vernus", "Lathyrus vernus"):
        assert found(synonyms, label) == Found("Lathyrus vernus")
    assert found(synonyms, "Acer campestre") is None


def test_chains_are_followed_to_their_end() -> None:
    synonyms = of(("Acer aaa", "Acer bbb"), ("Acer bbb", "Acer ccc L."), ("Acer ccc L.", "Acer ddd Mill."))
    for label in ("Acer aaa", "Acer bbb", "Acer ccc", "Acer ddd"):
        assert found(synonyms, label) == Found("Acer ddd")


@pytest.mark.parametrize(
    "rows",
    [
        [("Acer aaa", "Acer bbb"), ("Acer bbb", "Acer aaa")],
        [("Acer aaa", "Acer bbb"), ("Acer bbb", "Acer ccc"), ("Acer ccc", "Acer bbb")],
        [("GRFF", "GIRAFFE"), ("GIRAFFE", "GRFF")],
    ],
)
def test_circles_are_refused(rows: list[tuple[str, str]]) -> None:
    with pytest.raises(VotesError, match=r"go round in a circle: '.*' -> "):
        of(*rows)


def test_a_name_that_is_accepted_and_a_synonym_is_told_by_its_authors() -> None:
    synonyms = of(("Quercus alba L.", "Quercus alba L."), ("Quercus alba Hort.", "Quercus robur L."))
    assert found(synonyms, "Quercus alba L.") == Found("Quercus alba")
    assert found(synonyms, "Quercus alba Hort.") == Found("Quercus robur")
    assert found(synonyms, "Quercus alba") == Found("Quercus alba", AMBIGUOUS)
    assert found(synonyms, "Quercus alba Mill.") == Found("Quercus alba Mill.", OTHER_AUTHORS)


def test_homonyms_with_several_accepted_names_are_told_by_their_authors() -> None:
    synonyms = of(("Pyrus nivalis Jacq.", "Pyrus communis"), ("Pyrus nivalis Lindl.", "Sorbus aria"))
    assert found(synonyms, "Pyrus nivalis Jacq.") == Found("Pyrus communis")
    assert found(synonyms, "Pyrus nivalis Lindley") == Found("Sorbus aria")
    assert found(synonyms, "Pyrus nivalis") == Found("Pyrus nivalis", AMBIGUOUS)


def test_a_synonym_of_other_authors_is_not_merged_and_keeps_its_authors() -> None:
    """Without them it could not be told from the one that is merged."""
    synonyms = of(("Orobus vernus L.", "Lathyrus vernus"))
    assert found(synonyms, "Orobus vernus Mill.") == Found("Orobus vernus Mill.", OTHER_AUTHORS)
    assert found(of(("Orobus vernus", "Lathyrus vernus")), "Orobus vernus Mill.") == Found("Lathyrus vernus")
    assert found(synonyms, "Lathyrus vernus Mill.") == Found("Lathyrus vernus")  # it is no synonym


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("L.", "Linnaeus", True),
        ("L.", "L.f.", False),
        ("L.", "Lam.", False),
        ("Mill.", "Miller", True),
        ("Mill.", "(L.) Mill.", True),
        ("(Lam.) Mill.", "(L.) Mill.", False),
        ("Hilling ex Geerinck", "Geerinck", True),
        ("Hook.f. & Thomson", "Hook. f. et T.Thomson", True),
        ("Hook.f.", "Hook.", False),
        ("Gren. & Godr.", "Gren.", False),
        ("Linnaeus, 1758", "L.", True),
        ("P.Gaertn., B.Mey. & Scherb.", "G.Gaertn., B.Mey. & Scherb.", True),
    ],
)
def test_authors_are_the_same_under_their_abbreviations(one: str, other: str, same: bool) -> None:
    synonyms = of((f"Orobus vernus {one}", "Lathyrus vernus"))
    assert (found(synonyms, f"Orobus vernus {other}") == Found("Lathyrus vernus")) is same


def test_hybrid_signs_and_diaereses_do_not_count() -> None:
    synonyms = of(("Mentha × piperita L.", "Mentha × piperita L."), ("Isoëtes setacea", "Isoëtes echinospora"))
    assert found(synonyms, "Mentha piperita") == Found("Mentha × piperita")
    assert found(synonyms, "Isoetes setacea") == Found("Isoëtes echinospora")


def test_texts_that_are_no_names_are_compared_as_they_stand(tmp_path: Path) -> None:
    file = written(
        tmp_path / "synonyms.csv",
        "verbatim,accepted\nGRFF,Giraffa camelopardalis\nNothing here,\nViola spp.,Viola spp.\nviolets,Viola spp.\n",
    )
    labels = ["GRFF", " GRFF ", "grff", "Nothing here", "Viola spp.", "violets", "Viola", "Rosa spp."]
    cleaned = clean_names(labels, synonyms=file).labels.to_pylist()
    giraffe = "Giraffa camelopardalis"
    assert cleaned == [giraffe, giraffe, giraffe, None, "Viola spp.", "Viola spp.", None, None]


def test_synonyms_apply_before_and_after_a_name_becomes_its_species(tmp_path: Path) -> None:
    file = written(
        tmp_path / "synonyms.tsv",
        "verbatim\taccepted\nAcer opalus subsp. obtusatum\tAcer obtusatum\nOrobus vernus\tLathyrus vernus\n",
    )
    labels = ["Acer opalus subsp. obtusatum", "Acer opalus subsp. opalus", "Orobus vernus subsp. flaccidus"]
    kept = ["Acer obtusatum", "Acer opalus subsp. opalus", "Orobus vernus subsp. flaccidus"]
    assert clean_names(labels, synonyms=file).labels.to_pylist() == kept
    species = ["Acer obtusatum", "Acer opalus", "Lathyrus vernus"]
    assert clean_names(labels, synonyms=file, to_species=True).labels.to_pylist() == species


LAYOUTS = {
    "comma.csv": 'verbatim,accepted\n"Orobus vernus L.",Lathyrus vernus\n',
    "semicolon.csv": "verbatim;accepted\nOrobus vernus L.;Lathyrus vernus\n",
    "columns.csv": "id,accepted_name,verbatim\n1,Lathyrus vernus,Orobus vernus L.\n",
    "mark.csv": "\ufeffverbatim,accepted\r\nOrobus vernus L.,Lathyrus vernus\r\n",
    "headless.tsv": "Orobus vernus L.\tLathyrus vernus\n",
    "list.json": '[{"species": "Lathyrus vernus", "synonyms": ["Orobus vernus L."]}]',
    "object.json": '{"Orobus vernus L.": "Lathyrus vernus"}',
    "darwin_core.tsv": "taxonID\tscientificName\tscientificNameAuthorship\tacceptedNameUsageID\ttaxonomicStatus\n"
    "1\tLathyrus vernus\t(L.) Bernh.\t\taccepted\n2\tOrobus vernus\tL.\t1\tsynonym\n",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name: str, tmp_path: Path) -> None:
    synonyms = Synonyms(pairs(written(tmp_path / name, LAYOUTS[name])))
    assert found(synonyms, "Orobus vernus L.") == Found("Lathyrus vernus")
    assert found(synonyms, "Orobus vernus") == Found("Lathyrus vernus")


def test_a_coldp_has_homonyms_with_their_authors(tmp_path: Path) -> None:
    (tmp_path / "coldp").mkdir()
    written(
        tmp_path / "coldp" / "NameUsage.tsv",
        "ID\tscientificName\tauthorship\trank\tstatus\tparentID\n"
        "1\tQuercus\tL.\tgenus\taccepted\t\n"
        "2\tQuercus alba\tL.\tspecies\taccepted\t1\n"
        "3\tQuercus robur\tL.\tspecies\taccepted\t1\n"
        "4\tQuercus alba\tHort.\tspecies\tsynonym\t3\n"
        "5\tQuercus pedunculata\tHoffm.\tspecies\tsynonym\t3\n",
    )
    synonyms = Synonyms(pairs(tmp_path / "coldp"))
    assert found(synonyms, "Quercus pedunculata") == Found("Quercus robur")
    assert found(synonyms, "Quercus alba") == Found("Quercus alba", AMBIGUOUS)
    assert found(synonyms, "Quercus alba Hort.") == Found("Quercus robur")


@needs_data
def test_the_species_of_south_western_europe() -> None:
    """Among its 2,716 names are four homonyms that authors tell apart."""
    rows = list(pairs(SPECIES))
    assert len(rows) == 2716
    synonyms = Synonyms(rows)
    assert found(synonyms, "Triticum × grenieri K.Richt.") == Found("× Aegilotriticum grenieri")
    assert found(synonyms, "Amaranthus littoralis Hornem.") == Found("Amaranthus albus")
    assert found(synonyms, "Amaranthus littoralis Moq.") == Found("Amaranthus viridis")
    assert found(synonyms, "Alchemilla hybrida (L.) L.") == Found("Alchemilla hybrida")
    names = {name.label: name for row in rows for name in [read_name(row.verbatim)] if isinstance(name, Name)}
    plain = {label: found(synonyms, label) for label in names}
    assert sorted(label for label, use in plain.items() if use and use.homonym) == [
        "Alchemilla hybrida",
        "Alchemilla truncata",
        "Allium pauciflorum",
        "Amaranthus littoralis",
    ]
    assert {read_name(item["species"]).label for item in json.loads(SPECIES.read_text())} == {  # type: ignore[union-attr]
        use.label for use in plain.values() if use and not use.homonym
    } | {"Alchemilla hybrida"}


WRONG = {
    "three.csv": (
        "id,left,right\n1,a,b\n",
        "has no columns verbatim and accepted; its first line is 'id', 'left', 'right'",
    ),
    "unquoted.csv": ("verbatim,accepted\nActaea nigra (L.) G.Gaertn., B.Mey. & Scherb.,Actaea\n", "line 2 is a record"),
    "quoting.csv": ('verbatim,accepted\nAcer aaa,Acer bbb\n"Acer ccc,Acer ddd\n', "line 3 is a record with a field"),
    "list.json": ('[{"species": "Acer", "synonyms": "Acer aaa"}]', "record 1 has no species with synonyms"),
    "object.json": ('{"Acer aaa": {"accepted": "Acer bbb"}}', "record 1 is no text"),
    "cut.json": ('[{"species": "Acer aaa", "synonyms": []}, {"spec', "cut"),
    "empty.csv": ("", "is empty"),
    "votes.parquet": ("PAR1", "is a Parquet file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_used_names_the_place(name: str, tmp_path: Path) -> None:
    text, message = WRONG[name]
    with pytest.raises(VotesError) as error:
        clean_names(["Acer aaa"], synonyms=written(tmp_path / name, text))
    assert name in str(error.value)
    assert message in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match=r"nowhere\.csv"):
        clean_names(["Acer aaa"], synonyms=tmp_path / "nowhere.csv")
