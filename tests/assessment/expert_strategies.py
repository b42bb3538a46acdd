"""Strategies that take experts' labels, each in a few lines."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from plant_aggregate import Consensus, Votes
from plant_aggregate.arrays import LabelCodes
from plant_aggregate.progress import SILENT, Progress
from plant_aggregate.side_inputs import VOTES_ONLY, SideInputs
from plant_aggregate.truth import Truth, known_rows


@dataclass(frozen=True)
class Repeats:
    """The label of the majority, but where experts gave one, theirs: it learns nothing."""

    name: ClassVar[str] = "repeats"
    takes: ClassVar[frozenset[str]] = frozenset({"experts"})

    def fit(self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> Consensus:
        labels = with_known(votes, votes.heaviest_labels(), given.experts)
        return Consensus.from_labels(votes, labels, shares=np.eye(votes.n_labels)[labels])


@dataclass(frozen=True)
class Learns:
    """The same, where a user's vote weighs (right + 1) / (known + 2) to the power ``expert_weight``."""

    name: ClassVar[str] = "learns"
    takes: ClassVar[frozenset[str]] = frozenset({"experts"})
    expert_weight: float = 1.0

    def fit(self, votes: Votes, given: SideInputs = VOTES_ONLY, *, progress: Progress = SILENT) -> Consensus:
        unknown = np.full(votes.n_observations, -1, np.int32)
        labels = with_known(votes, unknown, given.experts)[votes.observations]
        right = np.bincount(votes.users, labels == votes.labels, votes.n_users)
        known = np.bincount(votes.users, labels >= 0, votes.n_users)
        weights = ((right + 1) / (known + 2)) ** self.expert_weight
        found = with_known(votes, votes.heaviest_labels(weights), given.experts)
        return Consensus.from_labels(votes, found, weights=weights)


def with_known(votes: Votes, labels: LabelCodes, experts: Truth | None) -> LabelCodes:
    """The labels, but experts' where they gave one that somebody voted."""
    if experts is None:
        return labels
    known = known_rows(experts, votes, "the votes")
    labels = labels.copy()
    labels[known.rows[known.codes >= 0]] = known.codes[known.codes >= 0]
    return labels
