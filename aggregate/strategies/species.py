"""Distinct species per user: the kernels of ``species_counts`` on whole arrays."""

from functools import partial

import numpy as np

from ..arrays import Bytes, Counts, Flags, LabelCodes, Offsets, Words
from ..votes import Votes


class SpeciesCounter:
    """Counts, again and again, the species each user has identified under changing labels.

    Only users with a vote on an observation that changed are counted anew. Holds the votes once more, by user and
    label: 8 bytes per vote, 17 per user, 6 per observation.
    """

    def __init__(self, votes: Votes, *, votes_need_validity: bool) -> None:
        """``votes_need_validity``: votes on others' observations count only where these are valid."""
        from ..kernels.species_counts import DISPUTED

        self.votes = votes
        self.votes_need_validity = votes_need_validity
        self._user_offsets, self._words = _votes_by_user(votes)
        self._n_author, self._n_vote = np.zeros((2, votes.n_users), np.int32)
        self._disputed = np.zeros(votes.n_observations, np.uint8)
        self._disputed[votes.disputes.observations] = DISPUTED
        self._state = self._disputed
        self._labels: LabelCodes | None = None

    def count(self, labels: LabelCodes, valid: Flags) -> tuple[Counts, Counts]:
        """Species authored and species voted by each user: two int32[n_users].

        Authored: of the user's own valid observations, where the vote equals its label. Voted: of others'
        observations, less those authored.
        """
        from ..kernels.species_counts import VALID, count_species
        from ..kernels.threads import in_blocks

        votes = self.votes
        state = self._disputed | valid.view(np.uint8) * np.uint8(VALID)
        is_stale = self._stale_users(labels, state)
        self._state = state
        self._labels = labels[votes.disputes.observations]
        in_blocks(
            count_species,
            votes.n_users,
            self._user_offsets,
            self._words,
            is_stale,
            state,
            labels,
            self.votes_need_validity,
            self._n_author,
            self._n_vote,
        )
        return self._n_author.copy(), self._n_vote.copy()

    def _stale_users(self, labels: LabelCodes, state: Bytes) -> Bytes:
        """Users (uint8, 1 if so) whose counts may be other than before: all the first time."""
        from ..kernels.species_counts import mark_voters
        from ..kernels.threads import in_blocks

        votes = self.votes
        if self._labels is None:
            return np.ones(votes.n_users, np.uint8)
        disputed = votes.disputes.observations
        changed = state != self._state
        changed[disputed] |= labels[disputed] != self._labels
        is_stale = np.zeros(votes.n_users, np.uint8)
        in_blocks(mark_voters, votes.n_observations, votes.offsets, votes.users, changed, is_stale)
        return is_stale


def _votes_by_user(votes: Votes) -> tuple[Offsets, Words]:
    """Where each user's votes begin, and the votes by user, then label, as words of ``species_counts``.

    A counting sort, in which each thread has a part of the observations: all count, so that each knows the places of
    its votes, then all write.
    """
    from ..kernels.sorting import sort_within_groups
    from ..kernels.species_counts import LABEL_SHIFT, count_by_user, words_by_user
    from ..kernels.threads import in_blocks, one_part_per_thread, side_by_side

    parts = one_part_per_thread(votes.n_observations)
    counts = np.zeros((len(parts), votes.n_users), np.int64)
    places = np.zeros_like(counts)
    words = np.empty(votes.n_votes, np.uint64)

    def count(part: int) -> None:
        count_by_user(*parts[part], votes.offsets, votes.users, counts[part])

    def write(part: int) -> None:
        first, last = parts[part]
        words_by_user(first, last, votes.offsets, votes.users, votes.labels, votes.is_author, places[part], words)

    side_by_side(*(partial(count, part) for part in range(len(parts))))
    user_offsets = np.zeros(votes.n_users + 1, np.int64)
    np.cumsum(counts.sum(axis=0), out=user_offsets[1:])
    places += user_offsets[:-1] + np.cumsum(counts, axis=0) - counts
    side_by_side(*(partial(write, part) for part in range(len(parts))))
    in_blocks(sort_within_groups, votes.n_users, user_offsets, words, LABEL_SHIFT)
    return user_offsets, words
