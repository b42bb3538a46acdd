"""Classification exports of Zooniverse: what becomes of each line."""

import csv
import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.errors import AggregateWarning, ParameterError, VotesError
from plant_aggregate.formats.base import Account
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import formats_like
from plant_aggregate.formats.zooniverse import Zooniverse
from tests.paths import ROOT

from .made_zooniverse import COLUMNS, Row, classification, drawing, question, survey, workflow, write, write_workflows

EXPORTS = ROOT.parent / "shared" / "data" / "raw_exports"
CROWDS = ROOT.parent / "shared" / "data" / "crowd"
needs_exports = pytest.mark.skipif(not EXPORTS.exists(), reason="the exports are not ours to ship")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wildlife-classifications.csv"


def read(path: Path, *rows: Row, **options: Any) -> Tables:
    return read_tables(Zooniverse(**options), write(path, *rows) if rows else path)


def rows_of(found: Tables, table: str = "votes") -> list[dict[str, Any]]:
    return found.tables[table].to_pylist() if table in found.tables else []


def votes(found: Tables) -> list[tuple[str, str, str]]:
    return [(row["observation_id"], row["user_id"], row["label"]) for row in rows_of(found)]


def left_out(found: Tables, table: str = "votes") -> dict[str, int]:
    """What was left out by reason; every record is accounted for."""
    for name in ("votes", "truth"):
        assert found.account.n_used(name) == len(rows_of(found, name))
    return dict(found.account.left_out.get(table, {}))


def fault(path: Path, *rows: Row, **options: Any) -> str:
    with pytest.raises(VotesError) as caught:
        read(path, *rows, **options)
    return str(caught.value).removeprefix(f"{path}: ")


def test_an_answer_to_a_survey_is_a_vote(path: Path) -> None:
    found = read(path, classification(71425933, "13118619", "1365766", survey("AARDVARK"), expert="expert"))
    assert rows_of(found) == [
        {
            "observation_id": "13118619",
            "user_id": "1365766",
            "label": "AARDVARK",
            "voted_at": datetime(2017, 9, 21, 19, 29, 13, tzinfo=UTC),
            "classification_id": "71425933",
            "workflow_version": "306.76",
            "logged_in": True,
            "expert": "expert",
        }
    ]
    assert found.tables["votes"].schema.field("voted_at").type == pa.timestamp("us", "UTC")
    assert (found.account.n_read["votes"], left_out(found), found.account.facts) == (1, {}, {})
    assert found.account.details == {"task": "T0", "workflow": "2030"}


def test_ids_and_versions_are_text(path: Path) -> None:
    row = classification(1152921504606846977, "007", "0042", survey("DR"), workflow_version="1.10")
    (vote,) = rows_of(read(path, row))
    ids = [vote[name] for name in ("classification_id", "observation_id", "user_id", "workflow_version")]
    assert ids == ["1152921504606846977", "007", "0042", "1.10"]


def test_a_version_is_no_number(path: Path) -> None:
    rows = [
        classification(n, str(n), "1", survey("DR"), workflow_version=version)
        for n, version in enumerate(["1.1", "1.10", "11.1"], 1)
    ]
    assert [subject for subject, _, _ in votes(read(path, *rows, workflow_version="1.1"))] == ["1"]
    found = read(path, *rows, workflow_version="1")
    assert [subject for subject, _, _ in votes(found)] == ["1", "2"]
    assert left_out(found) == {"of another version of the workflow": 1}


def test_questions_are_answered_in_words(path: Path) -> None:
    rows = [
        classification(1, "1", "1", question("NA")),
        classification(2, "2", "1", question(["Acer opalus"])),
        classification(3, "3", "1", question(None)),
        classification(4, "4", "1", question([])),
        classification(5, "5", "1", question("  ")),
    ]
    found = read(path, *rows)
    assert votes(found) == [("1", "1", "NA"), ("2", "1", "Acer opalus")]
    assert left_out(found) == {"without an answer": 3}


def test_an_answer_to_a_dropdown(path: Path) -> None:
    listed = {"select_label": "Species", "option": True, "value": "c6e0d98477ec8", "label": "Acer opalus"}
    typed = {"select_label": "Species", "option": False, "value": "Acer sp."}
    values: list[Any] = [[listed], [typed], [{"select_label": "Species"}], listed]
    rows = [classification(n, str(n), "1", question(value)) for n, value in enumerate(values, 1)]
    found = read(path, *rows)
    assert [label for _, _, label in votes(found)] == ["Acer opalus", "Acer sp.", "Acer opalus"]
    assert left_out(found) == {"without an answer": 1}


def test_a_skipped_answer_withdraws_nothing(path: Path) -> None:
    rows = [classification(n, "5", "1", question(answer)) for n, answer in enumerate(["Acer", None, []], 1)]
    for repeats in ("first", "latest"):
        assert votes(read(path, *rows, repeats=repeats)) == [("5", "1", "Acer")]


def test_answers_to_a_task_asked_twice_belong_together(path: Path) -> None:
    found = read(path, classification(1, "5", "1", survey("BBN"), survey("MPL"), survey("BBN")), several="split")
    assert votes(found) == [("5+BBN", "1", "BBN"), ("5+MPL", "1", "MPL")]


def test_tasks_in_a_combined_task(path: Path) -> None:
    combined = {"task": "T9", "task_label": None, "value": [survey("DR"), question("Day", "T1")]}
    assert votes(read(path, classification(1, "5", "1", combined), task="T1")) == [("5", "1", "Day")]


def test_several_tasks_are_listed_with_their_kinds(path: Path) -> None:
    rows = [
        classification(1, "1", "1", survey("DR"), question(None, "T1"), drawing(2, "T2")),
        classification(2, "1", "2", survey("DR"), question("Day", "T1"), drawing(0, "T2")),
        classification(3, "1", "3", question(["Day", "Snow"], "T10"), workflow_id="9"),
    ]
    listed = (
        "T0 (survey 2), T1 (unanswered 1, question 1), T10 (question with several answers 1), "
        "T2 (drawing 1, unanswered 1)"
    )
    assert fault(path, *rows) == f"there are several tasks: {listed}; choose one with the option task"
    assert fault(path, *rows, task="T7").startswith(f"there is no task 'T7': there are {listed}")
    assert votes(read(path, *rows, workflow="9", several="split"))[0] == ("1+Day", "3", "Day")


def test_marks_on_an_image_are_no_votes(path: Path) -> None:
    rows = [classification(1, "1", "1", drawing(2)), classification(2, "1", "2", drawing(0), question("Day", "T1"))]
    message = (
        "task 'T0' is a drawing: marks on the image in 1 classification, which do not name the subject; "
        "choose a task with choices: T1"
    )
    assert fault(path, *rows, task="T0") == message
    assert fault(path, rows[0]) == message.replace("choose a task with choices: T1", "these are no votes")
    found = read(path, *rows, classification(3, "1", "3", survey("DR")), task="T0")  # of another version
    assert left_out(found) == {"with marks on the image, which do not name the subject": 1, "without an answer": 1}


def test_a_task_in_several_workflows(path: Path) -> None:
    rows = [classification(n, "1", str(n), survey("DR"), workflow_id=str(n // 2)) for n in (1, 2, 3)]
    assert (
        fault(path, *rows)
        == "task 'T0' is in several workflows: 1 (2 votes), 0 (1 vote); choose one with the option workflow"
    )
    found = read(path, *rows, workflow="1")
    assert (len(votes(found)), left_out(found)) == (2, {"of another workflow": 1})
    assert found.account.details == {"task": "T0", "workflow": "1"}


ANONYMOUS = [
    classification(1, "1", None, survey("DR")),
    classification(2, "1", None, survey("CT")),
    classification(3, "1", None, survey("CT"), user_name="not-logged-in-ffffffffffffffffffff"),
    classification(4, "1", "7", survey("CT")),
]


def test_users_who_were_not_logged_in_are_addresses(path: Path) -> None:
    found = read(path, *ANONYMOUS)
    assert votes(found) == [
        ("1", "not-logged-in-0123456789abcdef0123", "DR"),
        ("1", "not-logged-in-ffffffffffffffffffff", "CT"),
        ("1", "7", "CT"),
    ]
    assert left_out(found) == {"of users who classified the subject before": 1}
    assert found.account.facts == {
        "repeats with another label than the one that counts": 1,
        "votes of users who were not logged in": 2,
        "users who were not logged in, as far as their addresses tell": 2,
    }
    assert [row["logged_in"] for row in rows_of(found)] == [False, False, True]


def test_users_who_were_not_logged_in_may_be_dropped(path: Path) -> None:
    found = read(path, *ANONYMOUS, anonymous="drop")
    assert (votes(found), left_out(found)) == ([("1", "7", "CT")], {"of users who were not logged in": 3})


def test_each_classification_without_a_login_may_be_of_another_user(path: Path) -> None:
    found = read(path, *ANONYMOUS, anonymous="each")
    users = ["not-logged-in-1", "not-logged-in-2", "not-logged-in-3", "7"]
    assert ([user for _, user, _ in votes(found)], left_out(found)) == (users, {})


def test_a_user_may_be_named_na(path: Path) -> None:
    row = classification(1, "1", None, survey("DR"), user_id="NA", user_name="NA", gold_standard="NA", expert="NA")
    (vote,) = rows_of(read(path, row))
    assert (vote["user_id"], vote["logged_in"], vote["expert"]) == ("NA", False, None)


def test_what_was_made_before_the_project_was_live_is_left_out(path: Path) -> None:
    rows = [
        classification(1, "1", "1", survey("DR"), live=False),
        classification(2, "1", "1", survey("CT")),
        classification(3, "2", "1", survey("CT"), metadata=""),
        classification(4, "3", "1", survey("CT"), metadata="{}"),
    ]
    found = read(path, *rows)
    assert [subject for subject, _, _ in votes(found)] == ["1", "2", "3"]
    assert left_out(found) == {"from before the project was live": 1}
    assert votes(read(path, *rows, test_classifications=True))[0] == ("1", "1", "DR")


def test_the_first_classification_counts_by_its_number(path: Path) -> None:
    rows = [classification(n, "5", "1", survey(choice)) for n, choice in ((12, "CT"), (7, "DR"), (100, "CT"))]
    found = read(path, *rows, classification(1, "6", "1", survey("CT")))
    assert votes(found) == [("5", "1", "DR"), ("6", "1", "CT")]
    assert left_out(found) == {"of users who classified the subject before": 2}
    assert found.account.facts == {"repeats with another label than the one that counts": 2}
    found = read(path, *rows, repeats="latest")
    assert votes(found) == [("5", "1", "CT")]
    assert left_out(found) == {"of users who classified the subject again later": 2}
    assert rows_of(found)[0]["classification_id"] == "100"


def test_a_classification_that_is_in_two_files_counts_once(path: Path, tmp_path: Path) -> None:
    rows = [classification(n, "5", str(n), survey("DR")) for n in (1, 2, 3)]
    whole, part = write(path, *rows), write(tmp_path / "workflow.csv", *rows[1:])
    found = read_tables(Zooniverse(), whole, part)
    assert (len(votes(found)), left_out(found)) == (3, {"that are in the files before": 2})


def test_several_choices_are_no_vote_or_one_each(path: Path) -> None:
    rows = [
        classification(1, "5", "1", survey("ZEBRA", "GNU")),
        classification(2, "5", "2", survey("GNU")),
        classification(3, "6", "2", question(["Day", "Snow"])),
    ]
    found = read(path, *rows)
    assert (votes(found), left_out(found)) == ([("5", "2", "GNU")], {"with several choices": 2})
    found = read(path, *rows, several="split")
    split = [("5+ZEBRA", "1", "ZEBRA"), ("5+GNU", "1", "GNU"), ("5", "2", "GNU"), ("6+Day", "2", "Day")]
    assert votes(found) == [*split, ("6+Snow", "2", "Snow")]
    assert (left_out(found), found.account.n_read["votes"]) == ({}, 5)
    assert found.account.facts == {"classifications with several choices, each a vote on SUBJECT+CHOICE": 2}


def test_a_repeat_of_several_choices_is_left_out_as_a_whole(path: Path) -> None:
    rows = [classification(1, "5", "1", survey("GNU")), classification(2, "5", "1", survey("ZEBRA", "GNU"))]
    assert votes(read(path, *rows, several="split")) == [("5", "1", "GNU")]
    found = read(path, *rows, several="split", repeats="latest")
    assert votes(found) == [("5+ZEBRA", "1", "ZEBRA"), ("5+GNU", "1", "GNU")]


def test_the_same_choice_twice_is_one(path: Path) -> None:
    found = read(path, classification(1, "5", "1", survey("GNU", "GNU")))
    assert (votes(found), left_out(found)) == ([("5", "1", "GNU")], {})
    assert found.account.facts == {"classifications with the same choice twice": 1}


NOTHING = [
    classification(1, "1", "1", survey("NTHNGHR")),
    classification(2, "2", "1", survey("NOTHINGHERE")),
    classification(3, "3", "1", question("Nothing here")),
    classification(4, "4", "1", survey(), question(["Nothing Here"], "T5")),  # the button beside the survey
    classification(5, "5", "1", survey(), question(["Snow"], "T5")),
    classification(6, "6", "1", survey("NTHNGHR", "GNU")),
    classification(7, "7", "1", survey("GNU")),
]


def test_nothing_here_is_no_species_unless_asked(path: Path) -> None:
    found = read(path, *NOTHING, task="T0")
    assert votes(found) == [("7", "1", "GNU")]
    assert left_out(found) == {"with nothing here": 4, "without an answer": 1, "with several choices": 1}
    found = read(path, *NOTHING, task="T0", several="split")
    assert votes(found) == [("6+GNU", "1", "GNU"), ("7", "1", "GNU")]
    assert left_out(found) == {"with nothing here": 4, "without an answer": 1}
    with pytest.warns(AggregateWarning, match=r"NOTHINGHERE \(1\) and NTHNGHR \(2\)"):
        found = read(path, *NOTHING, task="T0", nothing_here=True)
    assert [label for _, _, label in votes(found)] == ["NTHNGHR", "NOTHINGHERE", "Nothing here", "Nothing Here", "GNU"]


def test_the_gold_standard_is_the_truth(path: Path) -> None:
    gold = {"gold_standard": "true", "expert": "expert"}
    rows = [
        classification(1, "1", "1", survey("GNU"), live=False, **gold),
        classification(2, "1", "2", survey("GNU"), **gold),
        classification(3, "2", "1", survey("GNU"), **gold),
        classification(4, "2", "2", survey("ZEBRA"), **gold),
        classification(5, "3", "1", survey("NTHNGHR"), **gold),
        classification(6, "1", "7", survey("ZEBRA"), gold_standard="false"),
    ]
    found = read(path, *rows)
    assert rows_of(found, "truth") == [{"observation_id": "1", "label": "GNU"}]
    assert votes(found) == [("1", "7", "ZEBRA")]
    assert left_out(found) == {"of the gold standard, which is the truth": 5}
    assert left_out(found, "truth") == {
        "that say the same of a subject again": 1,
        "on subjects whose gold standard is not the same throughout": 2,
        "with nothing here": 1,
    }


def test_labels_from_a_file_of_choices(path: Path, tmp_path: Path) -> None:
    rows = [
        classification(1, "1", "1", survey("GIRAFFE")),
        classification(2, "1", "2", survey("GRFF")),
        classification(3, "1", "3", survey("GRFF", "GIRAFFE")),  # the same, by the file
        classification(4, "1", "4", survey("FIRE")),
        classification(5, "1", "5", survey("FIRE", "GNU")),
        classification(6, "1", "6", survey("GNU")),
    ]
    choices = tmp_path / "choices.csv"
    choices.write_text(
        "\ufeffchoice,label\r\nGIRAFFE,Giraffa camelopardalis\r\nGRFF,Giraffa camelopardalis\r\nFIRE,\r\nX,Y\r\n"
    )
    found = read(path, *rows, choices=str(choices))
    giraffe = "Giraffa camelopardalis"
    assert [(row["choice"], row["label"]) for row in rows_of(found)] == [
        ("GIRAFFE", giraffe),
        ("GRFF", giraffe),
        ("GRFF", giraffe),
        ("GNU", "GNU"),
        ("GNU", "GNU"),
    ]
    assert left_out(found) == {"with a choice that has no label in the file of choices": 1}
    assert found.account.facts["choices in the file of choices that nobody made"] == 1
    tabbed = tmp_path / "choices.tsv"
    tabbed.write_text("choice\tnote\tlabel\nGIRAFFE\t\tGRFF\n")
    assert votes(read(path, rows[0], choices=str(tabbed))) == [("1", "1", "GRFF")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("choice,name\nA,B\n", "column 'label' is missing; it has 'choice', 'name'"),
        ("choice,label\nA,B\nA,C\n", "line 3 gives 'A' another label than a line before; leave one of them"),
        ("choice,label\nA,B,C\n", "line 2 is a record with more fields than the header; write choice,label"),
    ],
)
def test_a_file_of_choices_that_cannot_be_used(path: Path, tmp_path: Path, text: str, message: str) -> None:
    choices = tmp_path / "choices.csv"
    choices.write_text(text)
    found = fault(path, classification(1, "1", "1", survey("A")), choices=str(choices))
    assert found == f"{choices}: {message}"


def test_ids_of_two_versions_are_told_with_both_counts(path: Path) -> None:
    rows = [classification(n, str(n), "1", survey("GIRAFFE")) for n in range(3)]
    rows += [classification(n, str(n), "1", survey("GRFF")) for n in range(3, 5)]
    rows += [classification(n, str(n), "1", survey("GN")) for n in range(5, 7)]
    with pytest.warns(AggregateWarning) as caught:
        read(path, *rows)
    assert [str(item.message) for item in caught] == [
        "choices look the same under ids of two versions of the workflow: GIRAFFE (3) and GRFF (2); "
        "give the workflow export (option workflows), or one label for both (option choices)"
    ]


def test_labels_from_the_workflow_export(path: Path, tmp_path: Path) -> None:
    versions = write_workflows(
        tmp_path / "workflows.csv",
        workflow("33.2", {"GRFF": "Giraffe", "NTHNGHR": "Nothing"}),
        workflow("306.76", {"GIRAFFE": "Giraffe", "NTHNGHR": "Nothing here"}),
        workflow("306.9", {"GIRAFFE": "Old giraffe"}),
        {**workflow("306.76", {"GIRAFFE": "Elephant"}), "workflow_id": "9"},
    )
    rows = [
        classification(1, "1", "1", survey("GIRAFFE")),
        classification(2, "2", "1", survey("GRFF"), workflow_version="33.2"),
        classification(3, "3", "1", survey("GIRAFFE"), workflow_version="306.9"),
        classification(4, "4", "1", survey("GIRAFFE"), workflow_version="306.10"),  # not there: the next one
        classification(5, "5", "1", survey("GRFF")),  # only in another version
        classification(6, "6", "1", survey("GNU")),
        classification(7, "7", "1", survey("NTHNGHR")),
    ]
    found = read(path, *rows, workflows=str(versions))
    assert [(row["choice"], row["label"]) for row in rows_of(found)] == [
        ("GIRAFFE", "Giraffe"),
        ("GRFF", "Giraffe"),
        ("GIRAFFE", "Old giraffe"),
        ("GIRAFFE", "Giraffe"),
        ("GRFF", "Giraffe"),
    ]
    assert left_out(found) == {"with nothing here": 1}
    (rejected,) = found.account.rejected
    assert (rejected.number, rejected.reason) == (7, "with a choice that the workflow export does not name")
    choices = tmp_path / "choices.csv"
    choices.write_text("choice,label\nGiraffe,Giraffa\nGNU,Connochaetes\n")
    found = read(path, *rows, workflows=str(versions), choices=str(choices))
    assert [label for _, _, label in votes(found)] == [
        "Giraffa",
        "Giraffa",
        "Old giraffe",
        "Giraffa",
        "Giraffa",
        "Connochaetes",
    ]


def test_a_workflow_export_names_answers_by_their_place(path: Path, tmp_path: Path) -> None:
    """Panoptes leaves numbers in an export if it cannot find the version, and text if the answer is not in it."""
    rows = [
        classification(1, "1", "1", question(1)),
        classification(2, "1", "2", question(["Day"])),
        classification(3, "1", "3", question("unknown answer label")),
        classification(4, "1", "4", question(7)),
    ]
    found = read(path, *rows)
    reasons = [(item.number, item.reason) for item in found.account.rejected]
    assert reasons == [
        (2, "with the number of an answer, which the workflow export names"),
        (4, "with an answer that the export does not name"),
        (5, "with the number of an answer, which the workflow export names"),
    ]
    versions = write_workflows(tmp_path / "workflows.csv", workflow("306.76", {}, ["Day", "Night"], kind="single"))
    found = read(path, *rows, workflows=str(versions))
    assert [label for _, _, label in votes(found)] == ["Night", "Day"]
    assert found.account.n_rejected["votes"].total() == 2


def test_a_workflow_export_tells_text_from_answers(path: Path, tmp_path: Path) -> None:
    versions = write_workflows(tmp_path / "workflows.csv", workflow("306.76", {}, kind="text"))
    message = "no classification is a vote: 1 with text or a number, which is no choice"
    assert fault(path, classification(1, "1", "1", question("I saw a gnu")), workflows=str(versions)) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": "{"}, "line 2 is no version of a workflow (JSONDecodeError)"),
        ({"version": "new"}, "line 2 is no version of a workflow (ValueError)"),
        (
            {"tasks": '{"T0": {"type": "survey", "choices": {"GNU": {}}}}'},
            "line 2 is no version of a workflow (KeyError)",
        ),
        ({"strings": "", "minor_version": ""}, None),
    ],
)
def test_a_workflow_export_that_cannot_be_used(
    path: Path, tmp_path: Path, change: dict[str, str], message: str | None
) -> None:
    versions = write_workflows(tmp_path / "workflows.csv", {**workflow("306.76", {"GNU": "Gnu"}), **change})
    row = classification(1, "1", "1", survey("GNU"))
    if message:
        assert fault(path, row, workflows=str(versions)).startswith(f"{versions}: {message}; give the workflow export")
    else:  # an export without its words, which old ones have in another file
        reason = "no classification is a vote: 1 with a choice that the workflow export does not name"
        assert fault(path, row, workflows=str(versions)) == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"annotations": '[{"task": "T0"'}, "with annotations that are not JSON of this kind"),
        ({"annotations": '{"task": "T0"}'}, "with annotations that are not JSON of this kind"),
        ({"annotations": '["T0"]'}, "with annotations that are not JSON of this kind"),
        ({"annotations": r'[{"task": "T0", "value": "\ud800"}]'}, "with annotations that are not JSON of this kind"),
        ({"annotations": "[" * 100_000}, "with annotations that are not JSON of this kind"),
        ({"metadata": "{'a': 1}"}, "with metadata that are not a JSON object"),
        ({"metadata": "[]"}, "with metadata that are not a JSON object"),
        ({"subject_ids": ""}, "without a subject"),
        ({"user_id": "", "user_name": ""}, "without a user"),
        ({"gold_standard": "yes"}, "with a gold_standard that is neither true nor false"),
        ({"classification_id": "1e+06"}, "with a classification_id that is no number"),
        ({"classification_id": str(2**63)}, "with a classification_id that is no number"),
        ({"classification_id": "9" * 5000}, "with a classification_id that is no number"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_line(path: Path, change: dict[str, str], reason: str) -> None:
    rows = [classification(1, "1", "1", survey("GNU")), classification(2, "2", "1", survey("GNU"), **change)]
    found = read(path, *rows, task="T0")
    (rejected,) = found.account.rejected
    assert (rejected.file, rejected.unit, rejected.number, rejected.reason) == (str(path), "line", 3, reason)
    assert rejected.text == rows[1]["annotations"][:1000]
    assert len(votes(found)) == 1
    left_out(found)


def test_a_time_may_be_missing(path: Path) -> None:
    times = ["2017-09-21 19:29:43 UTC", "2017-09-21T19:29:43Z", "2017-09-21 21:29:43+02:00", "", "NA", "yesterday"]
    rows = [classification(n, str(n), "1", survey("GNU"), created_at=time) for n, time in enumerate(times)]
    found = read(path, *rows)
    assert [row["voted_at"] for row in rows_of(found)] == [datetime(2017, 9, 21, 19, 29, 43, tzinfo=UTC)] * 3 + [
        None
    ] * 3
    assert found.account.facts == {"times that cannot be read, taken as missing": 1}


def test_files_that_went_through_r(path: Path) -> None:
    """Names of rows in a column without a name, all in quotes, NA for what is empty, and workflow names in Latin 1."""
    row = classification(1, "1", None, survey("GNU"), user_id="NA", gold_standard="NA", expert="NA", workflow_name="Té")
    with path.open("w", newline="", encoding="latin-1") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL)
        out.writerows([["", *COLUMNS], ["1", *(row[name] for name in COLUMNS)]])
    assert votes(read(path)) == [("1", "not-logged-in-0123456789abcdef0123", "GNU")]


def test_packed_files_and_a_byte_order_mark(path: Path) -> None:
    text = write(path, classification(1, "1", "1", survey("GNU"))).read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + text))
    assert votes(read(path)) == [("1", "1", "GNU")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; export it again"),
        (",".join(COLUMNS) + "\n", "there are no answers to tasks; give the classification export"),
        ("workflow_id,display_name,version,tasks\n", "is a workflow export; give the classification export"),
        ("subject_id,project_id,workflow_id,locations\n", "is a subject export; give the classification export"),
        ("classification_id,task,extractor,data.choice\n", "is what panoptes-aggregation extracted; give the class"),
        ("observation,user\n1,2\n", "has no column classification_id; give the classification export of a project"),
    ],
)
def test_other_files(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    assert fault(path).startswith(message)


def test_a_folder(tmp_path: Path) -> None:
    assert fault(tmp_path) == "is a folder; give the classification export of a project or workflow"


def test_the_export_is_recognised(path: Path) -> None:
    assert formats_like(write(path, classification(1, "1", "1", survey("GNU")))) == ["zooniverse"]


def test_options_are_checked() -> None:
    with pytest.raises(ParameterError, match="repeats is 'last' but must be one of first, latest"):
        Zooniverse(repeats="last")


CHOICE = st.sampled_from(["GNU", "ZEBRA", "NTHNGHR"])
ANNOTATIONS = st.one_of(
    st.lists(CHOICE, max_size=3).map(lambda choices: survey(*choices)),
    st.one_of(st.none(), CHOICE, st.lists(CHOICE, max_size=2)).map(question),
    st.just(question("Day", "T1")),
)
CLASSIFICATIONS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from("12"),
        st.sampled_from(["7", "8", None]),
        ANNOTATIONS,
        st.booleans(),
        st.sampled_from(["", "", "true"]),
    ),
    max_size=12,
)


def by_the_rules(rows: list[Any], options: dict[str, Any]) -> tuple[set[tuple[str, str, str]], dict[str, str]]:
    """The votes and the truth."""
    gold: dict[str, set[str]] = {}
    ballots: dict[tuple[str, str], list[tuple[int, int, list[str]]]] = {}
    for place, (number, subject, user, annotation, live, is_gold) in enumerate(rows):
        value = annotation["value"] if annotation["task"] == "T0" else None
        listed = value if isinstance(value, list) else [] if value is None else [value]
        chosen = list(dict.fromkeys(item["choice"] if isinstance(item, dict) else item for item in listed))
        if len(chosen) > 1 and options["several"] == "skip":
            chosen = []
        if is_gold:
            for choice in chosen:
                if choice != "NTHNGHR" or options["nothing_here"]:
                    gold.setdefault(subject + (f"+{choice}" if len(chosen) > 1 else ""), set()).add(choice)
            continue
        if not (live or options["test_classifications"]) or (user is None and options["anonymous"] == "drop"):
            continue
        who = user or (
            f"not-logged-in-{number}" if options["anonymous"] == "each" else "not-logged-in-0123456789abcdef0123"
        )
        pairs = [
            (subject + (f"+{choice}" if len(chosen) > 1 else ""), choice)
            for choice in chosen
            if choice != "NTHNGHR" or options["nothing_here"]
        ]
        if pairs:
            sign = -1 if options["repeats"] == "latest" else 1
            ballots.setdefault((subject, who), []).append((sign * number, place, pairs))
    votes = {(item, who, label) for (_, who), made in ballots.items() for item, label in min(made)[2]}
    return votes, {item: labels.pop() for item, labels in gold.items() if len(labels) == 1}


@given(
    CLASSIFICATIONS,
    st.fixed_dictionaries(
        {
            "anonymous": st.sampled_from(["keep", "drop", "each"]),
            "repeats": st.sampled_from(["first", "latest"]),
            "several": st.sampled_from(["skip", "split"]),
            "nothing_here": st.booleans(),
            "test_classifications": st.booleans(),
        }
    ),
)
def test_the_rules_one_after_the_other_give_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], options: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("export") / "classifications.csv"
    write(
        path,
        *(
            classification(number, subject, user, annotation, live=live, gold_standard=gold)
            for number, subject, user, annotation, live, gold in rows
        ),
    )
    expected, truth = by_the_rules(rows, options)
    try:
        found = read_tables(Zooniverse(task="T0", **options), path)
    except VotesError:
        assert not expected
        assert not truth
        return
    assert sorted(votes(found)) == sorted(expected)
    assert {row["observation_id"]: row["label"] for row in rows_of(found, "truth")} == truth
    left_out(found)
    assert not found.account.rejected


JSON = st.recursive(
    st.sampled_from([None, True, 0, -1, 10**30, 0.5, float("nan"), "", " ", "GNU", "\ud800", "\U0001f992"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["choice", "task", "value", "select_label", "label", "x"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(JSON, JSON, st.booleans())
def test_whatever_the_json_is_the_line_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, value: Any, metadata: Any, is_split: bool
) -> None:
    path = tmp_path_factory.mktemp("export") / "classifications.csv"
    strange = classification(2, "2", "1", question(value), metadata=json.dumps(metadata))
    listed = classification(3, "2", "1", annotations=json.dumps([value]))
    write(path, classification(1, "1", "1", survey("GNU")), strange, listed)
    found = read_tables(Zooniverse(task="T0", several="split" if is_split else "skip"), path)
    assert votes(found)[0] == ("1", "1", "GNU")
    left_out(found)


def test_a_choice_that_is_no_text_is_no_answer(path: Path) -> None:
    chosen: list[Any] = [None, {}, 7, "GNU"]
    answer = {"task": "T0", "value": [{"choice": choice} for choice in chosen]}
    assert votes(read(path, classification(1, "1", "1", answer))) == [("1", "1", "GNU")]
    nothing = {"task": "T0", "value": [{"choice": choice} for choice in chosen[:3]]}
    assert fault(path, classification(1, "1", "1", nothing)) == "no classification is a vote: 1 without an answer"


def test_several_subjects_in_one_classification_are_one_observation(path: Path) -> None:
    assert votes(read(path, classification(1, "5;6", "1", survey("GNU")))) == [("5;6", "1", "GNU")]


REAL = {
    ("zooniverse_survey_angola.csv", None): (94, {"with nothing here": 505, "with several choices": 1}),
    ("zooniverse_survey_gorongosa.csv", None): (19, {"with several choices": 1}),
    ("zooniverse_survey_kenya.csv", "T3"): (
        123,
        {"from before the project was live": 357, "with nothing here": 116, "with several choices": 4},
    ),
}


@needs_exports
@pytest.mark.parametrize(("name", "task"), REAL)
def test_real_exports(name: str, task: str | None) -> None:
    found = read_tables(Zooniverse(task=task), EXPORTS / name)
    n_votes, reasons = REAL[name, task]
    assert (len(votes(found)), left_out(found)) == (n_votes, reasons)
    with (EXPORTS / name).open(newline="", encoding="utf-8") as file:
        assert found.account.n_read["votes"] == sum(1 for _ in csv.DictReader(file))


@needs_exports
def test_a_real_drawing_is_refused() -> None:
    with pytest.raises(VotesError, match="task 'T0' is a drawing: marks on the image in 48 classifications"):
        read_tables(Zooniverse(task="T0"), EXPORTS / "zooniverse_drawing.csv")


@needs_exports
def test_a_real_export_has_ids_of_two_versions() -> None:
    with pytest.warns(AggregateWarning, match=r"GIRAFFE \(118\) and GRFF \(50\), ELEPHANT \(67\) and LPHNT \(14\)"):
        read_tables(Zooniverse(task="T3", test_classifications=True), EXPORTS / "zooniverse_survey_kenya.csv")


@needs_exports
def test_the_crowd_that_was_made_of_the_same_export() -> None:
    """The crowd of Kenya begins with these classifications: those with one choice, whenever they were made."""
    path = EXPORTS / "zooniverse_survey_kenya.csv"
    with pytest.warns(AggregateWarning, match="two versions"):
        found = read_tables(Zooniverse(task="T3", test_classifications=True), path)
    with path.open(newline="", encoding="utf-8") as file:
        answers = [answer for row in csv.DictReader(file) for answer in json.loads(row["annotations"])]
    chosen = [[item["choice"] for item in answer["value"]] for answer in answers if answer["task"] == "T3"]
    crowd = pq.read_table(CROWDS / "zoo_kenya" / "votes.parquet").to_pylist()[: sum(len(one) == 1 for one in chosen)]
    assert [vote["label"] for vote in crowd] == [one[0] for one in chosen if len(one) == 1]
    first: dict[tuple[str, str], str] = {}
    for vote in crowd:
        if vote["label"] != "NTHNGHR":
            first.setdefault((vote["observation_id"], vote["user_id"]), vote["label"])
    n_twice = sum(len(one) == 2 and one[0] == one[1] for one in chosen)
    of_crowd = Counter((subject, label) for (subject, _), label in first.items())
    ours = Counter((subject, label) for subject, _, label in votes(found))
    assert of_crowd <= ours
    assert (ours - of_crowd).total() == 2 <= n_twice  # whose users did not name one choice as well
    assert found.account.facts["classifications with the same choice twice"] == n_twice + 1  # one with another, too


def test_what_was_read_is_counted_as_it_goes(path: Path) -> None:
    account = Account()
    write(path, *(classification(n, str(n), "1", survey("GNU")) for n in range(5)))
    parts = Zooniverse(task="T0").read([path], account)
    assert sum(batch.num_rows for _, batch in parts) == account.n_read["votes"] == 5
