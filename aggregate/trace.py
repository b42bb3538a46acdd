"""What happened in each iteration, and how it ended."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Iteration:
    """One iteration: what it changed, and the observations that were valid in it."""

    labels_changed: int
    users_changed: int
    valid: int


@dataclass(frozen=True)
class LikelihoodIteration(Iteration):
    """One iteration of a model of probabilities: also how likely the votes were under it."""

    log_likelihood: float
    """Of all votes, in nats."""


@dataclass(frozen=True)
class Trace:
    """The iterations in order, whether they converged, and the period if they ran in a circle (else 0)."""

    iterations: tuple[Iteration, ...]
    converged: bool
    cycle_length: int
