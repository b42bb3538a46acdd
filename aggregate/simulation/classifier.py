"""The votes of a simulated classifier: a species with a score."""

import numpy as np

from ..arrays import Floats, LabelCodes
from .species import Flora

ERROR = 0.15  # probability that the classifier is wrong, at difficulty 1; assumed

SHARED_ERROR = 0.4
"""Probability that it names the first voter's label if both are wrong: users see its suggestions; assumed."""

SCORE_STEP = 1e-4


def ai_votes(
    truth: LabelCodes, first_voted: LabelCodes, flora: Flora, rng: np.random.Generator
) -> tuple[LabelCodes, Floats]:
    """A label and a score in [0, 1] for each observation: int32[n_observations], float64[n_observations].

    ``truth``, ``first_voted`` int32[n_observations]: the species, and the first voter's label. Scores are high where
    the label is right (density 4 s**3) and low where it is wrong (density 1.5 (1 - s)**0.5); the distributions overlap.
    """
    chance, follows, score = rng.random((3, len(truth)))
    wrong = np.flatnonzero(chance < ERROR * flora.difficulty[truth])
    labels = truth.copy()
    labels[wrong] = flora.mistaken(truth[wrong], np.zeros(len(wrong), np.bool_), rng)
    follows_wrong = wrong[(follows[wrong] < SHARED_ERROR) & (first_voted[wrong] != truth[wrong])]
    labels[follows_wrong] = first_voted[follows_wrong]
    scores = np.where(labels == truth, np.sqrt(np.sqrt(score)), 1 - np.cbrt(score) ** 2)
    return labels, np.rint(scores / SCORE_STEP) * SCORE_STEP
