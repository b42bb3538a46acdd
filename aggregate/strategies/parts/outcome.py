"""Where a strategy is, from iteration to iteration, and the consensus that it arrives at.

A strategy gives every user a weight, and every candidate a share; the label is the candidate with the largest share.
What the columns are made of these: ``derived.columns``.
"""

import numpy as np

from ...arrays import Counts, Floats, LabelCodes, Weights
from ...consensus import Consensus, ModelFindings
from ...derived.columns import derive
from ...derived.thresholds import SLACK, Thresholds
from ...disputes import add_margins, likeliest, weight_shares, weights_of_chosen
from ...progress import Progress
from ...trace import Trace
from ...votes import Votes
from ..base import parameters_with


class Outcome:
    """Where a strategy is: weights of the users, shares of the candidates, and the candidates these choose.

    ``weights`` float64[n_users]; ``shares`` float64 by candidate; ``chosen`` int32, a candidate by dispute.
    """

    def __init__(
        self, strategy: Thresholds, votes: Votes, weights: Weights | None = None, shares: Floats | None = None
    ) -> None:
        """Before the first iteration. By default every user weighs 1, and the shares are those of the weight."""
        self.strategy = strategy
        self.votes = votes
        self.weights: Weights = np.ones(votes.n_users) if weights is None else weights
        self.shares = self._shares_of_weight() if shares is None else shares
        self.chosen: Counts = likeliest(votes.disputes, self.shares)
        self.labels_changed = 0  # labels that the last update changed
        self._margins = np.zeros(self.shares.size)
        self._n_updates = 0

    @property
    def labels(self) -> LabelCodes:
        """int32[len(disputes)]; the labels of the disputed observations."""
        return self.votes.disputes.candidates.labels[self.chosen]

    @property
    def all_labels(self) -> LabelCodes:
        """int32[n_observations]; the labels of all observations."""
        labels = self.votes.first_labels
        labels[self.votes.disputes.observations] = self.labels
        return labels

    @property
    def mean_accuracy(self) -> float:
        """(expected right votes + 1) / (votes + 2): of the crowd, if the shares are posterior probabilities."""
        from ...kernels.posteriors import sum_of_values, unit_for

        votes, of_vote = self.votes, self.votes.disputes.candidates.of_vote
        unit = unit_for(of_vote.size)
        right = int(sum_of_values(self.shares[of_vote], unit)) / unit + votes.n_votes - of_vote.size
        return (right + 1) / (votes.n_votes + 2)

    def update(self, weights: Weights, shares: Floats | None = None) -> None:
        """Choose the labels anew, of tied ones the one so far; the shares are by default those of the weight."""
        disputes, before = self.votes.disputes, self.chosen
        add_margins(disputes, self.shares, self._margins)
        self._n_updates += 1
        self.weights = weights
        self.shares = self._shares_of_weight() if shares is None else shares
        self.chosen = likeliest(disputes, self.shares, held=self.labels)
        self.labels_changed = int(np.count_nonzero(self.chosen != before))

    def count_valid(self) -> int:
        """How many observations are valid."""
        weight = weights_of_chosen(self.votes.disputes, self.weights, self.chosen)
        disputed = np.count_nonzero(
            self.strategy.passes(weight, self.shares[self.chosen]) | self.votes.disputes.by_expert
        )
        undisputed = self.votes.unanimous.count_reaching(self.weights, self.strategy.theta_conf - SLACK)
        return int(disputed) + undisputed

    @property
    def aum(self) -> Floats | None:
        """float64[len(disputes)]; margin of each label, averaged over the shares before each update, if any."""
        return self._margins[self.chosen] / self._n_updates if self._n_updates else None

    def _shares_of_weight(self) -> Floats:
        disputes = self.votes.disputes
        return disputes.with_experts(weight_shares(disputes, disputes.vote_weights(self.weights)))


def build_consensus(
    outcome: Outcome, trace: Trace, progress: Progress, model: ModelFindings | None = None
) -> Consensus:
    """The consensus in which the chosen candidates are the labels, and what the strategy's ``model`` says of them."""
    progress.phase("derive columns")
    strategy, votes = outcome.strategy, outcome.votes
    derived = derive(votes, outcome.chosen, outcome.weights, outcome.shares, strategy, aum=outcome.aum)
    if model is not None:
        confidence = model.confidence[votes.disputes.observations]
        derived = derived._replace(disputes=derived.disputes._replace(confidence=confidence))
    parameters = parameters_with(strategy, () if votes.expert_labels is None else ("experts",))
    return Consensus(
        votes=votes, strategy=strategy.name, parameters=parameters, trace=trace, model=model, **derived._asdict()
    )
