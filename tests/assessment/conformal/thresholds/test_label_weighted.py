import numpy as np
import pyarrow as pa
import pytest

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.predictor import fit_predictor
from plant_aggregate.assessment.conformal.saved import predictor_from_json, predictor_to_json
from plant_aggregate.assessment.conformal.scores.softmax import Softmax
from plant_aggregate.assessment.conformal.thresholds.base import Calibration
from plant_aggregate.assessment.conformal.thresholds.classwise import Classwise
from plant_aggregate.assessment.conformal.thresholds.label_weighted import LabelWeighted
from plant_aggregate.assessment.conformal.thresholds.standard import Standard
from plant_aggregate.errors import ParameterError

ALPHA = Alpha.of("0.2")


def some_rows() -> Calibration:
    random = np.random.default_rng(2)
    labels = random.choice(3, 60, p=[0.7, 0.28, 0.02]).astype(np.int32)
    return Calibration(random.random(60), labels, LabelSpace(pa.array(["Abies", "Acer", "Betula"])))


def test_equal_weights_give_the_standard_threshold_and_the_identity_those_of_classwise():
    rows = some_rows()
    assert set(LabelWeighted(np.ones((3, 3))).fit(rows, ALPHA).each(3)) == {Standard().fit(rows, ALPHA).shared}
    identity, classwise = LabelWeighted(np.eye(3)).fit(rows, ALPHA), Classwise().fit(rows, ALPHA)
    assert identity.each(3).tolist() == classwise.each(3).tolist()


FAULTY = {
    "none": None,
    "small": np.ones((2, 2)),
    "zero": np.zeros((3, 3)),
    "negative": -np.ones((3, 3)),
    "nan": np.full((3, 3), np.nan),
}


@pytest.mark.parametrize("weights", [pytest.param(each, id=name) for name, each in FAULTY.items()])
def test_weights_must_be_a_matrix_of_the_labels(weights):
    with pytest.raises(ParameterError, match="weights must be a matrix of 3 by 3 numbers"):
        LabelWeighted(weights).fit(some_rows(), ALPHA)


def test_thresholds_of_a_rule_that_is_not_registered_can_be_saved():
    fitted = fit_predictor(Softmax(), LabelWeighted(np.eye(3) + 0.5), some_rows(), [ALPHA])
    again = predictor_from_json(predictor_to_json(fitted), "sets.json")
    np.testing.assert_array_equal(again.thresholds[ALPHA].of_labels, fitted.thresholds[ALPHA].of_labels)
