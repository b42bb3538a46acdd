"""What prediction sets that are made batch by batch are like in all."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Indices
from ...arrow import to_arrow
from ...blocks import count, mean_text
from ...html_blocks import as_html
from .fallback import CommonTaxa
from .order import Alpha
from .sets import PredictionSets

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, repr=False)
class PredictedSets:
    """A file of prediction sets, and what they are like."""

    path: Path
    """The file."""
    bytes: int
    """Its size."""
    sha256: str
    """Of the file."""
    method: str
    """Conformity score and threshold rule, such as ``pas/standard``."""
    alpha: Alpha
    """The share of observations whose true label may be outside of its set."""
    guarantee: str | None
    """Which coverage is guaranteed, and of which observations; None if none is."""
    model_sha256: str
    """Of the file of the model."""
    never_empty: bool
    """Whether empty sets got the likeliest label."""
    totals: "SetTotals"
    """Rows, sizes, and how many sets say nothing."""
    unknown_labels: tuple[str | int, ...]
    """Labels of the lists that the model does not have, in order of appearance."""

    def __repr__(self) -> str:
        sizes = "" if self.totals.mean_size is None else f", mean size {mean_text(self.totals.mean_size)}"
        rows = count(self.totals.rows, "set")
        return f"PredictedSets({rows} in {str(self.path)!r}, {self.method}, alpha {self.alpha}{sizes})"

    def _repr_html_(self) -> str:
        from ..report.predicted_sets import predicted_blocks

        return as_html(predicted_blocks(self))


class SetTotals:
    """Counts and sizes of the sets added so far."""

    def __init__(self) -> None:
        self.rows = 0
        """Sets."""
        self.whole_space = 0
        """Sets of all labels, which say nothing."""
        self.empty = 0
        """Sets without a label."""
        self.filled = 0
        """Sets that were empty, and got the likeliest label."""
        self.common: CommonTotals | None = None
        """What sets have in common, where a taxonomy was given."""
        self._of_sizes: Indices = np.zeros(1, np.int64)  # how many sets have 0, 1, 2 ... labels

    def __repr__(self) -> str:
        return f"SetTotals({count(self.rows, 'set')})"

    def add(self, sets: PredictionSets, common: CommonTaxa | None = None, names: "pa.Array | None" = None) -> None:
        """Count further sets, and what they have ``common``; ``names`` are those of their labels."""
        if common is not None and names is not None:
            self.common = self.common or CommonTotals()
            self.common.add(common, names)
        found = np.bincount(sets.sizes, minlength=self._of_sizes.size)
        found[: self._of_sizes.size] += self._of_sizes
        self._of_sizes = found
        self.rows += len(sets)
        self.empty += int(sets.empty.sum())
        self.filled += sets.n_filled
        self.whole_space += int(sets.whole_space.sum())

    @property
    def mean_size(self) -> float | None:
        """The mean number of labels; None without sets."""
        return float(self._of_sizes @ np.arange(self._of_sizes.size)) / self.rows if self.rows else None

    @property
    def median_size(self) -> float | None:
        """The median number of labels; None without sets."""
        if not self.rows:
            return None
        up_to = np.cumsum(self._of_sizes)
        middle = [int(np.searchsorted(up_to, rank, "right")) for rank in ((self.rows - 1) // 2, self.rows // 2)]
        return sum(middle) / 2

    @property
    def singletons(self) -> int:
        """Sets of one label."""
        return int(self._of_sizes[1:2].sum())


class CommonTotals:
    """Counts of what sets have in common."""

    def __init__(self) -> None:
        self.common_taxon = 0
        """Sets that have a common taxon."""
        self.one_genus = 0
        """Sets whose labels are all of one genus."""
        self.unplaced = 0
        """Sets with a label that is not in the taxonomy."""
        self.unplaced_labels: dict[str | int, None] = {}
        """The labels of sets that are not in it, in order of appearance."""

    def __repr__(self) -> str:
        return f"CommonTotals({count(self.common_taxon, 'set')} with a common taxon, {self.unplaced:,} unplaced)"

    def add(self, common: CommonTaxa, names: "pa.Array") -> None:
        """Count further sets, whose labels have ``names``."""
        self.common_taxon += int(np.count_nonzero(common.taxa >= 0))
        self.one_genus += int(np.count_nonzero(common.n_genera == 1))
        self.unplaced += int(np.count_nonzero(~common.is_placed))
        self.unplaced_labels |= dict.fromkeys(names.take(to_arrow(common.unplaced)).to_pylist())
