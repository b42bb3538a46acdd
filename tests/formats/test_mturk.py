"""Results of batches of Amazon Mechanical Turk."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plant_aggregate.errors import VotesError
from plant_aggregate.formats.mturk import Mturk
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import formats_like

from .made_mturk import assignment, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Batch_123_batch_results.csv"


def votes(found: Tables) -> list[tuple[Any, ...]]:
    rows = found.tables["votes"].to_pylist() if "votes" in found.tables else []
    return [(row["observation_id"], row["user_id"], row["label"]) for row in rows]


def fault(path: Path, **options: Any) -> str:
    with pytest.raises(VotesError) as caught:
        read_tables(Mturk(**options), path)
    return str(caught.value)


def test_an_assignment_is_a_vote(path: Path) -> None:
    answer = {"Answer.species": "NA"}
    found = read_tables(Mturk(), write(path, [assignment("3H1", "A1", answer), assignment("007", "A2", answer)]))
    assert votes(found) == [("3H1", "A1", "NA"), ("007", "A2", "NA")]
    times = found.tables["votes"]["voted_at"].to_pylist()
    assert times == [datetime(2021, 8, 12, 17, 11, 12, tzinfo=UTC)] * 2


def test_an_input_may_be_the_observation(path: Path) -> None:
    write(path, [assignment("3H1", "A1", {"Answer.species": "Acer"})])
    found = read_tables(Mturk(observation="Input.image_url"), path)
    assert votes(found) == [("https://example.org/3H1.jpg", "A1", "Acer")]
    assert "column 'Input.image' is missing" in fault(path, observation="Input.image")


def test_rejected_assignments_are_left_out_unless_asked(path: Path) -> None:
    answer = {"Answer.species": "Acer"}
    rows = [
        assignment("1", "A1", answer),
        assignment("1", "A2", answer, AssignmentStatus="Submitted"),
        assignment("1", "A3", answer, AssignmentStatus="Rejected"),
        assignment("1", "A4", answer, AssignmentStatus="Submitted", Reject="always the first choice"),
    ]
    found = read_tables(Mturk(), write(path, rows))
    assert [user for _, user, _ in votes(found)] == ["A1", "A2"]
    assert found.account.left_out == {"votes": {"of rejected assignments": 2}}
    found = read_tables(Mturk(rejected=True), path)
    assert [user for _, user, _ in votes(found)] == ["A1", "A2", "A3", "A4"]


def test_the_answer_is_the_only_one_or_must_be_named(path: Path) -> None:
    write(path, [assignment("1", "A1", {"Answer.species": "Acer", "Answer.comment": "hi", "Answer.sure.label": "yes"})])
    assert fault(path) == f"{path}: has several answers: 'species', 'comment', 'sure.label'; say which: --answer NAME"
    assert votes(read_tables(Mturk(answer="species"), path)) == [("1", "A1", "Acer")]
    assert votes(read_tables(Mturk(answer="Answer.species"), path)) == [("1", "A1", "Acer")]
    assert votes(read_tables(Mturk(answer="sure"), path)) == [("1", "A1", "yes")]
    assert fault(path, answer="specie") == (
        f"{path}: has no answer 'specie', but 'species', 'comment', 'sure.label'; did you mean 'species'?"
    )


def test_choices_may_have_a_column_each(path: Path) -> None:
    def chosen(worker: str, acer: str, ilex: str) -> dict[str, str]:
        return assignment("1", worker, {"Answer.species.Acer opalus": acer, "Answer.species.Ilex": ilex})

    rows = [
        chosen("A1", "true", "false"),
        chosen("A2", "TRUE", "true"),
        chosen("A3", "false", ""),
        chosen("A4", "x", "false"),
    ]
    found = read_tables(Mturk(), write(path, rows))
    assert votes(found) == [("1", "A1", "Acer opalus"), ("1", "A3", None)]
    assert [item.reason for item in found.account.rejected] == [
        "with more than one answer",
        "with neither true nor false",
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Acer", ("Acer", "")),
        ({"label": "Acer"}, ("Acer", "")),
        ({"labels": ["Acer"]}, ("Acer", "")),
        ({"Acer": True, "Ilex": False}, ("Acer", "")),
        ({"Acer": False, "Ilex": False}, (None, "")),
        ({"labels": []}, (None, "")),
        (None, (None, "")),
        ({"labels": ["Acer", "Ilex"]}, (None, "with more than one answer")),
        ({"Acer": True, "Ilex": True}, (None, "with more than one answer")),
        (5, (None, "with an answer that is no text")),
        ({"box": {"left": 5}}, (None, "with an answer that is no text")),
    ],
)
def test_answers_of_elements_of_a_form(path: Path, answer: Any, expected: tuple[str | None, str]) -> None:
    rows = [assignment("1", "A1", {"Answer.taskAnswers": json.dumps([{"species": answer}])})]
    found = read_tables(Mturk(), write(path, rows))
    label, reason = expected
    assert votes(found) == ([] if reason else [("1", "A1", label)])
    assert [item.reason for item in found.account.rejected] == ([reason] if reason else [])


def test_several_elements_of_a_form_and_what_is_no_json(path: Path) -> None:
    column = "Answer.taskAnswers"
    rows = [
        assignment("1", "A1", {column: '[{"species": "Acer", "sure": "yes"}]'}),
        assignment("1", "A2", {column: '{"species": "Ilex"}'}),
        assignment("1", "A3", {column: "[{"}),
        assignment("1", "A4", {column: '[{"sure": "no"}]'}),
    ]
    write(path, rows)
    assert fault(path).endswith("has several answers: 'species', 'sure'; say which: --answer NAME")
    found = read_tables(Mturk(answer="species"), path)
    assert votes(found) == [("1", "A1", "Acer"), ("1", "A2", "Ilex"), ("1", "A4", None)]
    assert [item.reason for item in found.account.rejected] == ["with answers that are no JSON"]


def test_lines_without_ids_and_times_that_cannot_be_read(path: Path) -> None:
    answer = {"Answer.species": "Acer"}
    rows = [
        assignment("", "A1", answer),
        assignment("1", "", answer),
        assignment("2", "A1", answer, SubmitTime="yesterday"),
        assignment("3", "A1", answer, SubmitTime=""),
    ]
    found = read_tables(Mturk(), write(path, rows))
    assert found.tables["votes"]["voted_at"].to_pylist() == [None, None]
    assert found.account.facts == {"times that cannot be read, taken as missing": 1}
    assert [(item.number, item.reason) for item in found.account.rejected] == [
        (2, "without a HITId"),
        (4, "without a WorkerId"),  # the line before has a line break in its description
    ]
    assert found.account.n_read["votes"] == 4


def test_other_files_are_refused(path: Path) -> None:
    path.write_text("task,worker,label\n1,2,Acer\n")
    assert fault(path).endswith("it looks like crowd-kit; name that format instead of mturk")
    path.write_text("picture,species\n1,Acer\n")
    assert "lacks the columns 'WorkerId' and 'Answer.*'" in fault(path)
    assert fault(path).endswith("; download the results of a batch as CSV")
    path.write_text("HITId,AssignmentId,WorkerId,Answer.taskAnswers\n")
    assert "has no answers" in fault(path)


def test_the_file_is_recognised(path: Path) -> None:
    assert formats_like(write(path, [assignment("1", "A1", {"Answer.species": "Acer"})])) == ["mturk"]


def test_each_line_is_counted(path: Path) -> None:
    """The counts are found here in another way."""
    kinds = ["Approved", "Submitted", "Rejected"]
    labels = ["Acer", "Ilex", ""]
    rows = [
        assignment(
            str(n // 3),
            f"A{n % 7}" if n % 11 else "",
            {"Answer.species": labels[n % 3]},
            AssignmentStatus=kinds[n % 5 % 3],
        )
        for n in range(500)
    ]
    found = read_tables(Mturk(), write(path, rows))
    expected = Counter(
        "rejected" if row["AssignmentStatus"] == "Rejected" else "votes" if row["WorkerId"] else "nobody"
        for row in rows
    )
    account = found.account
    assert (account.n_read["votes"], account.n_used()) == (500, expected["votes"])
    assert len(votes(found)) == expected["votes"]
    assert account.left_out["votes"].total() == expected["rejected"]
    assert account.n_rejected["votes"].total() == expected["nobody"]
