"""Cleaned votes, grouped by observation: the one structure everything reads."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .arrays import Counts, Flags, Indices, LabelCodes, Offsets, UserCodes
from .arrow import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Candidates:
    """The distinct labels voted on each disputed observation: what a distribution over its labels lives on.

    The candidates of dispute i are the slice ``offsets[i]:offsets[i + 1]``, by label.
    """

    offsets: Offsets
    """int64[len(disputes) + 1]"""
    labels: LabelCodes
    """int32[n_candidates]"""
    n_votes: Counts
    """int32[n_candidates]; votes for the label, next to each other among the votes of the dispute."""
    by_author: Flags
    """bool[n_candidates]; an author of the observation voted the label."""
    of_vote: Counts
    """int32[votes on disputes]; the candidate that each vote is for."""

    def __len__(self) -> int:
        return self.labels.size


@dataclass(frozen=True, eq=False)
class Disputes:
    """The observations whose votes name more than one label, with their votes apart.

    All others have nothing to argue about: whatever the users' weights, their label is the one voted.
    """

    observations: Indices
    """int64[n]; positions among all observations, ascending."""
    offsets: Offsets
    """int64[n + 1]; the votes of dispute i are the slice offsets[i]:offsets[i + 1]."""
    users: UserCodes
    labels: LabelCodes
    is_author: Flags

    def __len__(self) -> int:
        return self.observations.size

    @cached_property
    def candidates(self) -> Candidates:
        """The labels that were voted on each of the observations."""
        from .kernels.candidates import list_candidates

        return Candidates(*list_candidates(self.offsets, self.labels, self.is_author))


@dataclass(frozen=True, eq=False)
class Votes:
    """At most one vote per observation and user, integer coded, grouped by observation.

    Codes follow the sorted ids, so sorting codes sorts ids. The votes of observation i are the slice
    ``offsets[i]:offsets[i + 1]``, ordered by (label, user). Every observation, user and label has a vote; but where the
    AI's votes were joined to them, there may be observations, and labels, that only the AI names.
    """

    offsets: Offsets
    """int64[n_observations + 1]"""
    users: UserCodes
    """int32[n_votes]"""
    labels: LabelCodes
    """int32[n_votes]"""
    is_author: Flags
    """bool[n_votes]; the voter took the pictures of the observation."""
    observation_ids: "pa.Array"
    """Sorted ids, integers or strings."""
    user_ids: "pa.Array"
    """Sorted ids, integers or strings."""
    label_names: "pa.Array"
    """Sorted labels, strings (code-point order) or integers."""

    @property
    def n_observations(self) -> int:
        """Number of observations."""
        return self.offsets.size - 1

    @property
    def n_votes(self) -> int:
        """Number of votes."""
        return self.labels.size

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return len(self.label_names)

    @property
    def first_labels(self) -> LabelCodes:
        """int32[n_observations]; the smallest label voted on each, the only one where nobody disagrees; -1 for none."""
        starts = self.offsets[:-1]
        if self.n_votes and starts[-1] < self.n_votes and not np.any(starts == self.offsets[1:]):
            return self.labels[starts]
        first = np.full(self.n_observations, -1, np.int32)
        voted = starts < self.offsets[1:]
        first[voted] = self.labels[starts[voted]]
        return first

    @property
    def voted(self) -> "Votes":
        """The same without observations that only the AI knows; user and label codes stay."""
        sizes = np.diff(self.offsets)
        if sizes.all():
            return self
        kept = np.flatnonzero(sizes)
        offsets = np.append(self.offsets[kept], self.n_votes)
        return replace(self, offsets=offsets, observation_ids=self.observation_ids.take(to_arrow(kept)))

    @cached_property
    def has_authors(self) -> bool:
        """Whether any vote is known to be the author's."""
        return bool(self.is_author.any())

    @cached_property
    def disputes(self) -> Disputes:
        """The observations whose votes name more than one label."""
        from .kernels.disputes import find_disputed, votes_of
        from .kernels.threads import in_blocks

        disputed = np.empty(self.n_observations, np.bool_)
        in_blocks(find_disputed, self.n_observations, self.offsets, self.labels, disputed)
        observations = np.flatnonzero(disputed)
        offsets, votes = votes_of(self.offsets, observations)
        return Disputes(observations, offsets, self.users[votes], self.labels[votes], self.is_author[votes])

    def __repr__(self) -> str:
        return (
            f"Votes({self.n_votes:,} votes of {self.n_users:,} users on {self.n_observations:,} observations, "
            f"{self.n_labels:,} labels)"
        )
