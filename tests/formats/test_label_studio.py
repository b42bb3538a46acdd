"""Exports of Label Studio: what becomes of each annotation and prediction."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.formats.label_studio import LabelStudio
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import formats_like

from .made_label_studio import annotation, prediction, project, region, task, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "project-24.json"


def votes(found: Tables) -> list[tuple[Any, ...]]:
    return [(row["observation_id"], row["user_id"], row["label"]) for row in rows(found, "votes")]


def rows(found: Tables, table: str) -> list[dict[str, Any]]:
    return found.tables[table].to_pylist() if table in found.tables else []


def fault(path: Path, **options: Any) -> str:
    with pytest.raises(VotesError) as caught:
        read_tables(LabelStudio(**options), path)
    return str(caught.value)


def reasons(found: Tables) -> list[tuple[str, int, str]]:
    return [(item.table, item.number, item.reason) for item in found.account.rejected]


def test_an_annotation_is_a_vote(path: Path) -> None:
    write(path, task(7, annotation(31, 3, "Acer opalus"), annotation(32, 4, "Ilex aquifolium")))
    found = read_tables(LabelStudio(), path)
    time = datetime(2024, 5, 15, 12, 31, 16, 789563, UTC)
    assert rows(found, "votes")[0] == {"observation_id": 7, "user_id": 3, "label": "Acer opalus", "voted_at": time}
    assert votes(found)[1] == (7, 4, "Ilex aquifolium")
    schema = found.tables["votes"].schema
    assert schema.types == [pa.int64(), pa.int64(), pa.string(), pa.timestamp("us", "UTC")]
    assert set(found.tables) == {"votes"}
    assert (found.account.n_read["votes"], found.account.facts) == (2, {})


def test_the_time_is_the_last_update_else_the_creation_else_missing(path: Path) -> None:
    changes: list[dict[str, Any]] = [{}, {"updated_at": None}, {"updated_at": None, "created_at": None}]
    changes += [{"updated_at": "yesterday"}, {"updated_at": "2024-05-15T14:00:00+02:00"}]
    write(path, task(7, *(annotation(n, n, "Acer", **change) for n, change in enumerate(changes, 1))))
    found = read_tables(LabelStudio(), path)
    times = [row["voted_at"] and row["voted_at"].isoformat() for row in rows(found, "votes")]
    assert times == [
        "2024-05-15T12:01:16.789563+00:00",
        "2024-05-15T12:09:16.789536+00:00",
        None,
        None,
        "2024-05-15T12:00:00+00:00",
    ]
    assert found.account.facts == {"times that are not in ISO 8601, taken as missing": 1}


def test_a_member_of_the_data_may_be_the_observation(path: Path) -> None:
    tasks = [task(n, annotation(n, 1, "Acer")) for n in (7, 8, 9)]
    tasks[0]["data"]["observation_id"] = "007"
    tasks[2]["data"]["observation_id"] = 5.5
    found = read_tables(LabelStudio(observation="observation_id"), write(path, *tasks))
    assert votes(found) == [("007", 1, "Acer"), ("obs-0008", 1, "Acer")]
    assert reasons(found) == [("votes", 3, "without a text or an integer as id of the observation")]


def test_ids_of_observations_are_of_one_kind(path: Path) -> None:
    tasks = [task(7, annotation(1, 1, "Acer")), task(8, annotation(2, 1, "Acer"), data={"observation_id": 8})]
    assert fault(write(path, *tasks), observation="observation_id") == (
        f"the ids of observations are integers (record 2 of {path}) and texts (record 1 of {path}); export them alike, "
        "or convert the files one by one"
    )


def test_large_ids_stay_what_they_are(path: Path) -> None:
    found = read_tables(LabelStudio(), write(path, task(2**60 + 1, annotation(1, 2**53 + 1, "NA"))))
    assert votes(found) == [(2**60 + 1, 2**53 + 1, "NA")]
    found = read_tables(LabelStudio(), write(path, task(2**64, annotation(1, 1, "NA"))))
    assert reasons(found) == [("votes", 1, "without a text or an integer as id of the observation")]


def test_what_is_no_answer_of_the_control_is_left_out(path: Path) -> None:
    results: list[Any] = [None, [], [region("blurred", "quality", "rating")], [region([])], [{"from_name": "species"}]]
    results += [["text"], {}, [region("Acer"), region("good", "quality", "rating")]]
    annotations = [annotation(n, n, None, result=result) for n, result in enumerate(results, 1)]
    annotations.append(annotation(20, 20, "Acer", was_cancelled=True))
    found = read_tables(LabelStudio(), write(path, task(7, *annotations)))
    assert votes(found) == [(7, 8, "Acer")]
    assert found.account.left_out == {
        "votes": {"without an answer of the control": 5, "with an empty answer": 2, "cancelled": 1}
    }
    assert found.account.n_used() == 1


def test_several_answers_are_rejected_and_one_said_twice_is_one(path: Path) -> None:
    twice = annotation(1, 1, None, result=[region("Acer"), region(["Acer"])])
    several = annotation(2, 2, None, result=[region(["Acer", "Ilex"])])
    regions = annotation(3, 3, None, result=[region("Acer"), region("Ilex")])
    number = annotation(4, 4, None, result=[region([5])])  # type: ignore[list-item]
    found = read_tables(LabelStudio(), write(path, task(7, twice), task(8, several, regions, number)))
    assert votes(found) == [(7, 1, "Acer")]
    assert reasons(found) == [
        ("votes", 2, "with more than one answer"),
        ("votes", 2, "with more than one answer"),
        ("votes", 2, "with an answer that is no text"),
    ]
    first = found.account.rejected[0]
    assert (first.file, first.unit, first.observation_id, first.user_id) == (str(path), "record", "8", "2")
    assert first.label == "Acer; Ilex"
    assert first.text is not None
    assert first.text.startswith('{"id": 2, "completed_by": 2')


def test_a_blank_answer_is_kept_as_no_opinion(path: Path) -> None:
    found = read_tables(LabelStudio(), write(path, task(7, annotation(1, 1, " "))))
    assert votes(found) == [(7, 1, " ")]


def test_the_label_of_a_taxonomy_is_the_end_of_its_path(path: Path) -> None:
    names = ["Sapindaceae", "Acer", "Acer opalus"]
    two = annotation(2, 2, None, result=[region(names, kind="taxonomy"), region(names[:2], kind="taxonomy")])
    one = annotation(1, 1, None, result=[region(names, kind="taxonomy")])
    write(path, task(7, one, two))
    found = read_tables(LabelStudio(), path)
    assert votes(found) == [(7, 1, "Acer opalus")]
    assert reasons(found) == [("votes", 1, "with more than one answer")]
    assert votes(read_tables(LabelStudio(level="all"), path)) == [(7, 1, "Sapindaceae / Acer / Acer opalus")]


def test_the_control_is_the_only_one_or_must_be_named(path: Path) -> None:
    both = [region("Acer"), region("forest", "habitat")]
    write(path, task(7, annotation(1, 1, None, result=both), annotation(2, 2, "Ilex")))
    assert fault(path) == (
        "there is more than one control: 'habitat' (1 answer), 'species' (2 answers); say which: --control"
    )
    assert votes(read_tables(LabelStudio(control="habitat"), path)) == [(7, 1, "forest")]
    assert "there is no control 'taxon'" in fault(path, control="taxon")
    boxes = [region("Car", "label", "rectanglelabels")]
    write(path, task(7, annotation(1, 1, None, result=boxes)))
    assert fault(path) == (
        "there is no control of choices or a taxonomy, but of rectanglelabels; votes are answers of such controls"
    )


@pytest.mark.parametrize(
    ("users", "read_as"),
    [
        ([1, {"id": 2, "email": "bo@example.org"}], [1, 2]),
        (
            [{"email": "ana@example.org", "first_name": ""}, {"id": None, "email": "bo@x.org"}],
            ["ana@example.org", "bo@x.org"],
        ),
        ([None, {"email": ""}], ["annotation:1", "annotation:2"]),
        ([None, "bo"], ["annotation:1", "bo"]),
        ([None, 5], [-1, 5]),
    ],
)
def test_users_are_integers_or_texts(path: Path, users: list[Any], read_as: list[Any]) -> None:
    write(path, task(7, *(annotation(n, user, "Acer") for n, user in enumerate(users, 1))))
    assert [user for _, user, _ in votes(read_tables(LabelStudio(), path))] == read_as


def test_users_are_of_one_kind(path: Path) -> None:
    annotations = [annotation(1, 1, "Acer"), annotation(2, {"email": "ana@example.org"}, "Acer")]
    assert "the ids of users are integers (record 1" in fault(write(path, task(7, *annotations)))


def test_who_did_not_sign_has_a_user_of_its_own_or_is_rejected(path: Path) -> None:
    nobody = annotation(12, None, "Acer")
    del nobody["completed_by"]
    write(
        path,
        task(7, nobody, annotation(13, None, "Acer"), annotation(14, 5, "Acer"), annotation(15, None, "Acer", id="x")),
    )
    found = read_tables(LabelStudio(), path)
    assert [user for _, user, _ in votes(found)] == [-12, -13, 5]
    assert found.account.facts == {"annotations that nobody completed, each with a user of its own": 2}
    assert reasons(found) == [("votes", 1, "without a user")]
    found = read_tables(LabelStudio(without_user="reject"), path)
    assert [user for _, user, _ in votes(found)] == [5]
    assert reasons(found) == [("votes", 1, "without a user")] * 3


def test_ground_truth_is_truth_and_no_vote_unless_asked(path: Path) -> None:
    true = annotation(1, 1, "Acer", ground_truth=True)
    cancelled = annotation(3, 1, "Acer", ground_truth=True, was_cancelled=True)
    blank = annotation(4, 1, " ", ground_truth=True)
    write(path, task(7, true, annotation(2, 2, "Ilex")), task(8, cancelled, blank))
    found = read_tables(LabelStudio(), path)
    assert votes(found) == [(7, 2, "Ilex")]
    assert rows(found, "truth") == [{"observation_id": 7, "label": "Acer"}]
    assert found.account.n_read == {"votes": 1, "truth": 3}
    assert found.account.left_out == {"truth": {"cancelled": 1, "with a blank answer": 1}}
    found = read_tables(LabelStudio(ground_truth_votes=True), path)
    assert votes(found) == [(7, 1, "Acer"), (7, 2, "Ilex"), (8, 1, " ")]
    assert rows(found, "truth") == [{"observation_id": 7, "label": "Acer"}]


def test_predictions_are_votes_of_the_ai(path: Path) -> None:
    earlier = prediction("Ilex", 0.1, created_at="2021-10-27T19:40:48.842071Z")
    unscored = prediction("Acer", None, result=[region("Acer")])
    tasks = [
        task(7, annotation(1, 1, "Acer"), predictions=[prediction("Acer", 0.5), earlier]),
        task(8, predictions=[prediction("Acer", None)]),
        task(9, predictions=[unscored]),
        task(10, predictions=[prediction("Acer", 1.5)]),
        task(11, predictions=[prediction("Acer", result=[])]),
        task(12, predictions=[prediction("Acer", result=[region(["Acer", "Ilex"])])]),
    ]
    found = read_tables(LabelStudio(), write(path, *tasks))
    assert rows(found, "ai_votes") == [
        {"observation_id": 7, "label": "Acer", "score": 0.5},
        {"observation_id": 8, "label": "Acer", "score": 0.23},
    ]
    assert reasons(found) == [
        ("ai_votes", 3, "without a score"),
        ("ai_votes", 4, "with a score that is no number in [0, 1]"),
        ("ai_votes", 6, "with more than one answer"),
    ]
    assert found.account.left_out == {
        "ai_votes": {"before the latest of the task": 1, "without an answer of the control": 1}
    }
    assert (found.account.n_read["ai_votes"], found.account.n_used("ai_votes")) == (7, 2)


def test_one_model_version_votes(path: Path) -> None:
    predictions = [prediction("Acer", version="2026-01"), prediction("Ilex", version=None)]
    write(path, task(7, annotation(1, 1, "Acer"), predictions=predictions))
    assert fault(path) == (
        "there is more than one model version: none (1 prediction), '2026-01' (1 prediction); say which: "
        "--model-version"
    )
    found = read_tables(LabelStudio(model_version="2026-01"), path)
    assert rows(found, "ai_votes") == [{"observation_id": 7, "label": "Acer", "score": 0.9}]
    assert found.account.left_out == {"ai_votes": {"of another model version": 1}}


def test_old_exports_have_completions_that_may_be_skipped(path: Path) -> None:
    old = task(7)
    del old["annotations"]
    kept, skipped = annotation(1, 1, "Acer"), annotation(2, 2, "Acer", skipped=True)
    for completion in (kept, skipped):
        del completion["was_cancelled"]
    found = read_tables(LabelStudio(), write(path, old | {"completions": [kept, skipped]}))
    assert votes(found) == [(7, 1, "Acer")]
    assert found.account.left_out == {"votes": {"cancelled": 1}}


def test_tasks_without_annotations_have_no_votes(path: Path) -> None:
    alone = task(8, predictions=[prediction("Acer")])
    del alone["annotations"]
    write(path, task(7, annotation(1, 1, "Acer")), alone, task(9), task(10, annotations=None))
    found = read_tables(LabelStudio(), path)
    assert votes(found) == [(7, 1, "Acer")]
    assert found.account.facts == {"tasks without the key 'annotations'": 1, "tasks that nobody annotated": 2}


def test_other_exports_are_refused_with_what_to_do(path: Path) -> None:
    small = [{"id": 1, "image": "1.jpg", "species": "Acer", "annotator": 1, "annotation_id": 2, "lead_time": 1.2}]
    path.write_text(json.dumps(small))
    assert fault(path) == (
        f"{path}: record 1 is of a JSON-MIN export, which does not say what was cancelled; export the project from "
        "Label Studio as JSON, not JSON-MIN, CSV or TSV"
    )
    path.write_text("id,image,species,annotator,annotation_id\n1,1.jpg,Acer,1,2\n")
    assert fault(path).endswith("; export the project from Label Studio as JSON, not JSON-MIN, CSV or TSV")
    path.write_text('{"id": 1}')
    assert "is a JSON object, not a list of tasks" in fault(path)
    path.write_text('[{"worker": 1}]')
    assert "record 1 is no task of Label Studio" in fault(path)
    path.write_text("[1]")
    assert "record 1 is no task of Label Studio" in fault(path)
    path.write_text('[{"id": 1, "data": {}, "annotations": [3, 4]}]')
    assert "the annotations of record 1 are ids" in fault(path)
    path.write_text("")
    assert fault(path) == f"{path}: is empty; check what it is"
    assert "is a folder" in fault(path.parent)
    assert "no such file or directory" in fault(path.parent / "missing.json")


def test_a_cut_file_gives_nothing(path: Path) -> None:
    write(path, *project(50))
    path.write_bytes(path.read_bytes()[:-1000])
    assert "ends too early, in record 50" in fault(path)


def test_options_are_checked() -> None:
    with pytest.raises(ParameterError, match="level is 'first' but must be one of last, all"):
        LabelStudio(level="first")


def test_the_file_is_recognised(path: Path) -> None:
    assert formats_like(write(path, task(7))) == ["label-studio"]
    path.write_text('[{"id": 1, "annotator": 1}]')
    assert formats_like(path) == []


def test_each_record_is_counted_and_gzip_makes_no_difference(tmp_path: Path) -> None:
    """The counts are found here in another way."""
    tasks = project(300)
    found = read_tables(LabelStudio(), write(tmp_path / "a.json", *tasks))
    given = [item for each in tasks for item in each["annotations"]]
    expected: Counter[str] = Counter()
    for item in given:
        labels = [
            label for part in item["result"] or () for label in part["value"].get("choices", ()) if label != "blurred"
        ]
        if item["ground_truth"]:
            expected["truth"] += 1
        elif item["was_cancelled"]:
            expected["cancelled"] += 1
        elif len(labels) != 1:
            expected[f"{len(labels)} answers"] += 1
        else:
            expected["votes"] += 1
    account = found.account
    assert len(rows(found, "votes")) == account.n_used() == expected["votes"]
    assert len(rows(found, "truth")) == account.n_used("truth") == expected["truth"]
    assert account.left_out["votes"].total() == expected["cancelled"] + expected["0 answers"]
    assert account.n_rejected["votes"] == {"with more than one answer": expected["2 answers"]}
    assert account.n_read["votes"] + account.n_read["truth"] == len(given)
    predictions = [item for each in tasks for item in each["predictions"]]
    assert len(rows(found, "ai_votes")) == account.n_used("ai_votes") == len(predictions)
    packed = tmp_path / "b.json.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + (tmp_path / "a.json").read_bytes()))
    assert rows(read_tables(LabelStudio(), packed), "votes") == rows(found, "votes")
    both = read_tables(LabelStudio(), tmp_path / "a.json", packed)
    assert len(rows(both, "votes")) == 2 * expected["votes"]
