"""A label against all others, those that nobody voted among them: its odds, and its share if one more user dissented.

The score of a label on an observation is s(k) = log P(k) + sum of log P(vote | k) over the votes; it is added up in
fixed point, as in ``posteriors``. The log-odds of the label chosen are its score less the logarithm of the sum of exp
over all other labels. If one unknown user dissented, who names the strongest other label with probability m and any
further one with e each, and scores are tempered by tau, the odds are e exp(tau (s(label) - s(strongest))) / (m + e
rest), where the rest is the sum of exp(tau (s(k) - s(strongest))) over the further labels.
"""

import numpy as np

from ..arrays import Counts, Floats, Indices, LabelCodes, Offsets
from .jit import kernel

LEAST = np.finfo(np.float64).tiny
MOST = 1.0 - np.finfo(np.float64).epsneg
LEAST_SCORE = -(1 << 62)


@kernel
def two_way_odds(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    kinds: Counts,
    log_right: Indices,
    log_wrong: Indices,
    chosen: LabelCodes,
    label_logs: Indices,
    unit: float,
    by_probability: LabelCodes,
    tempers: Floats,
    totals: Floats,
    dissent: float,
    log_odds: Floats,
    confidence: Floats,
) -> None:
    """Fill log_odds[i] and confidence[i], where a vote's probability depends only on whether it is for the label.

    Votes are sorted by label within an observation; ``log_right`` and ``log_wrong`` int64 are the logarithms of that
    probability by kind of vote, and ``kinds`` int32 are those of the votes. ``chosen`` int32[n] are the labels;
    ``label_logs`` int64[n_labels] those of P(k), ``by_probability`` the labels, the most probable first.
    ``tempers[n]`` is tau of n votes, and ``totals[n]`` the sum of P(k)^tau over all labels. ``dissent`` is m / e.
    """
    for i in range(first, last):
        start, end = offsets[i], offsets[i + 1]
        tau = tempers[end - start]
        all_wrong = np.int64(0)
        for j in range(start, end):
            all_wrong += log_wrong[kinds[j]]
        own = all_wrong + label_logs[chosen[i]]
        strongest, strongest_label = np.int64(LEAST_SCORE), np.int32(-1)
        # What the labels voted leave of the totals is that of the labels that nobody voted.
        unvoted_share, unvoted_power, n_unvoted = totals[1], totals[end - start], label_logs.size
        j = start
        while j < end:
            label = labels[j]
            score = label_logs[label] + all_wrong
            while j < end and labels[j] == label:
                score += log_right[kinds[j]] - log_wrong[kinds[j]]
                j += 1
            unvoted_share -= np.exp(label_logs[label] / unit)
            unvoted_power -= np.exp(tau * label_logs[label] / unit)
            n_unvoted -= 1
            if label == chosen[i]:
                own = score
            elif score > strongest:
                strongest, strongest_label = score, label
        if n_unvoted > 0:
            top = _first_unvoted(by_probability, labels, start, end)
            share, power = np.exp(label_logs[top] / unit), np.exp(tau * label_logs[top] / unit)
            # Rounding may have left less than the largest of them, or more than as many times that.
            unvoted_share = min(max(unvoted_share, share), n_unvoted * share)
            unvoted_power = min(max(unvoted_power, power), n_unvoted * power)
            if all_wrong + label_logs[top] > strongest:
                strongest, strongest_label = all_wrong + label_logs[top], top
                unvoted_power = max(unvoted_power - power, 0.0) if n_unvoted > 1 else 0.0
            gap = (all_wrong - strongest) / unit
            others, rest = np.exp(gap) * unvoted_share, np.exp(tau * gap) * unvoted_power
        else:
            others, rest = 0.0, 0.0
        j = start
        while j < end:
            label = labels[j]
            score = label_logs[label] + all_wrong
            while j < end and labels[j] == label:
                score += log_right[kinds[j]] - log_wrong[kinds[j]]
                j += 1
            if label != chosen[i]:
                gap = (score - strongest) / unit
                others += np.exp(gap)
                if label != strongest_label:
                    rest += np.exp(tau * gap)
        lead = (own - strongest) / unit
        log_odds[i] = lead - np.log(others)
        confidence[i] = min(max(1.0 / (1.0 + (dissent + rest) * np.exp(-tau * lead)), LEAST), MOST)


@kernel
def _first_unvoted(by_probability: LabelCodes, labels: LabelCodes, start: int, end: int) -> np.int32:
    """The most probable label without a vote among ``labels[start:end]``, which are ascending."""
    for label in by_probability:
        low, high = start, end
        while low < high:
            middle = (low + high) // 2
            if labels[middle] < label:
                low = middle + 1
            else:
                high = middle
        if low == end or labels[low] != label:
            return np.int32(label)
    return np.int32(-1)
