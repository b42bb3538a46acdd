"""A threshold for each label, from the rows of that label alone: coverage of each label [Sadinle et al. 2019]."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..order import Alpha, thresholds_of_groups
from .base import Calibration, Thresholds


@dataclass(frozen=True)
class Classwise:
    """t_k = the floor(alpha (n_k + 1))-th smallest score of the n_k rows of label k.

    A label with fewer than 1/alpha - 1 rows is in every set: with a long tail, most labels are. Sets are the same with
    scores that differ by a positive factor per label, such as ``softmax`` and ``pas``.

    Guarantee: each label is covered with probability at least 1 - alpha, if the rows of the label are exchangeable
    with its new observations; so is macro coverage, and marginal coverage even if labels get more or less common.
    """

    name: ClassVar[str] = "classwise"
    slack: ClassVar[float] = 0.0
    needs_prior: ClassVar[bool] = False
    guarantee: ClassVar[str] = "each label >= 1 - alpha"

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """A threshold for each label; -inf for those with too few rows, and for labels outside the label space."""
        rows = calibration.scores, calibration.labels, len(calibration.space)
        of_labels = thresholds_of_groups(*rows, alpha, calibration.weights)
        labels = np.arange(len(calibration.space), dtype=np.int32)
        return Thresholds(-np.inf, of_labels, ranked=calibration.ranked(calibration.rows_of_labels, labels))
