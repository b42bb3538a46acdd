"""The Pl@ntNet EM: labels from weights, weights from labels."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ... import shared_parameters as common
from ...ai_votes import AI_MODES, AiVotes
from ...arrays import Counts, Flags, LabelCodes, Weights
from ...consensus import Consensus
from ...defences.base import FirstConsensus
from ...defences.registry import DEFENCES, examine
from ...derived.thresholds import Thresholds
from ...derived.votes_by_user import VotesByUser
from ...errors import ParameterError, warn
from ...expert_labels import with_expert_labels
from ...listeners import ProgressLike, listening
from ...parameters import check_parameters, parameter
from ...progress import Progress
from ...reprs import changed_repr
from ...side_inputs import VOTES_ONLY, SideInputs
from ...truth import Truth
from ...user_weights import AlignedWeights, UserWeights
from ...votes import Votes
from ..base import parameters_with, side_inputs_of
from ..built_in import BuiltIn
from .ai_effects import findings_of_ai
from .ai_role import AiMode, AiRole, mode_of
from .engine import ArrayEngine
from .iteration import Engine, Estimate, Rules, iterate
from .weighting import WEIGHT_FUNCTIONS, weights_of

OF_AI: dict[str, Any] = {"group": "AI", "needs": "ai_votes"}
"""Shared by the declarations of parameters that require the AI's votes."""


class Voters(NamedTuple):
    """The users, the AI in its role among them, and the fixed weights, minima and factors."""

    role: AiRole
    by_user: VotesByUser
    weights: AlignedWeights

    @classmethod
    def of(cls, role: AiRole, user_weights: UserWeights | None) -> "Voters":
        """The voters of ``role.votes``."""
        votes = role.votes
        return cls(role, VotesByUser.of(votes), AlignedWeights() if user_weights is None else user_weights.align(votes))

    def with_factors(self, factors: Weights) -> "Voters":
        """The same with float64[n_users] ``factors`` on their weights."""
        return self._replace(weights=self.weights._replace(factor=factors))


@dataclass(frozen=True)
class PlantNet(BuiltIn):
    """Weigh each user by the number of species the user has identified [L25, algorithm 1].

    [L25] Lefort et al. 2025, Cooperative learning of Pl@ntNet's AI algorithm, Methods in Ecology and Evolution
    (arXiv 2406.03356).

    With ``ai_votes`` the AI takes part by ``ai_mode`` [L25, section "Integrating model predictions"]: ``ignore``
    leaves it out; ``user`` makes it one of the users, named AI; ``fixed`` gives its vote the weight ``ai_weight``;
    ``confident`` the same where its score reaches ``ai_threshold``; with ``invalidating`` that weight only counts
    against a label. Only as a user does the AI earn species.

    With ``experts`` their labels are fixed, and valid, in every iteration.

    Raises ParameterError if a parameter is out of its range.

    Args:
        alpha: exponent of the species count. In (0, 10], default 0.5.
        beta: exponent of the term that is subtracted. In (0, alpha], default 0.2.
        gamma: weight of a user without species. In (0, 1e6], default 0.7419.
        theta_conf: weight a label needs to be valid. In (0, 1e9], default: fits weight_function.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        max_iter: iterations at most. At least 1, default 100.
        weight_function: how the species count becomes a weight. One of power-difference, linear, square-root,
            three-quarters, square, logarithm, default 'power-difference'.
        vote_credit: which right votes on others' observations earn species. One of any, validated, default 'any'.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        ai_mode: what the AI's votes may do, where they are given. One of ignore, user, fixed, invalidating, confident,
            with ai_votes, default 'confident'.
        ai_weight: weight of the AI's vote. In (0, 1e6], with ai_votes, default 1.7.
        ai_threshold: lowest score with which the AI votes in mode confident. In [0, 2], with ai_votes, default 0.7.
        parrots: how to treat users who only confirm the AI. One of keep, discount, drop, with ai_votes, default 'keep'.

    >>> PlantNet(theta_acc=0.8).theta_conf
    2.0
    """

    name: ClassVar[str] = "plantnet"
    takes: ClassVar[frozenset[str]] = frozenset({"user_weights", "ai_votes", "experts"})

    alpha: float = parameter(0.5, "exponent of the species count", "in (0, 10]")
    beta: float = parameter(0.2, "exponent of the term that is subtracted", "in (0, alpha]")
    gamma: float = parameter(math.log(2.1), "weight of a user without species", "in (0, 1e6]")
    theta_conf: float = common.theta_conf(None, unset="fits --weight-function")
    theta_acc: float = common.theta_acc()
    max_iter: int = common.max_iter(100)
    weight_function: str = parameter(
        "power-difference", "how the species count becomes a weight", choices=tuple(WEIGHT_FUNCTIONS)
    )
    vote_credit: str = parameter(
        "any", "which right votes on others' observations earn species", choices=("any", "validated")
    )
    ambiguous_below: float | None = common.ambiguous_below()
    ambiguous_quantile: float | None = common.ambiguous_quantile()

    ai_mode: str = parameter("confident", "what the AI's votes may do, where they are given", choices=AI_MODES, **OF_AI)
    ai_weight: float = parameter(1.7, "weight of the AI's vote", "in (0, 1e6]", **OF_AI)
    ai_threshold: float = parameter(0.7, "lowest score with which the AI votes in mode confident", "in [0, 2]", **OF_AI)

    parrots: str = parameter(
        "keep", "how to treat users who only confirm the AI", choices=DEFENCES["parrots"].modes, **OF_AI
    )

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.beta > self.alpha:
            raise ParameterError(f"beta is {self.beta} but must be in (0, alpha], and alpha is {self.alpha}")
        fitting = WEIGHT_FUNCTIONS[self.weight_function].theta_conf
        object.__setattr__(self, "theta_conf", fitting if self.theta_conf is None else self.theta_conf)
        _ = self.thresholds  # raises if they exclude each other

    __repr__ = changed_repr

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
        experts: Truth | None = None,
        progress: ProgressLike = None,
        engine: type[Engine] = ArrayEngine,
        **others: Any,
    ) -> Consensus:
        """Estimate labels and weights together.

        ``user_weights``, ``ai_votes`` and ``experts`` are keywords, or among what is ``given``. The first are set by
        hand: a fixed weight replaces the estimated one from the first majority on, a minimum is a floor under it. The
        AI's votes take part as ``ai_mode`` says; the consensus then has all observations that users or the AI voted on,
        and says what each would be without the AI. The label that ``experts`` give an observation is its label, and
        valid, in every iteration: voters of it, and no others, earn its species. As species are counted, not votes, no
        parameter weighs experts' observations. Warns (AggregateWarning) if no vote is marked as an author's, or if the
        AI's weight is such that it validates alone or cannot invalidate. Raises VotesError if experts know none of the
        observations. ``progress``: True shows a bar, False does not, by default there is one in notebooks; or a
        listener. ``engine`` does the computations.
        """
        keywords = {"user_weights": user_weights, "ai_votes": ai_votes, "experts": experts, **others}
        given = side_inputs_of(self, votes, given, keywords)
        with listening(progress) as listener:
            return self._fit_all(votes.without_experts, given, listener, engine)

    def _fit_all(self, votes: Votes, given: SideInputs, progress: Progress, engine: type[Engine]) -> Consensus:
        if not votes.has_authors:
            warn("no vote is known to be its observation's author: every vote counts as one on another's observation")
        mode, ai, user_weights = mode_of(self), None, given.user_weights
        if given.ai_votes is not None:
            self._check_ai_weight(mode)
            progress.phase("join the AI's votes")
            votes, ai = given.ai_votes.join(votes)
        if given.experts is not None:
            of_users, votes = votes, with_expert_labels(votes, given.experts)
            ai = None if ai is None else ai.renamed(of_users.label_names, votes.label_names)
        role = AiRole.of_users(votes) if ai is None else mode.role(votes, ai)
        progress.phase("pair users and species")
        everyone, no_role = Voters.of(role, user_weights), AiRole.of_users(votes)
        users = everyone._replace(role=no_role) if role.votes is votes else Voters.of(no_role, user_weights)
        iterated, estimate, without_ai = self._estimate(engine, everyone, users, progress)
        found = examine(vars(self), FirstConsensus(role.votes, *without_ai, ai, role.ai_user), progress)
        if found.factors is not None:
            everyone = everyone.with_factors(found.factors)
            users = users.with_factors(role.without_ai(found.factors))
            iterated, estimate, without_ai = self._estimate(engine, everyone, users, progress)
        progress.phase("derive columns")
        report = iterated.report(estimate)
        return Consensus(
            votes=role.votes,
            strategy=self.name,
            parameters=parameters_with(self, () if ai is None else ("ai_votes",)),
            trace=estimate.trace,
            labels=report.labels,
            weight=report.weight,
            valid=report.valid,
            gamma=self.gamma,
            theta_acc=self.theta_acc,
            ambiguous_below=self.thresholds.ambiguity(report.disputes.aum, role.votes.n_observations),
            disputes=report.disputes,
            users=report.users,
            judged=report.reported,
            vote_weights=report.vote_weights,
            ai=None if ai is None else findings_of_ai(ai, report.labels, report.valid, *without_ai),
            user_table=found.table,
            user_columns=found.columns,
        )

    def _estimate(
        self, engine: type[Engine], everyone: Voters, users: Voters, progress: Progress
    ) -> tuple[Engine, Estimate, tuple[LabelCodes, Flags]]:
        """The iteration; and the labels, and which are valid, that it would arrive at without the AI."""
        progress.phase("estimate", unit="iterations")
        iterated, estimate = self._iterate(engine, everyone, progress)
        without_ai = iterated
        if everyone.role.is_voter:
            progress.phase("estimate without the AI", unit="iterations")
            without_ai, _ = self._iterate(engine, users, progress)
        return iterated, estimate, (without_ai.labels, without_ai.valid)

    def _iterate(self, engine: type[Engine], voters: Voters, progress: Progress) -> tuple[Engine, Estimate]:
        rules = self._rules(voters.weights)
        made = engine(voters.role, voters.by_user, rules)
        return made, iterate(made, rules, progress)

    def _rules(self, outside: AlignedWeights) -> Rules:
        function = WEIGHT_FUNCTIONS[self.weight_function]

        def weights(species: Counts) -> Weights:
            estimated = weights_of(species, function, self.alpha, self.beta, self.gamma)
            outside.apply_to(estimated)
            return estimated

        return Rules(weights, self.thresholds, self.vote_credit == "validated", self.gamma, self.max_iter)

    def _check_ai_weight(self, mode: AiMode) -> None:
        """Warn if the AI's weight lies outside the range of [L25]."""
        least = self.theta_conf * (1 - self.theta_acc) / self.theta_acc
        if hasattr(mode, "ai_weight") and not least < self.ai_weight < self.theta_conf:
            effect = "makes a label valid alone" if self.ai_weight >= self.theta_conf else "cannot make a label invalid"
            warn(f"ai_weight is {self.ai_weight:g}, outside ({least:.3g}, {self.theta_conf:g}): the AI {effect}")
