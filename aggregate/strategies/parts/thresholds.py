"""When a label is valid, and when an observation is ambiguous: the parameters that strategies have in common."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...arrays import Flags, Floats, Weights
from ...consensus import at_least
from ...errors import ParameterError
from ...shares import count_of
from ..base import check_parameters, parameter


@dataclass(frozen=True)
class Thresholds:
    """The parameters of every strategy but plantnet, which has the same four and more."""

    name: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset()

    theta_conf: float = parameter(1.5, "weight a label needs to be valid", "in (0, 1e9]", lambda t: 0 < t <= 1e9)
    theta_acc: float = parameter(
        0.7, "share of the weight a label needs to be valid", "in (0, 1]", lambda t: 0 < t <= 1
    )
    ambiguous_below: float | None = parameter(
        None,
        "aum below which an observation is ambiguous [default: 2 theta_acc - 1]",
        "in [-1, 1]",
        lambda a: -1 <= a <= 1,
    )
    ambiguous_quantile: float | None = parameter(
        None,
        "instead: share of observations, of lowest aum, to call ambiguous",
        "in (0, 1)",
        lambda q: 0 < q < 1,
    )

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.ambiguous_below is not None and self.ambiguous_quantile is not None:
            raise ParameterError("ambiguous_below and ambiguous_quantile exclude each other")

    def passes(self, weight: Weights, agreement: Floats) -> Flags:
        """Whether labels with so much weight, and such a share, are valid."""
        return at_least(weight, self.theta_conf) & at_least(agreement, self.theta_acc)

    def ambiguity(self, aum: Floats, n_observations: int) -> float:
        """The aum below which an observation is ambiguous, given that of the disputed ones."""
        return ambiguity_threshold(aum, n_observations, self.theta_acc, self.ambiguous_below, self.ambiguous_quantile)


@dataclass(frozen=True)
class VoteThresholds(Thresholds):
    """Where every user weighs 1, a label needs two votes."""

    theta_conf: float = parameter(2.0, "weight a label needs to be valid", "in (0, 1e9]", lambda t: 0 < t <= 1e9)


def ambiguity_threshold(
    aum: Floats, n_observations: int, theta_acc: float, below: float | None, quantile: float | None
) -> float:
    """The aum below which an observation is ambiguous; ``aum`` is that of the disputed ones, the others have 1."""
    if quantile is None:
        return 2 * theta_acc - 1 if below is None else below
    rank = count_of(quantile, n_observations)
    return float(np.partition(aum, rank)[rank]) if rank < aum.size else 1.0
