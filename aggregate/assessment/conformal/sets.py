"""Prediction sets: which labels are likely enough, for each observation."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...arrays import Counts, Flags, Floats, Indices, LabelCodes, Offsets
from ...classifier_scores import ClassifierScores
from ...reprs import short_repr
from .scores.base import FittedScore
from .thresholds.base import Thresholds


@dataclass(frozen=True, eq=False, repr=False)
class PredictionSets:
    """A set of labels for each of n observations.

    Labels that are in every set whatever the scores (``always``) are listed where the classifier lists them, and
    counted in all: with thresholds that are too low, a set may be the whole label space.
    """

    offsets: Offsets
    """int64[n + 1]; the listed labels of set i are the slice ``offsets[i]:offsets[i + 1]``."""
    labels: LabelCodes
    """int32; in descending order of score, ties in label order; at or beyond ``n_labels`` outside the label space."""
    scores: Floats
    """float64; the score of each."""
    sizes: Counts
    """int32[n]; the number of labels of each set, also of those that are in it without being listed."""
    always: Flags
    """bool[n_labels]; the labels that are in every set."""
    n_filled: int = 0
    """Sets that were empty, and got the likeliest label."""

    __repr__ = short_repr

    def __len__(self) -> int:
        return self.sizes.size

    @property
    def n_labels(self) -> int:
        """Size of the label space."""
        return self.always.size

    @property
    def empty(self) -> Flags:
        """bool[n]; legal, and always a miss."""
        empty: Flags = self.sizes == 0
        return empty

    @property
    def whole_space(self) -> Flags:
        """bool[n]; whether a set is all labels: it says nothing."""
        whole: Flags = self.sizes >= self.n_labels
        if whole.any() and self.labels.max(initial=-1) >= self.n_labels:  # sizes also count labels outside the space
            outside = np.concatenate([[0], np.cumsum(self.labels >= self.n_labels)])[self.offsets]
            whole = self.sizes - np.diff(outside) >= self.n_labels
        return whole

    def covers(self, truth: LabelCodes) -> Flags:
        """Which sets have the label ``truth`` int32[n], negative for a label that no set can have: bool[n]."""
        rows = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        covered = np.zeros(len(self), np.bool_)
        covered[rows[self.labels == truth[rows]]] = True
        known = (truth >= 0) & (truth < self.n_labels)
        return covered | (known & self.always[np.where(known, truth, 0)])

    def with_labels(self, rows: Indices, labels: LabelCodes, scores: Floats) -> "PredictionSets":
        """The same with a label more in each of ``rows``, ascending, whose sets are empty."""
        places, sizes = self.offsets[rows], self.sizes.copy()
        sizes[rows] += 1
        lengths = np.diff(self.offsets)
        lengths[rows] += 1
        return PredictionSets(
            np.concatenate([[0], np.cumsum(lengths)]),
            np.insert(self.labels, places, labels),
            np.insert(self.scores, places, scores),
            sizes,
            self.always,
            rows.size,
        )


class ScoredLists:
    """Label lists with the scores of their labels: sets at any thresholds."""

    def __init__(self, fitted: FittedScore, scores: ClassifierScores, draws: Floats | None = None) -> None:
        self._fitted, self._draws = fitted, draws
        self._lists = fitted.prepared(scores)
        self._item_scores = fitted.of_listed(self._lists, draws)

    def sets(self, thresholds: Thresholds, n_labels: int, slack: float) -> PredictionSets:
        """The set of each list; ``slack`` is the relative tolerance of comparisons with thresholds."""
        return self.within(Bounds.of(thresholds, n_labels, self._fitted.unlisted, slack))

    def within(self, bounds: "Bounds") -> PredictionSets:
        """The set of each list: the labels whose scores reach their bounds."""
        lists, item_scores = self._lists, self._item_scores
        if np.isneginf(self._fitted.unlisted):
            lists = self._fitted.prepared(lists, least=bounds.lowest)
        if lists is not self._lists:
            item_scores = self._fitted.of_listed(lists, self._draws)
        return sets_within(lists, item_scores, bounds)

    def filled(self, sets: PredictionSets) -> PredictionSets:
        """The sets, in which the likeliest label of the list is where they were empty; ties in label order."""
        from ...kernels.prediction_sets import likeliest_items

        lists, rows = self._lists, np.flatnonzero(sets.empty & (np.diff(self._lists.offsets) > 0))
        if not rows.size:
            return sets
        items = np.empty(rows.size, np.int64)
        likeliest_items(lists.offsets, lists.labels, lists.probabilities, rows, items)
        return sets.with_labels(rows, lists.labels[items], self._item_scores[items])


class Bounds(NamedTuple):
    """The lowest scores with which labels are members."""

    least: Floats
    """float64[K + 1]; that of each label, and of one outside the space; -inf for ``always``, NaN for none."""
    always: Flags
    """bool[K]; the labels that are in every set, listed or not."""
    n_always: int
    lowest: float
    """The smallest that is finite; infinite if there is none."""

    @classmethod
    def of(cls, thresholds: Thresholds, n_labels: int, unlisted: float = 0.0, slack: float = 0.0) -> "Bounds":
        """``unlisted``: score of a label that a list does not have. ``slack``: relative tolerance of the comparison.

        A label is in every set if its threshold is at most ``unlisted``.
        """
        t = np.append(thresholds.each(n_labels), thresholds.shared)
        slack = -slack if thresholds.strict else slack  # what is nearly equal counts as equal
        least: Floats = t - slack * np.abs(np.where(np.isfinite(t), t, 0.0))
        if thresholds.strict:
            least = np.where(t == np.inf, np.nan, np.nextafter(least, np.inf))  # nothing is above inf, nor reaches NaN
        lowest = float(least[np.isfinite(least)].min(initial=np.inf))
        always: Flags = least[:-1] <= unlisted
        least[:-1][always] = -np.inf
        return cls(least, always, int(always.sum()), lowest)


def sets_within(scores: ClassifierScores, item_scores: Floats, bounds: Bounds) -> PredictionSets:
    """The sets of label lists whose labels have ``item_scores`` float64[items]: those that reach their bounds."""
    from ...kernels.label_lists import list_members
    from ...kernels.prediction_sets import count_members
    from ...kernels.threads import in_blocks

    n = len(scores)
    listed, sizes = np.empty(n, np.int32), np.empty(n, np.int32)
    items = scores.offsets, scores.labels, item_scores, bounds.least
    in_blocks(count_members, n, *items, bounds.always, bounds.n_always, listed, sizes)
    offsets = np.concatenate([[0], np.cumsum(listed, dtype=np.int64)])
    labels, values = np.empty(offsets[-1], np.int32), np.empty(offsets[-1])
    in_blocks(list_members, n, *items, offsets, labels, values)
    return PredictionSets(offsets, labels, values, sizes, bounds.always)
