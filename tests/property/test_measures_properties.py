"""The measures equal their slow twins, also on resamples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate import measures
from tests.reference import measures as reference
from tests.reference.measures import Row

CONFIDENCES = st.sampled_from([0.0, 0.2, 1 / 3, 0.5, 0.8, 1.0]) | st.floats(0, 1)


def rows_of(most: int) -> st.SearchStrategy[list[Row]]:
    row = st.tuples(st.integers(0, 4), st.integers(0, 5), st.booleans(), CONFIDENCES)
    return st.lists(row, min_size=1, max_size=most)


def columns(rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    truth, labels, valid, confidence = zip(*rows, strict=True)
    return np.array(truth, np.int32), np.array(labels, np.int32), np.array(valid), np.array(confidence)


def measured(rows: list[Row], counts: np.ndarray) -> dict[str, np.ndarray]:
    truth, labels, valid, confidence = columns(rows)
    right = truth == labels
    return {
        "accuracy": measures.share(valid & right, counts),
        "accuracy_of_valid": measures.share(right, counts, among=valid),
        "accuracy_of_labels": measures.share(right, counts),
        "macro_precision": measures.macro_precision(truth, labels, valid, counts),
        "macro_recall": measures.macro_recall(truth, labels, valid, counts),
        "species_retrieved": measures.retrieved(truth, labels, valid, counts),
        "kept": measures.share(valid, counts),
        "calibration_error": measures.calibration_error(confidence, right, counts),
        "risk_coverage_area": measures.risk_coverage_area(confidence, right, counts),
    }


def expected(name: str, rows: list[Row]) -> float:
    value = getattr(reference, name)(rows)
    return math.nan if value is None else float(value)


@given(rows_of(30))
def test_measures_equal_the_reference(rows: list[Row]) -> None:
    for name, value in measured(rows, np.ones(len(rows))).items():
        if name != "risk_coverage_area":
            assert float(value) == pytest.approx(expected(name, rows), nan_ok=True), name


@given(rows_of(6))
def test_the_risk_coverage_area_is_the_mean_over_every_order_of_ties(rows: list[Row]) -> None:
    area = measured(rows, np.ones(len(rows)))["risk_coverage_area"]
    assert float(area) == pytest.approx(expected("risk_coverage_area", rows))


@given(rows_of(5), st.integers(0, 2**32), st.integers(1, 4))
def test_a_resample_is_the_sample_with_rows_left_out_and_repeated(rows: list[Row], seed: int, size: int) -> None:
    """Also in a block of several: each line of counts has its own measures."""
    drawn = np.random.default_rng(seed).integers(0, len(rows), (size, len(rows)))
    counts = np.stack([np.bincount(line, minlength=len(rows)) for line in drawn]).astype(np.float64)
    for name, values in measured(rows, counts).items():
        assert values.shape == (size,)
        for line, value in zip(drawn.tolist(), values.tolist(), strict=True):
            resample = [rows[place] for place in line]
            assert value == pytest.approx(expected(name, resample), nan_ok=True), name


@given(rows_of(20), st.randoms(use_true_random=False))
def test_the_order_of_observations_does_not_matter(rows: list[Row], random: "object") -> None:
    shuffled = rows[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    before, after = measured(rows, np.ones(len(rows))), measured(shuffled, np.ones(len(rows)))
    for name, value in before.items():
        assert float(value) == pytest.approx(float(after[name]), nan_ok=True), name
