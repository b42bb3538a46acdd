"""Who stands where, from iteration to iteration: only what the last one changed is looked at again."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from ...arrays import Bytes, Counts, Flags, LabelCodes, Offsets, Weights, Words
from ...kernels.threads import in_blocks, kernels_side_by_side, one_part_per_thread
from ...votes import Disputes, Votes


@dataclass(frozen=True, eq=False)
class VotesByUser:
    """The votes once more, by user and label: 8 bytes a vote and 8 a user."""

    offsets: Offsets
    """int64[n_users + 1]; the votes of user u are the slice offsets[u]:offsets[u + 1]."""
    words: Words
    """uint64[n_votes]; each a vote, as ``kernels.species_counts`` packs it."""

    @classmethod
    def of(cls, votes: Votes) -> "VotesByUser":
        """Sort the votes by user: a counting sort, in which each thread has a part of the observations.

        All threads count, so that each knows the places of its votes, then all write.
        """
        from ...kernels.sorting import sort_within_groups
        from ...kernels.species_counts import LABEL_SHIFT, count_by_user, words_by_user

        parts = one_part_per_thread(votes.n_observations)
        counts = np.zeros((len(parts), votes.n_users), np.int64)
        words = np.empty(votes.n_votes, np.uint64)
        kernels_side_by_side(
            *(partial(count_by_user, *part, votes.offsets, votes.users, counts[p]) for p, part in enumerate(parts))
        )
        offsets = np.zeros(votes.n_users + 1, np.int64)
        np.cumsum(counts.sum(axis=0), out=offsets[1:])
        places = np.cumsum(counts, axis=0) - counts + offsets[:-1]

        def write(part: int) -> None:
            first, last = parts[part]
            words_by_user(first, last, votes.offsets, votes.users, votes.labels, votes.is_author, places[part], words)

        kernels_side_by_side(*(partial(write, part) for part in range(len(parts))))
        in_blocks(sort_within_groups, votes.n_users, offsets, words, LABEL_SHIFT)
        return cls(offsets, words)


class Standing:
    """The weight of all votes on each observation, and whether it is valid, under changing weights and labels.

    Holds 11 bytes an observation.
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

        ``disputes`` are those that are judged, by default the votes'. Where ``joined``, ``joined_weight`` adds to the
        users'.
        """
        from ...kernels.species_counts import DISPUTED, JOINED

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
        """Judge the undisputed observations under ``weights`` float64[n_users]; the weight of all votes on each."""
        from ...kernels.species_counts import mark_observations, update_states

        votes, by_user = self.votes, self.by_user
        if self._weights is not None:
            changed = weights != self._weights
            in_blocks(mark_observations, votes.n_users, by_user.offsets, by_user.words, changed, self._is_stale)
        in_blocks(
            update_states,
            votes.n_observations,
            votes.offsets,
            votes.users,
            weights,
            self.threshold,
            self.joined_weight,
            self._is_stale,
            self.totals,
            self.state,
            self.changed,
        )
        self._weights = weights
        return self.totals

    def judge_disputed(self, labels: LabelCodes, valid: Flags) -> None:
        """Take note of the disputed observations' ``labels``, and of which are ``valid`` under them."""
        from ...kernels.species_counts import DISPUTED, VALID

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
        from ...kernels.species_counts import VALID

        return (self.state & VALID).view(np.bool_)


class SpeciesCounter:
    """Counts, again and again, the species each user has identified: 8 bytes a user."""

    def __init__(self, standing: Standing, *, votes_need_validity: bool) -> None:
        """``votes_need_validity``: votes on others' observations count only where these are valid."""
        self.standing = standing
        self.votes_need_validity = votes_need_validity
        self._n_author, self._n_vote = np.zeros((2, standing.votes.n_users), np.int32)
        self._started = False

    def count(self, labels: LabelCodes) -> tuple[Counts, Counts]:
        """Species authored and species voted by each user: two int32[n_users].

        Authored: of the user's own valid observations, where the vote equals its label in ``labels``. Voted: of
        others' observations, less those authored.
        """
        from ...kernels.species_counts import count_species, mark_voters

        standing, votes = self.standing, self.standing.votes
        if self._started:
            is_stale = np.zeros(votes.n_users, np.uint8)
            in_blocks(mark_voters, votes.n_observations, votes.offsets, votes.users, standing.changed, is_stale)
        else:
            is_stale = np.ones(votes.n_users, np.uint8)
        self._started = True
        in_blocks(
            count_species,
            votes.n_users,
            standing.by_user.offsets,
            standing.by_user.words,
            is_stale,
            standing.state,
            labels,
            self.votes_need_validity,
            self._n_author,
            self._n_vote,
        )
        return self._n_author.copy(), self._n_vote.copy()


def tallies(standing: Standing, labels: LabelCodes) -> tuple[Counts, Counts, Counts]:
    """Each user's votes, votes on own observations, and votes that equal ``labels``: int32[n_users] each."""
    from ...kernels.species_counts import tally_users

    by_user = standing.by_user
    n_votes = np.diff(by_user.offsets).astype(np.int32)
    n_authored, n_agreeing = np.empty((2, n_votes.size), np.int32)
    in_blocks(tally_users, n_votes.size, by_user.offsets, by_user.words, standing.state, labels, n_authored, n_agreeing)
    return n_votes, n_authored, n_agreeing
