"""What a conformity score is."""

import math
from typing import ClassVar, Protocol

from ....arrays import Floats, LabelCodes
from ....classifier_scores import ClassifierScores
from ..label_space import LabelSpace

SLACK = 1e-9  # relative; of quotients and sums that are equal, but not in doubles: 0.3 / 0.1 and 0.9 / 0.3


class FittedScore(Protocol):
    """A score on a label space: s(x, k), larger = more conforming."""

    unlisted: float
    """The score of a label that a list does not have, the lowest of all: -inf where it differs from label to label."""

    def prepared(
        self, scores: ClassifierScores, *, truth: LabelCodes | None = None, least: float = math.inf
    ) -> ClassifierScores:
        """The lists that scores are taken of. Raises VotesError if they cannot be used.

        They are themselves. If ``unlisted`` is -inf, the labels ``truth`` int32[n], and those that score at least
        ``least``, are added.
        """

    def of_listed(self, scores: ClassifierScores, draws: Floats | None = None) -> Floats:
        """The score of each label of prepared lists, float64[items].

        ``draws`` float64[n]: one number in [0, 1) a row, for scores that are ``randomised``.
        """


class Score(Protocol):
    """A conformity score: a frozen dataclass; its fields, made with ``parameter(...)``, are its options."""

    name: ClassVar[str]  # as on the command line
    needs_prior: ClassVar[bool]  # whether it divides by the prior of the label space
    slack: ClassVar[float]  # relative tolerance when scores are compared with thresholds: 0 or SLACK

    @property
    def randomised(self) -> bool:
        """Whether it draws a number for each row."""

    def on(self, space: LabelSpace) -> FittedScore:
        """The score on a label space."""
