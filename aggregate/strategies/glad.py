"""Generative model of labels, abilities, and difficulties."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from .. import shared_parameters as common
from ..arrays import Floats, Indices, Offsets, UserCodes, Weights
from ..consensus import Consensus, ModelFindings
from ..kernels.threads import in_blocks, kernels_side_by_side, one_part_per_thread
from ..parameters import parameter
from ..progress import Progress
from ..votes import Votes
from .parts.label_odds import TwoWayVotes, two_way_findings
from .parts.outcome import Outcome
from .parts.posteriors import CaseWeights, LabelPrior, PosteriorStrategy, Scores, fit_model


@dataclass(frozen=True, repr=False)
class Glad(PosteriorStrategy):
    """Users have abilities, observations are more or less easy [W09].

    P(vote of u on i is right) = s(ability(u) exp(ease(i))), with s(x) = 1 / (1 + exp(-x)); wrong votes are alike to all
    K - 1 other labels. Ability and ease are normal around ``prior_mean`` with ``prior_variance``; a user with
    negative ability is more often wrong than right. P(k) is proportional to (expected observations of k +
    label_smoothing) to the power ``label_prior``.

    EM from ability and ease ``prior_mean``; an iteration takes one Newton step of all abilities, one of all eases, none
    longer than 1, and then the posteriors. Undisputed observations take part: all those with
    the one vote of the same user have the same ease, and are computed once.

    A user's weight is the probability to be right on an observation of mean ease, s(ability exp(prior_mean)).

    [W09] Whitehill, Wu, Bergsma, Movellan, Ruvolo 2009, Whose vote should count more: optimal integration of labels
    from labelers of unknown expertise, NeurIPS.

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        max_iter: iterations at most. At least 1, default 300.
        tolerance: stop when no posterior probability has moved by more. In (0, 1), default 0.01.
        expert_weight: how often votes on observations that experts labelled count in what is learnt of users. In
            [0.001, 1e6], with experts, default 1.
        prior_mean: mean ability and mean ease. In [-3, 3], default 1.
        prior_variance: variance of ability and of ease. In (0, 100], default 1.
        label_prior: power of a label's frequency in its prior probability; 0: all alike. In [0, 1], default 0.
        label_smoothing: observations added to each label's. In [0, 1e6], default 1.
    """

    name: ClassVar[str] = "glad"

    prior_mean: float = parameter(1.0, "mean ability and mean ease", "in [-3, 3]")
    prior_variance: float = parameter(1.0, "variance of ability and of ease", "in (0, 100]")
    label_prior: float = common.label_prior(0.0)
    label_smoothing: float = common.label_smoothing()

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Estimate posteriors, abilities and eases together."""
        return fit_model(self, votes, GladModel(self, votes), progress)


class _Group:
    """Some observations with their voters; ``times`` int64 says how many each stands for."""

    def __init__(
        self, offsets: Offsets, users: UserCodes, times: Indices, ease: float, case_weights: Floats | None = None
    ) -> None:
        self.offsets = offsets
        self.users = users
        self.times = times
        self.case_weights = case_weights
        self.ease: Floats = np.full(offsets.size - 1, ease, np.float64)
        self.right: Floats = np.ones(users.size)  # posterior of each vote's label


class GladModel:
    """Abilities, eases, and label probabilities P(k)."""

    def __init__(self, strategy: Glad, votes: Votes) -> None:
        from ..kernels.posteriors import LARGEST_LOG, unit_for

        disputes = votes.disputes
        case_weights = CaseWeights(disputes, strategy.expert_weight)
        self._votes, self._disputes = votes, disputes
        self._mean, self._variance = strategy.prior_mean, strategy.prior_variance
        self._n_others = max(votes.n_labels - 1, 1)
        self._label_prior = LabelPrior(votes, strategy.label_prior, strategy.label_smoothing)
        self._scores = Scores(disputes)
        self._ability = np.full(votes.n_users, self._mean, np.float64)
        self._disputed = _Group(
            disputes.offsets, disputes.users, np.ones(len(disputes), np.int64), self._mean, case_weights.of_disputes
        )
        self._undisputed = _unanimous_groups(votes, self._mean)
        most_votes = max(int(votes.n_votes_of_users.max()), int(np.diff(votes.offsets).max()))
        self._unit = unit_for(case_weights.largest * most_votes * LARGEST_TERM, 44)
        self._log_unit = unit_for(votes.n_votes * LARGEST_LOG, 44)
        self._survey_undisputed()

    def maximise(self, posteriors: Floats) -> None:
        """Abilities, eases and label probabilities: a step towards their best values under the posteriors."""
        from ..kernels.difficulties import step_abilities, step_eases

        self._label_prior.maximise(posteriors)
        self._disputed.right = posteriors[self._disputes.candidates.of_vote]
        gradients, _ = self._gradients_of(self._disputed)
        gradients += self._undisputed_gradients
        self._ability = self._ability.copy()
        step_abilities(gradients[0], gradients[1], self._unit, self._mean, self._variance, self._ability)
        for group in (self._disputed, *self._undisputed):
            votes, prior = (group.offsets, group.users, group.right), (self._mean, self._variance)
            in_blocks(step_eases, group.ease.size, *votes, self._ability, self._unit, *prior, group.ease)

    def _survey_undisputed(self) -> float:
        """The log-likelihood of the undisputed votes; their part of the next gradients comes with it."""
        self._undisputed_gradients = np.zeros((2, self._ability.size), np.int64)
        log_likelihood = 0.0
        for group in self._undisputed:
            gradients, log_right = self._gradients_of(group)
            self._undisputed_gradients += gradients
            log_likelihood += log_right
        return log_likelihood

    def _gradients_of(self, group: _Group) -> tuple[Indices, float]:
        """The users' gradients and curvatures int64[2, n_users], and the sum of log s.

        Each thread has sums of its own, and integers add up the same in any order.
        """
        from ..kernels.difficulties import add_ability_gradients

        parts = one_part_per_thread(group.ease.size)
        sums = np.zeros((len(parts), 2, self._ability.size), np.int64)
        votes: Any = group.offsets, group.users, group.right, group.times, group.case_weights
        model: Any = self._ability, group.ease, self._unit, self._log_unit
        logs = kernels_side_by_side(
            *(partial(add_ability_gradients, *part, *votes, *model, *sums[p]) for p, part in enumerate(parts))
        )
        return sums.sum(axis=0), sum(map(int, logs)) / self._log_unit

    def expect(self) -> tuple[Floats, float]:
        """Posteriors and log-likelihood."""
        from ..kernels.difficulties import vote_probabilities

        group = self._disputed
        right, wrong = np.empty((2, group.users.size))
        model = self._ability, group.ease, self._n_others
        in_blocks(vote_probabilities, group.ease.size, group.offsets, group.users, *model, right, wrong)
        posteriors, log_likelihood = self._scores.two_way(
            self._scores.logs_of(right),
            self._scores.logs_of(wrong),
            self._scores.logs_of(self._label_prior.probabilities),
        )
        log_likelihood += self._survey_undisputed() + self._label_prior.log_likelihood()
        return posteriors, log_likelihood

    def weights(self) -> Weights:
        """s(ability exp(prior_mean))."""
        return 1 / (1 + np.exp(-self._ability * math.exp(self._mean)))

    def findings(self, outcome: Outcome) -> ModelFindings:
        """Confidence and probability: each vote has the ease of its observation."""
        from ..kernels.difficulties import vote_probabilities

        votes = self._votes
        right, wrong = np.empty((2, votes.n_votes))
        model = self._ability, self._eases(), self._n_others
        in_blocks(vote_probabilities, votes.n_observations, votes.offsets, votes.users, *model, right, wrong)
        cast = TwoWayVotes(right, wrong, np.arange(votes.n_votes, dtype=np.int32))
        return two_way_findings(outcome, self._label_prior.probabilities, cast)

    def _eases(self) -> Floats:
        """The ease of each observation: float64[n_observations]."""
        votes, (single, several) = self._votes, self._undisputed
        of_user = np.full(votes.n_users, self._mean, np.float64)
        of_user[single.users] = single.ease
        eases = of_user[votes.users[votes.offsets[:-1]]]
        is_several = np.diff(votes.offsets) > (1 if votes.factors is None else 0)
        is_several[self._disputes.observations] = False
        eases[is_several] = several.ease
        eases[self._disputes.observations] = self._disputed.ease
        return eases


LARGEST_TERM = 1e4  # no term of a gradient is larger: exp(2 * 4.6) / 4 = 2,474, and abilities stay far below 100


def _unanimous_groups(votes: Votes, ease: float) -> tuple[_Group, _Group]:
    """The observations with one vote, as one per user, and the others whose voters agree."""
    unanimous = votes.unanimous
    users = np.flatnonzero(unanimous.n_single)
    single = _Group(np.arange(users.size + 1), users.astype(np.int32), unanimous.n_single[users], ease)
    n_several = unanimous.offsets.size - 1
    return single, _Group(unanimous.offsets, unanimous.users, np.ones(n_several, np.int64), ease)
