"""Multi-annotator competence estimation."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import shared_parameters as common
from ..arrays import Floats, Weights
from ..consensus import Consensus, ModelFindings
from ..kernels.threads import in_blocks
from ..parameters import parameter
from ..progress import Progress
from ..votes import Votes
from .parts.label_odds import TwoWayVotes, two_way_findings
from .parts.outcome import Outcome
from .parts.posteriors import (
    CaseWeights,
    LabelPrior,
    PosteriorStrategy,
    PosteriorSums,
    Scores,
    exact_sum,
    fit_model,
    sum_of_logs,
)
from .parts.user_labels import UserLabels


@dataclass(frozen=True, repr=False)
class Mace(PosteriorStrategy):
    """A user knows the label, or guesses by a taste of their own [H13].

    P(vote l of u | label k) = theta(u) [l = k] + (1 - theta(u)) xi(u, l), where theta(u) is how often u knows, and
    xi(u, l) how often u names l when guessing.

    EM: of u's votes for l, of which the posteriors hold r right, r theta / (theta + (1 - theta) xi) were known, the
    others guessed. theta(u) = (known + prior_votes m) / (votes + prior_votes), where m = (all known + 1) / (all votes +
    2); xi(u, l) = (guessed for l + guess_votes / K) / (guessed + guess_votes), with K labels: a user of few votes
    guesses evenly. P(k) is proportional to (expected observations of k + label_smoothing) to the power
    ``label_prior``. It begins with theta = 1/2, xi = 1 / K and the shares of votes: no random restarts. [H13] has
    P(k) = 1 / K (``label_prior`` 0) and variational priors; the estimates here are maxima of the posterior.

    A user's weight is theta(u).

    [H13] Hovy, Berg-Kirkpatrick, Vaswani, Hovy 2013, Learning whom to trust with MACE, NAACL-HLT.

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        max_iter: iterations at most. At least 1, default 300.
        tolerance: stop when no posterior probability has moved by more. In (0, 1), default 0.01.
        expert_weight: how often votes on observations that experts labelled count in what is learnt of users. In
            [0.001, 1e6], with experts, default 1.
        prior_votes: votes of the crowd's mean quality added to each user's. In [0, 1e6], default 1.
        guess_votes: guesses, spread evenly over all labels, added to each user's. In [0, 1e6], default 30.
        label_prior: power of a label's frequency in its prior probability; 0: all alike. In [0, 1], default 1.
        label_smoothing: observations added to each label's. In [0, 1e6], default 1.
    """

    name: ClassVar[str] = "mace"

    prior_votes: float = common.prior_votes(1.0)
    guess_votes: float = parameter(30.0, "guesses, spread evenly over all labels, added to each user's", "in [0, 1e6]")
    label_prior: float = common.label_prior(1.0)
    label_smoothing: float = common.label_smoothing()

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Estimate posteriors, competence and taste together."""
        progress.phase("pair users and labels")
        return fit_model(self, votes, MaceModel(self, votes), progress)


class MaceModel:
    """theta(u), xi(u, l) of the pairs that occur, and label probabilities P(k)."""

    def __init__(self, strategy: Mace, votes: Votes) -> None:
        self._strategy = strategy
        self._n_labels = votes.n_labels
        self._case_weights = CaseWeights(votes.disputes, strategy.expert_weight)
        self._label_prior = LabelPrior(votes, strategy.label_prior, strategy.label_smoothing)
        self._scores = Scores(votes.disputes)
        pairs = UserLabels.of(votes)
        self._pair_of_vote, self._pair_of_disputed = pairs.of_vote, pairs.of_disputed
        self._offsets = np.searchsorted(pairs.users, np.arange(votes.n_users + 1))
        self._pair_votes = self._case_weights.weighted(pairs.n_votes, pairs.of_disputed)
        self._undisputed = pairs.n_undisputed
        self._user_votes = self._case_weights.weighted(votes.n_votes_of_users, votes.disputes.users)
        self._n_votes_in_all = math.fsum(self._user_votes)
        sums = pairs.of_disputed, votes.disputes.candidates.of_vote, pairs.keys.size
        self._right_sums = PosteriorSums(*sums, self._case_weights.largest)
        self._knowing = np.full(votes.n_users, 0.5)
        self._guesses = np.full(pairs.keys.size, 1 / votes.n_labels)
        self._right, self._wrong = np.empty((2, pairs.keys.size))

    def maximise(self, posteriors: Floats) -> None:
        """theta, xi and label probabilities from the posteriors."""
        from ..kernels.competence import guess_probabilities, split_votes

        self._label_prior.maximise(posteriors)
        n_users = self._knowing.size
        known_votes = np.empty(n_users)
        guessed_votes = np.empty(self._guesses.size)
        right = self._undisputed + self._right_sums.of(self._case_weights.times(posteriors))
        model = self._knowing, self._guesses
        in_blocks(split_votes, n_users, self._offsets, right, self._pair_votes, *model, known_votes, guessed_votes)
        self._knowing = np.empty(n_users)
        mean = (exact_sum(known_votes, self._n_votes_in_all) + 1) / (self._n_votes_in_all + 2)
        counts = known_votes, self._user_votes, guessed_votes
        priors = self._strategy.prior_votes, mean, self._strategy.guess_votes, self._n_labels
        in_blocks(guess_probabilities, n_users, self._offsets, *counts, *priors, self._knowing, self._guesses)

    def expect(self) -> tuple[Floats, float]:
        """Posteriors and log-likelihood."""
        from ..kernels.competence import vote_probabilities

        model = self._knowing, self._guesses
        in_blocks(vote_probabilities, self._knowing.size, self._offsets, *model, self._right, self._wrong)
        posteriors, log_likelihood = self._scores.two_way(
            self._scores.logs_of(self._right)[self._pair_of_disputed],
            self._scores.logs_of(self._wrong)[self._pair_of_disputed],
            self._scores.logs_of(self._label_prior.probabilities),
        )
        log_likelihood += sum_of_logs(self._undisputed, self._right) + self._label_prior.log_likelihood()
        return posteriors, log_likelihood

    def weights(self) -> Weights:
        """theta(u)."""
        return self._knowing

    def findings(self, outcome: Outcome) -> ModelFindings:
        """Confidence and probability: a user's votes for a label are alike."""
        cast = TwoWayVotes(self._right, self._wrong, self._pair_of_vote)
        return two_way_findings(outcome, self._label_prior.probabilities, cast)
