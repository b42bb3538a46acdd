import numpy as np
import pytest

from tests.assessment.conformal.long_tail import fitted, halves


@pytest.mark.parametrize("score", ["pas", "wpas"])
def test_classwise_sets_are_the_same_with_scores_that_differ_by_a_factor_for_each_label(score):
    (split,) = halves()
    one, other = (
        fitted(f"{name}/classwise", ["0.1"]).predict(split.evaluation.scores, "0.1") for name in ("softmax", score)
    )
    np.testing.assert_array_equal(one.offsets, other.offsets)
    rows = np.repeat(np.arange(len(one)), np.diff(one.offsets))
    assert set(zip(rows, one.labels, strict=True)) == set(zip(rows, other.labels, strict=True))
    np.testing.assert_array_equal(one.always, other.always)
    assert 0 < one.always.sum() < one.n_labels


def of_labels(method: str) -> np.ndarray:
    """The coverage of each label on new observations."""
    (split,) = halves()
    truth = split.evaluation.truth
    covered = fitted(method, ["0.1"]).predict(split.evaluation.scores, "0.1").covers(truth)
    return np.bincount(truth, covered) / np.bincount(truth)


def test_rare_labels_are_covered_that_a_standard_threshold_misses():
    classwise, standard = of_labels("softmax/classwise"), of_labels("softmax/standard")
    assert standard.mean() < 0.75
    assert classwise.mean() > 0.9
    assert classwise.min() > standard.min() + 0.3
