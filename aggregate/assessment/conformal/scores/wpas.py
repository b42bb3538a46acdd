"""The weighted prevalence-adjusted softmax: s(x, k) = omega(k) p(k | x) / p(k) [D26]."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....arrays import Floats
from ....errors import ParameterError
from ..label_space import LabelSpace
from .base import SLACK
from .scaled import ScaledScore, over_prior


@dataclass(frozen=True)
class Wpas:
    """omega(k) p(k | x) / p(k): the prevalence-adjusted softmax, weighted.

    Targets macro coverage in which labels weigh omega: of all sets of the same mean size, those from this score come
    closest to the highest weighted mean of the coverage of labels. The choice where some labels must not be missed:
    with labels at risk that weigh gamma times as much as others, their coverage grows with gamma, that of the others
    falls a little, and sets grow. Gamma 1 is ``pas``; a label of weight 0 scores 0.
    """

    name: ClassVar[str] = "wpas"
    needs_prior: ClassVar[bool] = True
    slack: ClassVar[float] = SLACK
    randomised: ClassVar[bool] = False

    def on(self, space: LabelSpace) -> ScaledScore:
        """The score with the prior and the weights of a label space. Raises ParameterError if it lacks one."""
        if space.weights is None:
            raise ParameterError("score wpas weighs labels, but no weights are known; pas weighs all labels alike")
        of_labels, of_unknown = over_prior(space, self.name)
        return ScaledScore(_weighted(of_labels, space.weights), float(_weighted(of_unknown, space.weight_unknown)))


def _weighted(factors: Floats | float, weights: Floats | float) -> Floats:
    """The factors times the weights; 0 times infinity is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.asarray(weights) > 0, np.multiply(factors, weights), 0.0)
