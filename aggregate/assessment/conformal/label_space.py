"""The labels that sets are made of, with their prior and weights."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Flags, Floats, LabelCodes
from ...reprs import short_repr
from .priors import Prior

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, repr=False)
class LabelSpace:
    """The K labels that the classifier may name, each with what scores need to know of it."""

    names: "pa.Array"
    """string[K] or integers[K], distinct, in label order: texts by code point, integers by number."""
    prior: Prior | None = None
    """How often each is in the training set; scores that divide by it need it."""
    weights: Floats | None = None
    """omega, float64[K], at least 0: the weight of each label in weighted macro coverage; None for equal weights."""
    at_risk: Flags | None = None
    """bool[K]: the labels at risk, whose coverage is measured apart from that of the others; None if none are known."""

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.names)

    @property
    def weight_unknown(self) -> float:
        """The weight of a label outside the space: in the mean, that of the labels not at risk; nan without weights."""
        if self.weights is None:
            return math.nan
        others = self.weights[~self.at_risk] if self.at_risk is not None else self.weights
        return float(others.mean() if others.size else self.weights.mean())

    def weights_of(self, labels: LabelCodes) -> Floats | None:
        """The weights of labels, float64[n], from K on outside the space; None without weights."""
        return None if self.weights is None else _of(labels, self.weights, self.weight_unknown)

    def at_risk_of(self, labels: LabelCodes) -> Flags | None:
        """Which of some labels are at risk, bool[n]; None if none are known."""
        return None if self.at_risk is None else _of(labels, self.at_risk, False)


def _of(labels: LabelCodes, values: Any, outside: float) -> Any:
    """The values of labels, and of those outside the label space."""
    known = labels < values.size
    return np.where(known, values[np.where(known, labels, 0)], outside)
