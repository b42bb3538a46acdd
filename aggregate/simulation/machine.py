"""The species that a classifier names, with its score."""

import numpy as np

from ..arrays import Floats, LabelCodes
from .species import Flora

ERROR = 0.15
"""Chance that the classifier is wrong, at difficulty 1; assumed."""

SHARED_ERROR = 0.4
"""Chance that it says what the first voter says, where both are wrong: people see its suggestions; assumed."""

SCORE_STEP = 1e-4


def ai_votes(truth: LabelCodes, shown: LabelCodes, flora: Flora, rng: np.random.Generator) -> tuple[LabelCodes, Floats]:
    """A label and a score in [0, 1] for each observation: int32[n_observations], float64[n_observations].

    ``truth``, ``shown`` int32[n_observations]: the species, and what the first voter named. Scores are high where
    the label is right (density 4 s**3) and low where not (density 1.5 (1 - s)**0.5), and overlap.
    """
    chance, follows, score = rng.random((3, len(truth)))
    wrong = np.flatnonzero(chance < ERROR * flora.difficulty[truth])
    labels = truth.copy()
    labels[wrong] = flora.mistaken(truth[wrong], np.zeros(len(wrong), np.bool_), rng)
    follows_wrong = wrong[(follows[wrong] < SHARED_ERROR) & (shown[wrong] != truth[wrong])]
    labels[follows_wrong] = shown[follows_wrong]
    scores = np.where(labels == truth, np.sqrt(np.sqrt(score)), 1 - np.cbrt(score) ** 2)
    return labels, np.rint(scores / SCORE_STEP) * SCORE_STEP
