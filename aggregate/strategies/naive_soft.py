"""The distribution of the votes."""

from dataclasses import dataclass
from typing import ClassVar

from ..consensus import Consensus
from ..progress import SILENT, Progress
from ..votes import Votes
from .majority import count_votes
from .parts.thresholds import VoteThresholds


@dataclass(frozen=True)
class NaiveSoft(VoteThresholds):
    """Each label's share of the votes is its soft label; the one with the largest is the label.

    Labels and all columns are those of ``majority``: the strategy is there for its soft results (``--soft``), by the
    name the field gives it.
    """

    name: ClassVar[str] = "naive-soft"

    def fit(self, votes: Votes, *, progress: Progress = SILENT) -> Consensus:
        """Count the votes."""
        return count_votes(self, votes, progress)
