"""Worker agreement with aggregate."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..consensus import Consensus
from ..derived.thresholds import Thresholds
from ..progress import Progress
from ..trace import Iteration, Trace
from ..votes import Votes
from .built_in import BuiltIn
from .parts.agreement_counts import AgreementCounter
from .parts.outcome import Outcome, build_consensus


@dataclass(frozen=True, repr=False)
class Wawa(BuiltIn, Thresholds):
    """Weigh each user by agreement with the majority, then vote once more.

    w(u) = share of u's votes that equal the majority's label; the label is the one with most weight. Ties as in
    ``majority``; in the second vote the first one's label goes before. By that name in Toloka's crowd-kit (Ustalov,
    Pavlichenko, Tseitlin 2024, Learning from Crowds with Crowd-Kit, JOSS 9).

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
    """

    name: ClassVar[str] = "wawa"

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Vote by majority, then weighted by each user's agreement with it."""
        progress.phase("estimate", unit="iterations")
        outcome = Outcome(self, votes)
        weights = AgreementCounter(votes).share(outcome.labels)
        outcome.update(weights)
        users_changed = int(np.count_nonzero(weights != 1.0))
        iteration = Iteration(outcome.labels_changed, users_changed, outcome.count_valid())
        return build_consensus(outcome, Trace((iteration,), converged=True, cycle_length=0), progress)
