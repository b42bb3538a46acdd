import numpy as np
import pytest

from plant_aggregate.assessment.conformal.order import Alpha, randomised_threshold
from plant_aggregate.assessment.conformal.predictor import calibration_of, fit_predictor
from tests.assessment.conformal.golden import AUX, CASES, is_known, rows_of, rule_of, score_of, space_of

KNOWN = [pytest.param(case, id=case["id"]) for case in CASES if is_known(case)]


@pytest.mark.parametrize("case", KNOWN)
def test_calibration_scores_thresholds_and_sets_are_the_golden_ones(case):
    space, score, rule, rows = space_of(case), score_of(case), rule_of(case), rows_of(case, "calibration")
    calibration = calibration_of(score, space, rows.scores, rows.truth, draws=rows.draws)
    expected = case["expected"]
    np.testing.assert_allclose(calibration.scores, np.array(expected["calibration_scores"], float), rtol=1e-12)
    predictor = fit_predictor(score, rule, calibration, [case["alpha"]])
    thresholds = predictor.thresholds[Alpha.of(case["alpha"])]
    wanted = expected["thresholds"]
    each = [wanted[name] for name in case["labels"]] if isinstance(wanted, dict) else [wanted] * len(space)
    np.testing.assert_allclose(thresholds.each(len(space)), np.array(each, float), rtol=1e-12)
    new = rows_of(case, "predict")
    sets = predictor.predict(new.scores, case["alpha"], new.draws)
    found = [
        {case["labels"][k] for k in np.flatnonzero(sets.always)} | {case["labels"][k] for k in sets.labels[a:b]}
        for a, b in zip(sets.offsets[:-1], sets.offsets[1:], strict=True)
    ]
    assert found == [set(wanted) for wanted in expected["sets"]]
    assert sets.sizes.tolist() == [len(wanted) for wanted in expected["sets"]]
    covered = [case["labels"][k] in wanted for k, wanted in zip(new.truth, expected["sets"], strict=True)]
    assert sets.covers(new.truth).tolist() == covered


def test_ranks_are_exact():
    assert [Alpha.of(item["alpha"]).rank(item["n"]) for item in AUX["order"]] == [item["m"] for item in AUX["order"]]


def test_the_fewest_rows_are_those_with_a_rank():
    assert {alpha: Alpha.of(alpha).fewest for alpha in AUX["min_rows"]} == AUX["min_rows"]


@pytest.mark.parametrize("item", AUX["exact_coverage"], ids=lambda item: f"{len(item['scores'])}-{item['alpha']}")
def test_randomised_thresholds_are_the_golden_ones(item):
    found = randomised_threshold(np.array(item["scores"]), Alpha.of(item["alpha"]))
    np.testing.assert_allclose(found, np.array(item["expected"], float), rtol=1e-12)


@pytest.mark.parametrize("case", [case for case in KNOWN if case.id in ("pas-truncated-usable", "raps-random")])
def test_calibration_rows_are_scored_block_by_block(case, monkeypatch):
    space, score, rows = space_of(case), score_of(case), rows_of(case, "calibration")
    whole = calibration_of(score, space, rows.scores, rows.truth, draws=rows.draws)
    monkeypatch.setattr("plant_aggregate.assessment.conformal.predictor.ITEMS", 17)
    parts = calibration_of(score, space, rows.scores, rows.truth, draws=rows.draws)
    np.testing.assert_array_equal(parts.scores, whole.scores)
