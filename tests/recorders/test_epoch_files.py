"""Files of recorded scores, without the framework that the scores are from."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.recorders.epoch_files import EpochFile, ScoreFolder, first_of_each
from plant_aggregate.recorders.lists import Lists, TopLogits, lists_from, rounded_to
from plant_aggregate.recorders.torch import ScoreRecorder


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=4))
def test_an_id_is_kept_where_it_appears_first(ids: list[list[int]]) -> None:
    seen: set[int] = set()
    expected = [[i not in seen and not seen.add(i) for i in each] for each in ids]  # type: ignore[func-returns-value]
    for kind in (pa.int64(), pa.string()):
        found = first_of_each([pa.array(each, pa.int64()).cast(kind) for each in ids])
        assert [each.tolist() for each in found] == expected


def test_a_target_beyond_the_top_is_listed_after_it() -> None:
    logits = np.log(np.array([[0.5, 0.25], [0.5, 0.25], [np.nan, np.nan]], np.float32))
    top = TopLogits(
        np.array([[3, 1], [0, 2], [0, 1]], np.int32),
        logits,
        np.array([2.0, 2.0, np.nan], np.float32),
        np.log(np.array([0.25, 0.125, 1.0], np.float32)),
    )
    lists = lists_from(np.array([7, 8, 9]), top, np.array([1, 3, 0]), 4)
    assert lists.ids.tolist() == [7, 8]
    assert lists.lengths.tolist() == [2, 3]
    assert lists.labels.tolist() == [3, 1, 0, 2, 3]
    assert lists.probabilities == pytest.approx([0.5, 0.25, 0.5, 0.25, 0.125])
    assert lists.tails == pytest.approx([0.25, 0.125])


@pytest.mark.parametrize(("digits", "name"), [(16, "bfloat16"), (13, "float16"), (12, "")])
def test_numbers_of_half_precision_are_recognised_by_their_digits(digits: int, name: str) -> None:
    numbers = np.random.default_rng(0).normal(size=100).astype(np.float32)
    rounded = ((numbers.view(np.uint32) >> digits) << digits).view(np.float32)
    assert rounded_to(rounded) == name
    assert rounded_to(rounded[:20]) is None


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    folder = ScoreFolder(tmp_path / "a" / "scores")
    file = EpochFile(folder.file(2, 0), pa.array(["a", "b"]), 2)
    one = np.array([1.0], np.float32)
    file.add(Lists(np.array(["x"], object), np.array([1], np.int32), np.array([1], np.int32), one, 1 - one))
    assert file.close().to_pylist() == ["x"]
    assert folder.epochs() == []
    file.publish(np.array([True]))
    assert folder.epochs() == [2]
    (row,) = pq.read_table(folder.path).to_pylist()
    assert row == {"observation_id": "x", "epoch": 2, "labels": ["b"], "probabilities": [1.0], "tail": 0.0}


def test_what_a_killed_process_left_goes_when_its_epoch_begins_again(tmp_path: Path) -> None:
    folder = ScoreFolder(tmp_path)
    for name in ("", ".whole"):
        for epoch in (2, 3):
            (tmp_path / f"{name}.{folder.file(epoch, 0).name}.77.partial").touch()
    EpochFile(folder.file(2, 0), pa.array(["a", "b"]), 2)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".epoch-00003-rank-000.parquet.77.partial", ".whole.epoch-00003-rank-000.parquet.77.partial"]


def test_without_pytorch_the_recorder_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plant_aggregate.recorders.torch.find_spec", lambda _: None)
    with pytest.raises(plant_aggregate.ParameterError, match="pip install 'plant-aggregate\\[torch\\]'"):
        ScoreRecorder(tmp_path, ["a", "b"])
