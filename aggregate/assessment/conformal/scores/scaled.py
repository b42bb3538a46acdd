"""Scores that are the probability of a label times a factor of the label."""

import math
from dataclasses import dataclass

import numpy as np

from ....arrays import Floats, LabelCodes
from ....classifier_scores import ClassifierScores
from ....errors import ParameterError
from ..label_space import LabelSpace


@dataclass(frozen=True, eq=False)
class ScaledScore:
    """s(x, k) = p(k | x) f(k), and 0 where p(k | x) is 0, even if f(k) is infinite."""

    factors: Floats
    """f, float64[K]."""
    factor_unknown: float
    """That of labels outside the label space."""

    unlisted = 0.0

    def prepared(
        self, scores: ClassifierScores, *, truth: LabelCodes | None = None, least: float = math.inf
    ) -> ClassifierScores:
        """The lists themselves."""
        return scores

    def of_listed(self, scores: ClassifierScores, draws: Floats | None = None) -> Floats:
        """The probabilities times the factors, float64[items]."""
        from ....kernels.conformity_scores import scale_items
        from ....kernels.threads import in_blocks

        found = np.empty(scores.labels.size)
        factors = self.factors, self.factor_unknown
        in_blocks(scale_items, found.size, scores.labels, scores.probabilities, *factors, found)
        return found


def over_prior(space: LabelSpace, score: str) -> tuple[Floats, float]:
    """1 / p(k) of each label of a space, float64[K], and of labels outside it; infinite where p(k) is 0."""
    if space.prior is None:
        raise ParameterError(f"score {score} divides by how common labels are, but no counts of them are known")
    with np.errstate(divide="ignore"):
        return np.divide(1.0, space.prior.shares), float(np.divide(1.0, space.prior.unknown_share))
