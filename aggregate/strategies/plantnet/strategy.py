"""The Pl@ntNet EM: labels from weights, weights from labels."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ...ai_votes import AiOpinions, AiVotes, counted
from ...arrays import Counts, Flags, LabelCodes, Weights
from ...consensus import SLACK, AiFindings, Consensus, DisputeFindings
from ...errors import ParameterError, warn
from ...parameters import check_parameters, choice, declared, parameter
from ...progress import SILENT, Progress
from ...side_inputs import VOTES_ONLY, SideInputs
from ...trace import Trace
from ...user_weights import AlignedWeights, UserWeights
from ...votes import Votes
from ..base import check_takes
from ..parrots import PARROT_MODES, Parroting, parroting
from ..parts import parameters as common
from ..parts.convergence import Convergence
from ..parts.outcome import user_findings
from ..parts.species import SpeciesCounter
from ..parts.support import LabelChoice, Support, WeightHistory, entropies_of, heaviest_labels, support_of
from ..parts.thresholds import Thresholds
from ..parts.validity import Validity
from ..parts.votes_by_user import VotesByUser
from .ai_effects import effects_of_ai
from .ai_role import Forum
from .weighting import WEIGHT_FUNCTIONS, weights_of

AI_MODES = ("ignore", "user", "fixed", "invalidating", "confident")

OF_AI = {"group": "AI", "needs": "ai_votes"}
"""What the declarations of parameters have in common that mean nothing without the AI's votes."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """Where the iteration arrived: labels, weights, and how it got there."""

    forum: Forum
    validity: Validity
    labels: LabelCodes
    """int32[n_observations]"""
    valid: Flags
    """bool[n_observations]; before any objection of the AI."""
    weights: Weights
    """float64[n_users]"""
    history: WeightHistory
    """The weights that each iteration started from."""
    n_author: Counts
    n_vote: Counts
    trace: Trace


@dataclass(frozen=True, eq=False)
class Crowd:
    """Users, their votes, and what is known of their weights beforehand."""

    votes: Votes
    by_user: VotesByUser
    overrides: AlignedWeights | None
    """What the operator has set."""
    factors: Weights | None = None
    """float64[n_users] to multiply the weights with."""

    @classmethod
    def of(cls, votes: Votes, user_weights: UserWeights | None) -> "Crowd":
        """The users of ``votes``."""
        return cls(votes, VotesByUser.of(votes), None if user_weights is None else user_weights.align(votes))


@dataclass(frozen=True)
class PlantNet:
    """Weigh each user by the number of species the user has identified [L25, algorithm 1].

    [L25] Lefort et al. 2025, Cooperative learning of Pl@ntNet's AI algorithm, Methods in Ecology and Evolution
    (arXiv 2406.03356).

    With ``ai_votes`` the AI takes part by ``ai_mode`` [L25, section "Integrating model predictions"]: ``ignore``
    leaves it out; ``user`` makes it one of the users, named AI; ``fixed`` gives its vote the weight ``ai_weight``;
    ``confident`` the same where its score reaches ``ai_threshold``; with ``invalidating`` that weight only ever speaks
    against a label. The AI earns no species but as a user.

    Raises ParameterError if a parameter is out of its range.

    >>> PlantNet(theta_acc=0.8).theta_conf
    2.0
    """

    name: ClassVar[str] = "plantnet"
    takes: ClassVar[frozenset[str]] = frozenset({"user_weights", "ai_votes"})

    alpha: float = parameter(0.5, "exponent of the species count", "in (0, 10]")
    beta: float = parameter(0.2, "exponent of what is taken off again", "in (0, alpha]")
    gamma: float = parameter(math.log(2.1), "weight of a user without species", "in (0, 1e6]")
    theta_conf: float = common.theta_conf(None, unset="fits --weight-function")
    theta_acc: float = common.theta_acc()
    max_iter: int = common.max_iter(100)
    weight_function: str = choice("power-difference", "how the species count becomes a weight", tuple(WEIGHT_FUNCTIONS))
    vote_credit: str = choice("any", "which right votes on others' observations earn species", ("any", "validated"))
    ambiguous_below: float | None = common.ambiguous_below()
    ambiguous_quantile: float | None = common.ambiguous_quantile()

    ai_mode: str = choice("confident", "what the AI's votes may do, where they are given", AI_MODES, **OF_AI)
    ai_weight: float = parameter(1.7, "weight of the AI's vote", "in (0, 1e6]", **OF_AI)
    ai_threshold: float = parameter(
        0.7, "score from which on the AI has a vote in mode confident", "in [0, 2]", **OF_AI
    )

    parrots: str = choice("keep", "what becomes of users who only confirm the AI", PARROT_MODES, **OF_AI)

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.beta > self.alpha:
            raise ParameterError(f"beta is {self.beta} but must be in (0, alpha], and alpha is {self.alpha}")
        fitting = WEIGHT_FUNCTIONS[self.weight_function].theta_conf
        object.__setattr__(self, "theta_conf", fitting if self.theta_conf is None else self.theta_conf)
        _ = self.thresholds  # raises if they exclude each other

    @property
    def thresholds(self) -> Thresholds:
        """The four parameters that all strategies have."""
        return Thresholds(self.theta_conf, self.theta_acc, self.ambiguous_below, self.ambiguous_quantile)

    def fit(
        self,
        votes: Votes,
        given: SideInputs = VOTES_ONLY,
        *,
        user_weights: UserWeights | None = None,
        ai_votes: AiVotes | None = None,
        progress: Progress = SILENT,
    ) -> Consensus:
        """Estimate labels and weights together.

        ``user_weights`` and ``ai_votes`` are keywords, or among what is ``given``. The former are the operator's: a
        fixed weight replaces the estimated one from the first majority on, a minimum is a floor under it. The latter
        take part as ``ai_mode`` says; the consensus then has all observations that users or the AI know, and says what
        each would be without the AI. Warns (AggregateWarning) if nobody is known to be an author, or if the AI's
        weight is such that it validates alone or cannot invalidate.
        """
        check_takes(self, given.names)
        user_weights = given.user_weights if user_weights is None else user_weights
        ai_votes = given.ai_votes if ai_votes is None else ai_votes
        if not votes.has_authors:
            warn("no vote is known to be its observation's author: every vote counts as one on another's observation")
        opinions = None
        if ai_votes is not None:
            self._check_ai_weight()
            progress.phase("join the AI's votes")
            votes, opinions = ai_votes.join(votes)
        forum = self._forum(votes, opinions)
        progress.phase("pair users and species")
        crowd = Crowd.of(forum.votes, user_weights)
        users = crowd if forum.votes is votes else Crowd.of(votes, user_weights)
        estimate, without_ai = self._estimates(forum, opinions, crowd, users, progress)
        copying = None
        if opinions is not None:
            progress.phase("look for parrots")
            copying = parroting(crowd.votes, opinions, without_ai.labels, without_ai.valid, forum.ai_user)
            factors = copying.factors(self.parrots)
            if factors is not None:
                crowd = replace(crowd, factors=factors)
                users = replace(
                    users, factors=factors if crowd.votes is users.votes else np.delete(factors, forum.ai_user)
                )
                estimate, without_ai = self._estimates(forum, opinions, crowd, users, progress)
        progress.phase("derive columns")
        return self._consensus(estimate, opinions, without_ai, copying)

    def _estimates(
        self, forum: Forum, opinions: AiOpinions | None, crowd: Crowd, users: Crowd, progress: Progress
    ) -> tuple[Estimate, Estimate]:
        """The estimate, and what it would be if the AI did not take part in the iteration."""
        progress.phase("estimate", unit="iterations")
        estimate = self._estimate(forum, opinions, crowd, progress)
        if opinions is None or (forum.joined is None and forum.ai_user < 0):
            return estimate, estimate
        progress.phase("estimate without the AI", unit="iterations")
        return estimate, self._estimate(Forum.of_users(users.votes), None, users, progress)

    def _check_ai_weight(self) -> None:
        """Warn if the AI's weight lies outside the range of [L25]."""
        least = self.theta_conf * (1 - self.theta_acc) / self.theta_acc
        if self.ai_mode in ("fixed", "invalidating", "confident") and not least < self.ai_weight < self.theta_conf:
            effect = "makes a label valid alone" if self.ai_weight >= self.theta_conf else "cannot make a label invalid"
            warn(f"ai_weight is {self.ai_weight:g}, outside ({least:.3g}, {self.theta_conf:g}): the AI {effect}")

    def _forum(self, votes: Votes, opinions: AiOpinions | None) -> Forum:
        """Whose votes count, and how."""
        if opinions is None or self.ai_mode == "ignore":
            return Forum.of_users(votes)
        if self.ai_mode == "user":
            return Forum.of_users_and_ai(votes, opinions)
        votes_of_ai = counted(opinions.labels, opinions.scores, self.ai_mode, self.ai_threshold)
        if self.ai_mode == "invalidating":
            return Forum.with_ai_objecting(votes, votes_of_ai, self.ai_weight)
        return Forum.with_ai(votes, votes_of_ai, self.ai_weight)

    def _estimate(
        self,
        forum: Forum,
        opinions: AiOpinions | None,
        crowd: Crowd,
        progress: Progress,
    ) -> Estimate:
        """The iteration."""
        votes, disputes = forum.votes, forum.arguing
        validity = Validity(
            votes,
            crowd.by_user,
            self.theta_conf - SLACK,
            disputes=disputes,
            joined=forum.joined,
            joined_weight=forum.ai_weight,
        )
        counter = SpeciesCounter(validity, votes_need_validity=self.vote_credit == "validated")
        chosen = LabelChoice(disputes)
        history = WeightHistory(forum.judging, votes.n_users + forum.has_ai)
        labels = forum.undisputed_labels(opinions)
        weights = self._weights_of(np.zeros(votes.n_users, np.int32), crowd)
        chosen.settle(forum.with_ai_weight(weights))
        watch = Convergence(self.max_iter, chosen.labels.copy())
        while watch.goes_on():
            history.saw(forum.with_ai_weight(weights))
            labels[disputes.observations] = chosen.labels
            validity.weigh(weights)
            validity.set_disputed(chosen.labels.copy(), self._are_valid(chosen.support))
            n_author, n_vote = counter.count(labels)
            species = n_author + (n_vote + 5) // 10
            weights = self._weights_of(species, crowd)
            chosen.settle(forum.with_ai_weight(weights))
            watch.saw(species, chosen.labels.copy(), int(np.count_nonzero(validity.valid)))
            progress.advance()
        labels[disputes.observations] = chosen.labels
        validity.weigh(weights)
        validity.set_disputed(chosen.labels, self._are_valid(chosen.support))
        return Estimate(forum, validity, labels, validity.valid, weights, history, n_author, n_vote, watch.trace)

    def _consensus(
        self, estimate: Estimate, opinions: AiOpinions | None, without_ai: Estimate, copying: Parroting | None
    ) -> Consensus:
        """The estimate, and every column that derives from it."""
        forum, validity = estimate.forum, estimate.validity
        judging = forum.judging
        judged = estimate.labels[judging.observations]
        vote_weights = forum.counting(estimate.weights, judged)
        support = support_of(judging, vote_weights, judged)
        weight, valid = validity.totals, estimate.valid
        weight[judging.observations] = support.weight
        if judging is not forum.arguing:
            valid = valid.copy()
            valid[judging.observations] = self._are_valid(support)
        entropy, n_labels = entropies_of(judging, vote_weights, support.total)
        findings = DisputeFindings(
            confidence=support.weight / (support.total + self.gamma),
            agreement=support.agreement,
            margin=support.margin,
            aum=estimate.history.mean_margins(judged, forum.objector),
            entropy=entropy,
            n_labels=n_labels - forum.only_by_ai,
            runner_up=heaviest_labels(judging, vote_weights, excluded=judged),
        )
        ai = None
        if opinions is not None and copying is not None:
            effect = effects_of_ai(opinions.labels, estimate.labels, valid, without_ai.labels, without_ai.valid)
            ai = AiFindings(opinions.labels, opinions.scores, effect, vars(copying))
        return Consensus(
            votes=forum.votes,
            strategy=self.name,
            parameters=self._parameters(ai is not None),
            trace=estimate.trace,
            labels=estimate.labels,
            weight=weight,
            valid=valid,
            gamma=self.gamma,
            theta_acc=self.theta_acc,
            ambiguous_below=self.thresholds.ambiguity(findings.aum, forum.votes.n_observations),
            disputes=findings,
            users=user_findings(
                validity, estimate.labels, estimate.weights, estimate.n_author, estimate.n_vote, self.theta_conf
            ),
            judged=judging,
            vote_weights=vote_weights,
            ai=ai,
        )

    def _parameters(self, with_ai: bool) -> dict[str, Any]:
        """The parameters that had a part in the result."""
        known = declared(self)
        return {name: value for name, value in asdict(self).items() if with_ai or not known[name].needs}

    def _weights_of(self, species: Counts, crowd: Crowd) -> Weights:
        """f(n), less what looks copied from the AI, then what the operator has set."""
        function = WEIGHT_FUNCTIONS[self.weight_function]
        weights = weights_of(species, function, self.alpha, self.beta, self.gamma)
        if crowd.factors is not None:
            weights *= crowd.factors
        if crowd.overrides is not None:
            crowd.overrides.apply_to(weights)
        return weights

    def _are_valid(self, support: Support) -> Flags:
        """s[i] of the disputed observations; where nobody disagrees, conf is the total and acc is 1."""
        return self.thresholds.passes(support.weight, support.agreement)
