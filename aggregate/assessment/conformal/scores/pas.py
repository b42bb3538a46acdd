"""The prevalence-adjusted softmax: s(x, k) = p(k | x) / p(k) [D26]."""

from dataclasses import dataclass
from typing import ClassVar

from ..label_space import LabelSpace
from .base import SLACK
from .scaled import ScaledScore, over_prior


@dataclass(frozen=True)
class Pas:
    """s = p(k | x) / p(k): how many times likelier the label is than before the observation was seen.

    Targets macro coverage, the mean of the coverage of labels, each of which counts the same: with a standard threshold
    and probabilities that are right, no other sets of the same mean size have more of it. Only marginal coverage is
    guaranteed. The choice for the long tail: sets are somewhat larger than those of ``softmax``, and rare labels are in
    those they should be in. A label of probability 0 scores 0.
    """

    name: ClassVar[str] = "pas"
    needs_prior: ClassVar[bool] = True
    slack: ClassVar[float] = SLACK
    randomised: ClassVar[bool] = False

    def on(self, space: LabelSpace) -> ScaledScore:
        """The score with the prior of a label space. Raises ParameterError if it has none."""
        return ScaledScore(*over_prior(space, self.name))
