"""One threshold for all labels: marginal coverage of at least 1 - alpha, for any score."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..order import Alpha, threshold_at
from .base import Calibration, Thresholds


@dataclass(frozen=True)
class Standard:
    """t = the floor(alpha (n + 1))-th smallest score of the n calibration rows.

    With fewer than 1/alpha - 1 rows every set is all labels.

    Guarantee: marginal coverage of at least 1 - alpha, if rows and new observations are exchangeable.
    """

    name: ClassVar[str] = "standard"
    slack: ClassVar[float] = 0.0
    needs_prior: ClassVar[bool] = False
    guarantee: ClassVar[str] = "marginal >= 1 - alpha"

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """One threshold; -inf if there are fewer than ``alpha.fewest`` rows."""
        threshold = threshold_at(calibration.scores, alpha, calibration.weights)
        return Thresholds(threshold, ranked=calibration.ranked(np.array([len(calibration)])))
