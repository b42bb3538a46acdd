"""Label lists of observations whose label is known, from files and from memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plant_aggregate import NamedScores, Truth, read_truth, scores_from_table
from plant_aggregate.errors import VotesError
from plant_aggregate.ingest import score_lists
from plant_aggregate.ingest.classifier_scores import KnownScores, ScoreReader, scores_in_memory, scores_with_truth

LISTS: dict[str, list[Any]] = {
    "observation_id": [9, 4, 7, 1],
    "labels": [["c", "a"], ["b"], ["d", "b", "a"], ["a"]],
    "probabilities": [[0.5, 0.25], [0.75], [0.5, 0.125, 0.25], [1.0]],
}
ROWS = {
    "observation_id": [9, 9, 4, 7, 7, 7, 1],
    "label": ["c", "a", "b", "d", "b", "a", "a"],
    "probability": [0.5, 0.25, 0.75, 0.5, 0.125, 0.25, 1.0],
}
TRUTH = {"observation_id": [7, 8, 9], "label": ["b", "a", "e"]}


def lists_of(known: NamedScores) -> dict[Any, dict[Any, float]]:
    """Observation -> label -> probability."""
    names, lists = known.label_names.to_pylist(), known.lists
    return {
        one: {
            names[code]: float(share)
            for code, share in zip(lists.labels[a:b].tolist(), lists.probabilities[a:b].tolist(), strict=True)
        }
        for one, a, b in zip(known.observation_ids.to_pylist(), lists.offsets[:-1], lists.offsets[1:], strict=True)
    }


def assert_known(known: KnownScores) -> None:
    """The lists of LISTS whose observation is in TRUTH."""
    assert lists_of(known.scores) == {9: {"c": 0.5, "a": 0.25}, 7: {"d": 0.5, "b": 0.125, "a": 0.25}}
    names = known.scores.label_names.to_pylist()
    assert [names[code] for code in known.truth] == ["e", "b"]
    assert known.rows.tolist() == [2, 0]
    assert known.n_lists == 4
    assert known.never_listed.to_pylist() == ["e"]


@pytest.mark.parametrize("table", [LISTS, ROWS], ids=["lists", "rows"])
@pytest.mark.parametrize("items", [1, 1 << 21], ids=["a row at a time", "at once"])
def test_lists_are_those_of_the_truth(
    table: dict[str, Any], items: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_lists, "ITEMS", items)
    pq.write_table(pa.table(table), tmp_path / "scores.parquet")
    known = scores_with_truth(tmp_path / "scores.parquet", read_truth(TRUTH))
    assert_known(known)
    assert known.scores.label_names.to_pylist() == ["a", "b", "c", "d", "e"]
    assert [file.path for file in known.inputs] == [str(tmp_path / "scores.parquet")]


def test_lists_in_memory_are_as_those_of_files() -> None:
    known = scores_in_memory(scores_from_table(LISTS), read_truth(TRUTH))
    assert_known(known)
    assert known.inputs == ()


def test_lists_of_several_files_are_one(tmp_path: Path) -> None:
    for name, part in (("a", slice(0, 2)), ("b", slice(2, 4))):
        table = {column: values[part] for column, values in LISTS.items()}
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    known = scores_with_truth(tmp_path, read_truth(TRUTH))
    assert_known(known)
    assert len(known.inputs) == 2


def test_names_of_a_model_come_first_as_they_are(tmp_path: Path) -> None:
    pq.write_table(pa.table(LISTS), tmp_path / "scores.parquet")
    names = pa.array(["d", "z", "a"])
    known = scores_with_truth(tmp_path / "scores.parquet", read_truth(TRUTH), names=names)
    assert_known(known)
    assert known.scores.label_names.to_pylist() == ["d", "z", "a", "b", "c", "e"]


def test_coded_in_other_names_the_lists_are_the_same(tmp_path: Path) -> None:
    pq.write_table(pa.table(LISTS), tmp_path / "scores.parquet")
    known = scores_with_truth(tmp_path / "scores.parquet", read_truth(TRUTH))
    assert_known(known.coded(pa.array(["a", "aa", "b", "c", "d", "e", "f"])))
    assert known.coded(known.scores.label_names) is known


def test_a_reader_streams_batches_with_ids_and_numbers_new_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_lists, "ITEMS", 4)
    pq.write_table(pa.table(LISTS), tmp_path / "scores.parquet", row_group_size=2)
    reader = ScoreReader.of(tmp_path / "scores.parquet", pa.array(["a", "x"]))
    batches = list(reader.batches())
    assert len(batches) > 1
    assert [one for batch in batches for one in batch.observation_ids.to_pylist()] == [9, 4, 7, 1]
    assert reader.label_names.to_pylist()[:2] == ["a", "x"]
    labels = np.concatenate([batch.scores.labels for batch in batches])
    assert reader.label_names.take(pa.array(labels)).to_pylist() == ["c", "a", "b", "d", "b", "a", "a"]


def test_own_names_of_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table(LISTS).rename_columns(["obs", "species", "p"]), tmp_path / "scores.parquet")
    columns = {"observation_id": "obs", "labels": "species", "probabilities": "p"}
    assert_known(scores_with_truth(tmp_path / "scores.parquet", read_truth(TRUTH), columns=columns))


INTEGERS = Truth(pa.array([7, 9], pa.int32()), pa.array(["a", "b"]))


def test_integers_of_another_width_are_the_same_ids(tmp_path: Path) -> None:
    pq.write_table(pa.table(LISTS), tmp_path / "scores.parquet")
    assert len(scores_with_truth(tmp_path / "scores.parquet", INTEGERS)) == 2
    assert len(scores_in_memory(scores_from_table(LISTS), INTEGERS)) == 2


@pytest.mark.parametrize(
    ("truth", "names", "saying"),
    [
        ({"observation_id": ["7"], "label": ["a"]}, None, "column 'observation_id' "),
        ({"observation_id": [7], "label": [1]}, None, "column 'label"),
        ({"observation_id": [70], "label": ["a"]}, None, "has none of the 1 observations of table in memory; see that"),
        (TRUTH, [1, 2], "labels are of type string, but int64 in the model of prediction sets; fit a model on scores"),
    ],
    ids=["ids", "labels", "no common ids", "model"],
)
def test_what_does_not_fit_together(truth: Any, names: list[int] | None, saying: str, tmp_path: Path) -> None:
    pq.write_table(pa.table(LISTS), tmp_path / "scores.parquet")
    model = None if names is None else pa.array(names)
    with pytest.raises(VotesError) as raised:
        scores_with_truth(tmp_path / "scores.parquet", read_truth(truth), names=model)
    assert saying in str(raised.value)
    with pytest.raises(VotesError) as raised:
        scores_in_memory(scores_from_table(LISTS), read_truth(truth), names=model)
    assert saying in str(raised.value)
