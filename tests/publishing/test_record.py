"""run.json: what a run writes is read back as it was, and what others write as far as it can be used."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.publishing.integrity import record_in
from plant_aggregate.publishing.record import FileFacts, OutputFacts, RunChanges, RunRecord, read_record
from plant_aggregate.settings import ReadSettings

VOTES = pa.table(
    {
        "observation_id": [1, 1, 2, 3, 3],
        "user_id": ["ana", "bo", "bo", "eve", "ana"],
        "label": ["Acer opalus", "acer opalus", "Abies alba", "n/a", "Abies alba"],
    }
)
AI = pa.table({"observation_id": [1, 2], "label": ["Acer opalus", "Picea abies"], "score": [0.9, 2.0]})


@pytest.fixture
def runs(tmp_path: Path) -> list[plant_aggregate.Run]:
    """Two nights of one with all that a record may hold: nothing before, and a run before."""
    pq.write_table(VOTES, tmp_path / "votes.parquet")
    pq.write_table(AI, tmp_path / "ai.parquet")
    weights = pa.table({"user_id": ["ana"], "fixed_weight": [3.0]})
    pq.write_table(weights, tmp_path / "weights.parquet")
    settings = plant_aggregate.Settings(
        ai_votes=tmp_path / "ai.parquet", user_weights=tmp_path / "weights.parquet", max_rejected=0.5
    )
    nights = []
    for _ in range(2):
        with pytest.warns(plant_aggregate.AggregateWarning):
            nights.append(plant_aggregate.run(tmp_path / "votes.parquet", tmp_path / "out", settings=settings))
    return nights


def test_what_a_run_writes_is_read_back(runs: list[plant_aggregate.Run]) -> None:
    for run in runs:
        text = (Path(run.folder) / "run.json").read_text(encoding="utf-8")
        assert text == json.dumps(run.manifest, indent=2, ensure_ascii=False) + "\n"
        record = record_in(str(run.folder))
        assert record == run.record
        assert record.plain() == json.loads(text)
    first, second = (run.record for run in runs)
    assert first.changes is None
    assert second.changes is not None
    assert second.changes.counts is not None
    assert (second.changes.against, second.changes.counts.in_both) == (first.run_id, 3)
    assert second.counts is not None
    assert second.counts.ai is not None
    assert (second.counts.ai.rejected, second.counts.ai.observations) == (1, 1)
    assert second.names["labels"].like_missing == {"n/a": 1}
    assert second.names["labels"].first_alike == (("Acer opalus", "acer opalus"),)


def test_a_run_that_could_not_be_compared_is_read_back(runs: list[plant_aggregate.Run], tmp_path: Path) -> None:
    (Path(runs[-1].folder) / "users.parquet").unlink()
    with pytest.warns(plant_aggregate.AggregateWarning):
        run = plant_aggregate.run(tmp_path / "votes.parquet", tmp_path / "out")
    assert run.record.changes is not None
    assert (run.record.changes.counts, run.record.counts and run.record.counts.ai) == (None, None)
    assert list(run.manifest["changes"]) == ["against", "incomparable"]
    assert "ai" not in run.manifest["counts"]
    assert record_in(str(run.folder)) == run.record


def written(folder: Path, contents: Any) -> str:
    (folder / "run.json").write_text(contents if isinstance(contents, str) else json.dumps(contents))
    return str(folder / "run.json")


def test_a_run_of_an_earlier_version_is_read_and_kept_whole(tmp_path: Path) -> None:
    contents = {
        "run_id": "20260101T000000Z",
        "strategy": "plantnet",
        "of_long_ago": [1, 2],
        "settings": {"columns": {"label": "species"}, "as_of": "2026-01-01T00:00:00+00:00"},
        "counts": {"observations": 3, "valid": 2},
        "outputs": {"consensus.parquet": {"sha256": "abc"}},
        "changes": {"against": "20251231T000000Z"},
    }
    record = read_record(written(tmp_path, contents))
    assert record.plain() == contents
    assert (record.run_id, record.strategy, record.further) == ("20260101T000000Z", "plantnet", {"of_long_ago": [1, 2]})
    assert record.changes is not None
    assert (record.changes.against, record.changes.counts, record.counts, record.inputs) == (
        "20251231T000000Z",
        None,
        None,
        (),
    )
    assert record.outputs == {"consensus.parquet": OutputFacts(sha256="abc")}
    assert record.reading == ReadSettings({"label": "species"}, datetime(2026, 1, 1, tzinfo=UTC), 0.01)


@pytest.mark.parametrize(
    "contents",
    [
        "[]",
        "null",
        {},
        {"outputs": []},
        {"outputs": {}, "run_id": 7},
        {"outputs": {}, "strategy": ["plantnet"]},
        {"outputs": {}, "parameters": "none"},
        {"outputs": {}, "files": 1},
        {"outputs": {}, "seconds": []},
        {"outputs": {}, "held": "x"},
        {"outputs": {}, "held": [1]},
        {"outputs": {}, "counts": 1},
        {"outputs": {}, "counts": {"valid": "x"}},
        {"outputs": {}, "changes": {"label_changed": "x"}},
        {"outputs": {}, "changes": [1]},
        {"outputs": {}, "settings": 1},
        {"outputs": {}, "settings": {"columns": ["label"]}},
        {"outputs": {}, "settings": {"columns": {"label": 1}}},
        {"outputs": {}, "settings": {"as_of": "yesterday"}},
        {"outputs": {}, "settings": {"as_of": 7}},
        {"outputs": {}, "settings": {"max_rejected": 2}},
        {"outputs": {}, "settings": {"max_rejected": None}},
    ],
    ids=json.dumps,
)
def test_what_is_no_record_of_a_run_is_refused(tmp_path: Path, contents: Any) -> None:
    path = written(tmp_path, contents)
    with pytest.raises(plant_aggregate.VotesError, match=r"run\.json: is not the record of a run; name a run of"):
        read_record(path)


@pytest.mark.parametrize(
    ("damaged", "unknown"),
    [
        ({"outputs": {"consensus.parquet": 1}}, {"outputs": {"consensus.parquet": OutputFacts()}}),
        ({"files": {"user_weights": {"path": 1, "sha256": "a"}}}, {"files": {"user_weights": FileFacts(None, "a")}}),
        ({"inputs": [{"path": "votes.parquet"}]}, {"inputs": ()}),
        ({"counts": {"observations": 3}}, {"counts": None}),
        ({"trace": "long"}, {"trace": ()}),
        ({"converged": "yes", "cycle_length": "none"}, {"converged": None, "cycle_length": None}),
        ({"names": {"labels": {}}}, {"names": {}}),
        ({"changes": {"against": 7}}, {"changes": RunChanges()}),
        ({"warnings": [1], "version": 2}, {"warnings": (), "version": None}),
        ({"contents": {"run_id": "x"}, "further": 1}, {"further": {"contents": {"run_id": "x"}, "further": 1}}),
    ],
    ids=lambda value: json.dumps(value, default=str),
)
def test_what_cannot_be_used_is_not_known(tmp_path: Path, damaged: Any, unknown: dict[str, Any]) -> None:
    contents = {"outputs": {}} | damaged
    record = read_record(written(tmp_path, contents))
    assert {name: getattr(record, name) for name in unknown} == unknown
    assert record.plain() == contents


@pytest.mark.parametrize("text", ['{"outputs": ', "\x1b", "[" * 100_000], ids=["half", "a byte", "deep"])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(plant_aggregate.VotesError, match=r"run\.json: is not JSON; name a run of"):
        read_record(written(tmp_path, text))


def test_a_record_of_nothing_is_that_of_no_file() -> None:
    assert RunRecord.from_plain({"outputs": {}}) == RunRecord()
