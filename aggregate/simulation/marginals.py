"""Counts the marginals that a simulation shares with the published data."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Indices
from ..shares import nearest_count
from . import published
from .species import rare_share, species_at
from .stream import Block


@dataclass(frozen=True)
class Marginals:
    """Published numbers about a vote log; shares in [0, 1]."""

    observations: int
    votes: int
    users: int
    species: int
    multi_vote_share: float
    disagreed_share: float
    one_vote_user_share: float
    rare_species_share: float


def published_at(scale: float) -> Marginals:
    """The published marginals, the counts scaled; and the number of species that is expected at that scale."""
    observations = nearest_count(scale, published.OBSERVATIONS)
    return Marginals(
        observations=observations,
        votes=nearest_count(scale, published.VOTES),
        users=nearest_count(scale, published.USERS),
        species=species_at(scale, max(1, observations)),
        multi_vote_share=published.MULTI_VOTE_SHARE,
        disagreed_share=published.DISAGREED_SHARE,
        one_vote_user_share=published.ONE_VOTE_USER_SHARE,
        rare_species_share=published.RARE_SPECIES_SHARE,
    )


class Tally:
    """Counts the marginals of successive blocks."""

    def __init__(self, n_users: int, n_species: int) -> None:
        self._by_user: Indices = np.zeros(n_users, np.int64)
        self._by_label: Indices = np.zeros(n_species, np.int64)
        self._by_species: Indices = np.zeros(n_species, np.int64)
        self._observations = self._votes = self._multi_vote = self._disagreed = 0

    def add(self, block: Block) -> None:
        """Count a block."""
        votes = block.votes
        self._observations += len(block.observation_ids)
        self._votes += len(votes.users)
        self._multi_vote += int((np.diff(votes.offsets) > 1).sum())
        starts = votes.offsets[:-1]
        least, greatest = np.minimum.reduceat(votes.labels, starts), np.maximum.reduceat(votes.labels, starts)
        self._disagreed += int((least != greatest).sum())
        for counts, codes in (
            (self._by_user, votes.users),
            (self._by_label, votes.labels),
            (self._by_species, block.truth),
        ):
            counts += np.bincount(codes, minlength=len(counts))

    def marginals(self) -> Marginals:
        """The marginals of the blocks so far."""
        users = int((self._by_user > 0).sum())
        return Marginals(
            observations=self._observations,
            votes=self._votes,
            users=users,
            species=int((self._by_label > 0).sum()),
            multi_vote_share=self._multi_vote / self._observations,
            disagreed_share=self._disagreed / self._observations,
            one_vote_user_share=int((self._by_user == 1).sum()) / users,
            rare_species_share=rare_share(self._by_species[self._by_species > 0]),
        )
