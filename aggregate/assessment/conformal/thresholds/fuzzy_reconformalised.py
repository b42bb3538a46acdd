"""Fuzzy classwise thresholds with a margin from held-out rows, which guarantees marginal coverage [D26]."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from ....parameters import check_parameters, parameter
from ..order import Alpha, threshold_at
from ..scores.base import SLACK
from .base import Calibration, Thresholds, seed
from .similarity import SimilarRows, bandwidth, positions_of


@dataclass(frozen=True)
class FuzzyReconformalised:
    """Set = {k : F_k(s(x, k)) <= b}, where F_k(s) is the weighted share of rows with scores of s or more.

    F_k(s) = sum over s_i >= s of w(k, y_i) / (sum over all of w(k, y_i) + w(k, k)), with the weights of ``fuzzy``; b is
    the ceil((m + 1) (1 - alpha))-th smallest F of the true labels of m held-out rows, which F is not made of. As F_k
    falls with s, the set has the labels with s(x, k) > t_k, the largest score of a row with F_k > b.

    Guarantee: marginal coverage of at least 1 - alpha, if the held-out rows and a new observation are exchangeable and
    the prior is of other rows.
    """

    name: ClassVar[str] = "fuzzy-reconformalised"
    slack: ClassVar[float] = SLACK
    guarantee: ClassVar[str] = "marginal >= 1 - alpha"

    bandwidth: float = bandwidth()
    held_out: float = parameter(
        0.3, "share of the calibration rows that the margin is from", "in (0, 1)", group="Threshold rule"
    )
    seed: int = seed()
    positions: Mapping[Any, float] | None = field(default=None, compare=False)
    """z by label, instead of training counts over the largest."""

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def needs_prior(self) -> bool:
        """Whether labels are alike by the prior's counts: unless positions are given."""
        return self.positions is None

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """A threshold for each label; -inf for all if fewer than ``alpha.fewest`` rows are held out."""
        positions = positions_of(calibration.space, self.positions)
        is_held_out = calibration.part(Fraction(str(self.held_out)), self.seed)
        rows = SimilarRows(calibration.of(~is_held_out), positions, self.bandwidth)
        held_out = calibration.of(is_held_out)
        shares = rows.shares(held_out.scores, held_out.labels)
        most = -threshold_at(-shares, alpha, held_out.weights)  # b
        found = rows.thresholds(most, or_more=False)
        ranked = held_out.ranked(np.array([len(held_out)]))
        return Thresholds(float(found[-1]), found[:-1], strict=True, ranked=ranked)
