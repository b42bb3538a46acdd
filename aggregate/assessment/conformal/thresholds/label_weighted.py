"""A threshold for each label from all rows, with a weight for each pair of labels that is given [D26]."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ....arrays import Floats
from ....errors import ParameterError
from ..order import Alpha
from .base import TOLERANCE, Calibration, Thresholds


@dataclass(frozen=True, eq=False)
class LabelWeighted:
    """t_k = the largest v with sum over s_i >= v of w(k, y_i) >= (1 - alpha) (sum over all of w(k, y_i) + w(k, k)).

    For few labels, in Python: weights are a matrix. Weights that are all equal give ``standard``, the identity matrix
    gives ``classwise``. No coverage is guaranteed.
    """

    weights: Floats | None = None
    """w, float64[K, K], at least 0, in label order: how much a calibration row of label j counts for label k."""

    name: ClassVar[str] = "label-weighted"
    slack: ClassVar[float] = 0.0
    needs_prior: ClassVar[bool] = False
    guarantee: ClassVar[str] = ""

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """A threshold for each label; labels outside the label space are always in. Raises ParameterError."""
        n_labels, w = len(calibration.space), np.array([] if self.weights is None else self.weights, np.float64)
        if w.shape != (n_labels, n_labels) or not (np.isfinite(w).all() and (w >= 0).all() and (np.diag(w) > 0).all()):
            raise ParameterError(
                f"weights must be a matrix of {n_labels} by {n_labels} numbers of at least 0, those of a label for "
                "itself positive"
            )
        order = np.lexsort((calibration.labels, calibration.scores))
        scores, labels, covered = calibration.scores[order], calibration.labels[order], float(1 - alpha.exact)
        of_rows = 1.0 if calibration.weights is None else calibration.weights[order]
        found = np.full(n_labels, -np.inf)
        for k in range(n_labels):
            weight_up_to = np.cumsum(w[k, labels] * of_rows)
            rows = weight_up_to[-1] if labels.size else 0.0
            may_be_below = rows - (covered - TOLERANCE) * (rows + w[k, k])
            if may_be_below > 0:
                found[k] = scores[np.searchsorted(weight_up_to, may_be_below, side="right")]
        return Thresholds(-np.inf, found)
