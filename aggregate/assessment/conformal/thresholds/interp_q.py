"""Thresholds between those of ``standard`` and ``classwise``: interpolated quantiles [D26]."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....arrays import Floats
from ....errors import ParameterError
from ....parameters import check_parameters, parameter
from ..order import Alpha, threshold_at, thresholds_of_groups
from ..scores.base import SLACK
from .base import Calibration, Thresholds


@dataclass(frozen=True)
class InterpQ:
    """t_k = tau c(t_k of classwise) + (1 - tau) c(t of standard), where c replaces -inf by score 0.

    A label with too few rows gets (1 - tau) times the standard threshold. The closer tau is to 1, the better labels
    of the long tail are covered, and the larger sets are. Scores must be at least 0, which those of ``aps`` and
    ``raps`` are not.

    Guarantee: marginal coverage of at least 1 - 2 alpha, if rows and new observations are exchangeable.
    """

    name: ClassVar[str] = "interp-q"
    slack: ClassVar[float] = SLACK
    needs_prior: ClassVar[bool] = False
    guarantee: ClassVar[str] = "marginal >= 1 - 2 alpha"

    tau: float = parameter(
        0.9, "how far thresholds go from standard (0) to classwise (1)", "in [0, 1]", group="Threshold rule"
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """A threshold for each label. Raises ParameterError for scores without a lowest value 0."""
        if calibration.unlisted != 0:
            raise ParameterError(
                "interp-q counts a threshold of -inf as score 0, which must be the lowest score",
                remedy="use it with softmax, pas or wpas",
            )
        scores, weights = calibration.scores, calibration.weights
        of_labels = thresholds_of_groups(scores, calibration.labels, len(calibration.space), alpha, weights)
        standard = threshold_at(scores, alpha, weights)
        interpolated = self._interpolated(np.append(of_labels, -np.inf), standard)
        return Thresholds(float(interpolated[-1]), interpolated[:-1])

    def _interpolated(self, classwise: Floats, standard: float) -> Floats:
        classwise = np.where(np.isneginf(classwise), 0.0, classwise)
        standard = 0.0 if np.isneginf(standard) else standard
        if self.tau in (0, 1):  # 0 times a threshold of +inf is no number
            return classwise if self.tau else np.full_like(classwise, standard)
        between = self.tau * classwise + (1 - self.tau) * standard
        return np.where(classwise == standard, standard, between)
