"""The distribution of the votes."""

from dataclasses import dataclass
from typing import ClassVar

from .majority import Majority


@dataclass(frozen=True, repr=False)
class NaiveSoft(Majority):
    """Each label's share of the votes is its soft label; the one with the largest is the label.

    Labels and all columns are those of ``majority``: the strategy is there for its soft results (``--soft``), by the
    name the field gives it.
    """

    name: ClassVar[str] = "naive-soft"
