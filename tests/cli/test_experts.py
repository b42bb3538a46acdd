"""``run --experts``: what comes out, and a line for whatever cannot be used."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from plant_aggregate.schema import BY_EXPERT, CONSENSUS
from tests.command_line import Capture, Published, Write, refused
from tests.records import record_of


def experts(write: Write, **columns: Any) -> str:
    """A file of experts' labels: one that a minority voted, one that nobody did, one of no observation of the votes."""
    rows: dict[str, Any] = {"observation_id": [1, 2, 9], "label": ["Acer opalus", "Abies grandis", "Abies alba"]}
    return str(write("experts.parquet", pa.table(rows | columns)))


def rows_of_consensus() -> dict[Any, dict[str, Any]]:
    table = pq.read_table("consensus/latest/consensus.parquet")
    return {row["observation_id"]: row for row in table.to_pylist()}


def test_labels_of_experts_are_the_labels_and_valid(published: Published, write: Write, capfd: Capture) -> None:
    assert run_command(["run", "good.parquet", "-q", "--experts", experts(write)]) == 0
    rows = rows_of_consensus()
    assert [(row["label"], row["status"], row["by_expert"]) for row in rows.values()] == [
        ("Acer opalus", "valid", True),
        ("Abies grandis", "valid", True),
        ("Abies alba", "needs_votes", False),
    ]
    assert [row["weight"] > 0 for row in rows.values()] == [True, False, True]
    users = {row["user_id"]: row for row in pq.read_table("consensus/latest/users.parquet").to_pylist()}
    assert [(users[user]["n_species_author"], users[user]["n_species_vote"]) for user in ("ana", "bo")] == [
        (0, 0),
        (0, 1),
    ]


def test_the_summary_and_run_json_account_for_every_label(published: Published, write: Write, capfd: Capture) -> None:
    path = experts(write, observation_id=[1, 2, 9], label=["Acer opalus", "Abies grandis", "Abies alba"])
    further = str(write("more.parquet", pa.table({"observation_id": [3, 7], "label": ["Abies alba", None]})))
    assert run_command(["run", "good.parquet", "-q", "--experts", path, "--experts", further]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "experts gave 3 observations the label, 1 of them without a vote for it" in lines
    assert "  not used: 1 of observations without votes, 1 row without a label" in lines
    record = record_of()
    assert record["counts"]["experts"] == {
        "given": 4,
        "used": 3,
        "unvoted": 1,
        "unknown": 1,
        "refused": 0,
        "unlabelled": 1,
    }
    assert record["settings"]["experts"] == [path, further]
    assert record["files"]["experts"]["path"] == f"{path} and 1 more"
    assert len(record["files"]["experts"]["sha256"]) == 64
    assert plant_aggregate.open_run("consensus").record.counts.experts.used == 3


def test_a_run_without_experts_says_nothing_of_them(published: Published) -> None:
    assert "experts" not in record_of()["counts"]
    names = pq.read_schema("consensus/latest/consensus.parquet").names
    assert names == [*(column.name for column in CONSENSUS), "votes_digest"]


def test_the_column_is_as_declared(published: Published, write: Write) -> None:
    assert run_command(["run", "good.parquet", "-q", "--experts", experts(write)]) == 0
    schema = pq.read_schema("consensus/latest/consensus.parquet")
    assert schema.names == [column.name for column in (*CONSENSUS, *BY_EXPERT)] + ["votes_digest"]
    assert schema.field("by_expert").type == pa.bool_()


def test_own_names_of_columns(published: Published, write: Write, capfd: Capture) -> None:
    path = str(write("experts.parquet", pa.table({"obs": [1], "species": ["Acer opalus"]})))
    named = ["--experts-column", "observation_id=obs", "--experts-column", "label=species"]
    assert run_command(["run", "good.parquet", "-q", "--experts", path, *named]) == 0
    assert rows_of_consensus()[1]["by_expert"]
    assert record_of()["settings"]["experts_columns"] == {"observation_id": "obs", "label": "species"}
    line = refused(capfd, "run", "good.parquet", "-q", "--experts", path)
    assert "experts.parquet: column 'observation_id' is missing" in line
    assert "map names with --experts-column" in line


def test_labels_are_cleaned_as_those_of_votes(published: Published, write: Write, capfd: Capture) -> None:
    path = experts(write, label=["Acer opalus Mill.", "Abies sp.", "Abies alba"])
    assert run_command(["run", "good.parquet", "-q", "--names", "--experts", path]) == 0
    captured = capfd.readouterr()
    assert "labels, cleaned as those of the votes, 1 counts as no opinion and is left out" in captured.err
    assert "  not used: 1 of observations without votes, 1 refused as names" in captured.out.splitlines()
    rows = rows_of_consensus()
    assert [(rows[i]["label"], rows[i]["by_expert"]) for i in (1, 2)] == [("Acer opalus", True), ("Abies alba", False)]
    counts = record_of()["counts"]["experts"]
    assert (counts["given"], counts["used"], counts["unknown"], counts["refused"]) == (3, 1, 1, 1)
    labels = {row["verbatim"]: row for row in pq.read_table("consensus/latest/labels.parquet").to_pylist()}
    assert [(labels[name]["label"], labels[name]["truth"]) for name in ("Acer opalus Mill.", "Abies sp.")] == [
        ("Acer opalus", 1),
        (None, 1),
    ]


def test_a_label_that_is_written_otherwise_is_a_warning(published: Published, write: Write, capfd: Capture) -> None:
    """It would be valid beside the one that is meant."""
    path = experts(write, label=["acer opalus", "Abies alba", "x"])
    assert run_command(["run", "good.parquet", "-q", "--experts", path]) == 0
    assert (
        "experts.parquet: 1 label differs from one of the votes only in case, white space or Unicode form (first 'acer "
        "opalus', there 'Acer opalus'): different labels, which the run takes as they stand\n"
    ) in capfd.readouterr().err


def test_the_metrics_say_what_became_of_the_labels(published: Published, write: Write, work: Path) -> None:
    pytest.importorskip("prometheus_client")
    assert run_command(["run", "good.parquet", "-q", "--experts", experts(write), "--metrics", "m.prom"]) == 0
    lines = (work / "m.prom").read_text().splitlines()
    (used,) = (line for line in lines if 'outcome="used"' in line)
    assert used.startswith("plant_aggregate_expert_labels{")
    assert used.endswith(" 2.0")


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"observation_id": [1, 1, 2]}, "observations that occur more than once: 1 in rows 0, 1"),
        ({"observation_id": [None, 1, 2]}, "observation_id is null or blank in row 0"),
        ({"observation_id": ["1", "2", "3"]}, "column 'observation_id' has type string, but int64 in the votes"),
        ({"observation_id": [1.0, 2.0, 3.0]}, "column 'observation_id'"),
        ({"label": [1, 2, 3]}, "column 'label' has type int64, but string in the votes"),
        ({"label": [["Acer"], [], []]}, "column 'label'"),
        ({"label": pa.nulls(3, pa.string())}, "no row has a label"),
        ({"observation_id": [7, 8, 9]}, "nobody voted on any of its 3 observations; see that both use the same ids"),
        ({"observation_id": pa.array([], pa.int64()), "label": pa.array([], pa.string())}, "no rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_labels_that_cannot_be_used_publish_nothing(
    published: Published, write: Write, capfd: Capture, columns: dict[str, Any], complaint: str
) -> None:
    line = refused(capfd, "run", "good.parquet", "-q", "--experts", experts(write, **columns))
    assert "experts.parquet: " in line
    assert complaint in line
    assert published.is_untouched()


@pytest.mark.parametrize("content", [None, b"observation_id,label\n1,Acer opalus\n", b"PAR1 and no more"])
def test_files_that_cannot_be_read_publish_nothing(
    published: Published, work: Path, capfd: Capture, content: bytes | None
) -> None:
    path = work / "experts.parquet"
    if content is not None:
        path.write_bytes(content)
    assert str(path) in refused(capfd, "run", "good.parquet", "-q", "--experts", path)
    assert published.is_untouched()


def test_contradicting_files_publish_nothing(published: Published, write: Write, capfd: Capture) -> None:
    other = str(write("other.parquet", pa.table({"observation_id": [2], "label": ["Abies alba"]})))
    line = refused(capfd, "run", "good.parquet", "-q", "--experts", experts(write), "--experts", other)
    assert "observations that occur more than once: 2 in" in line
    assert published.is_untouched()


def test_a_strategy_that_takes_none_is_wrong_usage(published: Published, write: Write, capfd: Capture) -> None:
    arguments = ["run", "good.parquet", "-q", "--strategy", "majority", "--experts", experts(write)]
    line = refused(capfd, *arguments, exit_code=2)
    assert "experts are for the strategy plantnet" in line
    assert line.endswith("not for majority\n")
    assert published.is_untouched()


def test_names_of_columns_need_a_file(published: Published, capfd: Capture) -> None:
    line = refused(capfd, "run", "good.parquet", "-q", "--experts-column", "label=species", exit_code=2)
    assert "--experts-column is given without --experts" in line


def test_an_observation_of_the_ai_alone_may_have_a_label(published: Published, write: Write, capfd: Capture) -> None:
    table = pa.table({"observation_id": [9], "label": ["Abies nordmanniana"], "score": [0.9]})
    ai = str(write("ai.parquet", table))
    assert run_command(["run", "good.parquet", "-q", "--ai-votes", ai, "--experts", experts(write)]) == 0
    row = rows_of_consensus()[9]
    assert (row["label"], row["valid"], row["by_expert"], row["n_votes"]) == ("Abies alba", True, True, 0)
    assert row["ai_label"] == "Abies nordmanniana"
    assert record_of()["counts"]["experts"]["unknown"] == 0


def test_settings_from_a_configuration_file(published: Published, write: Write, work: Path, capfd: Capture) -> None:
    write("experts.parquet", pa.table({"observation_id": [1], "species": ["Acer opalus"]}))
    text = '[run]\nvotes = ["good.parquet"]\nexperts = ["experts.parquet"]\nexperts-column = "label=species"\n'
    (work / "consensus.toml").write_text(text)
    assert run_command(["run", "--config", "consensus.toml", "-q"]) == 0
    assert rows_of_consensus()[1]["by_expert"]


def test_the_log_has_the_counts(published: Published, write: Write, capfd: Capture) -> None:
    path = experts(write)
    assert run_command(["run", "good.parquet", "--experts", path, "--log-format", "json"]) == 0
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (done,) = (event for event in events if event.get("event") == "published")
    assert done["counts"]["experts"]["used"] == 2


@pytest.fixture
def judged(write: Write, capfd: Capture) -> tuple[str, str]:
    """A run with experts' labels of every other observation, and files of all labels, and of those that were used."""
    n = 60
    labels = ["Acer campestre", "Acer opalus", "Quercus ilex"] * (n // 3)
    ids = pa.array(range(n))
    users = pa.array([i % 7 for i in range(n)])
    write(
        "votes.parquet", pa.table({"observation_id": ids, "user_id": users, "label": labels, "is_author": [True] * n})
    )
    right = [labels[i] if i % 5 else "Acer campestre" for i in range(n)]
    every, used = pa.table({"observation_id": ids, "label": right}), pa.array(range(0, n, 2))
    paths = str(write("truth.parquet", every)), str(write("used.parquet", every.take(used)))
    assert run_command(["run", "votes.parquet", "-q", "--experts", paths[1]]) == 0
    capfd.readouterr()
    return paths


@pytest.mark.parametrize("place", ["consensus", "latest", "alone.parquet"])
def test_evaluate_leaves_out_labels_that_the_run_has_used(
    judged: tuple[str, str], work: Path, capfd: Capture, place: str
) -> None:
    (work / "alone.parquet").write_bytes((work / "consensus/latest/consensus.parquet").read_bytes())
    truth, used = judged
    assert run_command(["evaluate", place, "--truth", truth, "-q"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("30 observations of ")
    assert lines[1] == "  30 more have a label that the estimate has used: left out"
    line = refused(capfd, "evaluate", place, "--truth", used, "-q")
    assert line.endswith(
        "used.parquet: the estimate has used the labels of all its 30 observations in the consensus; judge it by "
        "labels that it was not given; compare --experts holds some out\n"
    )
    assert run_command(["evaluate", place, "--truth", truth, "-q", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["overlap"]["used"] == 30


def test_calibrate_leaves_them_out_too(judged: tuple[str, str], work: Path, capfd: Capture) -> None:
    truth, used = judged
    assert run_command(["calibrate", "consensus", "--truth", truth, "-q"]) == 0
    assert "30 more left out, as the estimate has used their labels" in capfd.readouterr().out.splitlines()[0]
    saved = json.loads((work / "calibration.json").read_text())
    assert (saved["fitted_on"]["observations"], saved["fitted_on"]["used"]) == (30, 30)
    line = refused(capfd, "calibrate", "consensus", "--truth", used, "-q")
    assert "0 of its 30 observations are left in the consensus, as the estimate has used the labels of 30" in line


OWN = """
from dataclasses import dataclass
from plant_aggregate import Consensus

@dataclass(frozen=True)
class First:
    name = "first"
    takes = frozenset({"experts"})

    def fit(self, votes, given, *, progress):
        assert len(given.experts) == 3
        return Consensus.from_labels(votes, votes.first_labels, strategy=self)
"""


def test_a_strategy_of_ones_own_is_not_judged_by_what_it_was_given(
    published: Published, write: Write, work: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "first_label.py").write_text(OWN)
    monkeypatch.syspath_prepend(work)
    path = experts(write)
    arguments = ["run", "good.parquet", "-q", "--strategy", "first_label:First", "--experts", path]
    assert run_command(arguments) == 0
    assert [row["by_expert"] for row in rows_of_consensus().values()] == [True, True, False]
    counts = record_of()["counts"]["experts"]
    assert (counts["used"], counts["unknown"]) == (2, 1)
    assert "the estimate has used the labels of all its 2" in refused(
        capfd, "evaluate", "latest", "--truth", path, "-q"
    )
