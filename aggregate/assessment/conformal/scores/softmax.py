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
    """s = p(k | x), the probability that the classifier gives the label.

    Targets marginal coverage: with a standard threshold and probabilities that are right, no other sets that cover as
    many observations are smaller in the mean. Common labels get most of the coverage, and rare ones may get none. The
    choice where each observation counts the same, and a first comparison for all others.
    """

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
