"""Labels that are about as common are alike: calibration rows weighed by a Gaussian of training counts (``Fuzzy``)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

import numpy as np

from ....arrays import Floats, Indices, LabelCodes, Weights
from ....errors import ParameterError
from ....parameters import parameter
from ..label_space import LabelSpace
from ..scores.base import SLACK
from .base import TOLERANCE, Calibration

N_BLOCKS = 16  # blocks of targets, more than there are threads: some take longer


def bandwidth() -> Any:
    """The parameter h."""
    return parameter(
        1e-5,
        "h, how far apart in training counts labels are still alike: small is near classwise, large near standard",
        "a positive number",
        group="Threshold rule",
    )


def positions_of(space: LabelSpace, given: Mapping[Any, float] | None) -> Floats:
    """z, float64[K]: training counts over the largest, or those given by label. Raises ParameterError."""
    if given is not None:
        missing = [name for name in space.names.to_pylist() if name not in given]
        if missing:
            raise ParameterError(f"positions have none for {len(missing)} labels, such as {missing[0]}")
        return np.array([given[name] for name in space.names.to_pylist()], np.float64)
    if space.prior is None or not space.prior.counts.any():
        raise ParameterError("labels are alike by training counts, which are not known", remedy="give a prior")
    positions: Floats = space.prior.counts / space.prior.counts.max()
    return positions


@dataclass(frozen=True, eq=False)
class SimilarRows:
    """Calibration rows that weigh for each label according to how alike theirs is."""

    calibration: Calibration
    positions: Floats  # float64[K]
    bandwidth: float

    @cached_property
    def _labels(self) -> tuple[Floats, Floats, Indices]:
        """Position and variance of the distinct kinds of labels, float64[p], and the kind of each label, int64[K + 1].

        The last kind is that of labels outside the space, which were never seen. There are fewer kinds than labels:
        those with the same training count and number of rows are one.
        """
        n_rows = np.append(self.calibration.weight_of_labels, 0.0)
        kinds, kind_of = np.unique(np.stack([np.append(self.positions, 0.0), n_rows]), axis=1, return_inverse=True)
        return kinds[0].copy(), self.bandwidth / (kinds[1] + 1), kind_of.reshape(-1)

    @cached_property
    def _rows(self) -> tuple[Floats, Weights, LabelCodes, Weights, Floats]:
        """Distinct positions of rows, rows at each by weight, and by score the position, weight and score of each."""
        rows = self.calibration
        levels, level_of = np.unique(self.positions[rows.labels], return_inverse=True)
        level_of_row = level_of.reshape(-1).astype(np.int32)
        weights = np.ones(len(rows)) if rows.weights is None else rows.weights
        order = np.lexsort((weights, level_of_row, rows.scores))
        level_of_row, weights = level_of_row[order], weights[order]
        at_level = np.bincount(level_of_row, weights, minlength=levels.size).astype(np.float64)
        return levels, at_level, level_of_row, weights, rows.scores[order]

    def thresholds(self, share: float, *, or_more: bool) -> Floats:
        """For each label, the largest score v such that the rows of v or more weigh ``share`` of all, or more.

        -inf if all together do not; float64[K + 1], the last of labels outside the space. ``or_more``: whether exactly
        ``share`` is enough.
        """
        from ....kernels.similar_rows import thresholds_of_targets

        positions, variances, kind_of = self._labels
        found = np.full(positions.size, -np.inf)
        if len(self.calibration):
            tolerance = TOLERANCE if or_more else -TOLERANCE
            _in_blocks(
                thresholds_of_targets, positions.size, positions, variances, share, tolerance, *self._rows, found
            )
        return found[kind_of]

    def shares(self, scores: Floats, labels: LabelCodes) -> Floats:
        """F_k(s) of other rows' scores s float64[m] and labels k int32[m]: the share of rows of s or more, by weight.

        Scores that differ by less than rounding may, relative to their size, count as equal.
        """
        from ....kernels.similar_rows import shares_of_targets

        positions, variances, kind_of = self._labels
        *rows, ordered = self._rows
        n_below = np.searchsorted(ordered, scores - SLACK * np.abs(np.where(np.isfinite(scores), scores, 0.0)))
        kind = kind_of[labels]
        by_kind = np.lexsort((n_below, kind))
        offsets = np.searchsorted(kind[by_kind], np.arange(positions.size + 1))
        found = np.empty(scores.size)
        items = offsets, n_below[by_kind], *rows, found
        _in_blocks(shares_of_targets, positions.size, positions, variances, *items)
        shares = np.empty_like(found)
        shares[by_kind] = found
        return shares


def _in_blocks(blocked: Callable[..., None], n_items: int, *arguments: object) -> None:
    from ....kernels.threads import kernels_side_by_side

    edges = [n_items * block // N_BLOCKS for block in range(N_BLOCKS + 1)]
    kernels_side_by_side(*[partial(blocked, a, b, *arguments) for a, b in pairwise(edges) if a < b])
