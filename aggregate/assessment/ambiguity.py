"""How ambiguous observations are to a classifier in training: areas under the margin of its scores.

AUM(i, k) is the mean over the epochs of sigma_t(k) less the second largest of all probabilities (margin ``second``) or
the largest of another label (margin ``other``); AUMC(i) that of the majority's label; WAUM(i) the mean over the voters
of AUM(i, label voted), weighted by the trust s[i, u] = sum over k of P(k | k, u) sigma_T(k), T the observation's last
epoch, or by the users' weights in the consensus [L24, P20]. A trust below 1e-100 is none; where no vote on an
observation has any, all its votes count alike.

[L24] Lefort, Charlier, Joly, Salmon 2024, Identify ambiguous tasks combining crowdsourced labels by weighting Areas
Under the Margin, Transactions on Machine Learning Research. [P20] Pleiss et al. 2020, Identifying mislabeled data using
the area under the margin ranking, NeurIPS.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import add_ons
from ..arrays import Counts, Flags, Floats, Indices, LabelCodes, Offsets, Weights, Words
from ..arrow import dictionary_of, strings, table_of, to_arrow
from ..consensus import Consensus
from ..errors import VotesError
from ..ingest import Paths
from ..progress import SILENT, Progress
from ..schema import AMBIGUITY, SCORED, Table, arrow_schema
from ..score_lists import FAULTS, ScoreLists
from ..shares import count_of, counts_of
from .ambiguity_settings import AmbiguitySettings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ..strategies.parts.confusions import Diagonal

MOST_CONFUSIONS = 50_000_000
"""Users times labels up to which trust is in their confusions unless it is said: with more, each has few votes."""

MOST_EPOCHS = 1024
"""Sums of so many margins are exact."""

AHEAD = 2
"""Batches of score lists decoded ahead."""

SLACK = 1e-6
"""An area must be below the quantile by more than this to be pruned: float32 rounds areas that are alike by less."""

BLOCK = 1 << 19
"""Observations derived at a time."""


@dataclass
class ListCounts:
    """What became of the score lists; every list is used, of an observation without votes, or rejected."""

    read: int = 0
    used: int = 0
    unknown: int = 0
    """Of an observation that nobody voted on; ignored."""
    above_one: int = 0
    """Used ones whose probabilities add up to more than 1."""
    below_one: int = 0
    """Used ones whose probabilities add up to less than 1, as those of truncated lists do."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Lists that could not be used, by reason."""
    first_rejected: dict[str, str] = field(default_factory=dict)
    """Where the first of them stands, by reason."""


@dataclass(frozen=True, eq=False)
class Ambiguity:
    """Areas under the margin of every observation. Columns: ``schema.AMBIGUITY``.

    Candidates are the labels voted on each observation, and its consensus label: those of observation i are the slice
    ``offsets[i]:offsets[i + 1]`` of the arrays by candidate.
    """

    consensus: Consensus
    settings: AmbiguitySettings
    trust: str
    """What weighed the voters: ``confusion`` or ``weight``."""
    lists: ListCounts
    n_epochs_in_all: int
    """Distinct epochs among the lists that were used."""
    majority: LabelCodes
    """int32[n_observations]"""
    n_epochs: Counts
    """int32[n_observations]; usable lists of each."""
    offsets: Offsets
    candidates: LabelCodes
    sums: Mapping[str, Indices]
    """Margin -> sums over the epochs, by candidate, in the fixed point of ``kernels.scores``."""
    exact: Flags
    """By candidate."""
    trust_in: Weights
    """Trust in those who voted the candidate."""
    extends: ClassVar[add_ons.Extends] = "consensus"
    table: ClassVar[Table] = SCORED

    @property
    def n_observations(self) -> int:
        """Number of observations."""
        return self.consensus.n_observations

    def score_aum(self, margin: str = "second", first: int = 0, last: int | None = None) -> Floats:
        """AUM of the consensus labels of observations ``first`` to ``last``, float64; NaN without scores."""
        return self._areas_of(self.consensus.labels, margin, first, last)

    def aumc(self, margin: str = "second", first: int = 0, last: int | None = None) -> Floats:
        """AUM of the majority's labels of observations ``first`` to ``last``, float64; NaN without scores."""
        return self._areas_of(self.majority, margin, first, last)

    def waum(self, margin: str = "second", first: int = 0, last: int | None = None) -> Floats:
        """WAUM of observations ``first`` to ``last``, float64; NaN without scores."""
        from ..kernels.scores import weighted_areas

        last = self.n_observations if last is None else last
        areas = np.empty(last - first)
        weighted_areas(first, last, self.offsets, self.sums[margin], self.n_epochs, self.trust_in, areas)
        return areas

    @cached_property
    def pruned(self) -> Flags:
        """bool[n_observations]; WAUM below its alpha-quantile, which is the (floor(alpha n) + 1)-th smallest of n.

        Below by more than SLACK: as many are pruned whatever type the probabilities are stored in.

        So at most a share alpha is pruned, and none of a label that has fewer than 1 / alpha observations.
        """
        waum = self.waum(self.settings.margin)
        scored = np.flatnonzero(self._scored & ~np.isnan(waum))  # where only the AI votes, no user is trusted
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
        """Observations, scored ones, those that miss epochs, are exact or pruned; epochs; what became of the lists."""
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
        """As :meth:`to_arrow`, but labels that are strings as a dictionary: the quicker to make and to write."""
        head = self.consensus.encoded(first, last).select(["observation_id", "label"])
        unscored = ~self._scored[first:last]
        of_labels, of_all = self._exact(first, last)
        areas = {
            f"{name}{end}": values
            for margin, end in (("second", ""), ("other", "_other"))
            for name, values in self._areas(margin, first, last, unscored).items()
        }
        columns = {
            "observation_id": head.column("observation_id"),
            "label": head.column("label"),
            **areas,
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
        """What weighed the voters, and the counts."""
        return {"ambiguity": {"trust": self.trust, **self.counts}}

    def to_pandas(self) -> "pd.DataFrame":
        """The observations as a data frame, a row each."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        return (
            f"Ambiguity({self.counts['scored']:,} of {self.n_observations:,} observations scored at "
            f"{self.n_epochs_in_all:,} epochs, {self.counts['pruned']:,} pruned; trust by {self.trust})"
        )

    def _areas(self, margin: str, first: int, last: int, unscored: Flags) -> "dict[str, pa.Array]":
        """All three areas; null also where no user voted, so that there is no majority."""
        return {
            name: to_arrow(areas, null=unscored | np.isnan(areas))
            for name, area in (("score_aum", self.score_aum), ("aumc", self.aumc), ("waum", self.waum))
            for areas in [area(margin, first, last)]
        }

    def _areas_of(self, labels: LabelCodes, margin: str, first: int, last: int | None) -> Floats:
        from ..kernels.scores import areas_of

        last = self.n_observations if last is None else last
        areas = np.empty(last - first)
        areas_of(
            first, last, self.offsets, self.candidates, self.sums[margin], self.n_epochs, labels[first:last], areas
        )
        return areas

    def _exact(self, first: int, last: int) -> tuple[Flags, Flags]:
        """Of the consensus's and the majority's label, and of all labels voted."""
        from ..kernels.scores import exactness

        of_labels, of_all = np.empty((2, last - first), np.bool_)
        exactness(
            first,
            last,
            self.offsets,
            self.candidates,
            self.exact,
            self.trust_in,
            self.consensus.labels[first:last],
            self.majority[first:last],
            of_labels,
            of_all,
        )
        return of_labels, of_all

    def _exact_blocks(self, scored: Flags) -> Iterator[Flags]:
        for first in range(0, self.n_observations, BLOCK):
            last = min(first + BLOCK, self.n_observations)
            yield self._exact(first, last)[0] & scored[first:last]


def ambiguity_of(
    consensus: Consensus,
    scores: Paths,
    settings: AmbiguitySettings | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    progress: Progress = SILENT,
) -> Ambiguity:
    """Areas under the margin of a classifier's training scores, for the observations of a consensus.

    ``scores`` are Parquet files, folders or globs with the columns of ``schema.SCORE_LISTS`` or
    ``SCORE_ROWS``, which ``columns`` maps to the files' own. They are streamed: what is held is a few numbers for each
    label voted, and a bit for each observation and epoch. The result is the same, to the bit, whatever the order of
    the lists; of lists of the same observation and epoch the first is used, files in the order of their paths.

    Raises VotesError if a file cannot be read, a column is missing or has a wrong type, more than a share
    ``max_rejected`` of the lists cannot be used, or none is of an observation with votes.
    """
    from ..files.prefetch import prefetched
    from ..ingest.score_lists import check_scores, score_lists

    settings = AmbiguitySettings() if settings is None else settings
    votes = consensus.votes
    files = check_scores(scores, votes.observation_ids.type, votes.label_names.type, columns or {})
    trust = settings.trust
    if trust == "auto":
        trust = "confusion" if votes.n_users * votes.n_labels <= MOST_CONFUSIONS else "weight"
    diagonal = _confusion_diagonal(consensus, progress) if trust == "confusion" else None
    progress.phase("read scores", total=files.rows, unit="rows")
    sums = _Sums(consensus, diagonal, settings.normalise)
    with prefetched(score_lists(files, votes.observation_ids, votes.label_names), AHEAD) as batches:
        for lists in batches:
            sums.take(lists, files.origin)
            progress.advance(lists.labels.size if files.is_long else len(lists))
    for file in files.files:
        file.source.check_unchanged()
    _check_lists(sums.counts, settings.max_rejected, files.origin)
    progress.phase("derive areas")
    return sums.ambiguity(settings, trust)


def _confusion_diagonal(consensus: Consensus, progress: Progress) -> "Diagonal":
    """That of the strategy ``dawid-skene``: of the consensus itself if it is one, else of one with the defaults."""
    from ..strategies.dawid_skene import ConfusionModel, DawidSkene

    strategy, votes = DawidSkene(), consensus.votes.voted
    if consensus.strategy == DawidSkene.name:
        strategy, fitted = DawidSkene(**consensus.parameters), consensus
    else:
        fitted = strategy.fit(votes, progress=progress)
    model = ConfusionModel(strategy, votes)
    model.maximise(fitted.candidate_shares)
    return model.diagonal()


def _check_lists(counts: ListCounts, max_rejected: float, origin: str) -> None:
    """Raise VotesError if too many lists cannot be used, or none can."""
    rejected = sum(counts.rejected.values())
    if rejected > count_of(max_rejected, counts.read):
        reasons = ", ".join(
            f"{count:,} {reason} (first: {counts.first_rejected[reason]})" for reason, count in counts.rejected.items()
        )
        raise VotesError(
            f"{rejected:,} of {counts.read:,} score lists cannot be used: {reasons}; more than the allowed share of "
            f"{max_rejected:g}",
            remedy="mend the scores, or raise --max-rejected",
        )
    if counts.read == 0:
        raise VotesError("no rows", where=origin, remedy="give scores of some observations")
    if counts.used == 0:
        raise VotesError(
            f"none of {counts.read:,} score lists is of an observation that was voted on",
            where=origin,
            remedy="check the observation ids, or leave out --scores",
        )


class _Sums:
    """Takes score lists and sums the margins of the labels voted."""

    def __init__(self, consensus: Consensus, diagonal: "Diagonal | None", normalise: bool) -> None:
        from ..kernels.scores import list_candidates

        votes = consensus.votes
        self.counts = ListCounts()
        self._consensus = consensus
        self._diagonal = diagonal
        self._normalise = normalise
        self._offsets = np.empty(votes.n_observations + 1, np.int64)
        candidates = np.empty(votes.n_observations + votes.n_votes, np.int32)
        list_candidates(votes.offsets, votes.labels, consensus.labels, self._offsets, candidates)
        self._candidates: LabelCodes = candidates[: self._offsets[-1]].copy()
        self._of_second = np.zeros(self._candidates.size, np.int64)
        self._of_other = np.zeros(self._candidates.size, np.int64)
        self._exact = np.ones(self._candidates.size, np.bool_)
        self._n_epochs = np.zeros(votes.n_observations, np.int32)
        self._epochs: dict[int, int] = {}
        self._scored: Words = np.zeros((8, (votes.n_observations >> 6) + 1), np.uint64)
        self._last_seen: Indices = np.zeros(votes.n_labels, np.int64)
        self._serial = 0
        if diagonal is not None:
            self._latest = np.full(votes.n_observations, np.iinfo(np.int64).min)
            self._trust = np.zeros(votes.n_votes)

    def take(self, lists: ScoreLists, origin: str) -> None:
        """Add some lists."""
        from ..kernels import scores as kernels
        from ..kernels.threads import in_blocks

        if lists.n_labels > self._last_seen.size:
            self._last_seen = np.append(self._last_seen, np.zeros(lists.n_labels - self._last_seen.size, np.int64))
        items = (lists.label_offsets, lists.labels, lists.probability_offsets, lists.probabilities)
        sums = np.empty(len(lists))
        faults = lists.faults.copy()
        self._serial = kernels.validate_lists(
            lists.observations, *items, self._last_seen, self._serial, self._normalise, sums, faults
        )
        epochs = self._codes_of(lists.epochs, (faults == 0) & (lists.observations >= 0), origin)
        kernels.mark_scored(lists.observations, epochs, self._scored, faults, self._n_epochs)
        in_blocks(
            kernels.add_margins,
            self._n_epochs.size,
            lists.observations,
            faults,
            *items,
            sums,
            lists.slack,
            self._normalise,
            self._offsets,
            self._candidates,
            self._of_second,
            self._of_other,
            self._exact,
        )
        if self._diagonal is not None:
            votes, diagonal = self._consensus.votes, self._diagonal
            in_blocks(
                kernels.latest_trust,
                self._n_epochs.size,
                lists.observations,
                faults,
                lists.epochs,
                *items,
                sums,
                self._normalise,
                diagonal.offsets,
                diagonal.labels,
                diagonal.right,
                diagonal.otherwise,
                votes.offsets,
                votes.users,
                self._latest,
                self._trust,
            )
        self._count(lists, faults, sums)

    def ambiguity(self, settings: AmbiguitySettings, trust: str) -> Ambiguity:
        """What the lists amount to."""
        from ..disputes import likeliest_labels, vote_shares
        from ..kernels.scores import candidate_trust
        from ..kernels.threads import in_blocks

        votes = self._consensus.votes
        trust_in = np.empty(self._candidates.size)
        by_user = self._diagonal is None
        in_blocks(
            candidate_trust,
            votes.n_observations,
            votes.offsets,
            votes.labels,
            votes.users,
            self._consensus.users.weight if by_user else self._trust,
            by_user,
            self._offsets,
            self._candidates,
            trust_in,
        )
        majority = votes.first_labels
        majority[votes.disputes.observations] = likeliest_labels(votes.disputes, vote_shares(votes.disputes))
        return Ambiguity(
            consensus=self._consensus,
            settings=settings,
            trust=trust,
            lists=self.counts,
            n_epochs_in_all=len(self._epochs),
            majority=majority,
            n_epochs=self._n_epochs,
            offsets=self._offsets,
            candidates=self._candidates,
            sums={"second": self._of_second, "other": self._of_other},
            exact=self._exact,
            trust_in=trust_in,
        )

    def _codes_of(self, epochs: Indices, used: Flags, origin: str) -> Counts:
        """The epochs by number, in the order they come to light, of the lists to be used; 0 of the others."""
        distinct, places = np.unique(epochs[used], return_inverse=True)
        for epoch in distinct.tolist():
            self._epochs.setdefault(epoch, len(self._epochs))
        if len(self._epochs) > MOST_EPOCHS:
            raise VotesError(
                f"more than {MOST_EPOCHS:,} distinct epochs", where=origin, remedy="leave out some of them"
            )
        while len(self._epochs) > self._scored.shape[0]:
            self._scored = np.concatenate([self._scored, np.zeros_like(self._scored)])
        codes = np.zeros(epochs.size, np.int32)
        codes[used] = np.array([self._epochs[epoch] for epoch in distinct.tolist()], np.int32)[places]
        return codes

    def _count(self, lists: ScoreLists, faults: np.ndarray[Any, np.dtype[np.uint8]], sums: Floats) -> None:
        used = (faults == 0) & (lists.observations >= 0)
        self.counts.read += len(lists)
        self.counts.used += int(np.count_nonzero(used))
        self.counts.unknown += int(np.count_nonzero((faults == 0) & (lists.observations < 0)))
        self.counts.above_one += int(np.count_nonzero(sums[used] > 1 + lists.slack))
        self.counts.below_one += int(np.count_nonzero(sums[used] < 1 - lists.slack))
        for fault in np.unique(faults[faults > 0]).tolist():
            reason, rows = FAULTS[fault], np.flatnonzero(faults == fault)
            self.counts.rejected[reason] = self.counts.rejected.get(reason, 0) + rows.size
            self.counts.first_rejected.setdefault(reason, f"row {lists.rows[rows[0]]} of {lists.path}")
