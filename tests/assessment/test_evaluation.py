"""A consensus evaluated against experts: who is met, what is counted, and the same from memory and from a file."""

import math
import warnings
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.assessment.evaluation import Confusion
from plant_aggregate.schema import MEASURES
from tests.paths import SAMPLE

VOTES = pa.table(
    {
        # 1: eve and ana agree; 2: they do not; 3: one vote; 4: nobody asks; 5: wrong, and unanimous
        "observation_id": [1, 1, 2, 2, 2, 3, 4, 5, 5],
        "user_id": ["ana", "eve", "ana", "bo", "eve", "bo", "bo", "ana", "bo"],
        "label": ["alba", "alba", "alba", "nigra", "nigra", "nigra", "rubra", "alba", "alba"],
    }
)
TRUTH = {1: "alba", 2: "nigra", 3: "alba", 5: "rubra", 8: "alba", 9: "viridis"}


def fitted(votes: pa.Table = VOTES, **parameters: float) -> plant_aggregate.Consensus:
    with warnings.catch_warnings(action="ignore", category=plant_aggregate.AggregateWarning):
        return plant_aggregate.PlantNet(**parameters).fit(plant_aggregate.votes_from_table(votes))


def experts(truth: dict[int, str]) -> plant_aggregate.Truth:
    return plant_aggregate.truth_from_table(pa.table({"observation_id": list(truth), "label": list(truth.values())}))


def values(group: object) -> dict[str, float]:
    return {name: estimate.value for name, estimate in group.measures.items()}  # type: ignore[attr-defined]


def test_a_case_by_hand() -> None:
    """gamma = 0.74: with theta_conf 1.4 two agreeing votes are valid, with theta_acc 0.6 two of three are."""
    evaluation = plant_aggregate.evaluate(fitted(theta_conf=1.4, theta_acc=0.6), experts(TRUTH), resamples=0)
    everything, several, disputed = (values(group) for group in evaluation.subsets)
    assert [group.observations for group in evaluation.subsets] == [4, 3, 1]
    assert everything["accuracy"] == 2 / 4  # 1 and 2; 3 is not valid, 5 is wrong
    assert everything["accuracy_of_valid"] == 2 / 3
    assert everything["accuracy_of_labels"] == 2 / 4
    assert everything["kept"] == 3 / 4
    assert everything["macro_recall"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert everything["macro_precision"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert everything["species_retrieved"] == 2 / 3
    assert several["accuracy"] == 2 / 3
    assert disputed["accuracy"] == disputed["accuracy_of_valid"] == 1
    assert [(group.name, group.observations) for group in evaluation.by_votes] == [
        ("1", 1),
        ("2", 2),
        ("3 to 5", 1),
        ("6 to 10", 0),
        ("11 or more", 0),
    ]
    assert evaluation.confusions == (Confusion("alba", "nigra", 1, 0), Confusion("rubra", "alba", 1, 1))


def test_experts_who_know_more_than_the_crowd_are_counted() -> None:
    overlap = plant_aggregate.evaluate(fitted(), experts({**TRUTH, 4: "caerulea"}), resamples=0).overlap
    assert (overlap.expert_observations, overlap.matched, overlap.unknown) == (7, 5, 2)
    assert (overlap.species, overlap.species_never_voted, overlap.observations_never_voted) == (4, 1, 1)


def test_a_species_nobody_voted_counts_as_not_retrieved() -> None:
    evaluation = plant_aggregate.evaluate(fitted(theta_conf=0.1), experts({1: "alba", 4: "caerulea"}), resamples=0)
    assert values(evaluation.subsets[0])["species_retrieved"] == 1 / 2
    assert values(evaluation.subsets[0])["macro_recall"] == 1 / 2


def test_rows_without_label_are_left_out() -> None:
    table = pd.DataFrame({"observation_id": [1, 2, 3], "label": ["alba", None, " "]})
    overlap = plant_aggregate.evaluate(fitted(), plant_aggregate.truth_from_table(table), resamples=0).overlap
    assert (overlap.expert_observations, overlap.unlabelled) == (1, 2)


def test_nothing_to_measure_is_null() -> None:
    evaluation = plant_aggregate.evaluate(fitted(), experts({4: "rubra"}), resamples=50)
    as_json = evaluation.to_dict()
    assert as_json["subsets"][2]["measures"]["accuracy"] == {"value": None, "low": None, "high": None}
    assert as_json["subsets"][0]["measures"]["accuracy_of_valid"]["value"] is None
    assert as_json["subsets"][0]["measures"]["accuracy"]["value"] == 0


def test_every_measure_is_declared() -> None:
    evaluation = plant_aggregate.evaluate(fitted(), experts(TRUTH), resamples=0)
    assert [*evaluation.subsets[0].measures] == [column.name for column in MEASURES if not column.optional]


def test_truth_in_any_order_gives_the_same_bits() -> None:
    upside_down = dict(reversed(TRUTH.items()))
    one, other = (plant_aggregate.evaluate(fitted(), experts(truth), resamples=200) for truth in (TRUTH, upside_down))
    assert repr(one) == repr(other)


def test_senseless_numbers() -> None:
    with pytest.raises(plant_aggregate.ParameterError, match=r"resamples is -1.*worst is -2"):
        plant_aggregate.evaluate(fitted(), experts(TRUTH), resamples=-1, worst=-2)


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.uint64()])
def test_integer_ids_meet_whatever_their_width(kind: pa.DataType) -> None:
    table = pa.table({"observation_id": pa.array([1, 2, 100], kind), "label": ["alba"] * 3})
    assert plant_aggregate.evaluate(fitted(), plant_aggregate.truth_from_table(table), resamples=0).overlap.matched == 2


def test_very_many_observations_have_no_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plant_aggregate.assessment.evaluation.MAX_RESAMPLED", 3)
    monkeypatch.setattr("plant_aggregate.assessment.evaluation.MAX_DRAWS", 60)
    evaluation = plant_aggregate.evaluate(fitted(), experts(TRUTH), resamples=1000)
    assert [group.resamples for group in evaluation.subsets] == [0, 20, 60]
    assert math.isnan(evaluation.subsets[0].measures["kept"].low)


def test_integer_labels() -> None:
    labels = pa.array([10, 10, 10, 20, 20, 20, 30, 10, 10], pa.int16())
    consensus = fitted(VOTES.set_column(2, "label", labels))
    truth = pa.table({"observation_id": [1, 2, 5], "label": [10, 20, 70000]})
    evaluation = plant_aggregate.evaluate(consensus, plant_aggregate.truth_from_table(truth), resamples=0)
    assert values(evaluation.subsets[0])["accuracy_of_labels"] == 2 / 3
    assert evaluation.overlap.species_never_voted == 1
    assert evaluation.confusions[0].truth == 70000


def test_memory_and_file_say_the_same(tmp_path: Path) -> None:
    run = plant_aggregate.run(SAMPLE / "votes.parquet", tmp_path / "out")
    truth = plant_aggregate.read_truth(SAMPLE / "truth.parquet")
    consensus = plant_aggregate.PlantNet().fit(plant_aggregate.read_votes(SAMPLE / "votes.parquet"))
    in_memory = plant_aggregate.evaluate(consensus, truth, resamples=20)
    for place in (run.folder / "consensus.parquet", run.folder, tmp_path / "out"):
        published = plant_aggregate.read_evidence(place, truth)
        assert published.n_observations == consensus.n_observations
        assert published.manifest is not None
        assert published.manifest["run_id"] == run.run_id
        assert plant_aggregate.evaluate(published.evidence, truth, resamples=20) == in_memory
    whole = plant_aggregate.Evidence.of(consensus)
    assert plant_aggregate.evaluate(whole, truth, resamples=20) == in_memory
