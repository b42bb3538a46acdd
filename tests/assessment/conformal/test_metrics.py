"""Measures of prediction sets: the golden ones, and those of a slow reference in the data and in every resample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant_aggregate.assessment.conformal.metrics import SetOutcomes, measure_names, measure_sets
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.sets import PredictionSets
from plant_aggregate.measures import bootstrap, resampled_counts
from tests.assessment.conformal.golden import CASES, expected_sets, rows_of, space_of
from tests.reference import conformal as reference

SHARES = {"empty": "empty_sets", "singletons": "singletons"}


def measured(outcomes: SetOutcomes, alpha: Alpha, counts=None, **known) -> dict[str, float]:
    names = measure_names(weighted="weights" in known, at_risk="at_risk" in known)
    counts = np.bincount(outcomes.cells.of_rows).astype(float) if counts is None else counts
    return dict(zip(names, measure_sets(outcomes, alpha, counts, **known).tolist(), strict=True))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_the_measures_of_the_golden_sets_are_the_golden_ones(case):
    space, truth = space_of(case), rows_of(case, "predict").truth
    names = case["labels"]
    at_risk = np.array([name in case["params"].get("at_risk", []) for name in names])
    outcomes = SetOutcomes.of(expected_sets(case), truth)
    labels = outcomes.cells.labels
    weights = {} if space.weights is None else {"weights": space.weights_of(labels)}
    found = measured(outcomes, Alpha.of(case["alpha"]), at_risk=at_risk[labels], **weights)
    expected = dict(case["expected"]["metrics"])
    rows, of_labels = expected.pop("rows"), expected.pop("per_label_coverage")
    assert (len(outcomes), outcomes.cells.labels.size) == (rows, expected.pop("labels_with_truth"))
    for ours, theirs in SHARES.items():
        assert found[ours] * rows == pytest.approx(expected.pop(theirs), abs=1e-9)
    for name, value in expected.items():
        assert found[name] == pytest.approx(np.nan if value is None else value, rel=1e-12, abs=1e-15, nan_ok=True), name
    table = outcomes.by_label
    coverage = dict(zip([names[k] for k in table.labels], table.coverage.tolist(), strict=True))
    assert coverage == of_labels


@st.composite
def rows(draw):
    n_labels = draw(st.integers(2, 6))
    row = st.tuples(st.integers(0, n_labels + 1), st.booleans(), st.integers(0, n_labels))
    drawn = draw(st.lists(row, min_size=1, max_size=40))
    truth, covered, sizes = map(np.array, zip(*drawn, strict=True))
    sizes = np.maximum(sizes, covered)
    return SetOutcomes(truth.astype(np.int32), covered, sizes.astype(np.int32), sizes == n_labels, n_labels)


@given(rows(), st.sampled_from(["0.5", "0.2", "0.1"]), st.integers(0, 100))
@settings(deadline=None)
def test_measures_are_those_of_the_formulas_in_the_data_and_in_a_resample(outcomes, alpha, seed):
    random = np.random.default_rng(seed)
    labels = outcomes.cells.labels
    weights = random.integers(0, 3, labels.size).astype(float)
    at_risk = random.random(labels.size) < 0.5
    known = {"weights": weights, "at_risk": at_risk}
    drawn = random.integers(0, len(outcomes), len(outcomes))
    for chosen in (np.arange(len(outcomes)), drawn):
        counts = np.bincount(outcomes.cells.of_rows[chosen], minlength=outcomes.cells.sizes.size).astype(float)
        found = measured(outcomes, Alpha.of(alpha), counts, **known)
        slowly = reference.measures(
            outcomes.truth[chosen].tolist(),
            outcomes.covered[chosen].tolist(),
            outcomes.sizes[chosen].tolist(),
            outcomes.n_labels,
            float(alpha),
            dict(zip(labels.tolist(), weights, strict=True)),
            set(labels[at_risk].tolist()),
        )
        assert found == pytest.approx(slowly, nan_ok=True, rel=1e-12, abs=1e-12)


@given(rows(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_rows_does_not_matter(outcomes, random):
    order = np.array(random.sample(range(len(outcomes)), len(outcomes)))
    columns = (getattr(outcomes, name)[order] for name in ("truth", "covered", "sizes", "whole_space"))
    other = SetOutcomes(*columns, outcomes.n_labels)
    assert measured(other, Alpha.of("0.1")) == measured(outcomes, Alpha.of("0.1"))


@given(rows())
@settings(deadline=None)
def test_macro_coverage_is_the_mean_of_the_coverage_of_labels(outcomes):
    found = measured(outcomes, Alpha.of("0.1"))
    assert found["macro_coverage"] == pytest.approx(outcomes.by_label.coverage.mean())
    assert found["marginal_coverage"] == pytest.approx(
        np.average(outcomes.by_label.coverage, weights=outcomes.by_label.rows)
    )


def test_labels_outside_the_space_do_not_make_a_set_that_of_the_whole_space():
    """Two labels and one outside; both sets have two labels, of which only the second are all of the space."""
    offsets, labels = np.array([0, 2, 4]), np.array([0, 2, 0, 1], np.int32)
    sets = PredictionSets(offsets, labels, np.ones(4), np.array([2, 2], np.int32), np.zeros(2, np.bool_))
    found = measured(SetOutcomes.of(sets, np.array([0, 0], np.int32)), Alpha.of("0.1"))
    assert found["whole_space"] == 0.5


def test_resamples_of_alike_observations_are_those_of_the_observations():
    groups = np.array([2, 0, 2, 1, 0])
    of_rows = np.concatenate(list(resampled_counts(5, 30, 3)))
    of_groups = np.concatenate(list(resampled_counts(5, 30, 3, groups)))
    wanted = np.stack([of_rows[:, groups == group].sum(axis=1) for group in range(3)], axis=1)
    assert of_groups.tolist() == wanted.tolist()


def test_labels_that_a_resample_does_not_draw_drop_out_of_its_means():
    outcomes = SetOutcomes(
        np.array([0, 0, 7], np.int32), np.array([True, False, True]), np.ones(3, np.int32), np.zeros(3, bool), 5
    )
    without_the_last = np.array([1.0, 2.0, 0.0])  # cells: label 0 missed, label 0 covered, label 7 covered
    assert measured(outcomes, Alpha.of("0.1"), without_the_last)["macro_coverage"] == pytest.approx(2 / 3)
    assert measured(outcomes, Alpha.of("0.1"))["macro_coverage"] == pytest.approx(3 / 4)


def test_ends_that_are_not_corrected_are_values_that_occur():
    sizes = np.array([1, 1, 2, 2, 2, 9])
    statistic = lambda counts: np.stack([_lower_median(sizes, counts)] * 2, axis=-1)  # noqa: E731
    _, low, high = bootstrap(statistic, 6, 500, 0, (0.0, np.inf), corrected=np.array([True, False]))
    assert {low[1], high[1]} <= {1, 2, 9}
    assert low[0] % 1 != 0


def _lower_median(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return values[(np.cumsum(counts, axis=-1) >= counts.sum(axis=-1, keepdims=True) / 2).argmax(axis=-1)].astype(float)
