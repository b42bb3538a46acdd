"""The distribution of the votes."""

from dataclasses import dataclass
from typing import ClassVar

from .majority import Majority


@dataclass(frozen=True, repr=False)
class NaiveSoft(Majority):
    """Each label's share of the votes is its soft label; the one with the largest is the label.

    Labels and all columns are those of ``majority``: the strategy is there for its soft results (``--soft``), by the
    name the field gives it.

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 2.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
    """

    name: ClassVar[str] = "naive-soft"
