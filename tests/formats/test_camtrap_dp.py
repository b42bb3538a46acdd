import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.errors import VotesError
from plant_aggregate.formats.base import Account
from plant_aggregate.formats.camtrap_dp import CamtrapDp
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import Sample

from ..archives.made import zipped
from .made_camtrap_dp import machine, make_package, row, table


def read(path: Path, **options: Any) -> Tables:
    return read_tables(CamtrapDp(**options), path)


def votes_of(found: Tables) -> list[tuple[str, str, str]]:
    return [(v["observation_id"], v["user_id"], v["label"]) for v in _rows(found, "votes")]


def ai_votes_of(found: Tables) -> list[tuple[str, str, float]]:
    return [(v["observation_id"], v["label"], v["score"]) for v in _rows(found, "ai_votes")]


def _rows(found: Tables, name: str) -> list[dict[str, Any]]:
    return found.tables[name].to_pylist() if name in found.tables else []


def counts(account: Account, name: str = "votes") -> tuple[int, int, int, int]:
    """Read, used, left out, rejected."""
    left_out, rejected = account.left_out.get(name, {}), account.n_rejected.get(name, {})
    return account.n_read[name], account.n_used(name), sum(left_out.values()), sum(rejected.values())


def test_people_vote_and_a_machine_has_ai_votes(tmp_path: Path) -> None:
    rows = [row("1", "Vulpes vulpes"), row("2", "Meles meles", "Ben"), machine("1", "Vulpes vulpes", "0.9")]
    found = read(make_package(tmp_path, rows))
    assert votes_of(found) == [("1", "Ann", "Vulpes vulpes"), ("2", "Ben", "Meles meles")]
    assert ai_votes_of(found) == [("1", "Vulpes vulpes", 0.9)]
    assert counts(found.account) == (2, 2, 0, 0)
    assert counts(found.account, "ai_votes") == (1, 1, 0, 0)


def test_one_level_is_read_and_the_other_counted(tmp_path: Path) -> None:
    event = row("", "Meles meles", observationLevel="event", eventID="e7")
    folder = make_package(tmp_path, [row("1", "Vulpes vulpes"), event])
    found = read(folder)
    assert votes_of(found) == [("1", "Ann", "Vulpes vulpes")]
    assert found.account.left_out["votes"] == {"of the level event": 1}
    found = read(folder, level="event")
    assert votes_of(found) == [("e7", "Ann", "Meles meles")]
    assert found.account.left_out["votes"] == {"of the level media": 1}


@pytest.mark.parametrize("level", ["media", "event"])
def test_what_has_no_id_is_rejected_with_its_line(tmp_path: Path, level: str) -> None:
    ids = {"media": "mediaID", "event": "eventID"}
    rows = [row("1", "Vulpes vulpes", observationLevel=level, **{ids[level]: missing}) for missing in ("", "NA")]
    account = read(make_package(tmp_path, rows), level=level).account
    assert [(item.number, item.reason, item.label) for item in account.rejected] == [
        (2, f"without {ids[level]}", "Vulpes vulpes"),
        (3, f"without {ids[level]}", "Vulpes vulpes"),
    ]


def test_what_is_no_animal_with_a_name_is_no_opinion(tmp_path: Path) -> None:
    others = ["blank", "human", "vehicle", "unknown", "unclassified"]
    rows = [row("1", "Homo sapiens", observationType=other) for other in others]
    rows += [row("1", observationType="animal"), row("1", "NA", observationType="animal"), row("1", "Meles meles")]
    rows += [machine("2", "", "0.9", observationType="animal"), machine("2", "", "0.9", observationType="blank")]
    found = read(make_package(tmp_path, rows))
    assert votes_of(found) == [("1", "Ann", "Meles meles")]
    assert found.account.left_out == {
        "votes": {**{f"of the type {other}: no species": 1 for other in others}, "of animals without a name": 2},
        "ai_votes": {"of animals without a name": 1, "of the type blank: no species": 1},
    }


def test_other_words_than_those_of_the_standard_are_rejected(tmp_path: Path) -> None:
    rows = [row("1", "Meles meles", observationType="beast"), row("1", "Meles meles", observationLevel="deployment")]
    rows += [row("1", "Meles meles", classificationMethod=method) for method in ("", "dog")]
    account = read(make_package(tmp_path, rows)).account
    assert account.n_rejected["votes"] == {"with an unknown observationType": 1, "with an unknown observationLevel": 1}
    assert account.left_out["votes"] == {"without a classificationMethod of human or machine": 2}


def test_several_rows_of_one_species_are_one_vote(tmp_path: Path) -> None:
    rows = [
        row("1", "Sus scrofa", lifeStage="adult", classificationTimestamp="2020-07-09T09:39:52Z"),
        row("2", "Sus scrofa"),
        row("1", "Sus scrofa", lifeStage="juvenile", classificationTimestamp="2020-07-09T11:40:00+02:00"),
        row("1", "Sus scrofa", by="Ben"),
        machine("1", "Sus scrofa", "0.7"),
        machine("1", "Sus scrofa", "0.9"),
    ]
    found = read(make_package(tmp_path, rows))
    assert sorted(votes_of(found)) == [
        ("1", "Ann", "Sus scrofa"),
        ("1", "Ben", "Sus scrofa"),
        ("2", "Ann", "Sus scrofa"),
    ]
    assert ai_votes_of(found) == [("1", "Sus scrofa", 0.9)]
    times = {v["voted_at"] for v in _rows(found, "votes") if (v["observation_id"], v["user_id"]) == ("1", "Ann")}
    assert times == {datetime(2020, 7, 9, 9, 40, tzinfo=UTC)}
    assert found.account.left_out == {
        "votes": {"further rows of the same species, such as of young ones": 1},
        "ai_votes": {"further rows of the same species, such as of young ones": 1},
    }


def test_several_species_of_one_classification_are_rejected(tmp_path: Path) -> None:
    rows = [row("1", "Sus scrofa"), row("1", "Meles meles"), row("1", "Sus scrofa", by="Ben"), row("1")]
    rows += [machine("1", "Sus scrofa", "0.7"), machine("1", "Meles meles", "0.9")]
    found = read(make_package(tmp_path, rows))
    assert votes_of(found) == [("1", "Ben", "Sus scrofa")]
    assert ai_votes_of(found) == []
    assert [(item.table, item.number, item.reason) for item in found.account.rejected] == [
        ("votes", 2, "with more than one species"),
        ("votes", 3, "with more than one species"),
        ("ai_votes", 6, "with more than one species"),
        ("ai_votes", 7, "with more than one species"),
    ]


@pytest.mark.parametrize("probability", ["", "NA", "nan", "1.1", "-0.1", "high", "inf"])
def test_a_machine_without_a_probability_is_rejected(tmp_path: Path, probability: str) -> None:
    rows = [machine("1", "Sus scrofa", probability), machine("2", "Sus scrofa", "1")]
    found = read(make_package(tmp_path, rows))
    assert ai_votes_of(found) == [("2", "Sus scrofa", 1.0)]
    assert found.account.n_rejected["ai_votes"] == {"without a classificationProbability in [0, 1]": 1}


def test_people_that_are_not_named_are_one_for_each_medium(tmp_path: Path) -> None:
    rows = [row("1", "Sus scrofa", ""), row("1", "Sus scrofa", "NA"), row("2", "Sus scrofa", "nan")]
    found = read(make_package(tmp_path, rows))
    assert sorted(votes_of(found)) == [("1", "unknown:1", "Sus scrofa"), ("2", "unknown:2", "Sus scrofa")]
    named = "classifications of someone who is not named: each a user of one medium or event"
    assert found.account.facts == {named: 3}


def test_the_time_of_a_vote_is_that_of_the_classification_never_of_the_event(tmp_path: Path) -> None:
    times = ["", "NA", "2020-07-09T09:39:52Z", "yesterday"]
    rows = [row(str(n), "Sus scrofa", classificationTimestamp=time) for n, time in enumerate(times)]
    found = read(make_package(tmp_path, rows))
    expected = [None, None, datetime(2020, 7, 9, 9, 39, 52, tzinfo=UTC), None]
    assert [vote["voted_at"] for vote in _rows(found, "votes")] == expected
    assert found.account.facts == {"times that are not in ISO 8601, taken as missing": 1}


def test_one_machine_has_the_ai_votes(tmp_path: Path) -> None:
    rows = [machine("1", "Sus scrofa", "0.7", "A"), machine("1", "Meles meles", "0.8", "B"), machine("2", "", "1", "C")]
    rows[2]["observationType"] = "animal"
    folder = make_package(tmp_path, rows)
    with pytest.raises(VotesError, match=r"has classifications of 2 machines: A \(1\), B \(1\); name one with --model"):
        read(folder)
    found = read(folder, model="B")
    assert ai_votes_of(found) == [("1", "Meles meles", 0.8)]
    assert found.account.left_out["ai_votes"] == {"of the machine A": 1, "of animals without a name": 1}
    with pytest.raises(VotesError, match=r"has no classifications of the machine 'D'; it has A \(1\), B \(1\)"):
        read(folder, model="D")


def test_a_package_may_be_a_zip_file_a_packed_table_or_the_table_alone(tmp_path: Path) -> None:
    rows = [row("1", "Sus scrofa"), row("2", "Meles meles")]
    folder = make_package(tmp_path / "a", rows)
    expected = [("1", "Ann", "Sus scrofa"), ("2", "Ann", "Meles meles")]
    assert votes_of(read(folder)) == expected
    assert votes_of(read(zipped(folder, tmp_path / "a.zip", "a/"))) == expected
    assert votes_of(read(folder / "observations.csv")) == expected
    folder = make_package(tmp_path / "b", [], path="o.csv.gz", compression="gzip")
    (folder / "o.csv.gz").write_bytes(gzip.compress(table(rows).encode()))
    assert votes_of(read(folder)) == expected
    folder = make_package(tmp_path / "c", rows[:1], path=["observations.csv", "more.csv"])
    (folder / "more.csv").write_text("\ufeff" + table(rows[1:]).replace("\n", "\r\n"))
    assert votes_of(read(folder)) == expected
    dialect = {"delimiter": ";", "quoteChar": "'"}
    folder = make_package(tmp_path / "d", [], dialect=dialect, encoding="ISO-8859-1")
    (folder / "observations.csv").write_text(
        table([row("1", "Sus; scrofa é")], delimiter=";", quotechar="'"), "latin-1"
    )
    assert votes_of(read(folder)) == [("1", "Ann", "Sus; scrofa é")]


def test_rows_that_are_cut_or_wrongly_quoted_are_rejected_with_their_line(tmp_path: Path) -> None:
    folder = make_package(tmp_path, [row("1", "Sus scrofa"), row("2", "Meles meles"), row("3", "Lutra lutra")])
    lines = (folder / "observations.csv").read_text().splitlines()
    lines[2] = lines[2].replace("Meles meles", '"Meles" meles')
    lines[3] = lines[3][: lines[3].index("Lutra")]
    (folder / "observations.csv").write_text("\n".join(lines))
    found = read(folder)
    assert votes_of(found) == [("1", "Ann", "Sus scrofa")]
    assert [(item.number, item.reason) for item in found.account.rejected] == [
        (3, "with text after an enclosed field"),
        (4, "cut short"),
    ]
    assert counts(found.account) == (3, 1, 0, 2)


def change(folder: Path, **changes: Any) -> None:
    path = folder / "datapackage.json"
    package = json.loads(path.read_text())
    package["resources"][1] |= changes
    path.write_text(json.dumps(package))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "sightings"}, "datapackage.json has no resource observations; it has deployments, sightings"),
        ({"path": "http://a.org/o.csv"}, "names 'http://a.org/o.csv', which is not in the archive"),
        ({"path": "../o.csv"}, "names '../o.csv', which is outside of the archive"),
        ({"path": "o.parquet"}, "has observations as Parquet; write it as CSV"),
        ({"path": None, "data": []}, "names no file of observations; add its path"),
        ({"path": "gone.csv"}, "gone.csv: cannot be read; no such file or directory"),
        ({"encoding": "klingon"}, "has the unknown encoding 'klingon'"),
    ],
)
def test_what_is_wrong_in_a_descriptor_is_said(tmp_path: Path, changes: Mapping[str, Any], words: str) -> None:
    folder = make_package(tmp_path, [row("1", "Sus scrofa")])
    change(folder, **changes)
    with pytest.raises(VotesError) as error:
        read(folder)
    assert words in str(error.value)


def test_a_cut_descriptor_is_said_to_be_none(tmp_path: Path) -> None:
    folder = make_package(tmp_path, [])
    (folder / "datapackage.json").write_text('{"resources": [')
    with pytest.raises(VotesError, match=r"datapackage\.json: is no data package \(JSONDecodeError\)"):
        read(folder)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["observationType", "scientificName"], "has no column observationLevel; Camtrap DP has it since 1.0"),
        (["ObservationLevel"], "has no column observationLevel; did you mean 'ObservationLevel'"),
        (["task", "worker"], "has no column observationLevel; it has task, worker"),
    ],
)
def test_columns_of_other_versions_and_layouts_are_refused(tmp_path: Path, columns: Sequence[str], words: str) -> None:
    folder = make_package(tmp_path, [])
    (folder / "observations.csv").write_text(table([], columns))
    with pytest.raises(VotesError) as error:
        read(folder)
    assert f"observations.csv: {words}" in str(error.value)


def test_a_table_of_another_layout_is_said_to_look_like_it(tmp_path: Path) -> None:
    (tmp_path / "occurrence.txt").write_text("gbifID\tscientificName\n1\tAcer\n")
    with pytest.raises(VotesError, match=r"occurrence\.txt: has no column observationLevel; it looks like darwin-core"):
        read(tmp_path / "occurrence.txt")


def test_packages_are_recognised(tmp_path: Path) -> None:
    folder = make_package(tmp_path / "a", [])
    for path in (folder, folder / "observations.csv", zipped(folder, tmp_path / "a.zip", "a/")):
        assert CamtrapDp.recognises(Sample.of(path))
    with pytest.raises(VotesError, match=r"has no datapackage\.json; name a folder or zip file with one"):
        read(tmp_path)


NAMES = st.sampled_from(["Sus scrofa", "Meles meles", ""])
ROWS = st.lists(
    st.builds(row, st.sampled_from(["1", "2", ""]), NAMES, st.sampled_from(["Ann", "Ben", ""]))
    | st.builds(machine, st.sampled_from(["1", "2"]), NAMES, st.sampled_from(["0.5", "0.75", ""])),
    max_size=8,
)


@given(ROWS)
def test_each_row_is_used_left_out_or_rejected_as_a_slow_reading_says(rows: list[dict[str, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        found = read(make_package(Path(name), rows))
    usable = [r for r in rows if r["mediaID"] and r["scientificName"]]
    people = [r for r in usable if r["classificationMethod"] == "human"]
    expected = []
    for media, user in dict.fromkeys((r["mediaID"], r["classifiedBy"] or f"unknown:{r['mediaID']}") for r in people):
        labels = {
            r["scientificName"]
            for r in people
            if (r["mediaID"], r["classifiedBy"] or f"unknown:{r['mediaID']}") == (media, user)
        }
        if len(labels) == 1:
            expected.append((media, user, *labels))
    assert sorted(votes_of(found)) == sorted(expected)
    scored = [r for r in usable if r["classificationMethod"] == "machine" and r["classificationProbability"]]
    species = {media: {r["scientificName"] for r in scored if r["mediaID"] == media} for media in ("1", "2")}
    assert sorted(ai_votes_of(found)) == sorted(
        (media, *labels, max(float(r["classificationProbability"]) for r in scored if r["mediaID"] == media))
        for media, labels in species.items()
        if len(labels) == 1
    )
    for name, method in (("votes", "human"), ("ai_votes", "machine")):
        n_read, n_used, _, _ = counts(found.account, name)
        assert n_read == sum(r["classificationMethod"] == method for r in rows)
        assert n_used == len(_rows(found, name))
