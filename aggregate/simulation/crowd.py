"""The users: how often, when, and how accurately they vote, as authors or as reviewers."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays import Flags, Floats, Indices, UserCodes
from ..shares import count_of, nearest_count
from .counts import heavy_tailed
from .published import Totals

MOST_ACTIVE_SHARE = 0.012  # bound on the share of all votes that the most active user casts; assumed

BEGINNER_ERROR = 0.25
LEARNING = 0.25
"""A user of n votes errs at BEGINNER_ERROR * n ** -LEARNING, times 0.5 to 1.5; assumed."""

CARELESS_SHARE = 0.01
CARELESS_ERROR = 0.95
CARELESS_MAX_VOTES = 100
"""Share of the users who vote near-randomly, their error rate, and their maximum number of votes; assumed."""

CARELESS_CANDOUR = 1e6  # candour of a careless user, who contradicts any label
ONE_VOTE_REVIEWERS = 0.04  # share of the one-vote users whose vote is on someone else's observation; assumed
MOST_REVIEWING = 0.8  # largest share of the votes that a user casts on others' observations; assumed
CLOCK = 2**31  # length of the period in the unit of registration and activity times
FIXED = 2.0**20  # skills are multiples of 1 / FIXED, so that the rounding of `pow` on a machine does not matter

FIRST_USER_ID = 100_000_000
MAX_ID_GAP = 9
CHUNK = 2**22


@dataclass(frozen=True)
class Crowd:
    """The users; codes are in the order of their registration.

    ``ids`` int64[n_users], ascending. ``error`` float64[n_users]: probability of a mistake at difficulty 1. ``candour``
    float64[n_users]: readiness to contradict, without a unit. ``careless`` bool[n_users]. ``authors`` int32[author
    votes] and ``reviewers`` int32[other votes]: the user of each vote, in the order in which votes are cast.
    """

    ids: Indices
    error: Floats
    candour: Floats
    careless: Flags
    authors: UserCodes
    reviewers: UserCodes

    @classmethod
    def of(cls, totals: Totals, rng: np.random.Generator) -> "Crowd":
        """A crowd that casts ``totals.votes`` votes."""
        votes = _activity(totals)
        rng.shuffle(votes)
        reviews = _reviews(votes, totals.votes - totals.author_votes, rng)
        careless = _careless(votes, rng)
        error = np.minimum(1.0, BEGINNER_ERROR * votes**-LEARNING * (0.5 + rng.random(totals.users)))
        error = np.maximum(1.0, np.rint(error * FIXED)) / FIXED
        registered = np.sort(rng.integers(0, CLOCK, totals.users))
        # Users with many votes stay long; those with few often leave the same day.
        stay = rng.random(totals.users) ** (8 / (1 + np.log(votes)))
        active = (CLOCK - registered) * np.rint(stay * FIXED).astype(np.int64) // int(FIXED)
        return cls(
            ids=FIRST_USER_ID + np.cumsum(rng.integers(1, MAX_ID_GAP + 1, totals.users)),
            error=np.where(careless, CARELESS_ERROR, error),
            candour=np.where(careless, CARELESS_CANDOUR, 1 / error),
            careless=careless,
            authors=_turns(votes - reviews, registered, active, rng),
            reviewers=_turns(reviews, registered, active, rng),
        )


def _activity(totals: Totals) -> Indices:
    """Votes per user, ascending, int64[users]: exactly ``totals.one_vote`` ones, the others heavy-tailed."""
    others = totals.users - totals.one_vote
    votes = totals.votes - totals.one_vote
    mean = -(-votes // max(others, 1))
    highest = max(2, mean, min(totals.observations // 2, max(8 * mean, count_of(MOST_ACTIVE_SHARE, totals.votes))))
    return np.concatenate([np.ones(totals.one_vote, np.int64), heavy_tailed(others, votes, 2, highest)])


def _reviews(votes: Indices, n_reviews: int, rng: np.random.Generator) -> Indices:
    """How many of each user's ``votes`` are on others' observations, int64[users]; they add up to ``n_reviews``.

    The share grows linearly with the logarithm of the activity; the slope is such that the numbers add up.
    """
    reviews = np.zeros_like(votes)
    ones = np.flatnonzero(votes == 1)
    n_ones = min(n_reviews, nearest_count(ONE_VOTE_REVIEWERS, len(ones)))
    reviews[rng.choice(ones, n_ones, replace=False)] = 1
    several = np.flatnonzero(votes > 1)
    logarithms, rounding = np.log(votes[several]), rng.random(len(several))

    def at_pace(pace: int) -> Indices:
        share = np.minimum(MOST_REVIEWING, logarithms * (pace / 2**14))
        return np.floor(votes[several] * share + rounding).astype(np.int64)

    low, high = 0, 2**14
    while low < high:
        middle = (low + high + 1) // 2
        if at_pace(middle).sum() <= n_reviews - n_ones:
            low = middle
        else:
            high = middle - 1
    reviews[several] = at_pace(low)
    return _fill(reviews, votes, n_reviews)


def _fill(reviews: Indices, votes: Indices, n_reviews: int) -> Indices:
    """Add to ``reviews``, at most up to ``votes``, until they add up to ``n_reviews``; the active first."""
    missing = n_reviews - int(reviews.sum())
    while missing:
        room = np.flatnonzero(reviews < votes)
        room = room[np.argsort(votes[room] == 1, kind="stable")][:missing]
        reviews[room] += 1
        missing -= len(room)
    return reviews


def _careless(votes: Indices, rng: np.random.Generator) -> Flags:
    """The users who vote near-randomly, bool[n_users]: an exact share, none of them very active."""
    careless = np.zeros(len(votes), np.bool_)
    pool = np.flatnonzero(votes <= CARELESS_MAX_VOTES)
    n_careless = min(len(pool), nearest_count(CARELESS_SHARE, len(votes)))
    careless[rng.choice(pool, n_careless, replace=False)] = True
    return careless


def _turns(votes: Indices, registered: Indices, active: Indices, rng: np.random.Generator) -> UserCodes:
    """The users of all ``votes``, int32[votes.sum()], in the order of the times at which they are active.

    Sorts 64-bit words (time, user), which is fast, and the order of ties does not matter.
    """
    upto = np.cumsum(votes)
    n_votes = int(upto[-1])
    words = np.empty(n_votes, np.int64)
    cuts = [0, *np.searchsorted(upto, np.arange(CHUNK, n_votes, CHUNK)).tolist(), len(votes)]
    filled = 0
    for first, last in pairwise(cuts):
        users = np.repeat(np.arange(first, last), votes[first:last])
        times = registered[users] + (active[users] * rng.integers(0, 2**30, len(users)) >> 30)
        words[filled : filled + len(users)] = times << 32 | users
        filled += len(users)
    words.sort()
    return (words & 0x7FFFFFFF).astype(np.int32)
