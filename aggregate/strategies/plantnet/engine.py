"""The verbs of the iteration on the arrays of one process."""

import numpy as np

from ...arrays import Counts, Flags, LabelCodes, Weights
from ...derived.columns import DisputeFindings, user_findings
from ...derived.species import SpeciesCounter
from ...derived.support import LabelChoice, Support, WeightHistory, entropies_of, heaviest_labels, support_of
from ...derived.thresholds import SLACK
from ...derived.validity import Validity
from ...derived.votes_by_user import VotesByUser
from ...disputes import Disputes
from .ai_role import AiRole
from .iteration import Estimate, Report, Rules


class ArrayEngine:
    """All votes in the arrays of one process; the kernels share them among the threads."""

    def __init__(self, role: AiRole, by_user: VotesByUser, rules: Rules) -> None:
        self.role = role
        self.n_users = role.votes.n_users
        self.labels: LabelCodes = role.unanimous_labels()
        self.valid: Flags = np.zeros(self.labels.size, np.bool_)
        self._rules = rules
        self._choice = LabelChoice(role.deciding)
        self._validity = Validity(
            role.votes,
            by_user,
            rules.thresholds.theta_conf - SLACK,
            disputes=role.deciding,
            joined=role.joined,
            joined_weight=role.ai_weight,
        )
        self._counter = SpeciesCounter(self._validity, votes_need_validity=rules.votes_need_validity)
        self._history = WeightHistory(role.reported.users, self.n_users + bool(role.ai_weight))

    def settle(self, weights: Weights) -> LabelCodes:
        """Choose the labels of the disputed observations."""
        self._choice.settle(self.role.weights_of(weights))
        chosen = self._choice.labels.copy()
        self.labels[self.role.deciding.observations] = chosen
        self._chosen = chosen
        return chosen

    def weigh(self, weights: Weights) -> int:
        """Find which observations are valid."""
        self._history.saw(self.role.weights_of(weights))
        self._validity.weigh(weights)
        self._validity.set_disputed(self._chosen, self._are_valid(self.role.deciding, self._choice.support))
        self.valid = self._validity.valid
        return int(np.count_nonzero(self.valid))

    def count_species(self) -> tuple[Counts, Counts]:
        """Count the species of each user."""
        return self._counter.count(self.labels)

    def report(self, estimate: Estimate) -> Report:
        """Derive every column; once, as the arrays of the iteration become those of the report."""
        role, vote_weights, support, valid = self.role, self._choice.vote_weights, self._choice.support, self.valid
        labels = self.labels[role.reported.observations]
        reported = role.reported_votes(labels)
        if reported is not role.deciding:
            vote_weights = reported.vote_weights(role.weights_of(estimate.weights))
            support = support_of(reported, vote_weights, labels)
            valid = valid.copy()
            valid[reported.observations] = self._are_valid(reported, support)
        weight = self._validity.totals
        weight[reported.observations] = support.weight
        entropy, n_labels = entropies_of(reported, vote_weights, support.total)
        findings = DisputeFindings(
            confidence=support.weight / (support.total + self._rules.gamma),
            agreement=support.agreement,
            margin=support.margin,
            aum=self._history.mean_margins(reported, labels),
            entropy=entropy,
            n_labels=n_labels - role.n_labels_of_ai(reported),
            runner_up=heaviest_labels(reported, vote_weights, excluded=labels),
        )
        if reported.expert_labels is not None:
            findings = findings.fixed(reported.by_expert)
        theta_conf = self._rules.thresholds.theta_conf
        users = user_findings(
            self._validity, self.labels, estimate.weights, estimate.n_author, estimate.n_vote, theta_conf
        )
        return Report(self.labels, weight, valid, reported, vote_weights, findings, users)

    def _are_valid(self, disputes: Disputes, support: Support) -> Flags:
        """s[i] of disputed observations; of unanimous ones conf is the total and acc is 1, see ``Validity``."""
        return self._rules.thresholds.passes(support.weight, support.agreement) | disputes.by_expert
