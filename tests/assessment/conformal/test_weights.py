import re

import numpy as np
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.weights import at_risk_labels, class_weights, label_weights
from plant_aggregate.errors import ParameterError, VotesError

SPACE = pa.array(["Acer campestre", "Bellis perennis", "Orchis militaris"])


def test_labels_at_risk_weigh_gamma_times_as_much_and_all_weights_add_up_to_1():
    weights = label_weights(np.array([False, False, True]), gamma=10)
    np.testing.assert_allclose(weights, [1 / 12, 1 / 12, 10 / 12])
    assert weights.sum() == pytest.approx(1)


def test_gamma_1_weighs_all_alike():
    assert len(set(label_weights(np.array([False, False, True]), gamma=1))) == 1


def test_class_weights_stay_as_they_were_given_and_gamma_multiplies_them():
    of_classes = class_weights(SPACE, SPACE.take([2, 0, 1]), [3, 1, 2])
    assert of_classes.tolist() == [1, 2, 3]
    assert label_weights(np.array([False, False, True]), 1, of_classes).tolist() == [1, 2, 3]
    assert label_weights(np.array([False, False, True]), 10, of_classes).tolist() == [1, 2, 30]


def test_labels_at_risk_that_the_classifier_does_not_know_are_counted_and_named():
    names = pa.array(["Orchis militaris", "Abies nebrodensis", "Bellis perennis", None])
    with pytest.warns(plant_aggregate.AggregateWarning, match=r"1 of 3 labels at risk .*: 'Abies nebrodensis'"):
        assert at_risk_labels(SPACE, names).tolist() == [False, True, True]


def test_of_many_unknown_labels_at_risk_three_are_named():
    names = pa.array(["Orchis militaris", *(f"Sorbus {i}" for i in range(9))])
    message = "9 of 10 labels at risk are not known to the classifier: 'Sorbus 0', 'Sorbus 1', 'Sorbus 2', ..."
    with pytest.warns(plant_aggregate.AggregateWarning, match=f"^{re.escape(message)}$"):
        at_risk_labels(SPACE, names)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Abies nebrodensis"], "risk.csv: the classifier knows none of the 1 labels at risk: 'Abies nebrodensis'"),
        ([], "risk.csv: there are no labels at risk"),
    ],
)
def test_if_no_label_at_risk_is_known_they_are_refused(names, words):
    with pytest.raises(VotesError, match=f"^{re.escape(words)}$"):
        at_risk_labels(SPACE, pa.array(names, pa.string()), where="risk.csv")


def test_labels_without_a_class_weight_weigh_as_the_mean_and_are_named():
    with pytest.warns(
        plant_aggregate.AggregateWarning, match=r"^1 label has no class weight, and 2, the mean, instead: 'Bellis pere"
    ):
        assert class_weights(SPACE, SPACE.take([0, 2]), [1, 3]).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("names", "weights", "words"),
    [
        ([0, 1, 2], [1, -1, 1], "a class weight of 'Bellis perennis' is -1 but must be a number of at least 0"),
        ([0, 1, 2], [1, 1, np.nan], "a class weight of 'Orchis militaris' is nan but must be a number of at least 0"),
        ([0, 1, 2], [1, 1, np.inf], "a class weight of 'Orchis militaris' is inf but must be a number of at least 0"),
        ([0, 1, 2], [0, 0, 0], "no class weight is above 0"),
        ([0, 1, 0], [1, 1, 2], "'Acer campestre' has more than one class weight; keep one row a label"),
        ([0, None, 1], [1, 1, 2], "a class weight has no label"),
    ],
)
def test_wrong_class_weights_are_named(names, weights, words):
    with pytest.raises(VotesError, match=f"^weights.csv: {re.escape(words)}$"):
        class_weights(SPACE, SPACE.take(pa.array(names, pa.int64())), weights, where="weights.csv")


def test_class_weights_of_other_labels_only_are_refused():
    with pytest.raises(VotesError, match=r"^no label that the classifier knows has a class weight above 0$"):
        class_weights(SPACE, pa.array(["Zea mays", "Bellis perennis"]), [1, 0])


@pytest.mark.parametrize("gamma", [0, -1, np.inf, np.nan])
def test_gamma_is_a_positive_number(gamma):
    with pytest.raises(ParameterError, match=r"gamma is .* but must be a positive number"):
        label_weights(np.array([True, False]), gamma)


def test_a_label_outside_the_space_weighs_as_one_that_is_not_at_risk():
    at_risk = np.array([False, False, True])
    weights = label_weights(at_risk, gamma=10)
    assert LabelSpace(SPACE, weights=weights, at_risk=at_risk).weight_unknown == pytest.approx(1 / 12)
    assert LabelSpace(SPACE, weights=np.array([1.0, 2.0, 6.0])).weight_unknown == pytest.approx(3)
    assert LabelSpace(SPACE, weights=np.ones(3), at_risk=np.ones(3, np.bool_)).weight_unknown == 1
    assert np.isnan(LabelSpace(SPACE).weight_unknown)
