"""Score lists from the top labels of logits, with NumPy, once they have arrived on the host."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..arrays import Counts, Factors, Flags, Indices, LabelCodes
from ..errors import ParameterError

Ids: TypeAlias = NDArray[Any]
"""Observation ids: int64[n], or n texts as objects."""

ENOUGH = 32  # logits from which on it is no coincidence that all have as few digits as those of half precision
DIGITS = {"bfloat16": 16, "float16": 13}  # bits of a float32 that are 0 in numbers of half precision


class TopLogits(NamedTuple):
    """The top labels of n rows of logits, as in ``ranking.Ranked``."""

    labels: LabelCodes  # int32[n, k]
    logits: Factors  # float32[n, k]
    sums: Factors  # float32[n]; sum over all labels of exp(logit - the greatest)
    of_targets: Factors | None  # float32[n]; the logit of each row's target


class Lists(NamedTuple):
    """Score lists of n observations, one after the other."""

    ids: Ids
    lengths: Counts  # int32[n]; labels in each list
    labels: LabelCodes  # int32[items]
    probabilities: Factors  # float32[items]
    tails: Factors  # float32[n]; probability of all labels that are not listed


def lists_from(ids: Ids, top: TopLogits, targets: Indices | None, n_labels: int) -> Lists:
    """The top labels with their probabilities; after them each target int64[n] that is not among them.

    A negative target is none. Rows whose sum is no number are left out. Raises ParameterError for a target that is none
    of the ``n_labels``.
    """
    usable = np.isfinite(top.sums)
    labels, logits, sums = top.labels[usable], top.logits[usable].astype(np.float64), top.sums[usable, None]
    greatest = logits[:, :1]
    listed: Flags = np.ones(labels.shape, np.bool_)
    if targets is not None and top.of_targets is not None:
        if targets.max(initial=-1) >= n_labels:
            raise ParameterError(f"a target is {targets.max():,}, but there are {n_labels:,} labels, from 0 on")
        own = targets[usable, None].astype(np.int32)
        further = (own >= 0) & ~(labels == own).any(axis=1, keepdims=True)
        labels, logits = np.hstack([labels, own]), np.hstack([logits, top.of_targets[usable, None]])
        listed = np.hstack([listed, further])
    shares = np.exp(logits - greatest) / sums
    lengths = np.count_nonzero(listed, axis=1).astype(np.int32)
    tails = np.maximum(1.0 - np.sum(shares, axis=1, where=listed), 0.0)
    tails[lengths == n_labels] = 0.0
    probabilities = shares[listed].astype(np.float32)
    return Lists(ids[usable], lengths, labels[listed], probabilities, tails.astype(np.float32))


def rounded_to(logits: Factors) -> str | None:
    """The type of half precision that all of the logits float32 may have been rounded to; empty if none.

    None if there are too few to tell.
    """
    some = logits[np.isfinite(logits) & (logits != 0.0)]
    if some.size < ENOUGH:
        return None
    bits = int(np.bitwise_or.reduce(some.view(np.uint32)))
    return next((name for name, digits in DIGITS.items() if bits & ((1 << digits) - 1) == 0), "")
