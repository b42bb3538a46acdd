"""The votes on a block of observations: their users and labels."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Flags, Indices, LabelCodes, UserCodes
from .counts import heavy_tailed
from .crowd import Crowd
from .published import MOST_VOTES
from .species import Flora

WRONG_OPINION_CANDOUR = 0.6
"""Factor on the readiness to contradict of users who are wrong, as they are less certain; assumed."""

MAX_EXCHANGES = 100  # maximum rounds of exchanging reviewers; two or three suffice, unless there are very few users


@dataclass(frozen=True)
class Quota:
    """Counts of a block of observations, fixed in advance."""

    observations: int
    votes: int
    multi_vote: int
    disagreed: int
    author_votes: int


@dataclass(frozen=True)
class BlockVotes:
    """The votes of a block of observations, grouped by observation, the first voter first.

    ``offsets`` int64[n_observations + 1]; ``users``, ``labels`` int32[n_votes]; ``is_author`` bool[n_votes].
    """

    offsets: Indices
    users: UserCodes
    labels: LabelCodes
    is_author: Flags


def cast_votes(
    quota: Quota,
    truth: LabelCodes,
    sure: Flags,
    turns: tuple[UserCodes, UserCodes],
    crowd: Crowd,
    flora: Flora,
    rng: np.random.Generator,
) -> BlockVotes:
    """Draw the votes of a block.

    ``truth`` int32[n_observations]: the species. ``sure`` bool[n_observations]: whether the first vote must be right.
    ``turns``: the users who vote as authors and those who vote as reviewers, as many as there are votes of each kind.
    """
    sizes = _votes_per_observation(quota, rng)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    observation = np.repeat(np.arange(quota.observations), sizes)
    place = np.arange(quota.votes) - offsets[observation]
    is_author = np.zeros(quota.votes, np.bool_)
    is_author[offsets[rng.permutation(quota.observations)[: quota.author_votes]]] = True
    users = np.empty(quota.votes, np.int32)
    users[is_author], users[~is_author] = turns
    _exchange_repeated(users, place, len(crowd.ids), rng)
    opinions = _opinions(truth[observation], sure[observation] & (place == 0), users, crowd, flora, rng)
    labels = _confirmations(opinions, observation, offsets, users, truth, crowd, quota.disagreed, rng)
    return BlockVotes(offsets, users, labels, is_author)


def _votes_per_observation(quota: Quota, rng: np.random.Generator) -> Indices:
    """Votes per observation, int64[n_observations]: exactly ``quota.multi_vote`` have 2 or more, heavy-tailed."""
    sizes = np.ones(quota.observations, np.int64)
    votes = quota.votes - (quota.observations - quota.multi_vote)
    highest = max(MOST_VOTES, -(-votes // max(quota.multi_vote, 1)))
    sizes[: quota.multi_vote] = heavy_tailed(quota.multi_vote, votes, 2, highest)
    rng.shuffle(sizes)
    return sizes


def _exchange_repeated(users: UserCodes, place: Indices, n_users: int, rng: np.random.Generator) -> None:
    """Exchange reviewers, in place, until no user votes twice on an observation.

    If there are too few users for that, other users vote instead, which changes how often users vote.
    """
    reviews = np.flatnonzero(place)
    for _ in range(MAX_EXCHANGES):
        repeated = _repeated(users, place)
        if not len(repeated):
            return
        others = rng.choice(reviews, min(len(reviews), len(repeated)), replace=False)
        exchanged = np.union1d(repeated, others)
        users[exchanged] = users[rng.permutation(exchanged)]
    while len(repeated := _repeated(users, place)):
        users[repeated] = (users[repeated] + 1) % n_users


def _repeated(users: UserCodes, place: Indices) -> Indices:
    """Positions of the votes whose user has an earlier vote on the same observation, ascending int64."""
    found = []
    later = np.flatnonzero(place)
    back = 1
    while len(later):
        found.append(later[users[later] == users[later - back]])
        back += 1
        later = later[place[later] >= back]
    return np.unique(np.concatenate(found)) if found else later


def _opinions(
    species: LabelCodes, sure: Flags, users: UserCodes, crowd: Crowd, flora: Flora, rng: np.random.Generator
) -> LabelCodes:
    """Each voter's own opinion, int32[n_votes]: the species, or one that it is mistaken for."""
    chance = rng.random(len(users))
    wrong = np.flatnonzero((chance < crowd.error[users] * flora.difficulty[species]) & ~sure)
    opinions = species.copy()
    opinions[wrong] = flora.mistaken(species[wrong], crowd.careless[users[wrong]], rng)
    return opinions


def _confirmations(
    opinions: LabelCodes,
    observation: Indices,
    offsets: Indices,
    users: UserCodes,
    truth: LabelCodes,
    crowd: Crowd,
    n_disagreed: int,
    rng: np.random.Generator,
) -> LabelCodes:
    """The labels voted, int32[n_votes]: the first voter's opinion, unless a later voter contradicts it.

    Each voter with another opinion has a reluctance; those with a reluctance below a threshold contradict. The
    threshold is such that exactly ``n_disagreed`` observations are contradicted.
    """
    labels = opinions[offsets[:-1]][observation]
    differing = np.flatnonzero(opinions != labels)
    right = opinions[differing] == truth[observation[differing]]
    candour = crowd.candour[users[differing]] * np.where(right, 1.0, WRONG_OPINION_CANDOUR)
    reluctance = rng.random(len(differing)) / candour
    doubted = observation[differing]
    first = np.flatnonzero(np.diff(doubted, prepend=-1))
    n_disagreed = min(n_disagreed, len(first))
    if n_disagreed:
        least = np.minimum.reduceat(reluctance, first)
        threshold = np.partition(least, n_disagreed - 1)[n_disagreed - 1]
        said = differing[reluctance <= threshold]
        labels[said] = opinions[said]
    return labels
