"""The classifier's probability: s(x, k) = p(k | x), as of LAC [Sadinle, Lei and Wasserman 2019]."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....arrays import Floats, LabelCodes
from ....classifier_scores import ClassifierScores
from ..label_space import LabelSpace


@dataclass(frozen=True)
class Softmax:
    """The classifier's probability; with a standard threshold, the smallest sets of a given marginal coverage."""

    name: ClassVar[str] = "softmax"
    needs_prior: ClassVar[bool] = False
    slack: ClassVar[float] = 0.0
    randomised: ClassVar[bool] = False

    def on(self, space: LabelSpace) -> "SoftmaxScore":
        """The same for all label spaces."""
        return SoftmaxScore()


class SoftmaxScore:
    """p(k | x)."""

    unlisted = 0.0

    def prepared(
        self, scores: ClassifierScores, *, truth: LabelCodes | None = None, least: float = math.inf
    ) -> ClassifierScores:
        """The lists themselves."""
        return scores

    def of_listed(self, scores: ClassifierScores, draws: Floats | None = None) -> Floats:
        """The probabilities, float64[items]."""
        return scores.probabilities.astype(np.float64, copy=False)
