"""Why a level cannot be used: with too few calibration rows, or lists that are too short, every set is all labels."""

import math

import numpy as np

from ...arrays import Weights
from .order import Alpha
from .thresholds.base import Calibration, ThresholdRule, Thresholds


def what_is_lacking(
    rule: ThresholdRule, thresholds: Thresholds, calibration: Calibration, alpha: Alpha, longest: int
) -> str:
    """What a level needs at which every set would be the whole label space, and what there is, in words.

    ``longest``: length of the longest list.
    """
    if calibration.weights is not None:
        return _weight_lacking(calibration, calibration.weights, alpha)
    n = len(calibration)
    if n < alpha.fewest:
        return f"alpha {alpha} needs {alpha.fewest:,} calibration rows, and there are {n:,}"
    zeros = int(np.count_nonzero(calibration.scores <= calibration.unlisted))
    if zeros >= alpha.rank(n):
        return (
            f"alpha {alpha} needs lists that lack the true label in fewer than {alpha.rank(n):,} of {n:,} calibration "
            f"rows, and {zeros:,} lack it (lists have up to {longest:,} labels)"
        )
    if thresholds.ranked is None:
        mean = n / int(np.count_nonzero(calibration.rows_of_labels))
        return f"{rule.name} needs more rows of most labels at alpha {alpha}: they have {mean:.3g} in the mean"
    most = int(thresholds.ranked.rows.max())
    return f"a threshold of {rule.name} needs {alpha.fewest:,} rows at alpha {alpha}, and none has more than {most:,}"


def least_alpha(rule: ThresholdRule, calibration: Calibration) -> float | None:
    """The least alpha, rounded up, whose sets by ``standard`` are not all labels; None for other rules and weights."""
    if calibration.weights is not None or rule.name != "standard":
        return None
    zeros = int(np.count_nonzero(calibration.scores <= calibration.unlisted))
    exact = (zeros + 1) / (len(calibration) + 1)
    digits = 2 - math.floor(math.log10(exact))
    least = math.ceil(exact * 10**digits) / 10**digits
    return least if least < 1 else None


def _weight_lacking(calibration: Calibration, weights: Weights, alpha: Alpha) -> str:
    in_all, needed = weights.sum(), float(1 / alpha.exact) - 1
    if in_all < needed:
        return f"alpha {alpha} needs calibration rows of weight {needed:.4g} in all, and theirs is {in_all:.4g}"
    lacking, allowed = weights[calibration.scores <= calibration.unlisted].sum(), float(alpha) * (in_all + 1) - 1
    return (
        f"alpha {alpha} needs calibration rows whose lists have the true label, apart from a weight of {allowed:.4g} "
        f"of {in_all:.4g} in all, and {lacking:.4g} lack it; labels may also have too few rows each"
    )
