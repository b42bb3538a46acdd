"""A classifier's scores of observations: one list of labels with probabilities each, integer coded, or with names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Flags, LabelCodes, Offsets, Probabilities
from .arrow import lists_of, to_arrow, to_numpy
from .reprs import short_repr

if TYPE_CHECKING:
    import pyarrow as pa


TOLERANCE = 1e-6
"""Distance outside [0, 1] within which a score counts as the nearer end: sums of rounded numbers are off by that."""


@dataclass(frozen=True, eq=False, repr=False)
class ClassifierScores:
    """Label lists, one an observation; truncated lists, which have the likeliest labels only, are the normal case.

    The labels of observation i are the slice ``offsets[i]:offsets[i + 1]``, in any order, each at most once; a label
    that is not listed has probability 0.
    """

    offsets: Offsets  # int64[n + 1]
    # int32[items]; positions in the label space, in label order. At or beyond its size for labels outside of it.
    labels: LabelCodes
    probabilities: Probabilities  # float32[items] or float64[items], in [0, 1]

    __repr__ = short_repr

    def __len__(self) -> int:
        return self.offsets.size - 1

    def only(self, chosen: Flags) -> "ClassifierScores":
        """The chosen (bool[n]) lists."""
        lengths = np.diff(self.offsets)
        items = np.repeat(chosen, lengths)
        offsets = np.concatenate([[0], np.cumsum(lengths[chosen])])
        return ClassifierScores(offsets, self.labels[items], self.probabilities[items])

    def between(self, first: int, last: int) -> "ClassifierScores":
        """The lists from ``first`` up to ``last``, without a copy of their labels."""
        offsets = self.offsets[first : last + 1]
        items = slice(offsets[0], offsets[-1])
        return ClassifierScores(offsets - offsets[0], self.labels[items], self.probabilities[items])

    @classmethod
    def of_matrix(cls, probabilities: ArrayLike) -> "ClassifierScores":
        """The lists of a matrix float[n, K]: all K labels in each."""
        matrix = np.asarray(probabilities)
        n, n_labels = matrix.shape
        kept = matrix.astype(matrix.dtype if matrix.dtype == np.float32 else np.float64, copy=False)
        labels = np.tile(np.arange(n_labels, dtype=np.int32), n)
        return cls(np.arange(n + 1, dtype=np.int64) * n_labels, labels, kept.reshape(-1))


@dataclass(frozen=True, eq=False)
class NamedScores:
    """A classifier's label lists with the ids of the observations and the names of the labels."""

    observation_ids: "pa.Array"
    """integers[n] or string[n], distinct."""
    label_names: "pa.Array"
    """integers or string, distinct, in label order."""
    lists: ClassifierScores
    """One an observation; labels are positions in ``label_names``."""

    def __len__(self) -> int:
        return len(self.lists)

    def __repr__(self) -> str:
        longest = int(np.diff(self.lists.offsets).max(initial=0))
        n, n_labels = len(self), len(self.label_names)
        return f"NamedScores({n:,} observations, {n_labels:,} labels, up to {longest:,} in a list)"

    def coded(self, space: "pa.Array") -> "CodedScores":
        """The lists with the positions of labels in ``space``, names in label order; others come after these.

        Raises ArrowInvalid if names of ``space`` are of another type.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        names = self.label_names.cast(space.type)
        if names.equals(space):
            return CodedScores(self.lists, space)
        known = pc.index_in(names, value_set=space)
        codes = to_numpy(known, null=-1).astype(np.int32)
        outside = np.flatnonzero(codes < 0)
        codes[outside] = np.arange(len(space), len(space) + outside.size, dtype=np.int32)
        lists = ClassifierScores(self.lists.offsets, codes[self.lists.labels], self.lists.probabilities)
        return CodedScores(lists, pa.concat_arrays([space, names.take(to_arrow(outside))]))

    def to_arrow(self) -> "pa.Table":
        """A row each, with lists of labels and probabilities: what ``conformal fit`` and ``predict`` read as files."""
        import pyarrow as pa

        lists = self.lists
        columns = {
            "observation_id": self.observation_ids,
            "labels": lists_of(lists.offsets, self.label_names.take(to_arrow(lists.labels))),
            "probabilities": lists_of(lists.offsets, to_arrow(lists.probabilities)),
        }
        return pa.table(columns)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows for whatever reads Arrow data, such as ``polars.DataFrame(scores)``."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)


class CodedScores(NamedTuple):
    """Label lists in a label space, and the names of its labels and then of those outside of it."""

    lists: ClassifierScores
    names: "pa.Array"
