"""The distribution of the votes."""

from dataclasses import dataclass
from typing import ClassVar

from ..consensus import Consensus
from ..progress import SILENT, Progress
from ..side_inputs import VOTES_ONLY, SideInputs
from ..votes import Votes
from .base import check_takes
from .majority import count_votes
from .parts.thresholds import VoteThresholds


@dataclass(frozen=True)
class NaiveSoft(VoteThresholds):
    """Each label's share of the votes is its soft label; the one with the largest is the label.

    Labels and all columns are those of ``majority``: the strategy is there for its soft results (``--soft``), by the
    name the field gives it.
    """

    name: ClassVar[str] = "naive-soft"

    def fit(self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> Consensus:
        """Count the votes."""
        check_takes(self, given.names)
        return count_votes(self, votes, progress)
