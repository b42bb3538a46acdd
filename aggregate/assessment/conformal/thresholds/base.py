"""What a threshold rule is, what it is fitted on, and what it finds."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from ....arrays import Floats, Indices, LabelCodes, Weights
from ..label_space import LabelSpace
from ..order import Alpha


@dataclass(frozen=True, eq=False)
class Calibration:
    """The calibration rows: the score of the true label of each, and that label."""

    scores: Floats  # float64[n]; s_i = s(x_i, y_i), `unlisted` where the list does not have y_i
    labels: LabelCodes  # int32[n]; y_i, positions in the label space
    space: LabelSpace
    unlisted: float = 0.0  # score of a label that a list does not have
    weights: Weights | None = None  # float64[n]; P(y_i is right), None for labels that are

    def __len__(self) -> int:
        return self.scores.size

    @property
    def rows_of_labels(self) -> Indices:
        """n_k, int64[K]: the number of rows of each label."""
        return np.bincount(self.labels, minlength=len(self.space)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Thresholds:
    """t: label k is in the set of x if s(x, k) >= t_k."""

    shared: float
    """The threshold of all labels, or, with ``of_labels``, of those outside the label space; -inf: always in."""
    of_labels: Floats | None = None
    """float64[K]; t_k where labels have thresholds of their own."""
    strict: bool = False
    """Whether s > t_k is required."""

    def each(self, n_labels: int) -> Floats:
        """t_k of all labels, float64[K]."""
        return np.full(n_labels, self.shared) if self.of_labels is None else self.of_labels


class ThresholdRule(Protocol):
    """How thresholds follow from calibration rows: a frozen dataclass; its fields are its options."""

    name: ClassVar[str]  # as on the command line
    slack: ClassVar[float]  # relative tolerance that comparing with its thresholds needs: 0 or scores.base.SLACK
    # What is guaranteed for exchangeable rows: "marginal >= 1 - alpha", "each label >= 1 - alpha"; empty for nothing.
    guarantee: ClassVar[str]

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """The thresholds at one level."""
