"""Majority voting."""

from dataclasses import dataclass
from typing import ClassVar

from ..consensus import Consensus
from ..derived.thresholds import VoteThresholds
from ..progress import Progress
from ..trace import Iteration, Trace
from ..votes import Votes
from .built_in import BuiltIn
from .parts.outcome import Outcome, build_consensus


@dataclass(frozen=True, repr=False)
class Majority(BuiltIn, VoteThresholds):
    """The label with most votes; every user weighs 1.

    Ties go to the author's label, else to the smallest. A label is valid with ``theta_conf`` votes and a share
    ``theta_acc`` of them.

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 2.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.

    >>> Majority().theta_conf
    2.0
    """

    name: ClassVar[str] = "majority"

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Count the votes."""
        progress.phase("estimate", unit="iterations")
        outcome = Outcome(self, votes)
        trace = Trace((Iteration(0, 0, outcome.count_valid()),), converged=True, cycle_length=0)
        return build_consensus(outcome, trace, progress)
