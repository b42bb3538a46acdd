import numpy as np
import pyarrow as pa
import pytest

from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.assessment.conformal.thresholds.base import Calibration
from plant_aggregate.assessment.conformal.thresholds.fuzzy import Fuzzy
from plant_aggregate.assessment.conformal.thresholds.fuzzy_reconformalised import FuzzyReconformalised
from plant_aggregate.errors import ParameterError

ALPHA = Alpha.of("0.2")
COUNTS = np.array([500.0, 100.0, 100.0, 0.0])


def calibration_of(prior: Prior | None, n_rows: int = 200) -> Calibration:
    random = np.random.default_rng(5)
    labels = random.choice(4, n_rows, p=[0.6, 0.2, 0.19, 0.01]).astype(np.int32)
    space = LabelSpace(pa.array(["Abies", "Acer", "Betula", "Carex"]), prior)
    return Calibration(random.random(n_rows), labels, space, keys=np.arange(n_rows, dtype=np.uint64))


@pytest.mark.parametrize("rule", [Fuzzy(1e-3), FuzzyReconformalised(1e-3)], ids=lambda rule: rule.name)
def test_positions_are_training_counts_over_the_largest(rule):
    calibration = calibration_of(Prior(COUNTS))
    names = calibration.space.names.to_pylist()
    given = type(rule)(1e-3, positions=dict(zip(names, COUNTS / 500, strict=True)))
    np.testing.assert_array_equal(rule.fit(calibration, ALPHA).of_labels, given.fit(calibration, ALPHA).of_labels)


def test_a_label_outside_the_space_is_like_one_that_was_never_counted():
    calibration = calibration_of(Prior(COUNTS))
    calibration = calibration.of(calibration.labels != 3)
    found = Fuzzy(1.0).fit(calibration, ALPHA)
    assert found.shared == found.each(4)[3] > 0


def test_rows_that_are_too_far_off_to_weigh_anything_leave_a_label_always_in():
    calibration = calibration_of(Prior(COUNTS))
    found = Fuzzy(1e-300).fit(calibration.of(calibration.labels != 3), ALPHA)
    assert found.each(4)[3] == -np.inf
    assert np.isfinite(found.each(4)[:3]).all()


@pytest.mark.parametrize("rule", [Fuzzy(), FuzzyReconformalised()], ids=lambda rule: rule.name)
def test_training_counts_must_be_known(rule):
    with pytest.raises(ParameterError, match="training counts, which are not known; give a prior"):
        rule.fit(calibration_of(None), ALPHA)


def test_positions_that_are_given_must_be_those_of_all_labels():
    with pytest.raises(ParameterError, match="positions have none for 2 labels, such as Betula"):
        Fuzzy(positions={"Abies": 1.0, "Acer": 0.5}).fit(calibration_of(None), ALPHA)


def test_too_few_held_out_rows_leave_all_labels_always_in():
    calibration = calibration_of(Prior(COUNTS), n_rows=12)
    found = FuzzyReconformalised(held_out=0.05).fit(calibration, ALPHA)
    assert set(found.each(4)) == {found.shared} == {-np.inf}


@pytest.mark.parametrize("rule", [Fuzzy(), FuzzyReconformalised()], ids=lambda rule: rule.name)
def test_no_rows_leave_all_labels_always_in(rule):
    found = rule.fit(calibration_of(Prior(COUNTS), n_rows=0), ALPHA)
    assert set(found.each(4)) == {found.shared} == {-np.inf}


def test_shares_of_scores_that_are_equal_but_for_rounding_are_equal():
    """0.3 / 0.1 and 0.9 / 0.3 are the same 3, but not in doubles."""
    scores = np.array([0.3 / 0.1, 0.9 / 0.3])
    calibration = Calibration(
        np.tile(scores, 40), np.zeros(80, np.int32), LabelSpace(pa.array(["Abies"]), Prior(np.ones(1)))
    )
    found = FuzzyReconformalised().fit(calibration, ALPHA)
    assert found.each(1)[0] == -np.inf or found.each(1)[0] * (1 + 1e-9) > max(scores)


@pytest.mark.slow
def test_reconformalised_sets_cover_as_guaranteed_over_many_calibration_sets():
    random, n, n_new = np.random.default_rng(3), 200, 200
    prior = np.array([0.5, 0.25, 0.12, 0.06, 0.04, 0.02, 0.01])
    space = LabelSpace(pa.array(list(range(7))), Prior(1000 * prior))
    coverage = []
    for _ in range(400):
        labels = random.choice(7, n + n_new, p=prior).astype(np.int32)
        scores = random.beta(2 + 6 * prior[labels], 2)  # rare labels score lower
        calibration = Calibration(
            scores[:n], labels[:n], space, keys=random.integers(1 << 62, size=n).astype(np.uint64)
        )
        thresholds = FuzzyReconformalised(1e-3).fit(calibration, Alpha.of("0.1"))
        coverage.append((scores[n:] > thresholds.each(7)[labels[n:]]).mean())
    error = np.std(coverage) / np.sqrt(len(coverage))
    assert 0.9 - 3 * error < np.mean(coverage) < 0.93
