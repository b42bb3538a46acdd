"""What a threshold rule is, what it is fitted on, and what it finds."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Protocol

import numpy as np

from ....arrays import Flags, Floats, Indices, LabelCodes, Weights, Words
from ....parameters import parameter
from ....reprs import short_repr
from ..label_space import LabelSpace
from ..order import Alpha

TOLERANCE = 1e-11  # share of all weights within which their sums count as equal


@dataclass(frozen=True, eq=False)
class Calibration:
    """The calibration rows: the score of the true label of each, and that label."""

    scores: Floats  # float64[n]; s_i = s(x_i, y_i), `unlisted` where the list does not have y_i
    labels: LabelCodes  # int32[n]; y_i, positions in the label space
    space: LabelSpace
    unlisted: float = 0.0  # score of a label that a list does not have
    # float64[n] in [0, 1]; P(y_i is right): a row counts as so many rows, a new observation as one. None: one each.
    # Nothing is guaranteed with weights.
    weights: Weights | None = None
    keys: Words | None = None  # uint64[n]; hashes of the observations' ids, by which rules split the rows

    def __len__(self) -> int:
        return self.scores.size

    @property
    def rows_of_labels(self) -> Indices:
        """n_k, int64[K]: the number of rows of each label."""
        return np.bincount(self.labels, minlength=len(self.space)).astype(np.int64)

    @property
    def weight_of_labels(self) -> Weights:
        """float64[K]; the rows of each label together, by weight."""
        return np.bincount(self.labels, self.weights, minlength=len(self.space)).astype(np.float64)

    def ranked(self, rows: Indices, groups: LabelCodes | None = None) -> "RankedRows | None":
        """What :class:`RankedRows` says of thresholds from ``rows``; None if rows have weights."""
        return RankedRows(rows, groups) if self.weights is None else None

    def of(self, rows: Flags) -> "Calibration":
        """Some of the rows, bool[n]."""
        weights = None if self.weights is None else self.weights[rows]
        keys = None if self.keys is None else self.keys[rows]
        return replace(self, scores=self.scores[rows], labels=self.labels[rows], weights=weights, keys=keys)

    def part(self, share: Fraction, seed: int) -> Flags:
        """A random part of the rows, bool[n]: each is in it with probability ``share``, whatever the order of rows.

        A row stays in its part when others are added; without keys, rows are known by their rank by label and
        score, and parts are independent of the order only.
        """
        if self.keys is None:
            keys = np.empty(len(self), np.uint64)
            keys[np.lexsort((self.scores, self.labels))] = np.arange(len(self), dtype=np.uint64)
        else:
            keys = self.keys
        numbers = _mixed(keys + _mixed(np.array([seed % (1 << 64)], np.uint64)))
        return numbers < np.uint64(min(int(share * (1 << 64)), (1 << 64) - 1))


@dataclass(frozen=True, eq=False, repr=False)
class RankedRows:
    """That thresholds are order statistics of scores, of rank m(n) among n: coverage then has an exact distribution.

    Given the calibration rows, the coverage of a group of labels is Beta(n + 1 - m, m) if no scores are equal.
    """

    rows: Indices
    """int64[groups]; n, the calibration rows that the threshold of each group is from."""
    groups: LabelCodes | None = None
    """int32[K]; the group of each label, negative where its threshold is from rows of other labels, too. None: one
    group of all labels, also of those outside the label space."""

    __repr__ = short_repr


@dataclass(frozen=True, eq=False, repr=False)
class Thresholds:
    """t: label k is in the set of x if s(x, k) >= t_k."""

    shared: float
    """The threshold of all labels, or, with ``of_labels``, of those outside the label space; -inf: always in."""
    of_labels: Floats | None = None
    """float64[K]; t_k where labels have thresholds of their own."""
    strict: bool = False
    """Whether s > t_k is required."""
    ranked: RankedRows | None = None
    """None if thresholds are no order statistics of the scores of rows."""

    __repr__ = short_repr

    def each(self, n_labels: int) -> Floats:
        """t_k of all labels, float64[K]."""
        return np.full(n_labels, self.shared) if self.of_labels is None else self.of_labels


def _mixed(words: Words) -> Words:
    """All bits of words mixed: a step of splitmix64 (Steele, Lea and Flood 2014)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def seed() -> Any:
    """The parameter of rules that split the calibration rows."""
    return parameter(0, "another seed, another split of the calibration rows", "at least 0", group="Threshold rule")


class ThresholdRule(Protocol):
    """How thresholds follow from calibration rows: a frozen dataclass; its fields are its options."""

    name: ClassVar[str]  # as on the command line
    slack: ClassVar[float]  # relative tolerance that comparing with its thresholds needs: 0 or scores.base.SLACK
    # What is guaranteed for exchangeable rows: "marginal >= 1 - alpha", "each label >= 1 - alpha"; empty for nothing.
    guarantee: ClassVar[str]

    @property
    def needs_prior(self) -> bool:
        """Whether thresholds depend on the prior of the label space."""

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """The thresholds at one level."""
