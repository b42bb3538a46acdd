"""What decides about splits and classes: columns of a consensus, and who took the pictures."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Flags, Floats, Indices, LabelCodes, UserCodes
from ..reprs import short_repr


class Authors(NamedTuple):
    """Who took the pictures of which observation: a pair for each, in any order."""

    rows: Indices  # int64[n_pairs]; positions of observations
    users: UserCodes  # int32[n_pairs]; positions in `ids`
    ids: pa.Array  # distinct ids of users, integers or strings

    def __repr__(self) -> str:
        return short_repr(self)

    @classmethod
    def none(cls) -> "Authors":
        """No author is known."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int32), pa.nulls(0, pa.string()))


@dataclass(frozen=True, eq=False, repr=False)
class Observations:
    """A row an observation, in any order."""

    ids: pa.Array
    """Distinct ids, integers or strings."""
    labels: LabelCodes
    """int32[n]; positions in ``label_names``, -1 for none."""
    label_names: pa.Array
    """Sorted labels, strings or integers."""
    valid: Flags
    """bool[n]; may be used for training."""
    agreement: Floats
    """float64[n]; share of the weight that is on the label."""
    margin: Floats
    """float64[n]; ``agreement`` less the share of the strongest other label."""
    runner_up: LabelCodes
    """int32[n]; the strongest other label, -1 for none."""
    authors: Authors

    __repr__ = short_repr

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return len(self.label_names)

    def counts(self, rows: Flags) -> Indices:
        """int64[n_labels]; the number of observations of each label, of those that ``rows``, bool[n], chooses."""
        return np.bincount(self.labels[rows & (self.labels >= 0)], minlength=self.n_labels)
