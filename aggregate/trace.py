"""The trace of a fit: its iterations, and whether they converged."""

from dataclasses import dataclass, field
from typing import NamedTuple

from .blocks import count
from .reprs import short_repr


@dataclass(frozen=True)
class Iteration:
    """One iteration: its changes, and the number of valid observations; None where the strategy does not count them."""

    labels_changed: int
    """Observations that got another label."""
    users_changed: int | None = None
    """Users whose weight, or number of species, changed."""
    valid: int | None = None
    """Valid observations after it."""


@dataclass(frozen=True)
class LikelihoodIteration(Iteration):
    """One iteration of a probabilistic model, with the log-likelihood of the votes."""

    log_likelihood: float = field(kw_only=True)
    """Log-likelihood of all votes after it, in nats; of probabilistic models alone."""


class Trace(NamedTuple):
    """The iterations in order, whether they converged, and the length of the cycle that they ended in (else 0)."""

    iterations: tuple[Iteration, ...]
    """In order; a single one if the strategy does not iterate."""
    converged: bool = True
    """Whether they came to an end by themselves."""
    cycle_length: int = 0
    """The length of the cycle that they ended in; 0 if in none."""
    start: int | None = None
    """Which of several starts they are from, counted from 1; None where there is one."""

    def __repr__(self) -> str:
        return short_repr(self)


def in_words(n_iterations: int, converged: bool | None, cycle_length: int | None, start: int | None = None) -> str:
    """How the iterations ended; and which of several starts they are from.

    >>> in_words(1, True, 0), in_words(100, False, 2)
    ('converged after 1 iteration', 'NOT converged: a cycle of 2 after 100 iterations')
    >>> in_words(12, True, 0, 3)
    'converged after 12 iterations from start 3'
    """
    iterations = count(n_iterations, "iteration") + ("" if start is None else f" from start {start}")
    if converged:
        return f"converged after {iterations}"
    if cycle_length:
        return f"NOT converged: a cycle of {cycle_length} after {iterations}"
    return f"NOT converged: stopped after {iterations}"
