"""A threshold for each cluster of labels whose scores are distributed alike [Ding et al. 2023].

Ding, Angelopoulos, Bates, Jordan and Tibshirani 2023, *Class-Conditional Conformal Prediction with Many Classes*,
NeurIPS (arXiv 2306.09335). Defaults and embedding are those of its code.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ....arrays import Floats, Indices, LabelCodes, Weights
from ....errors import ParameterError
from ....parameters import check_parameters
from ..order import Alpha, threshold_at, thresholds_of_groups
from .base import Calibration, Thresholds, seed

QUANTILES = 0.5, 0.6, 0.7, 0.8, 0.9  # of the nonconformity of a label's rows: where the label is
NULL = -1  # cluster of the labels in none


@dataclass(frozen=True)
class Clustered:
    """t_k = the threshold of all rows whose label is in the cluster of label k; of all rows, for labels in no cluster.

    Clusters are found on a part of the rows, by k-means on the quantiles of the scores of each label (this needs the
    extra ``clusters``, scikit-learn); labels with few rows there are in no cluster. The other rows calibrate. The
    labels of a cluster with too few rows are in every set. If most labels have too few rows to be in a cluster, all
    thresholds are that of ``standard``.

    Guarantee: labels of one cluster together are covered with probability at least 1 - alpha, if rows and new
    observations of the cluster are exchangeable. Labels in no cluster have none, nor has marginal coverage if some are.
    """

    name: ClassVar[str] = "clustered"
    slack: ClassVar[float] = 0.0
    needs_prior: ClassVar[bool] = False
    guarantee: ClassVar[str] = "each cluster >= 1 - alpha"

    seed: int = seed()
    given: Mapping[Any, Hashable] | None = field(default=None, compare=False)
    """Cluster by label, such as its genus, instead of those found; labels with None, and those left out, have none."""

    def __post_init__(self) -> None:
        check_parameters(self)

    def fit(self, calibration: Calibration, alpha: Alpha) -> Thresholds:
        """A threshold for each label. Raises ParameterError if scikit-learn is needed and not installed."""
        cluster_of, rows = self._clusters(calibration, alpha)
        standard = threshold_at(rows.scores, alpha, rows.weights)
        n_clusters, cluster_of_row = int(cluster_of.max(initial=NULL)) + 1, cluster_of[rows.labels]
        of_clusters = thresholds_of_groups(rows.scores, cluster_of_row, n_clusters, alpha, rows.weights)
        if n_clusters:
            counts = np.bincount(cluster_of_row[cluster_of_row != NULL], minlength=n_clusters)
            ranked = rows.ranked(counts.astype(np.int64), cluster_of)
        else:
            ranked = rows.ranked(np.array([len(rows)]))
        return Thresholds(standard, np.append(of_clusters, standard)[cluster_of], ranked=ranked)

    def _clusters(self, calibration: Calibration, alpha: Alpha) -> tuple[LabelCodes, Calibration]:
        """The cluster of each label, int32[K], and the rows that calibrate."""
        if self.given is not None:
            given = [self.given.get(name) for name in calibration.space.names.to_pylist()]
            code_of: dict[Hashable, int] = {None: NULL}
            for cluster in given:
                code_of.setdefault(cluster, len(code_of) - 1)
            return np.array([code_of[cluster] for cluster in given], np.int32), calibration
        wanted = clustering_parameters(calibration.rows_of_labels, alpha)
        if wanted.clusters < 2:
            return np.full(len(calibration.space), NULL, np.int32), calibration
        for_clusters = calibration.part(wanted.share, self.seed)
        clusters = find_clusters(calibration.of(for_clusters), wanted.clusters, alpha, self.seed)
        return clusters, calibration.of(~for_clusters)


class Clustering(NamedTuple):
    """How labels are to be clustered."""

    rows_of_label: int
    """n_clust: the rows of the rarest label clustered that may be spent on finding clusters."""
    clusters: int
    """Number of clusters."""
    share: Fraction
    """The probability with which a row is used for finding clusters."""


def clustering_parameters(counts: Indices, alpha: Alpha) -> Clustering:
    """What numbers of rows of each label, int64[K], allow.

    >>> clustering_parameters(np.full(100, 20), Alpha.of("0.1"))
    Clustering(rows_of_label=11, clusters=5, share=Fraction(11, 20))
    """
    n_min = max(int(counts.min()), alpha.fewest)
    n_labels = int(np.count_nonzero(counts >= n_min))
    n_clust = n_min * n_labels // (75 + n_labels)
    return Clustering(n_clust, n_clust // 2, Fraction(n_clust, n_min))


def find_clusters(calibration: Calibration, n_clusters: int, alpha: Alpha, seed: int) -> LabelCodes:
    """The cluster of each label, int32[K]; NULL for those with too few rows, and for all if no more labels have enough.

    No more than ``n_clusters``, that is.
    """
    counts = calibration.rows_of_labels
    order = np.lexsort((-calibration.scores, calibration.labels))
    chosen = np.flatnonzero(counts >= alpha.fewest)
    starts = (np.cumsum(counts) - counts)[chosen]
    points = embedding(-calibration.scores[order], starts, counts[chosen])
    is_finite = np.isfinite(points).all(axis=1)  # infinite scores are of labels with a prior of 0
    chosen, points = chosen[is_finite], points[is_finite]
    clusters = np.full(counts.size, NULL, np.int32)
    if n_clusters < chosen.size:
        clusters[chosen] = kmeans(points, np.sqrt(counts[chosen]), n_clusters, seed)
    return clusters


def embedding(nonconformity: Floats, starts: Indices, counts: Indices) -> Floats:
    """The ``QUANTILES`` of groups of values in ascending order, interpolated linearly: float64[groups, 5].

    Group g is the slice ``starts[g]:starts[g] + counts[g]``.
    """
    places = np.multiply.outer(counts - 1, QUANTILES)
    ranks = np.floor(places).astype(np.int64)
    below = nonconformity[starts[:, None] + ranks]
    above = nonconformity[starts[:, None] + np.minimum(ranks + 1, counts[:, None] - 1)]
    with np.errstate(invalid="ignore"):  # of infinite values
        points: Floats = below + (places - ranks) * (above - below)
    return points


def kmeans(points: Floats, weights: Weights, n_clusters: int, seed: int) -> LabelCodes:
    """The cluster of each point, int32[n], numbered in the order of their first points. Raises ParameterError.

    ``points`` float64[n, d], ``weights`` float64[n]. Fewer clusters, if fewer points are distinct.
    """
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        remedy = "pip install 'plant-aggregate[clusters]'"
        raise ParameterError(
            "clusters of labels are found by scikit-learn, which is not installed", remedy=remedy
        ) from error
    n_clusters = min(n_clusters, len(np.unique(points, axis=0)))
    model = KMeans(n_clusters, n_init=10, random_state=seed % (1 << 32))
    with threadpool_limits(1):  # points are few: threads that wait for each other take longer
        found = model.fit(points, sample_weight=weights).labels_
    _, firsts, numbers = np.unique(found, return_index=True, return_inverse=True)
    renumbered: LabelCodes = np.argsort(np.argsort(firsts))[numbers].astype(np.int32)
    return renumbered
