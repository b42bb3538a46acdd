"""The prevalence-adjusted softmax: s(x, k) = p(k | x) / p(k) [D26]."""

from dataclasses import dataclass
from typing import ClassVar

from ..label_space import LabelSpace
from .base import SLACK
from .scaled import ScaledScore, over_prior


@dataclass(frozen=True)
class Pas:
    """p(k | x) / p(k): how much likelier the image makes the label than it was before.

    Targets macro coverage: of all sets of the same mean size, those from this score come closest to covering each label
    equally often, common or rare. A standard threshold guarantees marginal coverage, and macro coverage is higher than
    with ``softmax``, but not guaranteed. The choice where rare labels matter.

    A label that was never seen in training counts as seen once (the prior's ``at_least``); with 0 it is in each set
    whose list has it, which makes sets many times larger.
    """

    name: ClassVar[str] = "pas"
    needs_prior: ClassVar[bool] = True
    slack: ClassVar[float] = SLACK
    randomised: ClassVar[bool] = False

    def on(self, space: LabelSpace) -> ScaledScore:
        """The score with the prior of a label space. Raises ParameterError if it has none."""
        return ScaledScore(*over_prior(space, self.name))
