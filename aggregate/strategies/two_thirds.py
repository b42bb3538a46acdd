"""The rule of two thirds."""

from dataclasses import dataclass
from typing import ClassVar

from .. import shared_parameters as common
from .majority import Majority


@dataclass(frozen=True, repr=False)
class TwoThirds(Majority):
    """The label with most votes, valid with two votes and two thirds of all votes [L25].

    This is iNaturalist's rule for a community taxon as [L25] reads it, at one rank. (iNaturalist itself asks for more
    than two thirds, and walks the taxonomy.)

    [L25] Lefort et al. 2025, Cooperative learning of Pl@ntNet's AI algorithm, Methods in Ecology and Evolution
    (arXiv 2406.03356).

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 2.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.6667.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
    """

    name: ClassVar[str] = "two-thirds"

    theta_acc: float = common.theta_acc(2 / 3)
