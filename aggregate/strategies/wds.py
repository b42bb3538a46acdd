"""Votes weighted by Dawid and Skene's diagonal."""

from dataclasses import dataclass
from typing import ClassVar

from ..consensus import Consensus
from ..disputes import weight_shares
from ..progress import Progress
from ..votes import Votes
from .dawid_skene import ConfusionModel, DawidSkene
from .parts.outcome import Outcome, build_consensus
from .parts.posteriors import estimate


@dataclass(frozen=True, repr=False)
class Wds(DawidSkene):
    """One vote in which u's vote for l weighs P(l | l, u), the diagonal of the confusion matrix of ``dawid-skene``.

    The shares of the labels are those of this weight: softer than the posteriors of ``dawid-skene``, as errors for one
    label in particular count for nothing. By that name in peerannot (Lefort, Affouard, Charlier, Salmon 2024, Computo).
    A user's weight is that of ``dawid-skene``; aum is the margin.

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        max_iter: iterations at most. At least 1, default 300.
        tolerance: stop when no posterior probability has moved by more. In (0, 1), default 0.01.
        expert_weight: how often votes on observations that experts labelled count in what is learnt of users. In
            [0.001, 1e6], with experts, default 1.
        prior_votes: votes of the crowd's mean quality added to each user's. In [0, 1e6], default 3.
        label_prior: power of a label's frequency in its prior probability; 0: all alike. In [0, 1], default 1.
        label_smoothing: observations added to each label's. In [0, 1e6], default 1.
    """

    name: ClassVar[str] = "wds"

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Estimate as ``dawid-skene``, then vote once."""
        progress.phase("pair labels")
        model = ConfusionModel(self, votes)
        found, trace = estimate(self, votes, model, progress)
        disputes = votes.disputes
        shares = disputes.with_experts(weight_shares(disputes, disputes.discounted(model.right_of_votes())))
        return build_consensus(Outcome(self, votes, found.weights, shares), trace, progress)
