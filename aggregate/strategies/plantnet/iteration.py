"""Algorithm 1 of [L25]: labels from the users' weights, weights from the species that users have identified."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...arrays import Counts, LabelCodes, Weights
from ...progress import Progress
from ...trace import Trace
from ..parts.convergence import Convergence
from ..parts.species import n_species
from ..parts.thresholds import Thresholds


@dataclass(frozen=True)
class Rules:
    """The functions and constants that parameters set."""

    weights_of: Callable[[Counts], Weights]
    """Species n[u], int32[n_users] -> weights w[u], float64[n_users]: f(n), adjusted by the user weights given."""
    thresholds: Thresholds
    """When a label is valid."""
    votes_need_validity: bool
    """Whether votes on others' observations earn species only where these are valid."""
    gamma: float
    """Weight of an unknown user."""
    max_iter: int


@dataclass(frozen=True, eq=False)
class Estimate:
    """The result of the iteration."""

    weights: Weights  # w[u], float64[n_users]
    n_author: Counts
    n_vote: Counts
    trace: Trace


class Blocks(Protocol):
    """The votes, in one block or many, and the labels and validity of their observations: what an engine implements.

    Every verb is deterministic, however the votes are divided into blocks.
    """

    n_users: int

    def settle(self, weights: Weights) -> LabelCodes:
        """yhat[i] = argmax_k of the sum of w[u] with y[i,u] = k; of tied labels the one held so far, see ``support``.

        Returns those of the disputed observations, int32, in the same order every time.
        """

    def weigh(self, weights: Weights) -> int:
        """conf[i], acc[i] and s[i] of the labels yhat; returns the number of valid observations."""

    def count_species(self) -> tuple[Counts, Counts]:
        """|author_species[u]| and |vote_species[u]| under yhat and s: int32[n_users] each."""

    def report(self, estimate: Estimate) -> Any:
        """The columns that derive from the final w and yhat; aum from all w that :meth:`weigh` saw but the last."""


def iterate(blocks: Blocks, rules: Rules, progress: Progress) -> Estimate:
    """Start from w[u] = f(0), and so from the plain majority; end as ``Convergence`` says."""
    weights = rules.weights_of(np.zeros(blocks.n_users, np.int32))
    labels = blocks.settle(weights)
    watch = Convergence(rules.max_iter, labels)
    while watch.goes_on():
        n_valid = blocks.weigh(weights)
        n_author, n_vote = blocks.count_species()
        species = n_species(n_author, n_vote)
        weights = rules.weights_of(species)
        labels = blocks.settle(weights)
        watch.saw(species, labels, n_valid)
        progress.advance()
    blocks.weigh(weights)
    return Estimate(weights, n_author, n_vote, watch.trace)
