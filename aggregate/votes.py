"""Cleaned votes, grouped by observation: the structure that all strategies read."""

import math
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .arrays import Factors, Flags, Indices, LabelCodes, Offsets, UserCodes, Weights
from .arrow import table_of, to_arrow
from .blocks import FIRST, Block, count, first_rows
from .disputes import Disputes, choices_among, likeliest_labels, weight_shares
from .frames import to_polars
from .html_blocks import as_html
from .kernels.threads import in_blocks, kernels_side_by_side, one_part_per_thread
from .reprs import short_repr
from .schema import VOTES, arrow_schema

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class Unanimous(NamedTuple):
    """Observations whose voters all agree: those with one vote as a count by user, the others with their voters.

    Where votes have factors, those with one vote are among the others.
    """

    n_single: Indices  # int64[n_users]; observations on which the user's vote is the only one
    # int64[n + 1]; the voters of the i-th of the other observations are the slice offsets[i]:offsets[i + 1].
    offsets: Offsets
    users: UserCodes
    factors: Factors | None  # those of these voters' votes

    def __repr__(self) -> str:
        return short_repr(self)

    def count_reaching(self, weights: Weights, threshold: float) -> int:
        """Number of observations whose voters' weights add up to ``threshold``; ``weights`` float64[n_users]."""
        from .kernels.label_weights import count_heavy

        given: Any = self.offsets, self.users, self.factors, weights, threshold
        parts = one_part_per_thread(self.offsets.size - 1)
        heavy: list[int] = kernels_side_by_side(*(partial(count_heavy, *part, *given) for part in parts))
        return int(self.n_single[weights >= threshold].sum()) + sum(heavy)


@dataclass(frozen=True, eq=False)
class Votes:
    """At most one vote per observation and user, integer coded, grouped by observation.

    Codes follow the sorted ids, so sorting codes sorts ids. The votes of observation i are the slice
    ``offsets[i]:offsets[i + 1]``, ordered by (label, user). Every observation, user and label has a vote; only if the
    AI's votes were joined may there be observations and labels that no user voted on, and labels if experts' were.
    """

    offsets: Offsets
    """int64[n_observations + 1]; where the votes of each observation begin."""
    users: UserCodes
    """int32[n_votes]; positions in ``user_ids``."""
    labels: LabelCodes
    """int32[n_votes]; positions in ``label_names``."""
    is_author: Flags
    """bool[n_votes]; the voter took the pictures of the observation."""
    observation_ids: "pa.Array"
    """Sorted ids, integers or strings."""
    user_ids: "pa.Array"
    """Sorted ids, integers or strings."""
    label_names: "pa.Array"
    """Sorted labels, strings (code-point order) or integers."""
    factors: Factors | None = None
    """float32[n_votes], >= 0; how much of its user's weight each vote has. None: all of it."""
    expert_labels: LabelCodes | None = None
    """int32[n_observations]; the label that experts gave, a position in ``label_names``, -1 without one. An observation
    that has one is among the disputed, whatever was voted. None: no experts are asked."""

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
    def observations(self) -> Indices:
        """int64[n_votes]; the observation of each vote, a position in ``observation_ids``."""
        return np.repeat(np.arange(self.n_observations), np.diff(self.offsets))

    def heaviest_labels(self, weights: Weights | None = None, held: LabelCodes | None = None) -> LabelCodes:
        """The label with most weight on each observation: int32[n_observations], positions in ``label_names``.

        ``weights`` float64[n_users] are the users', 1 each by default. Of labels that are tied, within a relative 1e-9,
        goes first the one ``held`` so far, int32[n_observations], if given; then the author's; then the one with most
        votes; then the smallest. -1 for observations without a vote.
        """
        disputes, labels = self.without_experts.disputes, self.first_labels
        users = np.ones(self.n_users) if weights is None else weights
        shares = weight_shares(disputes, disputes.vote_weights(users))
        of_disputes = None if held is None else held[disputes.observations]
        labels[disputes.observations] = likeliest_labels(disputes, shares, of_disputes)
        return labels

    @property
    def first_labels(self) -> LabelCodes:
        """int32[n_observations]; the smallest label voted on each, the only one if it is not disputed; -1 for none."""
        starts = self.offsets[:-1]
        if self.n_votes and starts[-1] < self.n_votes and not np.any(starts == self.offsets[1:]):
            return self.labels[starts]
        first = np.full(self.n_observations, -1, np.int32)
        voted = starts < self.offsets[1:]
        first[voted] = self.labels[starts[voted]]
        return first

    @property
    def without_experts(self) -> "Votes":
        """The votes without the experts' labels; codes of labels stay."""
        return self if self.expert_labels is None else replace(self, expert_labels=None)

    @property
    def voted(self) -> "Votes":
        """The votes without observations that only the AI has a vote on; codes of users and labels stay."""
        sizes = np.diff(self.offsets)
        if sizes.all():
            return self
        kept = np.flatnonzero(sizes)
        offsets = np.append(self.offsets[kept], self.n_votes)
        known = None if self.expert_labels is None else self.expert_labels[kept]
        ids = self.observation_ids.take(to_arrow(kept))
        return replace(self, offsets=offsets, observation_ids=ids, expert_labels=known)

    @cached_property
    def has_authors(self) -> bool:
        """Whether any vote is marked as the author's."""
        return bool(self.is_author.any())

    @cached_property
    def disputes(self) -> Disputes:
        """The observations whose votes name more than one label."""
        from .kernels.disputes import find_disputed, votes_of

        disputed = np.empty(self.n_observations, np.bool_)
        in_blocks(find_disputed, self.n_observations, self.offsets, self.labels, disputed)
        if self.expert_labels is not None:
            disputed |= self.expert_labels >= 0
            observations = np.flatnonzero(disputed)
            known = self.expert_labels[observations]
            return replace(self.disputes_on(observations, known), expert_labels=known)
        observations = np.flatnonzero(disputed)
        offsets, votes = votes_of(self.offsets, observations)
        return Disputes(
            observations, offsets, self.users[votes], self.labels[votes], self.is_author[votes], self._factors_of(votes)
        )

    def disputes_on(self, observations: Indices, further: LabelCodes) -> Disputes:
        """Some ``observations`` int64[n], ascending, to choose labels among those voted and one ``further`` on each.

        ``further`` int32[n] are positions in ``label_names``, -1 for no further one.
        """
        from .kernels.disputes import votes_of

        offsets, places = votes_of(self.offsets, observations)
        cast = self.users[places], self.labels[places], self.is_author[places]
        choices = choices_among(offsets, self.labels[places], further)
        return Disputes(observations, offsets, *cast, self._factors_of(places), choices)

    @cached_property
    def unanimous(self) -> Unanimous:
        """The observations whose votes name one label."""
        from .kernels.disputes import votes_of

        n_votes = np.diff(self.offsets)
        is_single = n_votes == 1
        is_single[self.disputes.observations] = False  # experts labelled those with one vote
        if self.factors is not None:
            is_single[:] = False  # those of one user may differ in weight
        n_single = np.bincount(self.users[self.offsets[:-1][is_single]], minlength=self.n_users)
        is_several = (n_votes > 0) & ~is_single
        is_several[self.disputes.observations] = False
        offsets, votes = votes_of(self.offsets, np.flatnonzero(is_several))
        return Unanimous(n_single, offsets, self.users[votes], self._factors_of(votes))

    @cached_property
    def n_votes_of_users(self) -> Indices:
        """int64[n_users]; number of votes of each user."""
        return np.bincount(self.users, minlength=self.n_users)

    @property
    def n_undisputed_of_users(self) -> Indices:
        """int64[n_users]; number of votes of each user on observations that are not disputed."""
        return self.n_votes_of_users - np.bincount(self.disputes.users, minlength=self.n_users)

    def mean_weight(self, user_weights: Weights) -> float:
        """The mean weight of a vote under float64[n_users] ``user_weights``, at least the least positive number.

        It is exact before it is rounded.
        """
        n_votes = self.n_votes_of_users if self.factors is None else np.bincount(self.users, self.factors, self.n_users)
        return max(math.fsum((user_weights * n_votes).tolist()) / self.n_votes, math.ulp(0.0))

    def to_arrow(self, first: int = 0, last: int | None = None) -> "pa.Table":
        """Votes ``first`` to ``last`` (default all) as an Arrow table, a row each.

        The columns are observation_id, user_id, label and is_author; :func:`votes_from_table` makes the same votes of
        them. Factors have no column.
        """
        votes = np.arange(*slice(first, last).indices(self.n_votes))
        observations = np.searchsorted(self.offsets, votes, side="right") - 1
        columns: dict[str, Any] = {
            "observation_id": self.observation_ids.take(to_arrow(observations)),
            "user_id": self.user_ids.take(to_arrow(self.users[votes])),
            "label": self.label_names.take(to_arrow(self.labels[votes])),
            "is_author": self.is_author[votes],
        }
        types = {name: columns[name].type for name in ("observation_id", "user_id", "label")}
        return table_of(columns, arrow_schema(tuple(column for column in VOTES if column.name in columns), **types))

    def to_pandas(self) -> "pd.DataFrame":
        """The votes as a data frame, a row each."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> "pl.DataFrame":
        """The votes as a data frame of Polars, a row each. Raises ParameterError if that is not installed."""
        return to_polars(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The votes for whatever reads Arrow data, such as ``polars.DataFrame(votes)``."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _factors_of(self, votes: Indices) -> Factors | None:
        return None if self.factors is None else self.factors[votes]

    def __repr__(self) -> str:
        return f"Votes({self._in_words})"

    def _repr_html_(self) -> str:
        return as_html([Block(self._in_words, first_rows(self.to_arrow(0, FIRST), self.n_votes))])

    @property
    def _in_words(self) -> str:
        votes, users = count(self.n_votes, "vote"), count(self.n_users, "user")
        return f"{votes} of {users} on {count(self.n_observations, 'observation')}, {count(self.n_labels, 'label')}"
