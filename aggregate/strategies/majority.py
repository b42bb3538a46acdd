"""The plain vote, in three readings."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..consensus import Consensus
from ..disputes import Margins, likeliest, vote_shares
from ..progress import SILENT, Progress
from ..side_inputs import VOTES_ONLY, SideInputs
from ..trace import Iteration, Trace
from ..votes import Votes
from .base import check_takes
from .parts.outcome import Judge, reach
from .parts.thresholds import VoteThresholds


@dataclass(frozen=True)
class Majority(VoteThresholds):
    """The label with most votes; every user weighs 1.

    Ties go to the author's label, else to the smallest. A label is valid with ``theta_conf`` votes and a share
    ``theta_acc`` of them.

    >>> Majority().theta_conf
    2.0
    """

    name: ClassVar[str] = "majority"

    def fit(self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> Consensus:
        """Count the votes."""
        check_takes(self, given.names)
        return count_votes(self, votes, progress)


def count_votes(thresholds: VoteThresholds, votes: Votes, progress: Progress) -> Consensus:
    """The consensus in which every vote weighs 1."""
    progress.phase("estimate", unit="iterations")
    disputes = votes.disputes
    weights = np.ones(votes.n_users)
    shares = vote_shares(disputes)
    chosen = likeliest(disputes, shares)
    margins = Margins(disputes)
    margins.add(shares)
    judge = Judge(votes, thresholds)
    trace = Trace((Iteration(0, 0, judge.count_valid(weights, chosen, shares)),), converged=True, cycle_length=0)
    return reach(thresholds, judge, weights, shares, chosen, margins.mean, trace, progress)
