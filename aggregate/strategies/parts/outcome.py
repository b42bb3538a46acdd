"""From shares of the labels, and trust in the users, to a consensus: what all strategies but plantnet have in common.

A strategy gives every user a weight, its trust in the user, and every candidate (label voted on a disputed observation)
a share: of the weight, or a posterior probability. An undisputed observation has one candidate, of share 1. The columns
are made of these alike, so that they mean the same under every strategy:

- the label is the candidate with the largest share, which is its ``agreement``; ``margin`` and ``entropy`` are those of
  the shares; ``aum`` is the margin of the final label, averaged over the shares that the iterations started from;
- ``weight`` is the sum of the users' weights over the votes for the label;
- ``confidence`` = agreement total / (total + gamma), where total is the weight of all votes on the observation, and
  gamma the mean weight of a vote: what the share would be worth if one unknown user dissented;
- an observation is valid if agreement >= theta_acc and weight >= theta_conf.
"""

import math
from dataclasses import asdict
from functools import cached_property

import numpy as np

from ...arrays import Counts, Floats, LabelCodes, Weights
from ...consensus import SLACK, Consensus, DisputeFindings, UserFindings, at_least
from ...disputes import entropies, likeliest, weights_of_chosen
from ...progress import Progress
from ...trace import Trace
from ...votes import Votes
from .species import SpeciesCounter, tallies
from .support import Support, support_of
from .thresholds import Thresholds
from .validity import Validity
from .votes_by_user import VotesByUser


class Judge:
    """Says which observations are valid, again and again while the users' weights change."""

    def __init__(self, votes: Votes, thresholds: Thresholds) -> None:
        self.votes = votes
        self.thresholds = thresholds

    @cached_property
    def validity(self) -> Validity:
        """The validity of every observation; needed at the end only."""
        return Validity(self.votes, VotesByUser.of(self.votes), self.thresholds.theta_conf - SLACK)

    def count_valid(self, weights: Weights, chosen: Counts, shares: Floats) -> int:
        """How many observations are valid; ``chosen`` are the candidates, of these ``shares``, on the disputed ones."""
        weight = weights_of_chosen(self.votes.disputes, weights, chosen)
        disputed = np.count_nonzero(self.thresholds.passes(weight, shares[chosen]))
        return int(disputed) + self.votes.unanimous.count_reaching(weights, self.thresholds.theta_conf - SLACK)

    def support(self, weights: Weights, chosen: Counts) -> Support:
        """What speaks for and against the chosen candidates, in weight of the users."""
        disputes = self.votes.disputes
        return support_of(disputes, disputes.vote_weights(weights), disputes.candidates.labels[chosen])

    def judge(self, weights: Weights, support: Support, chosen: Counts, agreement: Floats) -> None:
        """Bring the validity up to date; where nobody disagrees, the weight is the total and the agreement is 1."""
        self.validity.weigh(weights)
        labels = self.votes.disputes.candidates.labels[chosen]
        self.validity.set_disputed(labels, self.thresholds.passes(support.weight, agreement))


def reach(
    thresholds: Thresholds,
    judge: Judge,
    weights: Weights,
    shares: Floats,
    chosen: Counts,
    margins: Floats,
    trace: Trace,
    progress: Progress,
) -> Consensus:
    """The consensus in which users have ``weights`` and the ``chosen`` candidates win.

    ``weights`` float64[n_users]; ``shares`` float64 by candidate; ``chosen`` int32 by dispute; ``margins`` float64 by
    candidate, averaged over the iterations.
    """
    votes = judge.votes
    disputes, candidates = votes.disputes, votes.disputes.candidates
    progress.phase("derive columns")
    labels = votes.first_labels
    labels[disputes.observations] = candidates.labels[chosen]
    agreement = shares[chosen]
    support = judge.support(weights, chosen)
    judge.judge(weights, support, chosen, agreement)
    validity = judge.validity
    weight = validity.totals.copy()
    weight[disputes.observations] = support.weight
    gamma = mean_weight(votes, weights)
    runner_up = likeliest(disputes, shares, excluded=candidates.labels[chosen])
    findings = DisputeFindings(
        confidence=agreement * (support.total / (support.total + gamma)),
        agreement=agreement,
        margin=agreement - shares[runner_up],
        aum=margins[chosen],
        entropy=entropies(disputes, shares),
        n_labels=np.diff(candidates.offsets).astype(np.int32),
        runner_up=candidates.labels[runner_up],
    )
    n_author, n_vote = SpeciesCounter(validity, votes_need_validity=False).count(labels)
    return Consensus(
        votes=votes,
        strategy=thresholds.name,
        parameters=asdict(thresholds),
        trace=trace,
        labels=labels,
        weight=weight,
        valid=validity.valid,
        gamma=gamma,
        theta_acc=thresholds.theta_acc,
        ambiguous_below=thresholds.ambiguity(findings.aum, votes.n_observations),
        disputes=findings,
        users=user_findings(validity, labels, weights, n_author, n_vote, thresholds.theta_conf),
        shares=shares,
    )


def mean_weight(votes: Votes, weights: Weights) -> float:
    """The mean weight of a vote, at least the least positive number; exact before it is rounded.

    It is what an unknown user would weigh.
    """
    return max(math.fsum((weights * votes.n_votes_of_users).tolist()) / votes.n_votes, math.ulp(0.0))


def user_findings(
    validity: Validity, labels: LabelCodes, weights: Weights, n_author: Counts, n_vote: Counts, theta_conf: float
) -> UserFindings:
    """The users' columns: ``labels`` int32[n_observations]; species counts and weights by user."""
    n_votes, n_authored, n_agreeing = tallies(validity, labels)
    return UserFindings(
        weight=weights,
        n_species=n_author + (n_vote + 5) // 10,
        n_species_author=n_author,
        n_species_vote=n_vote,
        n_votes=n_votes,
        n_authored=n_authored,
        agreement_rate=n_agreeing / n_votes,
        self_validating=at_least(weights, theta_conf),
    )
