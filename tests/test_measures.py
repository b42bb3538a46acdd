"""Measures against values computed by hand, and against scikit-learn where it is installed."""

import numpy as np
import pytest

from plant_aggregate.measures import (
    bootstrap,
    calibration_error,
    macro_precision,
    macro_recall,
    resampled_counts,
    risk_coverage_area,
    share,
)

ONCE = np.ones(4)


def test_risk_coverage_by_hand() -> None:
    """Errors at the 2nd and 4th of four: risks 0, 1/2, 1/3, 2/4."""
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, False, True, False])
    assert risk_coverage_area(confidence, right, ONCE) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_risk_coverage_of_equal_confidence_is_the_error_rate() -> None:
    right = np.array([True, False, True, True])
    assert risk_coverage_area(np.full(4, 0.5), right, ONCE) == pytest.approx(1 / 4)


def test_calibration_error_by_hand() -> None:
    """Two bins: (0.95, 0.95) half right, (0.5, 0.5) all right: 1/2 x 0.45 + 1/2 x 0.5."""
    confidence = np.array([0.95, 0.95, 0.5, 0.5])
    right = np.array([True, False, True, True])
    assert calibration_error(confidence, right, ONCE) == pytest.approx(0.475)


def test_confidence_one_is_in_the_last_bin() -> None:
    assert calibration_error(np.ones(4), np.ones(4, np.bool_), ONCE) == 0


def test_macro_measures_by_hand() -> None:
    """Species 0 (two observations, one found), 1 (found, but named once too often), 2 (not valid)."""
    truth = np.array([0, 0, 1, 2], np.int32)
    labels = np.array([0, 1, 1, 2], np.int32)
    valid = np.array([True, True, True, False])
    assert macro_precision(truth, labels, valid, ONCE) == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert macro_recall(truth, labels, valid, ONCE) == pytest.approx((1 / 2 + 1 + 0) / 3)


@pytest.mark.extras
def test_scikit_learn_agrees() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    truth, labels = random.integers(0, 40, (2, 3000)).astype(np.int32)
    labels = np.where(random.random(3000) < 0.7, truth, labels)
    valid = random.random(3000) < 0.8
    predicted = np.where(valid, labels, -1)
    options = {"labels": np.unique(truth), "average": "macro", "zero_division": 0}
    once = np.ones(3000)
    assert macro_precision(truth, labels, valid, once) == pytest.approx(
        metrics.precision_score(truth, predicted, **options)
    )
    assert macro_recall(truth, labels, valid, once) == pytest.approx(metrics.recall_score(truth, predicted, **options))
    assert share(valid & (truth == labels), once) == pytest.approx(metrics.accuracy_score(truth, predicted))


def test_the_same_seed_draws_the_same_resamples() -> None:
    (first,), (again,), (other,) = (list(resampled_counts(50, 20, seed)) for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()
    assert (first.sum(axis=1) == 50).all()


def test_an_interval_of_a_share_is_about_the_binomial_one() -> None:
    right = np.arange(400) < 300
    estimate, low, high = bootstrap(lambda counts: share(right, counts)[..., None], 400, 4000, 0)
    assert estimate == pytest.approx([0.75])
    assert low == pytest.approx([0.75 - 1.96 * np.sqrt(0.75 * 0.25 / 400)], abs=0.004)
    assert high == pytest.approx([0.75 + 1.96 * np.sqrt(0.75 * 0.25 / 400)], abs=0.004)


def test_an_interval_holds_its_estimate_although_resamples_have_fewer_labels() -> None:
    """A thousand species of one to three observations: in resamples some are missing, and the mean recall moves."""
    random = np.random.default_rng(1)
    truth = random.integers(0, 1000, 2000).astype(np.int32)
    labels = np.where(random.random(2000) < 0.8, truth, -2).astype(np.int32)
    valid = np.ones(2000, np.bool_)
    estimate, low, high = bootstrap(
        lambda counts: macro_precision(truth, labels, valid, counts)[..., None], 2000, 200, 0
    )
    assert low < estimate < high


def test_no_resamples_no_interval() -> None:
    estimate, low, high = bootstrap(lambda counts: share(np.array([True, False]), counts)[..., None], 2, 0, 0)
    assert estimate == [0.5]
    assert np.isnan([low, high]).all()
