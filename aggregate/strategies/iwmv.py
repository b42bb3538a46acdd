"""Iterative weighted majority voting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import shared_parameters as common
from ..consensus import Consensus
from ..derived.thresholds import Thresholds
from ..progress import Progress
from ..votes import Votes
from .built_in import BuiltIn
from .parts.agreement_counts import AgreementCounter
from .parts.convergence import Convergence
from .parts.outcome import Outcome, build_consensus


@dataclass(frozen=True, repr=False)
class Iwmv(BuiltIn, Thresholds):
    """Weigh each user by how much better than chance the user agrees with the weighted vote, in turns [LZ13].

    w(u) = 1 for all at first; then the labels are those of most weight, p(u) is the share of u's votes that equal
    them, and w(u) = max(0, (K p(u) - 1) / (K - 1)), with K labels: 1 for a user who always agrees, 0 for one who does
    so by chance. [LZ13] has K p(u) - 1, which gives the same labels except for users worse than chance, whose votes
    count against their label there; here such a vote has weight 0, so that shares of weight have a meaning. It ends
    when neither p nor a label changes, or a state returns.

    [LZ13] Li and Yu 2014, Error rate bounds and iterative weighted majority voting for crowdsourcing (arXiv 1411.4086).

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        max_iter: iterations at most. At least 1, default 100.
    """

    name: ClassVar[str] = "iwmv"

    max_iter: int = common.max_iter(100)

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Vote until neither labels nor agreement change."""
        progress.phase("estimate", unit="iterations")
        outcome, counter = Outcome(self, votes), AgreementCounter(votes)
        n_labels = votes.n_labels
        watch = Convergence(self.max_iter, outcome.chosen)
        while watch.goes_on():
            n_agreeing = counter.count(outcome.labels)
            agreement = n_agreeing / counter.n_votes
            weights = np.maximum(0.0, (n_labels * agreement - 1) / (n_labels - 1)) if n_labels > 1 else agreement
            outcome.update(weights)
            watch.saw(n_agreeing, outcome.chosen, outcome.count_valid())
            progress.advance()
        return build_consensus(outcome, watch.trace, progress)
