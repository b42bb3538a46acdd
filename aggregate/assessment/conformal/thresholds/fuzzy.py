"""A threshold for each label from all rows, weighed by how alike their labels are: fuzzy classwise, raw [D26]."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ....parameters import check_parameters
from ..order import Alpha
from .base import Calibration, Thresholds
from .similarity import SimilarRows, bandwidth, positions_of


@dataclass(frozen=True)
class Fuzzy:
    """t_k = the largest v with sum over s_i >= v of w(k, y_i) >= (1 - alpha) (sum over all of w(k, y_i) + w(k, k)).

    w(k, j), how much a row of label j weighs for label k, is the density at z_j of a normal distribution with mean z_k
    and variance h / (n_k + 1): labels are alike if they are about as common in training. z is the training count of a
    label over that of the most common one, n_k its number of calibration rows, h the bandwidth; the fewer rows a label
    has, the more it takes from others. A label with too few rows and none alike is in every set.

    Guarantee: none; ``fuzzy-reconformalised`` has one.
    """

    name: ClassVar[str] = "fuzzy"
    slack: ClassVar[float] = 0.0
    guarantee: ClassVar[str] = ""

    bandwidth: float = bandwidth()
    positions: Mapping[Any, float] | None = field(default=None, compare=False)
    """z by label, instead of training counts over the largest."""

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def needs_prior(self) -> bool:
        """Whether labels are alike by the prior's counts: unless positions are given."""
        return self.positions is None

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """A threshold for each label; -inf for those with too few rows and none alike. Raises ParameterError."""
        positions = positions_of(calibration.space, self.positions)
        rows = SimilarRows(calibration, positions, self.bandwidth)
        found = rows.thresholds(float(1 - alpha.exact), or_more=True)
        return Thresholds(float(found[-1]), found[:-1])
