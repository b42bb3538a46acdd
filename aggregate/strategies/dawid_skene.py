"""Dawid and Skene's model, stored sparsely."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import shared_parameters as common
from ..arrays import Floats, Weights
from ..consensus import Consensus, ModelFindings
from ..progress import Progress
from ..votes import Votes
from .parts.confusion_odds import confusion_findings
from .parts.confusions import Cells, Confusions, Diagonal
from .parts.outcome import Outcome
from .parts.posteriors import Accuracies, CaseWeights, LabelPrior, PosteriorStrategy, Scores, fit_model


@dataclass(frozen=True, repr=False)
class DawidSkene(PosteriorStrategy):
    """Each user has a probability of voting l where k is true, for every pair of labels [DS79].

    EM: P(l | k, u) = (n(u, k, l) + prior_votes B(l | k, u)) / (n(u, k) + prior_votes), where n(u, k, l) is the sum of
    the posteriors of k over the observations on which u voted l, and n(u, k) that over all l. The prior is the
    confusion of the whole crowd, moved to the user. The crowd's is C(l | k) = (n(k, l) + c(l, k)) / (n(k) + 1), itself
    smoothed by one vote spread like one coin: c = m on the diagonal, (1 - m) / (K - 1) elsewhere, with m = (expected
    right votes + 1) / (votes + 2). Moved to u, the odds of the right label are multiplied by u's odds of being right
    over the crowd's, and the wrong labels share the rest as they do in C: B(k | k, u) = sigmoid(logit C(k | k) +
    logit p(u) - logit m), and B(l | k, u) = C(l | k) (1 - B(k | k, u)) / (1 - C(k | k)), where p(u) = (expected right
    votes of u + prior_votes m) / (votes of u + prior_votes). So a user with one vote errs like the crowd, a user who
    is good at other species is expected to be good at a new one, and a species seen once is like any other. P(k) is
    proportional to (expected observations of k + label_smoothing) to the power ``label_prior``.

    Only labels voted together on an observation can be confused: n(u, k, l) is stored for these, a number for each
    (user, candidate, vote) of the disputed observations at most; all other confusions have the prior's mass alone,
    which no vote refers to. With ``prior_votes`` and ``label_smoothing`` 0 this is the original model, restricted to
    the labels voted on each observation.

    A user's weight is p(u).

    [DS79] Dawid and Skene 1979, Maximum likelihood estimation of observer error-rates using the EM algorithm, Journal
    of the Royal Statistical Society C 28.

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        max_iter: iterations at most. At least 1, default 300.
        tolerance: stop when no posterior probability has moved by more. In (0, 1), default 0.01.
        expert_weight: how often votes on observations that experts labelled count in what is learnt of users. In
            [0.001, 1e6], with experts, default 1.
        prior_votes: votes of the crowd's mean quality added to each user's. In [0, 1e6], default 3.
        label_prior: power of a label's frequency in its prior probability; 0: all alike. In [0, 1], default 1.
        label_smoothing: observations added to each label's. In [0, 1e6], default 1.
    """

    name: ClassVar[str] = "dawid-skene"

    prior_votes: float = common.prior_votes(3.0)
    label_prior: float = common.label_prior(1.0)
    label_smoothing: float = common.label_smoothing()

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Estimate posteriors and confusions together."""
        progress.phase("pair labels")
        return fit_model(self, votes, ConfusionModel(self, votes), progress)


class ConfusionModel:
    """Confusions P(l | k, u) of the triples that occur, and label probabilities P(k)."""

    def __init__(self, strategy: DawidSkene, votes: Votes) -> None:
        case_weights = CaseWeights(votes.disputes, strategy.expert_weight)
        self._accuracies = Accuracies(votes, strategy.prior_votes, case_weights)
        self._label_prior = LabelPrior(votes, strategy.label_prior, strategy.label_smoothing)
        self._scores = Scores(votes.disputes)
        self._cells = Cells(votes, case_weights)
        self._confusions = Confusions(self._cells, strategy.prior_votes)

    def maximise(self, posteriors: Floats) -> None:
        """Accuracies, confusions and label probabilities from the posteriors."""
        self._accuracies.maximise(posteriors)
        self._label_prior.maximise(posteriors)
        self._confusions.maximise(posteriors, self._accuracies)

    def expect(self) -> tuple[Floats, float]:
        """Posteriors and log-likelihood."""
        logs = self._scores.logs_of(self._confusions.probabilities)
        scores = self._confusions.scores(logs, self._scores.logs_of(self._label_prior.probabilities))
        posteriors, log_likelihood = self._scores.normalised(scores)
        return posteriors, log_likelihood + self._confusions.log_likelihood() + self._label_prior.log_likelihood()

    def right_of_votes(self) -> Floats:
        """P(l | l, u) of each vote l of u on a disputed observation: the diagonal of u's confusion matrix."""
        return self._confusions.right_of_votes()

    def diagonal(self) -> Diagonal:
        """P(k | k, u) of every user and label."""
        return self._confusions.diagonal()

    def weights(self) -> Weights:
        """Accuracies of the users."""
        return self._accuracies.of_users

    def findings(self, outcome: Outcome) -> ModelFindings:
        """Confidence and probability: each user confuses each label in ways of their own."""
        probabilities = self._label_prior.probabilities
        one_kind = [(np.ones(probabilities.size), self._confusions)]
        return confusion_findings(outcome, probabilities, one_kind, self._cells.pair_of_vote)
