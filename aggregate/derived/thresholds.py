"""When a label is valid, and when an observation is ambiguous: the parameters that strategies have in common."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import shared_parameters as common
from ..arrays import Flags, Floats, Weights
from ..errors import ParameterError
from ..parameters import check_parameters
from ..reprs import changed_repr
from ..shares import count_of

SLACK = 1e-9
"""Absolute tolerance of comparisons with thresholds, so that seven equal votes of ten reach 0.7."""


def at_least(values: Floats, threshold: float) -> Flags:
    """Which values reach a threshold, within SLACK."""
    reached: Flags = values >= threshold - SLACK
    return reached


@dataclass(frozen=True)
class Thresholds:
    """The parameters that all strategies have; plantnet has them among others."""

    name: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset()

    theta_conf: float = common.theta_conf()
    theta_acc: float = common.theta_acc()
    ambiguous_below: float | None = common.ambiguous_below()
    ambiguous_quantile: float | None = common.ambiguous_quantile()

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.ambiguous_below is not None and self.ambiguous_quantile is not None:
            raise ParameterError("ambiguous_below and ambiguous_quantile exclude each other")

    __repr__ = changed_repr

    def passes(self, weight: Weights, agreement: Floats) -> Flags:
        """Whether labels with ``weight`` and ``agreement``, float64[n], are valid: bool[n]."""
        return at_least(weight, self.theta_conf) & at_least(agreement, self.theta_acc)

    def ambiguity(self, aum: Floats, n_observations: int) -> float:
        """The aum below which an observation is ambiguous; ``aum`` float64[n] is that of the disputed ones."""
        if self.ambiguous_quantile is None:
            return 2 * self.theta_acc - 1 if self.ambiguous_below is None else self.ambiguous_below
        rank = count_of(self.ambiguous_quantile, n_observations)
        return float(np.partition(aum, rank)[rank]) if rank < aum.size else 1.0


@dataclass(frozen=True, repr=False)
class VoteThresholds(Thresholds):
    """Where every user weighs 1, a label needs two votes."""

    theta_conf: float = common.theta_conf(2.0)
