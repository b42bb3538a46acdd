"""Regularised adaptive prediction sets: aps with a penalty for late ranks [Angelopoulos et al. 2021]."""

from dataclasses import dataclass
from typing import ClassVar

from ....parameters import check_parameters, parameter
from ..label_space import LabelSpace
from .base import SLACK
from .cumulative import CumulativeScore, own_mass_option


@dataclass(frozen=True)
class Raps:
    """s = -E - penalty max(0, rank(k) - k_reg), E as of ``aps``, ranks from 1.

    Targets what ``aps`` does, in smaller sets: the penalty, lambda in the paper, keeps out the tail of a list, whose
    many small probabilities are mostly noise. The choice for classifiers of many labels, where sets of ``aps`` have
    dozens. Labels of probability 0 rank last, in label order. Truncated lists are refused.
    """

    name: ClassVar[str] = "raps"
    needs_prior: ClassVar[bool] = False
    slack: ClassVar[float] = SLACK

    own_mass: str = own_mass_option()
    penalty: float = parameter(
        0.01, "lambda, what each rank beyond k_reg adds to the probability spent", "in [0, 1e6]", group="Score"
    )
    k_reg: int = parameter(5, "ranks without a penalty", "in [0, 1e9]", group="Score")

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def randomised(self) -> bool:
        """Whether u is random."""
        return self.own_mass == "random"

    def on(self, space: LabelSpace) -> CumulativeScore:
        """The score on a label space."""
        return CumulativeScore(self.name, len(space), self.own_mass, float(self.penalty), int(self.k_reg))
