"""Measures of prediction sets against true labels [D26].

As in ``measures``, ``counts`` float64[..., cells] says how often each counts: once in the data, and in a bootstrap
resample as often as it is drawn. Observations that agree in true label, outcome and size of the set are one cell, so
that a resample takes time for the cells, of which there are few beside the observations.

c_k, the coverage of label k, is the share of the observations of label k whose set has it; L is the set of the labels
that an observation of the (re)sample has. A mean over labels is one over L: labels that no observation has are left
out, as are those that a resample does not draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...arrays import Counts, Flags, Floats, Indices, LabelCodes, Weights
from ...reprs import short_repr
from .order import Alpha
from .sets import PredictionSets

QUANTILES = {"size_q25": 0.25, "median_size": 0.5, "size_q75": 0.75, "size_q90": 0.9}
"""Measure -> the share of the sets that are at most so large."""

SIZES = ("mean_size", *QUANTILES)
"""Measures that are numbers of labels; the others are shares."""


@dataclass(frozen=True, eq=False)
class SetOutcomes:
    """The sets of n observations whose labels are known, and whether they have them."""

    truth: LabelCodes  # int32[n]; positions in the label space; any other distinct codes for labels outside of it
    covered: Flags  # bool[n]; whether the set has the true label
    sizes: Counts  # int32[n]; labels in the set
    whole_space: Flags  # bool[n]; whether the set is all labels of the label space
    n_labels: int  # K, the size of the label space

    __repr__ = short_repr

    @classmethod
    def of(cls, sets: PredictionSets, truth: LabelCodes) -> "SetOutcomes":
        """The outcomes of sets with the true labels ``truth`` int32[n]."""
        return cls(truth, sets.covers(truth), sets.sizes, sets.whole_space, sets.n_labels)

    def __len__(self) -> int:
        return self.truth.size

    @cached_property
    def cells(self) -> "Cells":
        """The observations that are alike."""
        labels, codes = np.unique(self.truth, return_inverse=True)
        widest = int(self.sizes.max(initial=0)) + 1
        keys = (4 * codes.astype(np.int64) + 2 * self.covered + self.whole_space) * widest + self.sizes
        distinct, of_rows = np.unique(keys, return_inverse=True)
        of_labels = distinct // (4 * widest)
        return Cells(
            of_rows=of_rows,
            labels=labels.astype(np.int32),
            starts=np.searchsorted(of_labels, np.arange(labels.size)),
            covered=(distinct // (2 * widest) % 2).astype(np.bool_),
            whole_space=(distinct // widest % 2).astype(np.bool_),
            sizes=(distinct % widest).astype(np.int32),
        )

    @cached_property
    def by_label(self) -> "LabelOutcomes":
        """The outcomes of each true label."""
        labels, codes, rows = np.unique(self.truth, return_inverse=True, return_counts=True)
        covered = np.bincount(codes, weights=self.covered).astype(np.int64)
        return LabelOutcomes(labels.astype(np.int32), rows, covered, np.bincount(codes, weights=self.sizes) / rows)


@dataclass(frozen=True, eq=False)
class LabelOutcomes:
    """Coverage and size of the sets of the observations of each of the L true labels."""

    labels: LabelCodes  # int32[L]; ascending
    rows: Indices  # int64[L]; observations of the label
    covered: Indices  # int64[L]; of these, those whose set has the label
    mean_size: Floats  # float64[L]; mean number of labels in their sets

    __repr__ = short_repr

    @property
    def coverage(self) -> Floats:
        """c_k, float64[L]."""
        return self.covered / self.rows

    @classmethod
    def together(cls, several: "Sequence[LabelOutcomes]") -> "LabelOutcomes":
        """The outcomes of the observations of several evaluations."""
        labels, codes = np.unique(np.concatenate([each.labels for each in several]), return_inverse=True)
        rows, covered, sizes = (
            np.bincount(codes, weights=np.concatenate(parts))
            for parts in zip(*((each.rows, each.covered, each.rows * each.mean_size) for each in several), strict=True)
        )
        return cls(labels, rows.astype(np.int64), covered.astype(np.int64), sizes / rows)


@dataclass(frozen=True, eq=False)
class Cells:
    """Observations by true label, outcome and size of the set, in this order."""

    of_rows: Indices  # int64[n]; the cell of each observation
    labels: LabelCodes  # int32[L]; the true labels, ascending
    starts: Indices  # int64[L]; the first cell of each
    covered: Flags  # bool[cells]
    whole_space: Flags  # bool[cells]
    sizes: Counts  # int32[cells]

    __repr__ = short_repr

    @cached_property
    def by_size(self) -> Indices:
        """int64[cells]; the cells in ascending order of the size of the set."""
        return np.argsort(self.sizes, kind="stable")


def measure_names(*, weighted: bool = False, at_risk: bool = False) -> list[str]:
    """The measures of ``schema.SET_MEASURES``, in its order, if labels are ``weighted``, or known to be ``at_risk``."""
    from ...schema import SET_MEASURES

    left_out = set() if weighted else {"weighted_macro_coverage"}
    left_out |= set() if at_risk else {"at_risk_coverage", "not_at_risk_coverage"}
    return [column.name for column in SET_MEASURES if column.name not in left_out]


def measure_sets(
    outcomes: SetOutcomes, alpha: Alpha, counts: Weights, *, weights: Floats | None = None, at_risk: Flags | None = None
) -> Floats:
    """Every measure of :func:`measure_names`: float64[..., m] of counts[..., cells].

    ``weights`` float64[L]: omega of the true labels; ``at_risk`` bool[L]: which of them are at risk.
    """
    cells = outcomes.cells
    rows, covered = rows_of_labels(cells, counts)
    coverage = _ratio(covered, rows)
    histogram, sizes = counts_of_sizes(cells, counts)
    n = counts.sum(axis=-1)
    measures = {
        "marginal_coverage": covered.sum(axis=-1) / n,
        "macro_coverage": mean_over_labels(coverage),
        "share_below_half": mean_over_labels(np.where(np.isnan(coverage), coverage, coverage < 1 / 2)),
        "share_at_most_half": mean_over_labels(np.where(np.isnan(coverage), coverage, coverage <= 1 / 2)),
        "mean_size": histogram @ sizes.astype(np.float64) / n,
        "empty": histogram[..., sizes == 0].sum(axis=-1) / n,
        "singletons": histogram[..., sizes == 1].sum(axis=-1) / n,
        "whole_space": counts[..., cells.whole_space].sum(axis=-1) / n,
    }
    gaps = np.maximum(float(1 - alpha.exact) - coverage, 0)
    measures["undercoverage_gap"] = mean_over_labels(gaps)
    measures["undercoverage_gap_research_code"] = np.nansum(gaps, axis=-1) / max(outcomes.n_labels - 1, 1)
    quantiles = size_quantiles(sizes, histogram, list(QUANTILES.values()))
    measures |= {name: quantiles[..., place] for place, name in enumerate(QUANTILES)}
    if weights is not None:
        measures["weighted_macro_coverage"] = mean_over_labels(coverage, weights)
    if at_risk is not None:
        measures["at_risk_coverage"] = mean_over_labels(coverage, at_risk.astype(np.float64))
        measures["not_at_risk_coverage"] = mean_over_labels(coverage, (~at_risk).astype(np.float64))
    names = measure_names(weighted=weights is not None, at_risk=at_risk is not None)
    return np.stack([measures[name] for name in names], axis=-1)


def rows_of_labels(cells: Cells, counts: Weights) -> tuple[Weights, Weights]:
    """The observations of each true label, and those of them that are covered: float64[..., L] each."""
    rows = np.add.reduceat(counts, cells.starts, axis=-1)
    return rows, np.add.reduceat(counts * cells.covered, cells.starts, axis=-1)


def mean_over_labels(values: Floats, weights: Floats | None = None) -> Floats:
    """sum_L w_k v_k / sum_L w_k of values[..., L], NaN for labels that are not in the resample; by default w_k = 1.

    NaN if no label has a weight.
    """
    present = (~np.isnan(values)).astype(np.float64) * (1.0 if weights is None else weights)
    return _ratio((np.nan_to_num(values) * present).sum(axis=-1), present.sum(axis=-1))


def counts_of_sizes(cells: Cells, counts: Weights) -> tuple[Weights, Counts]:
    """How often each size occurs, float64[..., s], and the distinct sizes, int32[s], ascending."""
    sizes, starts = np.unique(cells.sizes[cells.by_size], return_index=True)
    return np.add.reduceat(counts[..., cells.by_size], starts, axis=-1), sizes


def size_quantiles(sizes: Counts, histogram: Weights, shares: Sequence[float]) -> Floats:
    """Quantiles of values int32[s], ascending, that occur so often, float64[..., s]: float64[..., len(shares)].

    Interpolated linearly between the values in order, as ``numpy.quantile`` does by default.
    """
    occurred = np.cumsum(histogram, axis=-1)
    places = np.asarray(shares) * (occurred[..., -1:] - 1)
    below, above = (
        sizes[(occurred[..., None, :] <= ranks[..., None]).sum(axis=-1).clip(max=sizes.size - 1)]
        for ranks in (np.floor(places), np.ceil(places))
    )
    quantiles: Floats = below + (above - below) * (places - np.floor(places))
    return quantiles


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
    return ratio
