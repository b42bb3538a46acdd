"""Distinct species per user: the kernels of ``species_counts`` on whole arrays."""

import numpy as np

from ..arrays import Counts, Flags, Indices, LabelCodes
from ..votes import Votes


class SpeciesCounter:
    """Counts, again and again, the species each user has identified under changing labels.

    Holds the number of the (user, label) pair of every vote and two counts per pair: 4 bytes per vote, 8 per pair,
    16 per user, 5 per observation.
    """

    def __init__(self, votes: Votes, *, votes_need_validity: bool) -> None:
        """``votes_need_validity``: votes on others' observations count only where these are valid."""
        from ..kernels.jit import in_blocks
        from ..kernels.sorting import group_by_code, sort_within_groups
        from ..kernels.species_counts import number_pairs, words_by_label

        self.votes = votes
        self.votes_need_validity = votes_need_validity
        user_offsets = np.zeros(votes.n_users + 1, np.int64)
        by_user = np.empty(votes.n_votes, np.int32)
        group_by_code(votes.users, user_offsets, by_user)
        words = np.empty(votes.n_votes, np.uint64)
        in_blocks(words_by_label, votes.n_users, user_offsets, by_user, votes.labels, words)
        in_blocks(sort_within_groups, votes.n_users, user_offsets, words)
        self.pair_of_vote = by_user  # its work is done: number_pairs writes over it
        n_pairs = number_pairs(user_offsets, words, self.pair_of_vote)
        self._pair_counts = np.zeros((n_pairs, 2), np.int32)
        self._user_counts = np.zeros((votes.n_users, 2), np.int32)
        self._labels: LabelCodes | None = None
        self._valid: Flags | None = None

    def count(self, labels: LabelCodes, valid: Flags) -> tuple[Counts, Counts]:
        """Species authored and species voted by each user: two int32[n_users].

        Authored: of the user's own valid observations, where the vote equals its label. Voted: of others'
        observations, less those authored.
        """
        if self._labels is None or self._valid is None:
            self._shift(1, np.arange(self.votes.n_observations), labels, valid)
        else:
            changed = np.flatnonzero((labels != self._labels) | (valid != self._valid))
            self._shift(-1, changed, self._labels, self._valid)
            self._shift(1, changed, labels, valid)
        self._labels, self._valid = labels.copy(), valid
        return self._user_counts[:, 0].copy(), self._user_counts[:, 1].copy()

    def _shift(self, step: int, observations: Indices, labels: LabelCodes, valid: Flags) -> None:
        from ..kernels.species_counts import shift_counts

        votes = self.votes
        shift_counts(
            step,
            observations,
            votes.offsets,
            votes.users,
            votes.labels,
            votes.is_author,
            self.pair_of_vote,
            labels,
            valid,
            self.votes_need_validity,
            self._pair_counts,
            self._user_counts,
        )
