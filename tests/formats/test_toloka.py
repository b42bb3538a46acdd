"""Responses of pools of Toloka."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plant_aggregate.errors import VotesError
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import formats_like
from plant_aggregate.formats.toloka import Toloka

from .made_toloka import response, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "assignments_from_pool_1.tsv"


def votes(found: Tables) -> list[tuple[Any, ...]]:
    rows = found.tables["votes"].to_pylist() if "votes" in found.tables else []
    return [(row["observation_id"], row["user_id"], row["label"]) for row in rows]


def fault(path: Path, **options: Any) -> str:
    with pytest.raises(VotesError) as caught:
        read_tables(Toloka(**options), path)
    return str(caught.value)


def reasons(found: Tables) -> list[tuple[str, int, str]]:
    return [(item.table, item.number, item.reason) for item in found.account.rejected]


def test_a_response_is_a_vote(path: Path) -> None:
    found = read_tables(Toloka(), write(path, [response("1.jpg", "w1", 'Acer "opalus"'), response("007", "w2", "NA")]))
    assert votes(found) == [("1.jpg", "w1", 'Acer "opalus"'), ("007", "w2", "NA")]
    assert found.tables["votes"]["voted_at"].to_pylist() == [datetime(2021, 3, 1, 12, 34, 56, 789000, UTC)] * 2
    assert found.account.details == {"voted_at": "ASSIGNMENT:started, when the page of tasks was opened"}
    assert set(found.tables) == {"votes"}


def test_the_time_is_that_of_submission_where_the_file_has_it(path: Path) -> None:
    rows = [
        response("1.jpg", "w1", "Acer", submitted="2021-03-01T12:40:00"),
        response("2.jpg", "w1", "Acer", submitted=""),
        response("3.jpg", "w1", "Acer", submitted="soon"),
    ]
    found = read_tables(Toloka(), write(path, rows))
    assert found.tables["votes"]["voted_at"].to_pylist() == [datetime(2021, 3, 1, 12, 40, tzinfo=UTC), None, None]
    assert found.account.facts == {"times that are not in ISO 8601, taken as missing": 1}
    assert found.account.details == {}


def test_right_answers_of_control_tasks_are_truth_once(path: Path) -> None:
    rows = [
        response("1.jpg", "w1", "Ilex", golden="Acer"),
        response("1.jpg", "w2", "Acer", golden="Acer"),
        response("1.jpg", "w3", "Acer", golden="Ilex"),
        response("", "w3", "Acer", golden="Ilex"),
        response("2.jpg", "w1", "Acer", golden="Acer", hint="Look at the leaves"),
        response("3.jpg", "w1", "Acer"),
    ]
    found = read_tables(Toloka(), write(path, rows))
    assert found.tables["truth"].to_pylist() == [
        {"observation_id": "1.jpg", "label": "Acer"},
        {"observation_id": "2.jpg", "label": "Acer"},
    ]
    assert len(votes(found)) == 5
    assert found.account.facts == {"votes on training tasks": 1}
    assert found.account.left_out == {"truth": {"of which an earlier line says the same": 1}}
    assert reasons(found) == [
        ("truth", 4, "with another right answer than an earlier line"),
        ("truth", 5, "without an id of the observation"),
        ("votes", 5, "without a value of INPUT:image"),
    ]
    assert (found.account.n_read["truth"], found.account.n_used("truth")) == (5, 2)


def test_rejected_and_unanswered_tasks_are_left_out(path: Path) -> None:
    rows = [
        response(f"{status}.jpg", "w1", "Acer", status=status, verdict="")
        for status in ("APPROVED", "SUBMITTED", "REJECTED", "ACTIVE", "SKIPPED", "EXPIRED")
    ]
    rows.append(response("reviewed.jpg", "w1", "Acer", status="SUBMITTED", verdict="-"))
    rows.append(response("accepted.jpg", "w1", "Acer", status="SUBMITTED", verdict="+"))
    found = read_tables(Toloka(), write(path, rows))
    assert [image for image, *_ in votes(found)] == ["APPROVED.jpg", "SUBMITTED.jpg", "accepted.jpg"]
    assert found.account.left_out == {
        "votes": {"of rejected assignments": 2, "of assignments that were not completed": 3}
    }
    assert len(votes(read_tables(Toloka(rejected=True), path))) == 5


def test_columns_are_the_only_ones_or_must_be_named(path: Path) -> None:
    write(path, [response("1.jpg", "w1", "Acer", sure="yes", note="n")])
    assert fault(path) == (f"{path}: has several columns OUTPUT:*: 'OUTPUT:result', 'OUTPUT:sure'; say which: --answer")
    assert fault(path, answer="result") == (
        f"{path}: has several columns INPUT:*: 'INPUT:image', 'INPUT:note'; say which: --observation"
    )
    assert votes(read_tables(Toloka(answer="sure", observation="INPUT:note"), path)) == [("n", "w1", "yes")]
    assert votes(read_tables(Toloka(answer="OUTPUT:sure", observation="INPUT:note"), path)) == [("n", "w1", "yes")]
    assert "has no column 'OUTPUT:specie', but 'OUTPUT:result', 'OUTPUT:sure'" in fault(path, answer="specie")


def test_a_blank_response_is_no_opinion_and_nobodys_is_rejected(path: Path) -> None:
    found = read_tables(Toloka(), write(path, [response("1.jpg", "w1", ""), response("1.jpg", "", "Acer")]))
    assert votes(found) == [("1.jpg", "w1", "")]
    assert reasons(found) == [("votes", 3, "without a value of ASSIGNMENT:worker_id")]


def test_other_files_are_refused(path: Path) -> None:
    path.write_text("task\tworker\tlabel\n1\t2\tAcer\n")
    assert fault(path).endswith("it looks like crowd-kit; name that format instead of toloka")
    path.write_text("picture\tspecies\n1\tAcer\n")
    assert "lacks the columns 'ASSIGNMENT:worker_id' and 'OUTPUT:*'" in fault(path)
    assert fault(path).endswith("; download the results of a pool as TSV")


def test_the_file_is_recognised(path: Path) -> None:
    assert formats_like(write(path, [response("1.jpg", "w1", "Acer")])) == ["toloka"]


def test_each_line_is_counted(path: Path) -> None:
    """The counts are found here in another way."""
    statuses = ("APPROVED", "APPROVED", "SUBMITTED", "REJECTED", "SKIPPED")
    rows = [
        response(
            f"{n // 4}.jpg",
            f"w{n % 9}" if n % 13 else "",
            ("Acer", "Ilex")[n % 2],
            status=statuses[n % 5],
            golden="Acer" if n % 40 < 8 else "",
        )
        for n in range(600)
    ]
    found = read_tables(Toloka(), write(path, rows))
    counts = Counter(
        row["ASSIGNMENT:status"] if row["ASSIGNMENT:status"] in statuses[3:] else bool(row["ASSIGNMENT:worker_id"])
        for row in rows
    )
    account = found.account
    assert (account.n_read["votes"], account.n_used(), len(votes(found))) == (600, counts[True], counts[True])
    assert account.left_out["votes"].total() == counts["REJECTED"] + counts["SKIPPED"]
    assert account.n_rejected["votes"].total() == counts[False]
    golden = [row["INPUT:image"] for row in rows if row["GOLDEN:result"]]
    assert (account.n_read["truth"], account.n_used("truth")) == (len(golden), len(set(golden)))
    assert found.tables["truth"].num_rows == len(set(golden))
