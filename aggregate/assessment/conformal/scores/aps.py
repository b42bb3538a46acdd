"""Adaptive prediction sets: minus the probability spent until the label [Romano, Sesia and Candes 2020]."""

from dataclasses import dataclass
from typing import ClassVar

from ....parameters import check_parameters
from ..label_space import LabelSpace
from .base import SLACK
from .cumulative import CumulativeScore, own_mass_option


@dataclass(frozen=True)
class Aps:
    """-E, E = mass ranked before k + u p(k | x).

    Targets coverage that is alike for easy and hard observations: sets grow until enough probability is in them, so
    they are larger than those of ``softmax`` in the mean, and seldom empty. ``own_mass`` says what u is: 1 inclusive,
    0 exclusive, or random, one number for each observation, which makes the smallest sets of exact coverage.
    Needs the probabilities of all labels; truncated lists are refused.
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
