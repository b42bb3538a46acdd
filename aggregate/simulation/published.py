"""The numbers published about Pl@ntNet's South-Western Europe votes, and the same at another scale."""

from dataclasses import dataclass

from ..shares import nearest_count

OBSERVATIONS = 6_699_593
VOTES = 9_005_108
USERS = 823_251
SPECIES = 11_425
"""Numbers of observations, votes, users who voted, and distinct labels voted [L25]."""

MULTI_VOTE_SHARE = 0.24  # share of the observations with at least two votes [L25]
DISAGREED_SHARE = 0.010  # share of all observations on which at least two labels were voted [L25]
ONE_VOTE_USER_SHARE = 0.62  # share of the users who voted once [L25]

RARE_SPECIES = 0.8
RARE_SPECIES_SHARE = 0.11
"""Share of the observations that the rarest 80 % of the species have [L25]."""

AUTHOR_VOTES_SHARE = 0.98  # share of the observations on which the author votes; assumed, "nearly always"
MOST_VOTES = 40  # votes on the most voted observation; assumed
FEWEST_USERS = 10  # minimum number of users at any scale, so that there are enough voters for an observation


@dataclass(frozen=True)
class Totals:
    """Counts that a simulation reaches exactly.

    ``multi_vote`` and ``disagreed`` count observations, ``one_vote`` users, ``author_votes`` votes.
    """

    observations: int
    votes: int
    users: int
    multi_vote: int
    disagreed: int
    one_vote: int
    author_votes: int

    @classmethod
    def at(cls, scale: float) -> "Totals":
        """The published counts times ``scale``, adjusted as little as necessary to be consistent for few votes."""
        observations = max(1, nearest_count(scale, OBSERVATIONS))
        votes = max(observations, nearest_count(scale, VOTES))
        users = min(votes, max(FEWEST_USERS, nearest_count(scale, USERS)))
        if users == 1:
            votes = observations
        multi_vote = min(votes - observations, max(1, nearest_count(MULTI_VOTE_SHARE, observations)))
        # The other users vote twice or more, so there must be enough votes for that.
        one_vote = min(users - (votes > users), max(nearest_count(ONE_VOTE_USER_SHARE, users), 2 * users - votes))
        return cls(
            observations=observations,
            votes=votes,
            users=users,
            multi_vote=multi_vote,
            disagreed=min(multi_vote, nearest_count(DISAGREED_SHARE, observations)),
            one_vote=one_vote,
            author_votes=nearest_count(AUTHOR_VOTES_SHARE, observations),
        )
