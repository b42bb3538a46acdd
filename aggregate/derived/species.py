"""The species that each user has identified, counted again and again as labels and validity change."""

import numpy as np

from ..arrays import Counts, LabelCodes
from ..kernels.threads import in_blocks
from .validity import Validity


class SpeciesCounter:
    """Counts, again and again, the species each user has identified: 8 bytes a user."""

    def __init__(self, validity: Validity, *, votes_need_validity: bool) -> None:
        """``votes_need_validity``: votes on others' observations count only where these are valid."""
        self.validity = validity
        self.votes_need_validity = votes_need_validity
        self._n_author, self._n_vote = np.zeros((2, validity.votes.n_users), np.int32)
        self._started = False

    def count(self, labels: LabelCodes) -> tuple[Counts, Counts]:
        """Species authored and species voted by each user: two int32[n_users].

        Authored: of the user's own valid observations, where the vote equals its label in ``labels``. Voted: of
        others' observations, less those authored.
        """
        from ..kernels.species_counts import count_species, mark_voters

        validity, votes = self.validity, self.validity.votes
        if self._started:
            is_stale = np.zeros(votes.n_users, np.uint8)
            in_blocks(mark_voters, votes.n_observations, votes.offsets, votes.users, validity.changed, is_stale)
        else:
            is_stale = np.ones(votes.n_users, np.uint8)
        self._started = True
        by_user, counts = validity.by_user, (self._n_author, self._n_vote)
        rules = validity.state, labels, self.votes_need_validity
        in_blocks(count_species, votes.n_users, by_user.offsets, by_user.words, is_stale, *rules, *counts)
        return self._n_author.copy(), self._n_vote.copy()


def n_species(n_author: Counts, n_vote: Counts) -> Counts:
    """n[u] = species authored + a tenth of those voted, rounded half up: int32[n_users]."""
    return n_author + (n_vote + 5) // 10


def tallies(validity: Validity, labels: LabelCodes) -> tuple[Counts, Counts, Counts]:
    """Each user's votes, votes on own observations, and votes that equal ``labels``: int32[n_users] each."""
    from ..kernels.species_counts import tally_users

    by_user = validity.by_user
    n_votes = np.diff(by_user.offsets).astype(np.int32)
    n_authored, n_agreeing = np.empty((2, n_votes.size), np.int32)
    in_blocks(tally_users, n_votes.size, by_user.offsets, by_user.words, validity.state, labels, n_authored, n_agreeing)
    return n_votes, n_authored, n_agreeing
