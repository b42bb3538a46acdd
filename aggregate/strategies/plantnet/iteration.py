"""Algorithm 1 of [L25]: labels from the users' weights, weights from the species that users have identified."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from ...arrays import Counts, Flags, LabelCodes, Weights
from ...derived.columns import DisputeFindings, UserFindings
from ...derived.species import n_species
from ...derived.thresholds import Thresholds
from ...derived.votes_by_user import VotesByUser
from ...disputes import Disputes
from ...progress import Progress
from ...trace import Trace
from ..parts.convergence import Convergence
from .ai_role import AiRole


class Rules(NamedTuple):
    """The functions and constants that parameters set."""

    # Species n[u], int32[n_users] -> weights w[u], float64[n_users]: f(n), adjusted by the user weights given.
    weights_of: Callable[[Counts], Weights]
    thresholds: Thresholds  # when a label is valid
    votes_need_validity: bool  # whether votes on others' observations earn species only where these are valid
    gamma: float  # weight of an unknown user
    max_iter: int


class Estimate(NamedTuple):
    """The result of the iteration."""

    weights: Weights  # w[u], float64[n_users]
    n_author: Counts
    n_vote: Counts
    trace: Trace


class Report(NamedTuple):
    """The columns of a consensus."""

    labels: LabelCodes
    weight: Weights
    valid: Flags
    reported: Disputes  # the disputed observations, and the votes that the columns derive from
    vote_weights: Weights  # float64, of these votes
    disputes: DisputeFindings
    users: UserFindings


class Engine(Protocol):
    """The votes, wherever they are, and the labels and validity of their observations, computed by four verbs.

    Every verb is deterministic, however the votes are divided.
    """

    n_users: int

    def __init__(self, role: AiRole, by_user: VotesByUser, rules: Rules) -> None:
        """The votes of ``role``; ``by_user``: those of its users, by user."""

    @property
    def labels(self) -> LabelCodes:
        """yhat[i], int32[n_observations]; -1 where there is no vote."""

    @property
    def valid(self) -> Flags:
        """s[i], bool[n_observations]; before any objection of the AI."""

    def settle(self, weights: Weights) -> LabelCodes:
        """yhat[i] = argmax_k of the sum of w[u] with y[i,u] = k; returns those of disputes, int32, always in one order.

        Ties, here and wherever a label is chosen: sums are exact and rounded once, and a label is tied if its sum is at
        least (1 - 1e-9) times the largest. Among the tied, the label held so far wins; else one that an author of the
        observation voted; else the one with most votes; else the smallest.
        """

    def weigh(self, weights: Weights) -> int:
        """conf[i], acc[i] and s[i] of the labels yhat; returns the number of valid observations."""

    def count_species(self) -> tuple[Counts, Counts]:
        """|author_species[u]| and |vote_species[u]| under yhat and s: int32[n_users] each."""

    def report(self, estimate: Estimate) -> Report:
        """The columns that derive from the final w and yhat; aum from all w that :meth:`weigh` saw but the last."""


def iterate(engine: Engine, rules: Rules, progress: Progress) -> Estimate:
    """Start from w[u] = f(0), and so from the plain majority; end as ``Convergence`` says."""
    weights = rules.weights_of(np.zeros(engine.n_users, np.int32))
    labels = engine.settle(weights)
    watch = Convergence(rules.max_iter, labels)
    while watch.goes_on():
        n_valid = engine.weigh(weights)
        n_author, n_vote = engine.count_species()
        species = n_species(n_author, n_vote)
        weights = rules.weights_of(species)
        labels = engine.settle(weights)
        watch.saw(species, labels, n_valid)
        progress.advance()
    engine.weigh(weights)
    return Estimate(weights, n_author, n_vote, watch.trace)
