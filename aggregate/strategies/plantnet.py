"""The Pl@ntNet EM: labels from weights, weights from labels."""

import math
import warnings
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from ..arrays import Counts, Flags, LabelCodes, Weights
from ..consensus import SLACK, Consensus, DisputeFindings
from ..errors import AggregateWarning, ParameterError
from ..progress import SILENT, Progress
from ..user_weights import AlignedWeights, UserWeights
from ..votes import Disputes, Votes
from .base import check_parameters, choice, parameter
from .convergence import Convergence
from .labelling import Support, entropies_of, heaviest_labels, support_of
from .species import SpeciesCounter, Standing, VotesByUser
from .thresholds import ambiguity_threshold
from .verdict import user_findings
from .weighting import WEIGHT_FUNCTIONS, weights_of


@dataclass(frozen=True)
class PlantNet:
    """Weigh each user by the number of species the user has identified [L25, algorithm 1].

    [L25] Lefort et al. 2025, Cooperative learning of Pl@ntNet's AI algorithm, Methods in Ecology and Evolution
    (arXiv 2406.03356).

    Raises ParameterError if a parameter is out of its range.

    >>> PlantNet(theta_acc=0.8).theta_conf
    2.0
    """

    name: ClassVar[str] = "plantnet"

    alpha: float = parameter(0.5, "exponent of the species count", "in (0, 10]", lambda a: 0 < a <= 10)
    beta: float = parameter(0.2, "exponent of what is taken off again", "in (0, alpha]", lambda b: b > 0)
    gamma: float = parameter(math.log(2.1), "weight of a user without species", "in (0, 1e6]", lambda g: 0 < g <= 1e6)
    theta_conf: float = parameter(
        None, "weight a label needs to be valid [default: fits the function]", "in (0, 1e9]", lambda t: 0 < t <= 1e9
    )
    theta_acc: float = parameter(
        0.7, "share of the weight a label needs to be valid", "in (0, 1]", lambda t: 0 < t <= 1
    )
    max_iter: int = parameter(100, "iterations at most", "at least 1", lambda m: m >= 1)
    weight_function: str = choice("power-difference", "how the species count becomes a weight", tuple(WEIGHT_FUNCTIONS))
    vote_credit: str = choice("any", "which right votes on others' observations earn species", ("any", "validated"))
    ambiguous_below: float | None = parameter(
        None,
        "aum below which an observation is ambiguous [default: 2 theta_acc - 1]",
        "in [-1, 1]",
        lambda a: -1 <= a <= 1,
    )
    ambiguous_quantile: float | None = parameter(
        None,
        "instead: share of observations, of lowest aum, to call ambiguous",
        "in (0, 1)",
        lambda q: 0 < q < 1,
    )

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.beta > self.alpha:
            raise ParameterError(f"beta is {self.beta} but must be in (0, alpha], and alpha is {self.alpha}")
        if self.ambiguous_below is not None and self.ambiguous_quantile is not None:
            raise ParameterError("ambiguous_below and ambiguous_quantile exclude each other")
        fitting = WEIGHT_FUNCTIONS[self.weight_function].theta_conf
        object.__setattr__(self, "theta_conf", fitting if self.theta_conf is None else self.theta_conf)

    def fit(self, votes: Votes, *, user_weights: UserWeights | None = None, progress: Progress = SILENT) -> Consensus:
        """Estimate labels and weights together.

        ``user_weights`` are the operator's: a fixed weight replaces the estimated one from the first majority on,
        a minimum is a floor under it. Warns (AggregateWarning) if nobody is known to be an author.
        """
        if not votes.has_authors:
            warnings.warn(
                "no vote is known to be its observation's author: every vote counts as one on another's observation",
                AggregateWarning,
                stacklevel=2,
            )
        overrides = user_weights.align(votes) if user_weights is not None else None
        progress.phase("pair users and species")
        disputes = votes.disputes
        standing = Standing(votes, VotesByUser.of(votes), self.theta_conf - SLACK)
        counter = SpeciesCounter(standing, votes_need_validity=self.vote_credit == "validated")

        progress.phase("estimate", unit="iterations")
        weights = self._weights_of(np.zeros(votes.n_users, np.int32), overrides)
        labels = votes.labels[votes.offsets[:-1]]
        disputed_labels = heaviest_labels(disputes, weights[disputes.users])
        watch = Convergence(self.max_iter, disputed_labels)
        history: list[Weights] = []
        while watch.goes_on():
            vote_weights = weights[disputes.users]
            history.append(vote_weights)
            labels[disputes.observations] = disputed_labels
            standing.weigh(weights)
            support = support_of(disputes, vote_weights, disputed_labels)
            standing.judge_disputed(disputed_labels, self._are_valid(support))
            n_author, n_vote = counter.count(labels)
            species = n_author + (n_vote + 5) // 10
            weights = self._weights_of(species, overrides)
            disputed_labels = heaviest_labels(disputes, weights[disputes.users], held=disputed_labels)
            watch.saw(species, disputed_labels, int(np.count_nonzero(standing.valid)))
            progress.advance()
        labels[disputes.observations] = disputed_labels

        progress.phase("derive columns")
        support = support_of(disputes, weights[disputes.users], disputed_labels)
        weight = standing.weigh(weights)
        standing.judge_disputed(disputed_labels, self._are_valid(support))
        weight[disputes.observations] = support.weight
        findings = self._dispute_findings(disputes, disputed_labels, weights[disputes.users], support, history)
        return Consensus(
            votes=votes,
            strategy=self.name,
            parameters=asdict(self),
            trace=watch.trace,
            labels=labels,
            weight=weight,
            valid=standing.valid,
            gamma=self.gamma,
            theta_acc=self.theta_acc,
            ambiguous_below=ambiguity_threshold(
                findings.aum, votes.n_observations, self.theta_acc, self.ambiguous_below, self.ambiguous_quantile
            ),
            disputes=findings,
            users=user_findings(standing, labels, weights, n_author, n_vote, self.theta_conf),
        )

    def _weights_of(self, species: Counts, overrides: AlignedWeights | None) -> Weights:
        """f(n), then what the operator has set."""
        function = WEIGHT_FUNCTIONS[self.weight_function]
        weights = weights_of(species, function, self.alpha, self.beta, self.gamma)
        if overrides is not None:
            overrides.apply_to(weights)
        return weights

    def _are_valid(self, support: Support) -> Flags:
        """s[i] of the disputed observations; where nobody disagrees, conf is the total and acc is 1."""
        return (support.weight >= self.theta_conf - SLACK) & (support.agreement >= self.theta_acc - SLACK)

    def _dispute_findings(
        self,
        disputes: Disputes,
        labels: LabelCodes,
        vote_weights: Weights,
        support: Support,
        history: list[Weights],
    ) -> DisputeFindings:
        """The derived columns of the disputed observations; ``history`` has the vote weights w(0) .. w(T-1)."""
        margins = (support_of(disputes, past, labels).margin for past in history)
        entropy, n_labels = entropies_of(disputes, vote_weights, support.total)
        return DisputeFindings(
            confidence=support.weight / (support.total + self.gamma),
            agreement=support.agreement,
            margin=support.margin,
            aum=sum(margins, start=np.zeros(len(disputes))) / len(history),
            entropy=entropy,
            n_labels=n_labels,
            runner_up=heaviest_labels(disputes, vote_weights, excluded=labels),
        )
