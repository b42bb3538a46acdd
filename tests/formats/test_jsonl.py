import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plant_aggregate import VotesError
from plant_aggregate.formats.jsonl import NO_OBJECT, TWICE, JsonLines
from plant_aggregate.formats.reading import read_tables
from plant_aggregate.formats.typed import NO_FLAG

VOTES: list[dict[str, Any]] = [
    {"observation_id": "007", "user_id": 1152921504606846977, "label": "Acer", "is_author": True},
    {"label": None, "observation_id": 8, "user_id": "NA", "voted_at": "2026-11-23T02:15:00Z", "url": {"a": 1}},
]
READ = [
    ("007", "1152921504606846977", "Acer", True, None),
    ("8", "NA", "", None, datetime(2026, 11, 23, 2, 15, tzinfo=UTC)),
]


def written(folder: Path, text: str) -> Path:
    path = folder / "votes.jsonl"
    path.write_text(text)
    return path


def rows(path: Path, **options: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in read_tables(JsonLines(**options), path).tables["votes"].to_pylist()]


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\n\n"])
def test_an_object_in_each_line(tmp_path: Path, separator: str) -> None:
    assert rows(written(tmp_path, separator.join(map(json.dumps, VOTES)))) == READ


@pytest.mark.parametrize("indent", [None, 2])
def test_objects_in_a_list(tmp_path: Path, indent: int | None) -> None:
    assert rows(written(tmp_path, json.dumps(VOTES, indent=indent))) == READ


def test_own_names_of_keys_also_within_objects(tmp_path: Path) -> None:
    text = '{"user": {"id": 3}, "obs.id": "1", "species": "Acer"}\n'
    columns = {"user_id": "user.id", "observation_id": "obs.id", "label": "species"}
    assert rows(written(tmp_path, text), columns=columns) == [("1", "3", "Acer", None, None)]


def test_what_cannot_be_used_is_rejected_with_its_line(tmp_path: Path) -> None:
    lines = [
        '{"observation_id": 1, "user_id": 1, "label": "Acer"}',
        '{"observation_id": 1, "user_id": 2, "label": ["Acer"]}',
        '{"observation_id": 1, "user_id": 3, "label": "Ac',
        '{"observation_id": 1, "label": "Acer"}',
        '["Acer"]',
        '{"observation_id": 1, "user_id": 4, "user_id": 5, "label": "Acer"}',
        '{"observation_id": 1, "user_id": 6, "label": "Acer", "is_author": "maybe"}',
        '{"observation_id": null, "user_id": 7, "label": "Acer"}',
    ]
    tables, account = read_tables(JsonLines(), written(tmp_path, "\n".join(lines)))
    assert tables["votes"]["user_id"].to_pylist() == ["1"]
    found = {item.number: item.reason for item in account.rejected}
    assert found.pop(3).startswith("not valid JSON")
    assert found == {
        2: "with a label that is no text, number or truth value",
        4: "without a user",
        5: NO_OBJECT,
        6: TWICE,
        7: NO_FLAG,
        8: "without an observation",
    }
    assert account.n_read["votes"] == 8 == 1 + account.n_rejected["votes"].total()


def test_a_cut_list_names_its_record(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match="ends too early, in record 2"):
        rows(written(tmp_path, json.dumps(VOTES)[:-30]))


def test_a_missing_key(tmp_path: Path) -> None:
    message = (
        "line 1 has no key 'label', but 'observation_id', 'user_id', 'Label'; did you mean 'Label'.; map keys with "
        "--column label=KEY"
    )
    with pytest.raises(VotesError, match=message):
        rows(written(tmp_path, '{"observation_id": 1, "user_id": 1, "Label": "Acer"}'))


def test_ai_votes(tmp_path: Path) -> None:
    path = written(tmp_path, '{"observation_id": 1, "label": "Acer", "score": 0.25}\n')
    tables, _ = read_tables(JsonLines(table="ai_votes"), path)
    assert tables["ai_votes"].to_pylist() == [{"observation_id": "1", "label": "Acer", "score": 0.25}]
