"""What experts know of a table, and the header of what is fitted on that."""

import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.assessment.calibration import ai, labels
from plant_aggregate.truth import known_rows

VOTES = plant_aggregate.votes_from_table(
    pa.table({"observation_id": [7, 3, 5], "user_id": [1, 1, 1], "label": ["beech", "ash", "beech"]})
)


def test_rows_and_labels_that_experts_know() -> None:
    truth = plant_aggregate.truth_from_table(
        pa.table({"observation_id": [9, 7, 3], "label": ["ash", "beech", "an oak nobody voted"]})
    )
    known = known_rows(truth, VOTES, "the votes")
    assert known.rows.tolist() == [0, 2]  # of the ids 3, 5 and 7
    assert known.labels.to_pylist() == ["an oak nobody voted", "beech"]
    assert known.codes.tolist() == [-1, 1]
    assert known.truth.observation_ids.to_pylist() == [7, 3]


def test_ids_of_another_kind_are_refused() -> None:
    truth = plant_aggregate.truth_from_table(pa.table({"observation_id": ["7"], "label": ["beech"]}))
    with pytest.raises(plant_aggregate.VotesError, match="'observation_id' has type string, but int64 in the votes"):
        known_rows(truth, VOTES, "the votes")


def test_a_model_of_another_kind_is_refused_by_its_header() -> None:
    text = plant_aggregate.load_calibration("simulated").to_json()
    assert labels.HEADER.read(text, "here", lambda saved: saved["method"]) == "platt"
    said = r"here: is not a calibration of AI scores \(format is 'plant-aggregate calibration 1', not '.* AI .* 1'\)"
    with pytest.raises(plant_aggregate.VotesError, match=said):
        ai.HEADER.read(text, "here", lambda saved: saved)
