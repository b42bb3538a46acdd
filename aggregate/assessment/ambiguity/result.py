"""Areas under the margin of every observation, and which are pruned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ... import add_ons
from ...arrays import Counts, Flags, Floats, Indices, LabelCodes, Offsets, Weights
from ...arrow import dictionary_of, strings, table_of, to_arrow
from ...blocks import FIRST, Block, first_rows
from ...consensus import Consensus
from ...html_blocks import as_html
from ...reprs import short_repr
from ...schema import AMBIGUITY, SCORED, Table, arrow_schema
from ...shares import counts_of
from .settings import AmbiguitySettings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


SLACK = 1e-6  # least distance below the quantile at which an area is pruned: float32 rounds equal areas by less
BLOCK = 1 << 19  # observations computed at a time
LOOKED_AT = ("observation_id", "label", "score_aum", "aumc", "waum", "n_epochs", "pruned")
"""Columns that a first look shows."""


@dataclass
class ListCounts:
    """Counts of the score lists: each is used, of an observation without votes, or rejected."""

    read: int = 0
    used: int = 0
    unknown: int = 0  # lists of observations without votes, which are ignored
    above_one: int = 0  # used lists whose probabilities add up to more than 1
    below_one: int = 0  # used lists whose probabilities add up to less than 1, as those of truncated lists do
    rejected: dict[str, int] = field(default_factory=dict)  # lists that could not be used, by reason
    first_rejected: dict[str, str] = field(default_factory=dict)  # file and row of the first of them, by reason

    __repr__ = short_repr


@dataclass(frozen=True, eq=False)
class Ambiguity:
    """Areas under the margin of every observation. Columns: ``schema.AMBIGUITY``.

    Candidates are the labels voted on each observation, and its consensus label: those of observation i are the slice
    ``offsets[i]:offsets[i + 1]`` of the arrays by candidate.
    """

    consensus: Consensus
    """What it was computed for."""
    settings: AmbiguitySettings
    """How it was computed."""
    trust: str
    """What the trust in voters is based on: ``confusion`` or ``weight``."""
    lists: ListCounts
    """Counts of the score lists."""
    n_epochs_in_all: int
    """Distinct epochs among the lists that were used."""
    majority: LabelCodes
    """int32[n_observations]; the majority's label, a position in the label names."""
    n_epochs: Counts
    """int32[n_observations]; usable lists of each."""
    offsets: Offsets
    """int64[n_observations + 1]; where the candidates of each observation begin."""
    candidates: LabelCodes
    """int32 by candidate; positions in the label names."""
    sums: Mapping[str, Indices]
    """Margin -> sums over the epochs, by candidate, in the fixed point of ``kernels.scores``."""
    logit_sums: Indices
    """The same of margins of logits, over the largest other; UNKNOWN where lists do not tell them."""
    exact: Flags
    """bool by candidate; whether its sums are exact."""
    trust_in: Weights
    """float64 by candidate; sum of the trust in its voters."""
    extends: ClassVar[add_ons.Extends] = "consensus"
    table: ClassVar[Table] = SCORED

    @property
    def n_observations(self) -> int:
        """Number of observations."""
        return self.consensus.n_observations

    def score_aum(self, margin: str = "second", first: int = 0, last: int | None = None) -> Floats:
        """AUM of the consensus labels of observations ``first`` to ``last``, float64; NaN without scores."""
        return self._areas_of(self.consensus.labels, self.sums[margin], first, last)

    def score_aum_logits(self, first: int = 0, last: int | None = None) -> Floats:
        """AUM of the consensus labels on logits over the largest other, as [P20] define it, float64.

        Logits differ by the logarithm of the ratio of the labels' probabilities. NaN without scores, and where a list
        has not the label and another, each with a probability of at least 2**-126.
        """
        from ...kernels.scores import LOG_UNIT

        return self._areas_of(self.consensus.labels, self.logit_sums, first, last, LOG_UNIT)

    def aumc(self, margin: str = "second", first: int = 0, last: int | None = None) -> Floats:
        """AUM of the majority's labels of observations ``first`` to ``last``, float64; NaN without scores."""
        return self._areas_of(self.majority, self.sums[margin], first, last)

    def waum(self, margin: str = "second", first: int = 0, last: int | None = None) -> Floats:
        """WAUM of observations ``first`` to ``last``, float64; NaN without scores."""
        from ...kernels.scores import weighted_areas

        last = self.n_observations if last is None else last
        areas = np.empty(last - first)
        weighted_areas(first, last, self.offsets, self.sums[margin], self.n_epochs, self.trust_in, areas)
        return areas

    @cached_property
    def pruned(self) -> Flags:
        """bool[n_observations]; WAUM below its alpha-quantile, which is the (floor(alpha n) + 1)-th smallest of n.

        Below by more than SLACK, so that the type of the probabilities does not matter.

        So at most a share alpha is pruned, and none of a label that has fewer than 1 / alpha observations.
        """
        waum = self.waum(self.settings.margin)
        # Observations that only the AI votes on have no trusted user.
        scored = np.flatnonzero(self._scored & ~np.isnan(waum))
        pruned = np.zeros(self.n_observations, np.bool_)
        groups = self.consensus.labels[scored] if self.settings.by_label else np.zeros(scored.size, np.int32)
        order = np.lexsort((waum[scored], groups))
        ends = np.flatnonzero(np.diff(groups[order], append=-1)) + 1 if scored.size else np.arange(0)
        sizes = np.diff(ends, prepend=0)
        cuts = ends - sizes + counts_of(self.settings.alpha, sizes)
        below = waum[scored[order]] < np.repeat(waum[scored[order[cuts]]], sizes) - SLACK
        pruned[scored[order[below]]] = True
        return pruned

    @cached_property
    def counts(self) -> dict[str, Any]:
        """Observations, scored ones, those that miss epochs, are exact or pruned; epochs; counts of the lists."""
        scored = self._scored
        exact = sum(int(np.count_nonzero(block)) for block in self._exact_blocks(scored))
        lists = vars(self.lists)
        return {
            "observations": self.n_observations,
            "scored": int(np.count_nonzero(scored)),
            "missing_epochs": int(np.count_nonzero(scored & (self.n_epochs < self.n_epochs_in_all))),
            "exact": exact,
            "pruned": int(np.count_nonzero(self.pruned)),
            "epochs": self.n_epochs_in_all,
            "lists": {
                **{name: value for name, value in lists.items() if not isinstance(value, dict)},
                "rejected": sum(self.lists.rejected.values()),
                "rejected_by_reason": dict(self.lists.rejected),
                "first_rejected": dict(self.lists.first_rejected),
            },
        }

    def to_arrow(self, first: int = 0, last: int | None = None) -> "pa.Table":
        """Observations ``first`` to ``last`` (default all) as an Arrow table, sorted by observation_id."""
        votes = self.consensus.votes
        schema = arrow_schema(AMBIGUITY, observation_id=votes.observation_ids.type, label=votes.label_names.type)
        return self.encoded(first, self.n_observations if last is None else last).cast(schema)

    def encoded(self, first: int, last: int) -> "pa.Table":
        """As :meth:`to_arrow`, but with strings as dictionary-encoded labels, which are faster to make and to write."""
        head = self.consensus.encoded(first, last).select(["observation_id", "label"])
        unscored = ~self._scored[first:last]
        of_labels, of_all = self._exact(first, last)
        areas = {
            f"{name}{end}": values
            for margin, end in (("second", ""), ("other", "_other"))
            for name, values in self._areas(margin, first, last, unscored).items()
        }
        of_logits = self.score_aum_logits(first, last)
        columns = {
            "observation_id": head.column("observation_id"),
            "label": head.column("label"),
            **areas,
            "score_aum_logits": to_arrow(of_logits, null=unscored | np.isnan(of_logits)),
            "n_epochs": self.n_epochs[first:last],
            "exact": to_arrow(of_labels, null=unscored),
            "waum_exact": to_arrow(of_all, null=unscored),
            "trust": dictionary_of(np.where(unscored, -1, 0).astype(np.int8), strings([self.trust])),
            "pruned": self.pruned[first:last],
        }
        schema = arrow_schema(AMBIGUITY, observation_id=head.schema.field(0).type, label=head.schema.field(1).type)
        return table_of(columns, schema)

    @cached_property
    def _scored(self) -> Flags:
        """bool[n_observations]; has a label, and scores at some epoch."""
        scored: Flags = (self.n_epochs > 0) & (self.consensus.labels >= 0)
        return scored

    def add_to(self, table: "pa.Table", first: int) -> "pa.Table":
        """A table of the consensus that begins with observation ``first``, with the columns SCORED."""
        return add_ons.extended(table, first, [self])

    def columns(self, rows: "pa.Table", first: int) -> add_ons.Columns:
        """The columns SCORED of the observations from ``first`` on."""
        last = first + rows.num_rows
        unscored = ~self._scored[first:last]
        return {**self._areas("second", first, last, unscored), "pruned": self.pruned[first:last]}

    def facts(self) -> Mapping[str, Any]:
        """The basis of the trust in voters, and the counts."""
        return {"ambiguity": {"trust": self.trust, **self.counts}}

    def to_pandas(self) -> "pd.DataFrame":
        """The observations as a data frame, a row each."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        return (
            f"Ambiguity({self.counts['scored']:,} of {self.n_observations:,} observations scored at "
            f"{self.n_epochs_in_all:,} epochs, {self.counts['pruned']:,} pruned; trust by {self.trust})"
        )

    def _repr_html_(self) -> str:
        from ..report.ambiguity import ambiguity_blocks

        n = self.n_observations
        first = self.encoded(0, min(FIRST, n)).select(LOOKED_AT)
        return as_html([*ambiguity_blocks(self), Block(content=first_rows(first, n))])

    def _areas(self, margin: str, first: int, last: int, unscored: Flags) -> "dict[str, pa.Array]":
        """All three areas; null also where no user voted, so that there is no majority."""
        return {
            name: to_arrow(areas, null=unscored | np.isnan(areas))
            for name, area in (("score_aum", self.score_aum), ("aumc", self.aumc), ("waum", self.waum))
            for areas in [area(margin, first, last)]
        }

    def _areas_of(
        self, labels: LabelCodes, sums: Indices, first: int, last: int | None, unit: float | None = None
    ) -> Floats:
        from ...kernels.scores import UNIT, areas_of

        last = self.n_observations if last is None else last
        areas = np.empty(last - first)
        arrays = self.offsets, self.candidates, sums, unit or UNIT, self.n_epochs, labels[first:last]
        areas_of(first, last, *arrays, areas)
        return areas

    def _exact(self, first: int, last: int) -> tuple[Flags, Flags]:
        """Of the consensus's and the majority's label, and of all labels voted."""
        from ...kernels.scores import exactness

        of_labels, of_all = np.empty((2, last - first), np.bool_)
        labels = self.consensus.labels[first:last], self.majority[first:last]
        by_candidate = self.offsets, self.candidates, self.exact, self.trust_in
        exactness(first, last, *by_candidate, *labels, of_labels, of_all)
        return of_labels, of_all

    def _exact_blocks(self, scored: Flags) -> Iterator[Flags]:
        for first in range(0, self.n_observations, BLOCK):
            last = min(first + BLOCK, self.n_observations)
            yield self._exact(first, last)[0] & scored[first:last]
