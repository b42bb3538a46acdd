"""Records of Argilla."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate.errors import VotesError
from plant_aggregate.formats.argilla import Argilla
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import formats_like

from .made_argilla import USERS, flat, nested, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.json"


def votes(found: Tables) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows(found, "votes")]


def rows(found: Tables, table: str) -> list[dict[str, Any]]:
    return found.tables[table].to_pylist() if table in found.tables else []


def fault(path: Path, **options: Any) -> str:
    with pytest.raises(VotesError) as caught:
        read_tables(Argilla(**options), path)
    return str(caught.value)


def reasons(found: Tables) -> list[tuple[str, int, str]]:
    return [(item.table, item.number, item.reason) for item in found.account.rejected]


def test_only_submitted_responses_are_votes(path: Path) -> None:
    responses = [("Acer", 1, "submitted"), ("Ilex", 2, "draft"), ("Ilex", 3, "discarded"), ("NA", 4, "submitted")]
    records = [flat("007", *responses), flat("8"), flat("9", ("Acer", 1, None))]
    found = read_tables(Argilla(), write(path, records))
    assert votes(found) == [("007", USERS[1], "Acer"), ("007", USERS[4], "NA")]
    assert found.tables["votes"].schema.types == [pa.string()] * 3
    assert found.account.left_out == {
        "votes": {"with status draft": 1, "with status discarded": 1, "without a status": 1}
    }
    assert found.account.facts == {"records without a response to the question": 1}
    assert (found.account.n_read["votes"], found.account.n_used()) == (5, 2)
    lines = write(path.with_suffix(".jsonl"), records, as_lines=True)
    assert votes(read_tables(Argilla(), lines)) == votes(found)


def test_suggestions_are_votes_of_the_ai(path: Path) -> None:
    records = [
        flat("1", suggestion=("Acer", 0.5, "m1")),
        flat("2", suggestion=(["Ilex"], [0.25], "m1")),
        flat("3", suggestion=("Acer", None, "m1")),
        flat("4", suggestion=("Acer", 7, "m1")),
        flat("5", suggestion=(["Acer", "Ilex"], [0.5, 0.5], "m1")),
        flat("6", suggestion=([], [], "m1")),
        flat("7", suggestion=(3, 0.5, "m1")),
    ]
    found = read_tables(Argilla(), write(path, records))
    assert rows(found, "ai_votes") == [
        {"observation_id": "1", "label": "Acer", "score": 0.5},
        {"observation_id": "2", "label": "Ilex", "score": 0.25},
    ]
    assert reasons(found) == [
        ("ai_votes", 3, "without a score"),
        ("ai_votes", 4, "with a score that is no number in [0, 1]"),
        ("ai_votes", 5, "with more than one answer"),
    ]
    assert found.account.left_out == {
        "ai_votes": {"with an empty answer": 1, "with the number of a class, whose name only a Parquet file has": 1}
    }
    assert (found.account.n_read["ai_votes"], found.account.n_used("ai_votes")) == (7, 2)


def test_one_agent_is_the_ai(path: Path) -> None:
    write(path, [flat("1", suggestion=("Acer", 0.5, "m1")), flat("2", suggestion=("Ilex", 0.5, None))])
    assert fault(path) == "there is more than one agent: none (1 suggestion), 'm1' (1 suggestion); say which: --agent"
    found = read_tables(Argilla(agent="m1"), path)
    assert [row["observation_id"] for row in rows(found, "ai_votes")] == ["1"]
    assert found.account.left_out == {"ai_votes": {"of another agent": 1}}


def test_the_question_is_the_only_one_or_must_be_named(path: Path) -> None:
    other = {
        "comment.responses": ["hi"],
        "comment.responses.users": [USERS[1]],
        "comment.responses.status": ["submitted"],
    }
    write(path, [flat("1", ("Acer", 1, "submitted"), **other)])
    assert (
        fault(path)
        == "there is more than one question: 'comment' (1 record), 'species' (1 record); say which: --question"
    )
    assert votes(read_tables(Argilla(question="species"), path)) == [("1", USERS[1], "Acer")]
    assert "there is no question 'taxon', but 'comment'" in fault(path, question="taxon")


def test_a_field_may_be_the_observation(path: Path) -> None:
    vote = ("Acer", 1, "submitted")
    write(path, [flat("1", vote, observation=2**60 + 1), flat("2", vote, observation=None), flat("3", vote)])
    found = read_tables(Argilla(observation="observation"), path)
    assert votes(found) == [(2**60 + 1, USERS[1], "Acer")]
    assert reasons(found) == [("votes", n, "without a text or an integer as id of the observation") for n in (2, 3)]
    write(path, [flat("1", vote, observation=1), flat("2", vote, observation="2")])
    assert "the ids of observations are integers (record 1 of" in fault(path, observation="observation")


def test_answers_are_one_text(path: Path) -> None:
    answers = [["Acer"], ["Acer", "Ilex"], [], None, 5, {"a": 1}, ["Acer", "Acer"]]
    records = [flat("1", *((answer, n, "submitted") for n, answer in enumerate(answers)))]
    found = read_tables(Argilla(), write(path, records))
    assert votes(found) == [("1", USERS[0], "Acer"), ("1", USERS[6], "Acer")]
    assert [item.reason for item in found.account.rejected] == [
        "with more than one answer",
        "with an answer that is no text",
        "with an answer that is no text",
    ]
    assert found.account.left_out == {"votes": {"with an empty answer": 2}}


def test_lists_of_different_lengths_and_nobodys_responses_are_rejected(path: Path) -> None:
    vote = ("Acer", 1, "submitted")
    short = flat("1", vote, vote) | {"species.responses.users": [USERS[1]]}
    nobody = flat("2", vote) | {"species.responses.users": [None]}
    found = read_tables(Argilla(), write(path, [short, nobody]))
    different = "with lists of responses, users and status of different lengths"
    assert reasons(found) == [("votes", 1, different), ("votes", 1, different), ("votes", 2, "without a user")]
    assert found.account.n_read["votes"] == 3


def test_nested_records_do_not_say_what_was_submitted(path: Path) -> None:
    records = [nested("1", ("Acer", 1), ("Ilex", 2), suggestion=("Acer", 0.5, "m1")), nested("2")]
    write(path, records)
    assert fault(path) == (
        f"{path}: record 1 is nested, and does not say which responses are drafts or were discarded; export the flat "
        "form: dataset.records.to_datasets().to_parquet(FILE); or count all of them: --assume-submitted"
    )
    found = read_tables(Argilla(assume_submitted=True), path)
    assert votes(found) == [("1", USERS[1], "Acer"), ("1", USERS[2], "Ilex")]
    assert rows(found, "ai_votes") == [{"observation_id": "1", "label": "Acer", "score": 0.5}]
    found = read_tables(Argilla(assume_submitted=True, observation="observation"), path)
    assert votes(found)[0] == ("obs-1", USERS[1], "Acer")


def test_parquet_is_read_alike(path: Path) -> None:
    records = [flat("1", ("Acer", 1, "submitted"), ("Ilex", 2, "draft")), flat("2", suggestion=("Ilex", 0.5, "m1"))]
    pq.write_table(pa.Table.from_pylist(records), path)
    found = read_tables(Argilla(), path)
    assert votes(found) == [("1", USERS[1], "Acer")]
    assert rows(found, "ai_votes") == [{"observation_id": "2", "label": "Ilex", "score": 0.5}]
    path.write_bytes(path.read_bytes()[:-20])
    assert "cannot be read as Parquet" in fault(path)


@pytest.mark.extras
def test_the_numbers_of_classes_get_their_names_back(path: Path) -> None:
    """``to_datasets`` makes classes of suggestions, in the order in which they occur; no suggestion is one, too."""
    datasets = pytest.importorskip("datasets")
    labels = ["Ilex", None, "Acer"]
    dataset = datasets.Dataset.from_list(
        [flat(str(n), ("Acer", 1, "submitted"), suggestion=(label, 0.5, "m1")) for n, label in enumerate(labels)]
    )
    coded = dataset.map(
        lambda batch: {"species.suggestion": [labels.index(name) for name in batch["species.suggestion"]]},
        batched=True,
        remove_columns=["species.suggestion"],
        features=datasets.Features(dataset.features | {"species.suggestion": datasets.ClassLabel(names=labels)}),
    )
    assert coded[:]["species.suggestion"] == [0, 1, 2]
    coded.to_parquet(path)
    found = read_tables(Argilla(), path)
    assert [(row["observation_id"], row["label"]) for row in rows(found, "ai_votes")] == [("0", "Ilex"), ("2", "Acer")]
    assert len(votes(found)) == 3
    coded.to_json(path)
    found = read_tables(Argilla(), path)
    assert len(votes(found)) == 3
    assert found.account.left_out == {"ai_votes": {"with the number of a class, whose name only a Parquet file has": 3}}


def test_other_files_are_refused(path: Path) -> None:
    path.write_text("id,species.responses\n1,['Acer' 'Ilex']\n")
    assert fault(path).endswith("; export the flat form: dataset.records.to_datasets().to_parquet(FILE)")
    write(path, [{"id": 1, "label": "Acer"}])
    assert "record 1 is no record of Argilla, with 'id' and 'QUESTION.responses'" in fault(path)
    write(path, [flat("1"), 5])  # type: ignore[list-item]
    assert "record 2 is no object" in fault(path)
    path.write_text('{"id": "1", "q.responses": null}\n{"id": \n')
    assert "line 2 is not valid JSON" in fault(path)
    path.write_text("")
    assert fault(path) == f"{path}: is empty; check what it is"
    assert "is a folder" in fault(path.parent)


def test_the_file_is_recognised(path: Path) -> None:
    assert formats_like(write(path, [flat("1")])) == ["argilla"]
    assert formats_like(write(path, [flat("1"), flat("2")], as_lines=True)) == ["argilla"]
    assert formats_like(write(path, [nested("1", ("Acer", 1))])) == ["argilla"]


def test_each_response_is_counted(path: Path) -> None:
    """The counts are found here in another way."""
    chance = random.Random(1)
    states = ("submitted", "submitted", "draft", "discarded")
    labels: tuple[Any, ...] = ("Acer", "Ilex", "Acer", ["Acer", "Ilex"], [])
    records = [
        flat(str(n), *((chance.choice(labels), user, chance.choice(states)) for user in range(chance.randrange(5))))
        for n in range(400)
    ]
    found = read_tables(Argilla(), write(path, records))
    given = [
        (value, status)
        for record in records
        for value, status in zip(
            record["species.responses"] or (), record["species.responses.status"] or (), strict=True
        )
    ]
    counts = Counter(
        status if status != "submitted" else "vote" if isinstance(value, str) else len(value) for value, status in given
    )
    account = found.account
    assert account.n_read["votes"] == len(given)
    assert account.n_used() == len(votes(found)) == counts["vote"]
    assert account.left_out["votes"].total() == counts["draft"] + counts["discarded"] + counts[0]
    assert account.n_rejected["votes"].total() == counts[2]
