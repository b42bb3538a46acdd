"""Scores of listed labels: how well each fits the observation of its list."""

from ..arrays import Floats, LabelCodes, Probabilities
from .jit import kernel


@kernel
def scale_items(
    first: int,
    last: int,
    labels: LabelCodes,
    probabilities: Probabilities,
    factors: Floats,
    factor_unknown: float,
    item_scores: Floats,
) -> None:
    """``item_scores`` float64[items] of the items ``first <= item < last``: probability times the label's factor.

    ``factors`` float64[K], at least 0, may be infinite; ``factor_unknown`` is that of labels at or beyond K. Nothing
    times infinity is 0.
    """
    n_labels = factors.size
    for item in range(first, last):
        p = float(probabilities[item])
        k = labels[item]
        factor = factors[k] if k < n_labels else factor_unknown
        item_scores[item] = p * factor if p > 0 else 0.0
