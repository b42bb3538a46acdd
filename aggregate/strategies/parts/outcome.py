"""From weights of the users and shares of the labels to a consensus: what all strategies but plantnet have in common.

A strategy gives every user a weight, and every candidate (label voted on a disputed observation) a share: of the
weight, or a posterior probability. An undisputed observation has one candidate, of share 1. The columns are made of
these alike, so that they mean the same under every strategy:

- the label is the candidate with the largest share, which is its ``agreement``; ``margin`` and ``entropy`` are those of
  the shares; ``aum`` is the margin of the final label, averaged over the shares that the iterations started from;
- ``weight`` is the sum of the users' weights over the votes for the label;
- ``confidence`` = agreement total / (total + gamma), where total is the weight of all votes on the observation, and
  gamma the mean weight of a vote: what the share would be worth if one unknown user dissented;
- an observation is valid if agreement >= theta_acc and weight >= theta_conf.
"""

from dataclasses import asdict

import numpy as np

from ...arrays import Counts, Floats, LabelCodes, Weights
from ...consensus import SLACK, Consensus, DisputeFindings, UserFindings, at_least
from ...disputes import add_margins, entropies, likeliest, weight_shares, weights_of_chosen
from ...progress import Progress
from ...trace import Trace
from ...votes import Votes
from .species import SpeciesCounter, n_species, tallies
from .support import support_of
from .thresholds import Thresholds
from .validity import Validity
from .votes_by_user import VotesByUser


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
        disputed = np.count_nonzero(self.strategy.passes(weight, self.shares[self.chosen]))
        undisputed = self.votes.unanimous.count_reaching(self.weights, self.strategy.theta_conf - SLACK)
        return int(disputed) + undisputed

    @property
    def aum(self) -> Floats:
        """float64[len(disputes)]; margin of each label, averaged over the shares before each update."""
        if self._n_updates == 0:
            return add_margins(self.votes.disputes, self.shares, np.zeros(self.shares.size))[self.chosen]
        aum: Floats = self._margins[self.chosen] / self._n_updates
        return aum

    def _shares_of_weight(self) -> Floats:
        return weight_shares(self.votes.disputes, self.votes.disputes.vote_weights(self.weights))


def build_consensus(outcome: Outcome, trace: Trace, progress: Progress) -> Consensus:
    """The consensus in which the chosen candidates are the labels."""
    progress.phase("derive columns")
    strategy, votes, weights, shares = outcome.strategy, outcome.votes, outcome.weights, outcome.shares
    disputes, chosen_labels = votes.disputes, outcome.labels
    labels = votes.first_labels
    labels[disputes.observations] = chosen_labels
    agreement = shares[outcome.chosen]
    support = support_of(disputes, disputes.vote_weights(weights), chosen_labels)
    validity = Validity(votes, VotesByUser.of(votes), strategy.theta_conf - SLACK)
    weight = validity.weigh(weights)
    weight[disputes.observations] = support.weight
    validity.set_disputed(chosen_labels, strategy.passes(support.weight, agreement))
    gamma = votes.mean_weight(weights)
    runner_up = likeliest(disputes, shares, excluded=chosen_labels)
    findings = DisputeFindings(
        confidence=agreement * (support.total / (support.total + gamma)),
        agreement=agreement,
        margin=agreement - shares[runner_up],
        aum=outcome.aum,
        entropy=entropies(disputes, shares),
        n_labels=np.diff(disputes.candidates.offsets).astype(np.int32),
        runner_up=disputes.candidates.labels[runner_up],
    )
    n_author, n_vote = SpeciesCounter(validity, votes_need_validity=False).count(labels)
    return Consensus(
        votes=votes,
        strategy=strategy.name,
        parameters=asdict(strategy),
        trace=trace,
        labels=labels,
        weight=weight,
        valid=validity.valid,
        gamma=gamma,
        theta_acc=strategy.theta_acc,
        ambiguous_below=strategy.ambiguity(findings.aum, votes.n_observations),
        disputes=findings,
        users=user_findings(validity, labels, weights, n_author, n_vote, strategy.theta_conf),
        shares=shares,
    )


def user_findings(
    validity: Validity, labels: LabelCodes, weights: Weights, n_author: Counts, n_vote: Counts, theta_conf: float
) -> UserFindings:
    """The users' columns: ``labels`` int32[n_observations]; species counts and weights by user."""
    n_votes, n_authored, n_agreeing = tallies(validity, labels)
    return UserFindings(
        weight=weights,
        n_species=n_species(n_author, n_vote),
        n_species_author=n_author,
        n_species_vote=n_vote,
        n_votes=n_votes,
        n_authored=n_authored,
        agreement_rate=n_agreeing / n_votes,
        self_validating=at_least(weights, theta_conf),
    )
