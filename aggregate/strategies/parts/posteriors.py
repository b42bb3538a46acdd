"""Expectation-maximisation on the labels that were voted: what dawid-skene, one-coin, mace and glad have in common.

The posterior of an observation is over the labels voted on it. So that of an undisputed observation is 1, whatever the
parameters; it informs them all the same, as counts that never change, and the posteriors that an iteration estimates
are those of the disputed observations. Where experts gave the label, the posterior is 1 on it from the first iteration
on: the initial shares, and :meth:`Scores.normalised`, see to that for all models.
"""

import math
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import ClassVar, Protocol

import numpy as np

from ... import shared_parameters as common
from ...arrays import Counts, Floats, Indices, Weights
from ...consensus import Consensus, ModelFindings
from ...derived.thresholds import Thresholds
from ...disputes import Disputes
from ...kernels.threads import in_blocks, kernels_side_by_side, one_part_per_thread
from ...parameters import parameter
from ...progress import Progress
from ...trace import Trace
from ...votes import Votes
from ..built_in import BuiltIn
from .convergence import PosteriorConvergence
from .outcome import Outcome, build_consensus


@dataclass(frozen=True, repr=False)
class PosteriorStrategy(BuiltIn, Thresholds):
    """Parameters of all strategies that estimate posterior probabilities."""

    takes: ClassVar[frozenset[str]] = frozenset({"experts"})

    max_iter: int = common.max_iter(300)
    tolerance: float = parameter(0.01, "stop when no posterior probability has moved by more", "in (0, 1)")
    _: KW_ONLY
    expert_weight: float = common.expert_weight()


class Model(Protocol):
    """One of the models. Posteriors are float64, one a candidate of the disputes."""

    def maximise(self, posteriors: Floats) -> None:
        """Estimate the parameters from the posteriors."""

    def expect(self) -> tuple[Floats, float]:
        """The posteriors under the parameters, and the log-likelihood of all votes (nats)."""

    def weights(self) -> Weights:
        """The weight of each user, the probability that a vote is right by skill: float64[n_users]."""

    def findings(self, outcome: Outcome) -> ModelFindings | None:
        """Confidence and probability of the labels that the estimate has ended with; None: see ``derived.columns``."""


def estimate(
    strategy: PosteriorStrategy,
    votes: Votes,
    model: Model,
    progress: Progress,
    *,
    phase: str = "estimate",
    at_least: int = 1,
) -> tuple[Outcome, Trace]:
    """Iterate from the shares of the votes until no posterior moves by more than the tolerance.

    But ``at_least`` so many iterations, if the strategy allows as many. ``phase`` is its name for listeners.
    """
    progress.phase(phase, unit="iterations")
    outcome = Outcome(strategy, votes)
    watch = PosteriorConvergence(strategy.max_iter, strategy.tolerance, outcome, at_least)
    while watch.goes_on():
        model.maximise(outcome.shares)
        posteriors, log_likelihood = model.expect()
        outcome.update(model.weights(), posteriors)
        watch.saw(outcome, log_likelihood)
        progress.advance()
    return outcome, watch.trace


def fit_model(strategy: PosteriorStrategy, votes: Votes, model: Model, progress: Progress) -> Consensus:
    """The consensus of a model's posteriors."""
    outcome, trace = estimate(strategy, votes, model, progress)
    progress.phase("compare all labels")
    return build_consensus(outcome, trace, progress, model.findings(outcome))


class LabelPrior:
    """How likely each label is before any vote: its smoothed share of the observations, to some power.

    P(k) is proportional to (observations with label k + ``smoothing``)^``exponent``: with exponent 0 all labels are
    alike, with 1 as likely as they are frequent. One that experts labelled is one observation, whatever the weight of
    the votes on it.
    """

    def __init__(self, votes: Votes, exponent: float, smoothing: float) -> None:
        candidates = votes.disputes.candidates
        first_labels = votes.first_labels
        self._exponent = exponent
        self._smoothing = smoothing
        self._largest = votes.n_observations + votes.n_labels * (smoothing + 1)
        self.undisputed: Floats = _undisputed_labels(votes, first_labels)
        self.probabilities: Floats = np.full(votes.n_labels, 1.0 / votes.n_labels)
        self._sums = PosteriorSums(candidates.labels, np.arange(len(candidates), dtype=np.int32), votes.n_labels)

    def maximise(self, posteriors: Floats) -> None:
        """Estimate the probabilities float64[n_labels] from the posteriors."""
        if self._exponent > 0:
            powers = (self.undisputed + self._sums.of(posteriors) + self._smoothing) ** self._exponent
            self.probabilities = powers / exact_sum(powers, self._largest)

    def log_likelihood(self) -> float:
        """That of the undisputed observations' labels."""
        return sum_of_logs(self.undisputed, self.probabilities)


def _undisputed_labels(votes: Votes, first_labels: Counts) -> Floats:
    counts = np.bincount(first_labels, minlength=votes.n_labels)
    counts -= np.bincount(first_labels[votes.disputes.observations], minlength=votes.n_labels)
    return counts.astype(np.float64)


class PosteriorSums:
    """Sums of posteriors by code, the same in any order: ``codes`` int32[n], and the candidate int32[n] of each."""

    def __init__(self, codes: Counts, candidates: Counts, n_codes: int, largest: float = 1.0) -> None:
        """``largest``: no posterior, times the case weight if it has one, is larger."""
        from ...kernels.posteriors import unit_for

        self._codes = codes
        self._candidates = candidates
        self._n_codes = n_codes
        self._unit = unit_for(largest * float(np.bincount(codes).max(initial=0)))

    def of(self, posteriors: Floats) -> Floats:
        """Sum of the posteriors by code, float64[n_codes]."""
        from ...kernels.posteriors import tally

        sums = np.zeros(self._n_codes, np.int64)
        tally(self._codes, self._candidates, posteriors, self._unit, sums)
        return sums / self._unit


class CaseWeights:
    """How often the votes on each disputed observation count in what is learnt of users.

    ``expert_weight`` times where experts gave the label, else once.
    """

    def __init__(self, disputes: Disputes, expert_weight: float) -> None:
        by_expert = disputes.by_expert
        self._expert_weight = expert_weight
        self.largest = 1.0
        self.of_disputes: Floats | None = None
        """float64[len(disputes)]; None if all are 1."""
        if expert_weight != 1.0 and by_expert.any():
            self.largest = max(expert_weight, 1.0)
            self.of_disputes = np.where(by_expert, expert_weight, 1.0)
            self._of_candidates = np.repeat(self.of_disputes, np.diff(disputes.candidates.offsets))
            self._is_experts = np.repeat(by_expert, np.diff(disputes.offsets))

    def times(self, posteriors: Floats) -> Floats:
        """The posteriors, float64 by candidate, times the weight of their observation."""
        return posteriors if self.of_disputes is None else posteriors * self._of_candidates

    def weighted(self, counts: Counts | Indices, codes: Counts) -> Floats:
        """``counts`` of votes by code, float64, in which those on disputed observations have their weight.

        ``codes`` int32, of each vote on a disputed observation.
        """
        if self.of_disputes is None:
            return counts.astype(np.float64)
        experts = np.bincount(codes[self._is_experts], minlength=counts.size)
        weighted: Floats = (counts - experts) + self._expert_weight * experts
        return weighted


class Scores:
    """Logarithms that can be added up over the votes of an observation, and the posteriors they lead to."""

    def __init__(self, disputes: Disputes) -> None:
        from ...kernels.posteriors import LARGEST_LOG, unit_for

        self._disputes = disputes
        most_votes = int(np.diff(disputes.offsets).max(initial=0))
        self._unit = unit_for((2 * most_votes + 1) * LARGEST_LOG, 44)
        self._largest_evidence = (disputes.users.size + len(disputes)) * LARGEST_LOG

    def logs_of(self, probabilities: Floats) -> Indices:
        """Their logarithms in fixed point, int64; a probability below 1e-100 counts as that."""
        from ...kernels.posteriors import logs_of

        logs = np.empty(probabilities.size, np.int64)
        logs_of(probabilities, self._unit, logs)
        return logs

    def two_way(self, log_right: Indices, log_wrong: Indices, label_logs: Indices) -> tuple[Floats, float]:
        """Posteriors and log-likelihood where a vote is either right or wrong: int64 by vote, and by label."""
        from ...kernels.posteriors import two_way_scores

        disputes, candidates = self._disputes, self._disputes.candidates
        scores = np.empty(len(candidates), np.int64)
        votes, offered = (disputes.offsets, log_right, log_wrong), (candidates.offsets, candidates.labels)
        in_blocks(two_way_scores, len(disputes), *votes, *offered, candidates.n_votes, label_logs, scores)
        return self.normalised(scores)

    def normalised(self, scores: Indices) -> tuple[Floats, float]:
        """Posteriors and log-likelihood from the candidates' scores int64.

        Of observations that experts labelled, only their label has a probability, and its score is the likelihood.
        """
        from ...kernels.posteriors import IMPOSSIBLE, normalise

        disputes = self._disputes
        scores[disputes.ruled_out] = IMPOSSIBLE
        posteriors = np.empty(scores.size)
        evidence = np.empty(len(disputes))
        in_blocks(normalise, len(disputes), disputes.candidates.offsets, scores, self._unit, posteriors, evidence)
        return posteriors, exact_sum(evidence, self._largest_evidence)

    def normalised_of_kinds(self, scores: Indices) -> tuple[Floats, Floats, float]:
        """The same where observations are of two kinds: int64[n_candidates, 2]; also the first kind's part of each.

        Observations with one candidate are of the first kind.
        """
        from ...kernels.kinds import normalise
        from ...kernels.posteriors import IMPOSSIBLE

        disputes, offsets = self._disputes, self._disputes.candidates.offsets
        scores[disputes.ruled_out] = IMPOSSIBLE
        scores[offsets[:-1][np.diff(offsets) == 1], 1] = IMPOSSIBLE
        posteriors, first_part = np.empty((2, len(scores)))
        evidence = np.empty(len(disputes))
        in_blocks(normalise, len(disputes), offsets, scores, self._unit, posteriors, first_part, evidence)
        return posteriors, first_part, exact_sum(evidence, self._largest_evidence)


def sum_of_logs(counts: Floats, probabilities: Floats) -> float:
    """Sum of counts log(probabilities), the same in any order."""
    from ...kernels.posteriors import LARGEST_LOG, unit_for
    from ...kernels.posteriors import sum_of_logs as kernel

    unit = unit_for(float(counts.sum()) * LARGEST_LOG, 44)
    part = partial(kernel, counts, probabilities, unit)
    sums = kernels_side_by_side(*(partial(part, first, last) for first, last in one_part_per_thread(counts.size)))
    return sum(map(int, sums)) / unit


def exact_sum(values: Floats, largest: float) -> float:
    """Sum of values whose sizes add up to ``largest`` at most, the same in any order."""
    from ...kernels.posteriors import sum_of_values, unit_for

    unit = unit_for(largest)
    return int(sum_of_values(values, unit)) / unit


class Accuracies:
    """The share of each user's votes that are right, by the posteriors, shrunk to the crowd's.

    accuracy(u) = (right votes of u + prior_votes m) / (votes of u + prior_votes), with the crowd's mean
    m = (all right votes + 1) / (all votes + 2). Votes count by their case weights.
    """

    def __init__(self, votes: Votes, prior_votes: float, case_weights: CaseWeights) -> None:
        disputes = votes.disputes
        self._prior_votes = prior_votes
        self._case_weights = case_weights
        self._n_votes = case_weights.weighted(votes.n_votes_of_users, disputes.users)
        self._n_votes_in_all = math.fsum(self._n_votes)
        self.undisputed: Floats = votes.n_undisputed_of_users.astype(np.float64)
        sums = disputes.users, disputes.candidates.of_vote, votes.n_users
        self._sums = PosteriorSums(*sums, case_weights.largest)
        self.mean = 0.5
        self.of_users: Weights = np.full(votes.n_users, self.mean)

    def maximise(self, posteriors: Floats) -> None:
        """Estimate them from the posteriors."""
        self.maximise_counts(self._sums.of(self._case_weights.times(posteriors)))

    def maximise_counts(self, right_of_disputed: Floats) -> None:
        """The same from the expected number of right votes of each user on disputed observations."""
        right = self.undisputed + right_of_disputed
        self.mean = (exact_sum(right, self._n_votes_in_all) + 1) / (self._n_votes_in_all + 2)
        self.of_users = (right + self._prior_votes * self.mean) / (self._n_votes + self._prior_votes)
