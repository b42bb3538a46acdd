"""One threshold for all labels, with which the mean coverage of labels is guaranteed: macro coverage."""

from bisect import bisect_left
from dataclasses import dataclass
from math import fsum
from typing import ClassVar

import numpy as np

from ..order import Alpha
from .base import TOLERANCE, Calibration, Thresholds


@dataclass(frozen=True)
class Macro:
    """t = the largest v at which the mean over labels k of #{i : y_i = k, s_i >= v} / (n_k + 1) is >= 1 - alpha.

    The mean is over the labels with rows, n_k of them. If there is no such v, as where most labels have few rows, every
    set is all labels.

    Guarantee: the mean over the labels with rows of the probability that a new observation of the label is covered is
    at least 1 - alpha, if within each label the rows and a new observation are exchangeable; how common labels are may
    differ. Proof: add a new observation of each label, and let v* be the largest v at which the mean over labels of
    the share of their n_k + 1 scores >= v is >= 1 - alpha. v* does not depend on the order of the scores within a
    label, so the new one is >= v* with probability equal to the expected share; these have a mean >= 1 - alpha. The
    counts above are without the new observations, hence at most those of v*: t <= v*, and t covers no less.
    """

    name: ClassVar[str] = "macro"
    slack: ClassVar[float] = 0.0
    needs_prior: ClassVar[bool] = False
    guarantee: ClassVar[str] = "macro >= 1 - alpha"

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """One threshold."""
        scores, labels, of_rows = calibration.scores, calibration.labels, calibration.weights
        of_labels = calibration.weight_of_labels
        wanted = (float(1 - alpha.exact) - TOLERANCE) * np.count_nonzero(of_labels)

        def covers_too_few(v: float) -> bool:
            kept = scores >= v
            covered = np.bincount(labels[kept], None if of_rows is None else of_rows[kept], minlength=of_labels.size)
            return bool(fsum(covered / (of_labels + 1)) < wanted)

        candidates = np.unique(scores if of_rows is None else scores[of_rows > 0])
        first_too_high = bisect_left(candidates, True, key=covers_too_few)
        return Thresholds(float(candidates[first_too_high - 1]) if first_too_high else -np.inf)
