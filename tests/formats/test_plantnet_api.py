"""Responses of the Pl@ntNet API: the best species of each, and all of its results."""

import json
from pathlib import Path
from typing import Any

import pytest

from plant_aggregate.errors import AggregateWarning, VotesError
from plant_aggregate.formats.plantnet_api import PlantNetApi
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import Sample

from .made_plantnet_api import NOT_FOUND, response

MAPLE, SYCAMORE = "Acer campestre L.", "Acer pseudoplatanus L."
RESPONSES = [
    response({MAPLE: 0.2, SYCAMORE: 0.43}, 7),  # not sorted
    response({MAPLE: 0.6}, "obs-8"),
    response({}, 9),
    NOT_FOUND | {"observation_id": 10},
    response({"Taraxacum sect. Taraxacum F.H.Wigg.": 0.5, MAPLE: 0.3}, 11),
]


def written(folder: Path, responses: list[Any], kind: str = "lines") -> Path:
    path = folder / "responses.json"
    path.write_text(json.dumps(responses) if kind == "list" else "\n".join(map(json.dumps, responses)))
    return path


def votes(tables: Tables) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in tables.tables["ai_votes"].to_pylist()] if tables.tables else []


def is_balanced(tables: Tables) -> bool:
    account = tables.account
    n_rows = {name: tables.tables[name].num_rows if name in tables.tables else 0 for name in account.n_read}
    return all(account.n_used(name) == n_rows[name] for name in account.n_read)


@pytest.mark.parametrize("kind", ["lines", "list"])
def test_the_result_with_the_highest_score_is_the_vote(tmp_path: Path, kind: str) -> None:
    tables = read_tables(PlantNetApi(), written(tmp_path, RESPONSES, kind))
    assert votes(tables) == [("7", "Acer pseudoplatanus", 0.43), ("obs-8", "Acer campestre", 0.6)]
    assert tables.account.n_read == {"ai_votes": 5}
    assert tables.account.left_out["ai_votes"] == {
        "without results": 1,
        "with an error of the API instead of results": 1,
        "whose best result is no species": 1,
    }
    assert tables.account.details == {"version": "2025-01-17 (7.3)", "project": "k-world-flora"}
    assert is_balanced(tables)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("name", "Acer campestre"),
        ("full-name", "Acer campestre L."),
        ("gbif", str(sum(b"Acer campestre"))),
        ("powo", f"{sum(b'Acer campestre')}-1"),
    ],
)
def test_a_species_may_be_called_by_its_ids(tmp_path: Path, label: str, expected: str) -> None:
    path = written(tmp_path, [response({MAPLE: 0.6}, 1)])
    assert votes(read_tables(PlantNetApi(label=label), path)) == [("1", expected, 0.6)]


@pytest.mark.parametrize("missing", [None, {}, {"id": None}, {"id": " "}])
def test_a_species_without_the_id_is_rejected(tmp_path: Path, missing: object) -> None:
    made = response({MAPLE: 0.6, SYCAMORE: 0.1}, 1)
    made["results"][0]["gbif"] = missing
    tables = read_tables(PlantNetApi(label="gbif", score_lists=True), written(tmp_path, [made, RESPONSES[1]]))
    assert tables.account.n_rejected["ai_votes"] == {"whose best result has no such name or id": 1}
    assert tables.tables["scores"].to_pylist()[0]["probabilities"] == [0.1]
    assert is_balanced(tables)


def test_score_lists_are_all_results_as_they_are(tmp_path: Path) -> None:
    tables = read_tables(PlantNetApi(score_lists=True), written(tmp_path, [*RESPONSES, RESPONSES[0]]))
    assert tables.tables["scores"].to_pylist() == [
        {"observation_id": "7", "labels": ["Acer pseudoplatanus", "Acer campestre"], "probabilities": [0.43, 0.2]},
        {"observation_id": "obs-8", "labels": ["Acer campestre"], "probabilities": [0.6]},
        {
            "observation_id": "11",
            "labels": ["Taraxacum sect. Taraxacum", "Acer campestre"],
            "probabilities": [0.5, 0.3],
        },
    ]
    assert tables.account.left_out["scores"] == {"of an observation that has another response": 1}
    assert is_balanced(tables)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"observation_id": None}, "without an observation id"),
        ({"observation_id": 1.5}, "without an observation id"),
        ({"results": None}, "without the form of a response of the API"),
        ({"results": [{"score": 0.5}]}, "without the form of a response of the API"),
        ({"results": [{"score": "0.5", "species": {}}]}, "with a score that is not in [0, 1]"),
        ({"results": [{"score": 91, "species": {}}]}, "with a score that is not in [0, 1]"),
        ({"results": [{"score": 0.5, "species": {}}]}, "whose best result has no such name or id"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_line(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    tables = read_tables(PlantNetApi(), written(tmp_path, [RESPONSES[0], RESPONSES[0] | change]))
    assert tables.account.n_rejected["ai_votes"] == {reason: 1}
    assert (tables.account.rejected[0].unit, tables.account.rejected[0].number) == ("line", 2)
    assert is_balanced(tables)


def test_a_line_that_is_no_json_stops_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, RESPONSES[:2])
    path.write_text(path.read_text() + '\n{"results": [\n{"results": [], "results": []}\n')
    tables = read_tables(PlantNetApi(), path)
    assert len(votes(tables)) == 2
    assert [(r.number, r.reason.partition(" (")[0]) for r in tables.account.rejected] == [
        (3, "not valid JSON"),
        (4, "in which a key occurs twice"),
    ]


def test_files_with_one_response_are_called_as_the_observation(tmp_path: Path) -> None:
    folder = tmp_path / "responses"
    (folder / "00").mkdir(parents=True)
    (folder / "1001.json").write_text(json.dumps(response({MAPLE: 0.6})))
    (folder / "00" / "1002.json").write_text(json.dumps(response({SYCAMORE: 0.7}), indent=2))
    assert votes(read_tables(PlantNetApi(), folder)) == [
        ("1002", "Acer pseudoplatanus", 0.7),
        ("1001", "Acer campestre", 0.6),
    ]
    assert [path.name for path in PlantNetApi().files([folder])] == ["1002.json", "1001.json"]
    assert votes(read_tables(PlantNetApi(), folder / "1001.json")) == [("1001", "Acer campestre", 0.6)]


def test_the_observation_may_have_another_name(tmp_path: Path) -> None:
    path = written(tmp_path, [response({MAPLE: 0.6}) | {"obs": "007"}] * 2)
    assert votes(read_tables(PlantNetApi(observation="obs"), path))[0] == ("007", "Acer campestre", 0.6)


@pytest.mark.parametrize("key", ["version", "project"])
def test_two_versions_or_projects_are_warned_of(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, [RESPONSES[0], response({MAPLE: 0.6}, 8, **{key: "other"})])
    with pytest.warns(AggregateWarning, match=f"responses are of 2 {key}s .*other.*, which know other species"):
        tables = read_tables(PlantNetApi(), path)
    assert "other" in tables.account.details[key]


def test_what_is_no_response_is_refused(tmp_path: Path) -> None:
    for text, fault in (('{"a": 1}', "is no response of the API"), ("id,label\n", "is no JSON"), ("", "is empty")):
        path = tmp_path / "file.json"
        path.write_text(text)
        with pytest.raises(VotesError, match=fault):
            read_tables(PlantNetApi(), path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(VotesError, match="has no JSON files"):
        read_tables(PlantNetApi(), tmp_path / "empty")


@pytest.mark.parametrize("kind", ["lines", "list"])
def test_responses_are_recognised(tmp_path: Path, kind: str) -> None:
    assert PlantNetApi.recognises(Sample.of(written(tmp_path, RESPONSES, kind)))
