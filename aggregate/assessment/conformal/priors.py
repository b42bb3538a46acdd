"""How common labels are: the prior that prevalence-adjusted scores divide by."""

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats


@dataclass(frozen=True, eq=False)
class Prior:
    """p(k) = max(c_k, at_least) / sum_j c_j."""

    counts: Floats
    """c, float64[K]: how often each label is in the classifier's training set."""
    at_least: float = 1.0
    """c_min: a label that was never seen counts as seen so often; with 0, its score is infinite where it is listed."""

    @property
    def shares(self) -> Floats:
        """p, float64[K]."""
        shares: Floats = np.maximum(self.counts, self.at_least) / self.counts.sum()
        return shares

    @property
    def unknown_share(self) -> float:
        """The share of a label outside the label space, which was never counted."""
        return self.at_least / float(self.counts.sum())
