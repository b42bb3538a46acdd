"""What is said where rules have too few rows."""

import re

import numpy as np
import pandas as pd
import pytest

from plant_aggregate import scores_from_matrix
from plant_aggregate.assessment.report.set_predictor import predictor_facts
from plant_aggregate.errors import VotesError
from plant_aggregate.prediction_sets import fit_sets

NAMES = ["Abies", "Acer", "Betula", "Carex"]


def fitted(rows_of_label: list[int], threshold: str, alpha: str = "0.1"):
    truth = np.repeat(NAMES, rows_of_label)
    matrix = np.random.default_rng(4).dirichlet(np.ones(4), len(truth))
    frame = pd.DataFrame({"observation_id": np.arange(len(truth)), "label": truth})
    return fit_sets(scores_from_matrix(matrix, labels=NAMES), frame, threshold=threshold, alpha=alpha)


@pytest.mark.parametrize(
    ("threshold", "rows_of_label", "words"),
    [
        ("standard", [2, 2, 2, 2], "alpha 0.1 needs 9 calibration rows, and there are 8"),
        ("classwise", [3, 3, 8, 0], "a threshold of classwise needs 9 rows at alpha 0.1, and none has more than 8"),
        ("macro", [2, 30, 1, 1], "macro needs more rows of most labels at alpha 0.1: they have 8.5 in the mean"),
        ("fuzzy-reconformalised:held-out=0.001", [9, 9, 9, 9], "fuzzy-reconformalised needs 9 rows at alpha 0.1, and"),
    ],
    ids=["standard", "classwise", "macro", "fuzzy-reconformalised"],
)
def test_a_rule_that_leaves_all_labels_always_in_says_what_it_needs(threshold, rows_of_label, words):
    with pytest.raises(VotesError, match=re.escape(words)):
        fitted(rows_of_label, threshold)


def test_labels_that_are_in_every_set_for_too_few_rows_are_counted():
    (level,) = predictor_facts(fitted([20, 9, 8, 0], "classwise"))["levels"]
    assert (level["labels_with_threshold"], level["labels_in_every_set"], level["labels_with_too_few_rows"]) == (
        2,
        2,
        2,
    )
    (level,) = predictor_facts(fitted([20, 9, 8, 0], "interp-q"))["levels"]
    assert (level["labels_with_threshold"], level["labels_in_every_set"], level["labels_with_too_few_rows"]) == (
        4,
        0,
        0,
    )
