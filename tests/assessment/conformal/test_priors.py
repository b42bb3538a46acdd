import numpy as np
import pyarrow as pa
import pytest

from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.errors import ParameterError, VotesError

SPACE = pa.array(["Acer campestre", "Acer opalus", "Bellis perennis"])


def test_a_label_that_was_never_seen_counts_as_seen_once_and_the_total_does_not_change():
    prior = Prior(np.array([10.0, 0.0, 30.0]))
    np.testing.assert_allclose(prior.shares, [10 / 40, 1 / 40, 30 / 40])
    assert prior.unknown_share == 1 / 40
    assert prior.unseen.tolist() == [False, True, False]


def test_with_at_least_0_its_prior_is_0():
    prior = Prior(np.array([10.0, 0.0, 30.0]), at_least=0)
    assert prior.shares.tolist() == [0.25, 0, 0.75]
    assert prior.unknown_share == 0


def test_counts_by_name_are_in_any_order_and_of_other_labels_do_not_count():
    prior = Prior.of_names(SPACE, pa.array(["Bellis perennis", "Zea mays", "Acer campestre"]), [30, 7, 10])
    assert prior.counts.tolist() == [10, 0, 30]


def test_labels_that_are_integers_have_counts_by_number():
    prior = Prior.of_names(pa.array([1, 2, 17]), pa.array([17, 1], pa.int32()), [5, 3])
    assert prior.counts.tolist() == [3, 0, 5]
    with pytest.raises(VotesError, match=r"^labels are texts, but those of the classifier are integers$"):
        Prior.of_names(pa.array([1, 2, 17]), SPACE, [5, 3, 1])


def test_labels_of_observations_are_counted_without_those_outside_the_space():
    assert Prior.of_labels(np.array([0, 2, 2, -1, 3, 7], np.int32), 3).counts.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("names", "counts", "words"),
    [
        ([0, 1], [3, -1], "a training count of 'Acer opalus' is -1 but must be a number of at least 0"),
        ([0, 1], [3, np.nan], "a training count of 'Acer opalus' is nan but must be a number of at least 0"),
        ([0, 1], [0, 0], "no training count is above 0"),
        ([0, 0], [3, 4], "'Acer campestre' has more than one training count; keep one row a label"),
        ([0, None], [3, 4], "a training count has no label"),
    ],
)
def test_counts_that_give_no_prior_are_refused(names, counts, words):
    with pytest.raises(VotesError, match=f"^counts.csv: {words}$"):
        Prior.of_names(SPACE, SPACE.take(pa.array(names, pa.int64())), counts, where="counts.csv")


def test_counts_of_other_labels_only_are_refused():
    with pytest.raises(VotesError, match=r"^no label that the classifier knows has a training count above 0$"):
        Prior.of_names(SPACE, pa.array(["Zea mays"]), [30])
    with pytest.raises(VotesError, match=r"^no training count is above 0$"):
        Prior.of_labels(np.array([-1, 3], np.int32), 3)


@pytest.mark.parametrize("at_least", [-1, np.nan, np.inf])
def test_the_least_count_is_a_number_of_at_least_0(at_least):
    with pytest.raises(ParameterError, match=r"least training count is .* but must be at least 0"):
        Prior(np.ones(2), at_least)
