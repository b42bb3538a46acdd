"""Adaptive prediction sets: minus the probability spent until the label [Romano, Sesia and Candes 2020]."""

from dataclasses import dataclass
from typing import ClassVar

from ....parameters import check_parameters
from ..label_space import LabelSpace
from .base import SLACK
from .cumulative import CumulativeScore, own_mass_option


@dataclass(frozen=True)
class Aps:
    """s = -E, E = the probability of all labels ranked before k + u p(k | x).

    Targets coverage that is alike for easy and hard observations: labels enter a set from the likeliest on until
    enough probability is in it, so that it is small where the classifier is sure and large where it is not. Labels of
    the same probability rank in label order. ``own_mass`` says what u is: 1 (inclusive), 0 (exclusive), or random, one
    number in [0, 1) for each observation, which follows from its id and the seed. Inclusive sets are the largest. The
    choice where someone looks at hard observations as often as at easy ones. It needs the probabilities of all labels:
    truncated lists are refused, as the mass before a label would be unknown.
    """

    name: ClassVar[str] = "aps"
    needs_prior: ClassVar[bool] = False
    slack: ClassVar[float] = SLACK

    own_mass: str = own_mass_option()

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def randomised(self) -> bool:
        """Whether u is random."""
        return self.own_mass == "random"

    def on(self, space: LabelSpace) -> CumulativeScore:
        """The score on a label space."""
        return CumulativeScore(self.name, len(space), self.own_mass)
