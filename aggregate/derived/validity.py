"""Total weight and validity of each observation, updated incrementally."""

import numpy as np

from ..arrays import Bytes, Flags, LabelCodes, Weights
from ..disputes import Disputes
from ..kernels.threads import in_blocks
from ..votes import Votes
from .votes_by_user import VotesByUser


class Validity:
    """Total weight and validity of each observation under changing weights and labels: 11 bytes an observation.

    Only observations that the last change of a weight or a label concerns are computed again.
    """

    def __init__(
        self,
        votes: Votes,
        by_user: VotesByUser,
        threshold: float,
        *,
        disputes: Disputes | None = None,
        joined: Flags | None = None,
        joined_weight: float = 0.0,
    ) -> None:
        """``threshold``: the weight that an undisputed observation needs to be valid.

        ``disputes`` are the observations whose validity :meth:`set_disputed` sets, by default those of the votes.
        Where ``joined``, ``joined_weight`` adds to the users' weights.
        """
        from ..kernels.species_counts import DISPUTED, JOINED

        self.votes = votes
        self.by_user = by_user
        self.disputed = (votes.disputes if disputes is None else disputes).observations
        self.threshold = threshold
        self.joined_weight = joined_weight
        self.totals: Weights = np.empty(votes.n_observations)
        self.state: Bytes = np.zeros(votes.n_observations, np.uint8)
        """VALID, DISPUTED and JOINED, bits of ``kernels.species_counts``."""
        if joined is not None:
            self.state[joined] = JOINED
        self.state[self.disputed] = DISPUTED
        self.changed: Bytes = np.zeros(votes.n_observations, np.uint8)
        """1 where the last update changed the state or the label."""
        self._is_stale: Bytes = np.ones(votes.n_observations, np.uint8)
        self._weights: Weights | None = None
        self._labels: LabelCodes | None = None

    def weigh(self, weights: Weights) -> Weights:
        """Find which undisputed observations are valid under ``weights`` float64[n_users]; return each one's total."""
        from ..kernels.species_counts import mark_observations, update_states

        votes, by_user = self.votes, self.by_user
        if self._weights is not None:
            changed = weights != self._weights
            in_blocks(mark_observations, votes.n_users, by_user.offsets, by_user.words, changed, self._is_stale)
        cast = votes.offsets, votes.users, votes.factors, weights
        states = self._is_stale, self.totals, self.state, self.changed
        in_blocks(update_states, votes.n_observations, *cast, self.threshold, self.joined_weight, *states)
        self._weights = weights
        return self.totals

    def set_disputed(self, labels: LabelCodes, valid: Flags) -> None:
        """Set which disputed observations are ``valid`` under their ``labels``."""
        from ..kernels.species_counts import DISPUTED, VALID

        state = DISPUTED + VALID * valid.view(np.uint8)
        moved = state != self.state[self.disputed]
        if self._labels is not None:
            moved |= labels != self._labels
        self.state[self.disputed] = state
        self.changed[self.disputed] = moved
        self._labels = labels

    @property
    def valid(self) -> Flags:
        """The valid observations: bool[n_observations]."""
        from ..kernels.species_counts import VALID

        return (self.state & VALID).view(np.bool_)
