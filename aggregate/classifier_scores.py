"""A classifier's scores of observations, integer coded: one list of labels with probabilities each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arrays import LabelCodes, Offsets, Probabilities


@dataclass(frozen=True, eq=False)
class ClassifierScores:
    """Label lists, one an observation; truncated lists, which have the likeliest labels only, are the normal case.

    The labels of observation i are the slice ``offsets[i]:offsets[i + 1]``, in any order, each at most once; a label
    that is not listed has probability 0.
    """

    offsets: Offsets  # int64[n + 1]
    # int32[items]; positions in the label space, in label order. At or beyond its size for labels outside of it.
    labels: LabelCodes
    probabilities: Probabilities  # float32[items] or float64[items], in [0, 1]

    def __len__(self) -> int:
        return self.offsets.size - 1

    @classmethod
    def of_matrix(cls, probabilities: ArrayLike) -> "ClassifierScores":
        """The lists of a matrix float[n, K]: all K labels in each."""
        matrix = np.asarray(probabilities)
        n, n_labels = matrix.shape
        kept = matrix.astype(matrix.dtype if matrix.dtype == np.float32 else np.float64, copy=False)
        labels = np.tile(np.arange(n_labels, dtype=np.int32), n)
        return cls(np.arange(n + 1, dtype=np.int64) * n_labels, labels, kept.reshape(-1))
