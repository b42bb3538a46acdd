"""Distinct species per user: the kernels of ``species_counts`` on whole arrays."""

import numpy as np

from ..arrays import Counts, Flags, LabelCodes
from ..votes import Votes


class SpeciesCounter:
    """Counts, again and again, the species each user has identified under changing labels.

    Holds the number of the (user, label) pair of every vote: 4 bytes per vote, 2 per pair, 8 per user.
    """

    def __init__(self, votes: Votes) -> None:
        from ..kernels.jit import in_blocks
        from ..kernels.sorting import group_by_code, sort_within_groups
        from ..kernels.species_counts import number_pairs, words_by_label

        self.votes = votes
        user_offsets, by_user = group_by_code(votes.users, votes.n_users)
        words = np.empty(votes.n_votes, np.uint64)
        in_blocks(words_by_label, votes.n_users, user_offsets, by_user, votes.labels, words)
        in_blocks(sort_within_groups, votes.n_users, user_offsets, words)
        self.pair_of_vote = by_user  # its work is done: number_pairs writes over it
        self.pair_offsets = number_pairs(user_offsets, words, self.pair_of_vote)

    def count(self, labels: LabelCodes, valid: Flags, *, votes_need_validity: bool) -> tuple[Counts, Counts]:
        """Species authored and species voted by each user: two int32[n_users].

        Authored: of the user's own valid observations, where the vote equals its label. Voted: of others'
        observations (valid ones only if ``votes_need_validity``), less those authored.
        """
        from ..kernels.jit import in_blocks
        from ..kernels.species_counts import count_species, mark_species

        votes = self.votes
        authored, voted = np.zeros((2, int(self.pair_offsets[-1])), np.uint8)
        in_blocks(
            mark_species,
            votes.n_observations,
            votes.offsets,
            votes.labels,
            votes.is_author,
            self.pair_of_vote,
            labels,
            valid,
            votes_need_validity,
            authored,
            voted,
        )
        n_author = np.empty(votes.n_users, np.int32)
        n_vote = np.empty(votes.n_users, np.int32)
        in_blocks(count_species, votes.n_users, self.pair_offsets, authored, voted, n_author, n_vote)
        return n_author, n_vote
