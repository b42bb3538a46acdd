"""Which labels are classes: those with enough observations, and with one in the sets that require it."""

from typing import NamedTuple

import numpy as np

from ..arrays import Flags, Indices, LabelCodes
from ..shares import exact
from .settings import SplitSettings
from .units import SPLITS, TEST, TRAIN, VALIDATION, SplitCodes

TOO_FEW, NO_TRAINING, EMPTY_SPLIT = "too_few_observations", "no_training_observation", "empty_split"


class Classes(NamedTuple):
    """The labels that are classes, and why others are not."""

    counts: Indices  # int64[n_labels, 3]; usable observations of each label in each set
    is_class: Flags  # bool[n_labels]
    reasons: dict[str, Flags]  # why labels are none: reason -> bool[n_labels]; a label has at most one


def find_classes(labels: LabelCodes, splits: SplitCodes, n_labels: int, settings: SplitSettings) -> Classes:
    """The classes among ``n_labels`` labels; ``labels`` and ``splits`` are those of usable observations."""
    n = len(SPLITS)
    counts = np.bincount(labels.astype(np.int64) * n + splits, minlength=n_labels * n).reshape(n_labels, n)
    enough = counts.sum(axis=1) >= settings.min_per_class
    has = counts > 0
    # The sets are those that get a share: without a validation set, none is required there.
    evaluated = [split for split, share in ((VALIDATION, settings.val), (TEST, settings.test)) if exact(share)]
    trained = _has_all(has, [TRAIN] if settings.require != "none" else [])
    everywhere = _has_all(has, evaluated if settings.require == "all" else [])
    reasons = {TOO_FEW: ~enough, NO_TRAINING: enough & ~trained, EMPTY_SPLIT: enough & trained & ~everywhere}
    return Classes(counts, enough & trained & everywhere, reasons)


def _has_all(has: Flags, splits: list[int]) -> Flags:
    """bool[n_labels]; whether a label is in all of some sets."""
    everywhere: Flags = np.logical_and.reduce(has[:, splits], axis=1)
    return everywhere
