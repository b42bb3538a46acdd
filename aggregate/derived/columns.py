"""From weights of the users and shares of the candidates to the columns of a consensus.

Every user has a weight, and every candidate (label voted on a disputed observation) a share: of the weight, or a
posterior probability. An undisputed observation has one candidate, of share 1. The columns are made of these alike, so
that they mean the same under every strategy:

- ``agreement`` is the share of the label; ``margin`` is that less the largest share of another label, and ``entropy``
  that of the shares; ``aum`` is the margin, averaged over the iterations;
- ``weight`` is the sum of the users' weights over the votes for the label;
- ``confidence`` = agreement total / (total + gamma), where total is the weight of all votes on the observation, and
  gamma the mean weight of a vote: what the share would be worth if one unknown user dissented;
- an observation is valid if agreement >= theta_acc and weight >= theta_conf.

Where experts gave the label, its share is 1, it is valid whatever its weight, and its confidence is EXPERT_CONFIDENCE.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import Counts, Flags, Floats, LabelCodes, Weights
from ..disputes import Disputes, add_margins, entropies, likeliest
from ..reprs import short_repr
from ..votes import Votes
from .species import SpeciesCounter, n_species, tallies
from .support import support_of
from .thresholds import SLACK, Thresholds, at_least
from .validity import Validity
from .votes_by_user import VotesByUser

EXPERT_CONFIDENCE = 0.999999
"""``confidence``, and ``probability``, of labels that experts gave: they are taken to be right, whatever was voted."""


class DisputeFindings(NamedTuple):
    """Results for each disputed observation beside its label; arrays follow ``Consensus.disputed``.

    An undisputed observation has agreement, margin and aum 1, entropy 0, one label and no runner-up, whatever the
    weights; so results are stored for the disputed ones only.
    """

    confidence: Floats
    agreement: Floats
    margin: Floats
    aum: Floats
    entropy: Floats
    n_labels: Counts
    runner_up: LabelCodes

    def __repr__(self) -> str:
        return short_repr(self)

    def fixed(self, known: Flags) -> "DisputeFindings":
        """The same where experts gave the label, bool[n]: it has all of the share."""
        return self._replace(
            confidence=np.where(known, EXPERT_CONFIDENCE, self.confidence),
            agreement=np.where(known, 1.0, self.agreement),
            margin=np.where(known, 1.0, self.margin),
            aum=np.where(known, 1.0, self.aum),
            entropy=np.where(known, 0.0, self.entropy),
        )


class UserFindings(NamedTuple):
    """Results for each user; arrays have n_users items, with the meaning in ``schema.USERS``."""

    weight: Weights
    n_species: Counts
    n_species_author: Counts
    n_species_vote: Counts
    n_votes: Counts
    n_authored: Counts
    agreement_rate: Floats
    self_validating: Flags

    def __repr__(self) -> str:
        return short_repr(self)


class Derived(NamedTuple):
    """Members of ``Consensus`` that are derived; their meaning is there."""

    labels: LabelCodes
    weight: Weights
    valid: Flags
    gamma: float
    theta_acc: float
    ambiguous_below: float
    disputes: DisputeFindings
    users: UserFindings
    shares: Floats


def derive(
    votes: Votes,
    chosen: Counts,
    weights: Weights,
    shares: Floats,
    thresholds: Thresholds,
    *,
    aum: Floats | None = None,
    disputes: Disputes | None = None,
) -> Derived:
    """What follows if the ``chosen`` candidates, int32[len(disputes)], are the labels.

    ``weights`` float64[n_users]; ``shares`` float64 by candidate; ``aum`` float64[len(disputes)], by default the
    margin; ``disputes`` are by default those of the votes.
    """
    disputes = votes.disputes if disputes is None else disputes
    candidates = disputes.candidates
    chosen_labels = candidates.labels[chosen]
    labels = votes.first_labels
    labels[disputes.observations] = chosen_labels
    agreement = shares[chosen]
    support = support_of(disputes, disputes.vote_weights(weights), chosen_labels)
    validity = Validity(votes, VotesByUser.of(votes), thresholds.theta_conf - SLACK, disputes=disputes)
    weight = validity.weigh(weights)
    weight[disputes.observations] = support.weight
    validity.set_disputed(chosen_labels, thresholds.passes(support.weight, agreement) | disputes.by_expert)
    gamma = votes.mean_weight(weights)
    runner_up = likeliest(disputes, shares, excluded=chosen_labels)
    confidence = agreement * (support.total / (support.total + gamma))
    findings = DisputeFindings(
        confidence=np.where(disputes.by_expert, EXPERT_CONFIDENCE, confidence),
        agreement=agreement,
        margin=agreement - np.where(runner_up < 0, 0.0, shares[runner_up]),
        aum=add_margins(disputes, shares, np.zeros(shares.size))[chosen] if aum is None else aum,
        entropy=entropies(disputes, shares),
        n_labels=np.diff(np.append(0, np.cumsum(candidates.n_votes > 0))[candidates.offsets]).astype(np.int32),
        runner_up=np.where(runner_up < 0, np.int32(-1), candidates.labels[runner_up]),
    )
    n_author, n_vote = SpeciesCounter(validity, votes_need_validity=False).count(labels)
    return Derived(
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
