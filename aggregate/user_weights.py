"""Users' weights that are set by hand, and factors of defences on estimated weights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .arrays import Indices, Weights
from .arrow import to_numpy
from .errors import warn
from .reprs import short_repr

if TYPE_CHECKING:
    import pyarrow as pa

    from .votes import Votes


@dataclass(frozen=True, eq=False)
class UserWeights:
    """Fixed and minimum weights of users. A fixed weight takes precedence over a minimum."""

    user_ids: "pa.Array"
    """Distinct ids."""
    fixed: Weights
    """float64[n], >= 0; NaN where the weight is not fixed. 0 silences the user."""
    minimum: Weights
    """float64[n], >= 0; NaN where there is no floor."""

    __repr__ = short_repr

    def align(self, votes: "Votes") -> "AlignedWeights":
        """The weights by the users' codes in ``votes``; users without a vote are left out, with a warning.

        Ids of another type than the votes' (those of a CSV file are text) are compared by their text.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        ours, theirs = self.user_ids, votes.user_ids
        if ours.type != theirs.type:
            ours, theirs = ours.cast(pa.large_string()), theirs.cast(pa.large_string())
        codes = pc.index_in(ours, theirs)
        known = to_numpy(codes.is_valid())
        if not known.all():
            first = self.user_ids[int(np.argmin(known))].as_py()
            warn(
                f"{np.count_nonzero(~known):,} of {known.size:,} users with a weight set by hand have no vote "
                f"(first: {first!r})"
            )
        positions = to_numpy(codes.drop_null()).astype(np.int64)
        return AlignedWeights(positions, self.fixed[known], self.minimum[known])


class AlignedWeights(NamedTuple):
    """Fixed and minimum weights by user code; empty by default."""

    users: Indices = np.empty(0, np.int64)
    fixed: Weights = np.empty(0)
    minimum: Weights = np.empty(0)
    # float64[n_users]; factors on the estimated weights, not on fixed weights and minima. None is 1 for all.
    factor: Weights | None = None

    def apply_to(self, weights: Weights) -> None:
        """Multiply ``weights`` float64[n_users] by the factors, then apply fixed weights and minima, in place."""
        if self.factor is not None:
            weights *= self.factor
        raised = np.fmax(weights[self.users], self.minimum)
        weights[self.users] = np.where(np.isnan(self.fixed), raised, self.fixed)
