"""Detections of BirdNET: the most certain species of an observation, in both layouts."""

from pathlib import Path
from typing import Any

import pytest

from plant_aggregate.errors import VotesError
from plant_aggregate.formats.birdnet import BirdNet
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import Sample

from .made_birdnet import Heard, write_analyzer, write_package

HEARD = [
    Heard("/rec/a.wav", 0.0, "Parus major_Great Tit", 0.41),
    Heard("/rec/a.wav", 3.0, "Parus major_Great Tit", 0.9321),
    Heard("/rec/a.wav", 3.0, "Turdus merula_Eurasian Blackbird", 0.95),
    Heard("/rec/a.wav", 6.0, "Noise_Noise", 0.99),
    Heard("/rec/b.wav", 0.0, "Gryllus assimilis_Gryllus assimilis", 0.5),
    Heard("/rec/b.wav", 3.0, "Human vocal_Mensch Stimme", 1.0),
    Heard("/rec/b.wav", 6.0, "Dog_Hund", 0.8),
    Heard("/rec/b.wav", 9.0, "Power tools_Power tools", 0.8),
]
WRITE = {"analyzer": write_analyzer, "package": write_package}


def votes(tables: Tables) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in tables.tables["ai_votes"].to_pylist()] if tables.tables else []


def is_balanced(tables: Tables) -> bool:
    return tables.account.n_used("ai_votes") == len(votes(tables))


@pytest.mark.parametrize("layout", WRITE)
def test_the_most_certain_species_of_a_recording_is_the_vote(tmp_path: Path, layout: str) -> None:
    tables = read_tables(BirdNet(), WRITE[layout](tmp_path / "results.csv", HEARD))
    assert votes(tables) == [
        ("/rec/a.wav", "Turdus merula", 0.95, "/rec/a.wav"),
        ("/rec/b.wav", "Gryllus assimilis", 0.5, "/rec/b.wav"),
    ]
    assert tables.account.n_read == {"ai_votes": 8}
    assert tables.account.left_out["ai_votes"] == {
        "less certain than another of its observation": 2,
        "of no species, such as Noise": 4,
    }
    assert is_balanced(tables)


@pytest.mark.parametrize("layout", WRITE)
def test_files_give_observations(tmp_path: Path, layout: str) -> None:
    files = tmp_path / "files.tsv"
    files.write_text("file\tobservation_id\na.wav\t007\n")
    path = WRITE[layout](tmp_path / "results.csv", HEARD)
    tables = read_tables(BirdNet(observations=str(files), base_folder="/rec"), path)
    assert votes(tables) == [("007", "Turdus merula", 0.95, "/rec/a.wav")]
    assert tables.account.n_rejected["ai_votes"] == {"of a file that --observations does not have": 4}
    assert is_balanced(tables)


def test_commas_in_names_and_paths_without_quotes_are_read(tmp_path: Path) -> None:
    heard = [
        Heard("/rec/a, b/c.wav", 0.0, "Parus major_Tit, Great", 0.41),
        Heard("/rec/0.5000,x.wav", 0.0, "Parus major_Great Tit", 0.5),
    ]
    path = write_analyzer(tmp_path / "results.csv", heard, {"lat": 43.6, "lon": 3.87})
    tables = read_tables(BirdNet(), path)
    assert votes(tables) == [
        ("/rec/a, b/c.wav", "Parus major", 0.41, "/rec/a, b/c.wav"),
        ("/rec/0.5000,x.wav", "Parus major", 0.5, "/rec/0.5000,x.wav"),
    ]
    fact = "rows with commas in names or paths, which have no quotes: read by where the confidence stands"
    assert tables.account.facts == {fact: 2}


def test_a_file_without_recordings_is_one(tmp_path: Path) -> None:
    path = tmp_path / "dawn.BirdNET.results.csv"
    path.write_text(
        "Start (s),End (s),Scientific name,Common name,Confidence\n0.0,3.0,Parus major,Great Tit,0.4100\n"
        "3.0,6.0,Parus major,Tit, Great,0.5000\n6.0,9.0,Parus major,Great Tit,0.4100,x\n"
    )
    tables = read_tables(BirdNet(), path)
    assert votes(tables) == [("dawn", "Parus major", 0.5, "dawn")]
    assert tables.account.n_rejected["ai_votes"] == {"without a confidence in [0, 1]": 1}
    assert is_balanced(tables)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0.0,3.0,Parus major,Great Tit,1.2000,/a.wav", "without a confidence in [0, 1]"),
        ("0.0,3.0,Parus major,Great Tit,0.41,/a.wav", "without a confidence in [0, 1]"),
        ("0.0,3.0,Parus major,Great, Tit,0.4100", "without a confidence in [0, 1]"),
        ("0.0,3.0,Parus major,Great Tit", "with fewer fields than the header"),
        ("0.0,3.0,,Great Tit,0.4100,/a.wav", "without a species or recording"),
    ],
)
def test_rows_that_cannot_be_used_are_rejected_with_their_line(tmp_path: Path, row: str, reason: str) -> None:
    path = write_analyzer(tmp_path / "results.csv", HEARD[:1])
    path.write_text(f"{path.read_text()}\n{row}\n")
    tables = read_tables(BirdNet(), path)
    assert tables.account.n_rejected["ai_votes"] == {reason: 1}
    assert (tables.account.rejected[0].unit, tables.account.rejected[0].number) == ("line", 4)
    assert len(votes(tables)) == 1
    assert is_balanced(tables)


def test_equally_certain_species_are_told_apart_by_name(tmp_path: Path) -> None:
    heard = [Heard("a.wav", 0.0, f"{name}_x", 0.5) for name in ("Turdus merula", "Parus major", "Sitta europaea")]
    for order in (heard, heard[::-1]):
        tables = read_tables(BirdNet(), write_analyzer(tmp_path / "results.csv", order))
        assert votes(tables) == [("a.wav", "Parus major", 0.5, "a.wav")]


def test_a_folder_of_results_may_hold_other_tables(tmp_path: Path) -> None:
    write_analyzer(tmp_path / "a.BirdNET.results.csv", HEARD[:4])
    write_package(tmp_path / "b.csv", HEARD[4:])
    (tmp_path / "BirdNET_analysis_params.csv").write_text("File splitting duration,Segment length\n600,3.0\n")
    (tmp_path / "empty.csv").touch()
    tables = read_tables(BirdNet(), tmp_path)
    assert len(votes(tables)) == 2
    assert [path.name for path in BirdNet().files([tmp_path])] == ["a.BirdNET.results.csv", "b.csv"]
    assert tables.account.facts == {"other CSV files in folders": 2}


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("observation_id,user_id,label\n1,2,a\n")
    with pytest.raises(VotesError, match="has neither header of BirdNET's CSV files; it looks like csv"):
        read_tables(BirdNet(), path)
    with pytest.raises(VotesError, match="has no CSV files of detections"):
        read_tables(BirdNet(), tmp_path)


@pytest.mark.parametrize("layout", WRITE)
def test_detections_are_recognised(tmp_path: Path, layout: str) -> None:
    assert BirdNet.recognises(Sample.of(WRITE[layout](tmp_path / "results.csv", HEARD)))
