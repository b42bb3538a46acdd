"""Criteria that end an iteration."""

from hashlib import blake2b

import numpy as np

from ...arrays import Counts, Floats, LabelCodes, Weights
from ...trace import Iteration, LikelihoodIteration, Trace
from .outcome import Outcome

WEIGHT_MOVED = 1e-6  # a user whose weight changes by no more counts as unchanged


def count_moved(before: Weights, after: Weights) -> int:
    """Number of users whose weight has changed by more than WEIGHT_MOVED; weights float64[n_users]."""
    return int(np.count_nonzero(np.abs(after - before) > WEIGHT_MOVED))


class Convergence:
    """Watches an iteration over (species counts, labels) and says when it ends.

    It ends when an iteration changes neither; when a state returns, that is, the iteration cycles; or after
    ``max_iter`` iterations. States are remembered by a 256-bit digest.
    """

    def __init__(self, max_iter: int, labels: LabelCodes) -> None:
        self.max_iter = max_iter
        self._labels = labels
        self._species: Counts | None = None
        self._iterations: list[Iteration] = []
        self._first_seen: dict[bytes, int] = {}
        self._period = 0

    def goes_on(self) -> bool:
        """Whether another iteration is due."""
        return self._period == 0 and len(self._iterations) < self.max_iter

    def saw(self, species: Counts, labels: LabelCodes, n_valid: int) -> None:
        """Take note of the state that an iteration arrived at.

        ``species`` int32[n_users]; ``labels`` int32, of the observations whose label can change at all.
        """
        before = self._species
        users_changed = species.size if before is None else int(np.count_nonzero(species != before))
        labels_changed = int(np.count_nonzero(labels != self._labels))
        self._iterations.append(Iteration(labels_changed, users_changed, n_valid))
        self._species, self._labels = species, labels
        digest = blake2b(labels.tobytes(), digest_size=32, key=blake2b(species.tobytes()).digest()).digest()
        now = len(self._iterations)
        self._period = now - self._first_seen.setdefault(digest, now)

    @property
    def trace(self) -> Trace:
        """What has happened so far."""
        return Trace(
            tuple(self._iterations), converged=self._period == 1, cycle_length=self._period if self._period > 1 else 0
        )


def _moved(before: Floats, after: Floats) -> float:
    return float(np.abs(after - before).max(initial=0.0))


class PosteriorConvergence:
    """Watches posterior probabilities and says when they have converged.

    They have when an iteration moves none of them by more than ``tolerance``, not before the iteration ``at_least``;
    ``max_iter`` iterations are the limit. Where experts hold posteriors fixed, the users' weights must not have moved
    by more either.
    """

    def __init__(self, max_iter: int, tolerance: float, outcome: Outcome, at_least: int = 1) -> None:
        """``outcome``: before the first iteration."""
        self.max_iter = max_iter
        self.at_least = at_least
        self.tolerance = tolerance
        self._posteriors = outcome.shares
        self._weights: Weights | None = None
        self._iterations: list[Iteration] = []
        self._converged = False

    def goes_on(self) -> bool:
        """Whether another iteration is due."""
        return not self._converged and len(self._iterations) < self.max_iter

    def saw(self, outcome: Outcome, log_likelihood: float) -> None:
        """Take note of what an iteration arrived at; ``log_likelihood`` of all votes, in nats."""
        weights, posteriors = outcome.weights, outcome.shares
        users_changed = weights.size if self._weights is None else count_moved(self._weights, weights)
        self._iterations.append(
            LikelihoodIteration(
                outcome.labels_changed, users_changed, outcome.count_valid(), log_likelihood=log_likelihood
            )
        )
        moved = _moved(self._posteriors, posteriors)
        self._converged = moved <= self.tolerance and len(self._iterations) >= self.at_least
        if outcome.votes.expert_labels is not None:
            self._converged &= self._weights is not None and _moved(self._weights, weights) <= self.tolerance
        self._posteriors, self._weights = posteriors, weights

    @property
    def trace(self) -> Trace:
        """What has happened so far."""
        return Trace(tuple(self._iterations), converged=self._converged, cycle_length=0)
