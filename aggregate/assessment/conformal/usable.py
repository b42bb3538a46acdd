"""Why a level cannot be used: with too few calibration rows, or lists that are too short, every set is all labels."""

import numpy as np

from .order import Alpha
from .thresholds.base import Calibration, ThresholdRule, Thresholds


def what_is_lacking(
    rule: ThresholdRule, thresholds: Thresholds, calibration: Calibration, alpha: Alpha, longest: int
) -> str:
    """What a level needs at which every set would be the whole label space, and what there is, in words.

    ``longest``: length of the longest list.
    """
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
