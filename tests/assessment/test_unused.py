"""No estimate is judged by labels of experts that it has used."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.assessment.unused import unused
from plant_aggregate.evidence import Evidence

N = 60
LABELS = ["Acer", "Ilex", "Quercus"]
VOTES = plant_aggregate.votes_from_table(
    {
        "observation_id": np.repeat(np.arange(N), 3),
        "user_id": np.tile(["ana", "bo", "eve"], N),
        "label": [LABELS[(i * 7 + u * (i % 4 == 0)) % 3] for i in range(N) for u in range(3)],
        "is_author": np.tile([True, False, False], N),
    }
)
TRUTH = plant_aggregate.truth_from_table({"observation_id": range(N), "label": [LABELS[i % 3] for i in range(N)]})
USED = TRUTH.at(np.arange(0, N, 2))
CONSENSUS = plant_aggregate.PlantNet().fit(VOTES, experts=USED)
OTHERS = TRUTH.at(np.arange(1, N, 2))


@pytest.mark.parametrize("form", ["consensus", "evidence", "frame"])
def test_an_evaluation_leaves_out_what_was_used_and_says_so(form: str) -> None:
    given = {"consensus": CONSENSUS, "evidence": Evidence.of(CONSENSUS), "frame": CONSENSUS.to_arrow()}[form]
    found = plant_aggregate.evaluate(given, TRUTH, resamples=20)
    overlap = found.overlap
    assert (overlap.expert_observations, overlap.matched, overlap.used, overlap.unknown) == (N, N // 2, N // 2, 0)
    expected = plant_aggregate.evaluate(given, OTHERS, resamples=20)
    assert found.subsets == expected.subsets
    assert expected.overlap.used == 0
    assert f"{N // 2} more have a label that the estimate has used: left out" in found._repr_html_()


def test_none_left_is_an_error() -> None:
    with pytest.raises(plant_aggregate.VotesError, match="has used the labels of all its 30 observations in the con"):
        plant_aggregate.evaluate(CONSENSUS, USED)


def test_an_observation_of_nobody_is_none_that_was_used() -> None:
    columns = pa.array([0, 77]), pa.array(["Acer", "Ilex"])
    with pytest.raises(plant_aggregate.VotesError, match="has used the labels of all its 1 observation in"):
        plant_aggregate.evaluate(CONSENSUS, plant_aggregate.Truth(*columns))


def test_a_consensus_without_experts_has_used_nothing() -> None:
    plain = plant_aggregate.PlantNet().fit(VOTES)
    assert unused(TRUTH, plain) == (TRUTH, 0)
    assert plant_aggregate.evaluate(plain, TRUTH, resamples=0).overlap.used == 0


def test_a_calibration_leaves_out_what_was_used() -> None:
    found = plant_aggregate.calibrate(CONSENSUS, TRUTH)
    expected = plant_aggregate.calibrate(CONSENSUS, OTHERS)
    assert (found.fitted_on["observations"], found.fitted_on["used"]) == (N // 2, N // 2)
    assert found.cross_validated == expected.cross_validated
    assert "used" not in expected.fitted_on
    reason = (
        "0 of its 30 observations are left in the consensus, as the estimate has used the labels of 30, "
        "and a calibration needs 20; give labels that the run was not given"
    )
    with pytest.raises(plant_aggregate.VotesError, match=reason):
        plant_aggregate.calibrate(CONSENSUS, USED)


@pytest.mark.parametrize("compare", [plant_aggregate.compare, plant_aggregate.compare_with_experts])
def test_a_comparison_leaves_out_what_labels_have_used(compare: object) -> None:
    assert callable(compare)
    options = {"strategies": ["majority"], "resamples": 0}
    with pytest.warns(plant_aggregate.AggregateWarning, match="30 expert observations left out, as the estimate of ru"):
        found = compare(VOTES, TRUTH, labels={"run": CONSENSUS, "other": TRUTH}, **options)
    expected = compare(VOTES, OTHERS, labels={"run": CONSENSUS, "other": TRUTH}, **options)
    assert drop_times(found.to_arrow()) == drop_times(expected.to_arrow())
    with pytest.raises(plant_aggregate.VotesError, match="the estimate of run has used the labels of all its 30"):
        compare(VOTES, USED, labels={"run": CONSENSUS}, **options)


def drop_times(table: pa.Table) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in table.to_pylist()]


def test_what_was_used_is_known_where_evidence_is_put_in_another_order() -> None:
    evidence = Evidence.of(CONSENSUS, np.array([3, 2, 1]))
    assert evidence.by_expert is not None
    assert evidence.by_expert.tolist() == [False, True, False]
    ids = pa.array([2, 99])
    found = evidence.on(ids)
    assert found.by_expert is not None
    assert found.by_expert.tolist() == [True, False]
    assert dataclasses.replace(evidence, by_expert=None).by_expert is None
