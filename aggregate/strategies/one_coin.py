"""Dawid and Skene's model with one accuracy per user."""

from dataclasses import dataclass
from typing import ClassVar

from .. import shared_parameters as common
from ..arrays import Floats, Weights
from ..consensus import Consensus, ModelFindings
from ..progress import Progress
from ..votes import Votes
from .parts.label_odds import TwoWayVotes, two_way_findings
from .parts.outcome import Outcome
from .parts.posteriors import Accuracies, CaseWeights, LabelPrior, PosteriorStrategy, Scores, fit_model, sum_of_logs


@dataclass(frozen=True, repr=False)
class OneCoin(PosteriorStrategy):
    """A user is right with one probability, whatever the label, and errs alike to all others [DS79, one parameter].

    P(vote l of u | label k) = p(u) if l = k, else (1 - p(u)) / (K - 1), with K labels in all.

    EM: p(u) = (sum of the posteriors of the labels that u voted + prior_votes m) / (votes of u + prior_votes), where m
    is that share for all users together; P(k) is proportional to (expected observations of k + label_smoothing) to the
    power ``label_prior``. The square root keeps apart what the full prior mixes up: under it all observations of a
    balanced set can end in one label.

    [DS79] Dawid and Skene 1979, Maximum likelihood estimation of observer error-rates using the EM algorithm, Journal
    of the Royal Statistical Society C 28. A user's weight is p(u).

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        max_iter: iterations at most. At least 1, default 300.
        tolerance: stop when no posterior probability has moved by more. In (0, 1), default 0.01.
        expert_weight: how often votes on observations that experts labelled count in what is learnt of users. In
            [0.001, 1e6], with experts, default 1.
        prior_votes: votes of the crowd's mean quality added to each user's. In [0, 1e6], default 2.
        label_prior: power of a label's frequency in its prior probability; 0: all alike. In [0, 1], default 0.5.
        label_smoothing: observations added to each label's. In [0, 1e6], default 1.
    """

    name: ClassVar[str] = "one-coin"

    prior_votes: float = common.prior_votes(2.0)
    label_prior: float = common.label_prior(0.5)
    label_smoothing: float = common.label_smoothing()

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Estimate posteriors and accuracies together."""
        return fit_model(self, votes, OneCoinModel(self, votes), progress)


class OneCoinModel:
    """Accuracies p(u) and label probabilities P(k)."""

    def __init__(self, strategy: OneCoin, votes: Votes) -> None:
        case_weights = CaseWeights(votes.disputes, strategy.expert_weight)
        self._votes = votes
        self._n_others = max(votes.n_labels - 1, 1)
        self._accuracies = Accuracies(votes, strategy.prior_votes, case_weights)
        self._label_prior = LabelPrior(votes, strategy.label_prior, strategy.label_smoothing)
        self._scores = Scores(votes.disputes)

    def maximise(self, posteriors: Floats) -> None:
        """Accuracies and label probabilities from the posteriors."""
        self._accuracies.maximise(posteriors)
        self._label_prior.maximise(posteriors)

    def expect(self) -> tuple[Floats, float]:
        """Posteriors and log-likelihood."""
        right, users = self._accuracies.of_users, self._votes.disputes.users
        posteriors, log_likelihood = self._scores.two_way(
            self._scores.logs_of(right)[users],
            self._scores.logs_of((1 - right) / self._n_others)[users],
            self._scores.logs_of(self._label_prior.probabilities),
        )
        log_likelihood += sum_of_logs(self._accuracies.undisputed, right) + self._label_prior.log_likelihood()
        return posteriors, log_likelihood

    def weights(self) -> Weights:
        """Accuracies of the users."""
        return self._accuracies.of_users

    def findings(self, outcome: Outcome) -> ModelFindings:
        """Confidence and probability: a user's votes are alike."""
        right = self._accuracies.of_users
        cast = TwoWayVotes(right, (1 - right) / self._n_others, self._votes.users)
        return two_way_findings(outcome, self._label_prior.probabilities, cast)
