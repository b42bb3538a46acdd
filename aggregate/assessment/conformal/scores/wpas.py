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
    """s = omega(k) p(k | x) / p(k): ``pas`` times the weight of the label.

    Targets macro coverage in which label k weighs omega(k): with a standard threshold and probabilities that are right,
    no other sets of the same mean size have more of it. Only marginal coverage is guaranteed. The choice where some
    labels must not be missed: the greater the weight gamma of labels at risk, the better they are covered, at the cost
    of sets that are a little larger. Gamma 1 is ``pas``. A label of weight 0 scores 0, whatever its prior.
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
