"""Names that look alike, or like a missing value, are reported by ``run``; they stay apart."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from plant_aggregate.cli.main import run_command
from tests.command_line import Capture, Write
from tests.records import record_of


def run_on(write: Write, *options: str, **columns: Any) -> dict[str, Any]:
    n = len(columns["label"])
    table = pa.table({"observation_id": range(n), "user_id": [f"u{i}" for i in range(n)], "is_author": [True] * n})
    assert run_command(["run", str(write("votes.parquet", table, **columns)), "-q", *options]) == 0
    names: dict[str, Any] = record_of()["names"]
    return names


def test_labels_that_look_alike_are_counted_and_named(write: Write, capfd: Capture) -> None:
    labels = ["Acer", "Acer ", "acer", "Acer\xa0campestre", "Acer campestre", "Caf\xe9", "Cafe\u0301", "Abies"]
    names = run_on(write, label=labels)
    assert names["labels"]["pairs_alike"] == {"white_space": 2, "unicode_form": 1, "case": 2}
    assert names["users"]["first_alike"] == []
    assert (
        "\n5 pairs of labels differ only in white space (2), Unicode form (1) or case (2): 'Acer' and 'Acer '; "
        "'Acer campestre' and 'Acer\\xa0campestre'; 'Cafe\\u0301' and 'Café'\n"
    ) in capfd.readouterr().out
    consensus = pq.read_table("consensus/latest/consensus.parquet")
    assert consensus["label"].to_pylist() == labels


def test_users_that_look_alike_and_names_that_are_none(write: Write, capfd: Capture) -> None:
    users = ["Ana", "ana", "None", "None", "nan"]
    run_on(write, label=["nan", "nan", "Acer", "?", "Abies"], user_id=users)
    out, err = capfd.readouterr()
    assert "\n1 pair of users differs only in case: 'Ana' and 'ana'\n" in out
    assert err == (
        "plant-aggregate: warning: 2 labels look like a missing value (first '?', 1 vote); 2 users look like a missing "
        "value (first 'None', 2 votes): they were kept apart, as any names\n"
    )
    assert "\n2 labels look like a missing value: '?' (1 vote), 'nan' (2 votes)\n" in out
    assert "\n2 users look like a missing value: 'None' (2 votes), 'nan' (1 vote)\n" in out


def test_integers_for_missing_values(write: Write, capfd: Capture) -> None:
    run_on(write, label=[-1, 5, -1], user_id=[7, -1, 8])
    out = capfd.readouterr().out
    assert "\n1 label looks like a missing value: -1 (2 votes)\n1 user looks like a missing value: -1 (1 vote)\n" in out


def test_pairs_of_labels_and_what_stands_for_a_missing_value_are_one_warning(write: Write, capfd: Capture) -> None:
    run_on(write, label=["Acer\n", "Acer", "acer", "NA", "Abies"], user_id=["Ana", "ana", "None", "d", "e"])
    (warning,) = record_of()["warnings"]
    assert warning == (
        r"3 pairs of labels look alike (first 'Acer' and 'Acer\n'); 1 label looks like a missing value (first 'NA', 1 "
        "vote); 1 user looks like a missing value (first 'None', 1 vote): they were kept apart, as any names"
    )
    assert capfd.readouterr().err == f"plant-aggregate: warning: {warning}\n"


def test_users_that_look_alike_are_no_warning(write: Write, capfd: Capture) -> None:
    run_on(write, label=["Acer", "Abies"], user_id=["Ana", "ana"])
    assert capfd.readouterr().err == ""


def test_the_log_for_collectors_has_the_warning(write: Write, capfd: Capture) -> None:
    run_on(write, "--log-format", "json", label=["Acer", "acer"])
    logged = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (said,) = [line["message"] for line in logged if line["event"] == "warning"]
    assert said.startswith("1 pair of labels looks alike (first 'Acer' and 'acer')")


def test_a_label_of_the_ai_is_held_against_those_of_users(write: Write, capfd: Capture) -> None:
    ai = pa.table({"observation_id": [0], "label": ["ABIES ALBA"], "score": [0.9]})
    run_on(write, "--ai-votes", str(write("ai.parquet", ai)), label=["Abies alba"])
    assert "1 pair of labels differs only in case: 'ABIES ALBA' and 'Abies alba'" in capfd.readouterr().out


def test_only_the_first_names_are_shown_and_long_ones_in_part(write: Write, capfd: Capture) -> None:
    labels = [f"{letter * 100}{end}" for letter in "abcdefgh" for end in ("", " ")]
    names = run_on(write, label=labels)
    assert len(names["labels"]["first_alike"]) == 5
    (line,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith("8 pairs of labels")]
    assert line.endswith("; ...")
    assert len(line) < 500


def test_names_like_any_others_are_not_told_of(write: Write, capfd: Capture) -> None:
    names = run_on(write, label=["Acer", "Abies"])
    assert names["labels"] == names["users"]
    assert not any(names["labels"]["pairs_alike"].values())
    assert record_of()["warnings"] == []
    out, err = capfd.readouterr()
    assert err == ""
    assert "pair" not in out
    assert "missing value" not in out
