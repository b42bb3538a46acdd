"""The observations nobody argues about, in the shortest form that says how many of them are valid."""

from functools import partial

import numpy as np

from ...arrays import Weights
from ...kernels.threads import kernels_side_by_side, one_part_per_thread
from ...votes import Votes


class Undisputed:
    """Undisputed observations: those of one vote as a count per user, the others with their voters."""

    def __init__(self, votes: Votes) -> None:
        from ...kernels.disputes import votes_of

        n_votes = np.diff(votes.offsets)
        single = n_votes == 1
        self._singles = np.bincount(votes.users[votes.offsets[:-1][single]], minlength=votes.n_users)
        is_several = ~single
        is_several[votes.disputes.observations] = False
        self._offsets, positions = votes_of(votes.offsets, np.flatnonzero(is_several))
        self._users = votes.users[positions]

    def count_valid(self, weights: Weights, theta_conf: float) -> int:
        """How many have a total weight of at least ``theta_conf``."""
        from ...kernels.label_weights import count_heavy

        parts = one_part_per_thread(self._offsets.size - 1)
        count = partial(count_heavy, self._offsets, self._users, weights, theta_conf)
        heavy: list[int] = kernels_side_by_side(*(partial(count, first, last) for first, last in parts))
        return int(self._singles[weights >= theta_conf].sum()) + sum(heavy)
