"""Sums over the epochs of the margins of the labels voted, from score lists in any order."""

from typing import Any

import numpy as np

from ...arrays import Counts, Flags, Floats, Indices, LabelCodes, Words
from ...consensus import Consensus
from ...errors import VotesError
from ...kernels.scores import TWICE_SCORED
from ...kernels.threads import in_blocks
from ...progress import SILENT, Progress
from ...score_lists import FAULTS, TWICE_WITHOUT_EPOCHS, ScoreLists
from ...shares import count_of
from .result import Ambiguity, ListCounts
from .settings import AmbiguitySettings
from .trust import chosen_trust, confusion_diagonal

NAME_EPOCHS = "give the scores of one epoch, or name the column of epochs with --score-column epoch=NAME"
MOST_EPOCHS = 1024  # maximum number of epochs, up to which sums of margins are exact


class MarginSums:
    """Sums the margins of the labels voted from score lists: :meth:`add` lists, then take the areas.

    Takes memory for a few numbers for each label voted, and a bit for each observation and epoch. The result is the
    same, to the bit, whatever the order of the lists; of lists of the same observation and epoch the first is used.

    Args:
        consensus: whose labels the areas are of.
        settings: how areas are taken.
        origin: where the lists are from, for messages.
        progress: of the fit that estimates how far voters are trusted.
    """

    def __init__(
        self, consensus: Consensus, settings: AmbiguitySettings, origin: str = "scores", progress: Progress = SILENT
    ) -> None:
        from ...kernels.scores import list_candidates

        votes = consensus.votes
        self.counts = ListCounts()
        self._consensus = consensus
        self._settings = settings
        self._origin = origin
        self._trust = chosen_trust(settings.trust, votes)
        self._diagonal = confusion_diagonal(consensus, progress) if self._trust == "confusion" else None
        self._offsets = np.empty(votes.n_observations + 1, np.int64)
        candidates = np.empty(votes.n_observations + votes.n_votes, np.int32)
        list_candidates(votes.offsets, votes.labels, consensus.labels, self._offsets, candidates)
        self._candidates: LabelCodes = candidates[: self._offsets[-1]].copy()
        self._of_second = np.zeros(self._candidates.size, np.int64)
        self._of_other = np.zeros(self._candidates.size, np.int64)
        self._of_logits = np.zeros(self._candidates.size, np.int64)
        self._exact = np.ones(self._candidates.size, np.bool_)
        self._n_epochs = np.zeros(votes.n_observations, np.int32)
        self._epochs: dict[int, int] = {}
        self._scored: Words = np.zeros((8, (votes.n_observations >> 6) + 1), np.uint64)
        self._last_seen: Indices = np.zeros(votes.n_labels, np.int64)
        self._serial = 0
        if self._diagonal is not None:
            self._latest = np.full(votes.n_observations, np.iinfo(np.int64).min)
            self._trust_of_votes = np.zeros(votes.n_votes)

    def add(self, lists: ScoreLists) -> None:
        """Add lists. Raises VotesError if there are too many epochs."""
        from ...kernels import scores as kernels

        if lists.n_labels > self._last_seen.size:
            self._last_seen = np.append(self._last_seen, np.zeros(lists.n_labels - self._last_seen.size, np.int64))
        faults, sums = lists.faults.copy(), np.empty(len(lists))
        items = lists.label_offsets, lists.labels, lists.probability_offsets, lists.probabilities
        checked = kernels.Lists(lists.observations, faults, *items, sums)
        self._serial = kernels.validate_lists(checked, self._last_seen, self._serial, self._settings.normalise)
        epochs = self._codes_of(lists.epochs, (faults == 0) & (lists.observations >= 0))
        kernels.mark_scored(lists.observations, epochs, self._scored, faults, self._n_epochs)
        n, normalise = self._n_epochs.size, self._settings.normalise
        added = self._of_second, self._of_other, self._of_logits, self._exact
        in_blocks(kernels.add_margins, n, checked, lists.slack, normalise, self._offsets, self._candidates, *added)
        if self._diagonal is not None:
            of_votes = self._consensus.votes
            latest = of_votes.offsets, of_votes.users, self._latest, self._trust_of_votes
            in_blocks(kernels.latest_trust, n, checked, lists.epochs, normalise, *self._diagonal, *latest)
        self._count(lists, faults, sums)

    def areas_under_margin(self, progress: Progress = SILENT) -> Ambiguity:
        """The areas of the lists so far. Raises VotesError if too many lists cannot be used, or none can."""
        from ...disputes import likeliest_labels, vote_shares
        from ...kernels.scores import candidate_trust

        _check_lists(self.counts, self._settings.max_rejected, self._origin)
        progress.phase("derive areas")
        votes = self._consensus.votes
        trust_in = np.empty(self._candidates.size)
        by_user = self._diagonal is None
        trust = self._consensus.users.weight if by_user else self._trust_of_votes
        arrays = votes.offsets, votes.labels, votes.users, trust, by_user, self._offsets, self._candidates
        in_blocks(candidate_trust, votes.n_observations, *arrays, trust_in)
        majority, disputes = votes.first_labels, votes.without_experts.disputes
        majority[disputes.observations] = likeliest_labels(disputes, vote_shares(disputes))
        return Ambiguity(
            consensus=self._consensus,
            settings=self._settings,
            trust=self._trust,
            lists=self.counts,
            n_epochs_in_all=len(self._epochs),
            majority=majority,
            n_epochs=self._n_epochs,
            offsets=self._offsets,
            candidates=self._candidates,
            sums={"second": self._of_second, "other": self._of_other},
            logit_sums=self._of_logits,
            exact=self._exact,
            trust_in=trust_in,
        )

    def _codes_of(self, epochs: Indices, used: Flags) -> Counts:
        """Codes of the epochs of usable lists, in the order of appearance; 0 for the others."""
        distinct, places = np.unique(epochs[used], return_inverse=True)
        for epoch in distinct.tolist():
            self._epochs.setdefault(epoch, len(self._epochs))
        if len(self._epochs) > MOST_EPOCHS:
            raise VotesError(
                f"more than {MOST_EPOCHS:,} distinct epochs", where=self._origin, remedy="leave out some of them"
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
            without = fault == TWICE_SCORED and not lists.has_epochs
            reason, rows = TWICE_WITHOUT_EPOCHS if without else FAULTS[fault], np.flatnonzero(faults == fault)
            self.counts.rejected[reason] = self.counts.rejected.get(reason, 0) + rows.size
            self.counts.first_rejected.setdefault(reason, f"row {lists.rows[rows[0]]} of {lists.path}")


def _check_lists(counts: ListCounts, max_rejected: float, origin: str) -> None:
    """Raise VotesError if too many lists cannot be used, or none can."""
    rejected = sum(counts.rejected.values())
    if rejected > count_of(max_rejected, counts.read):
        reasons = ", ".join(
            f"{count:,} {reason} (first: {counts.first_rejected[reason]})" for reason, count in counts.rejected.items()
        )
        without_epochs = TWICE_WITHOUT_EPOCHS in counts.rejected
        raise VotesError(
            f"{rejected:,} of {counts.read:,} score lists cannot be used: {reasons}; more than the allowed share of "
            f"{max_rejected:g}",
            remedy=NAME_EPOCHS if without_epochs else "mend the scores, or raise --max-rejected",
        )
    if counts.read == 0:
        raise VotesError("no rows", where=origin, remedy="give scores of some observations")
    if counts.used == 0:
        raise VotesError(
            f"none of {counts.read:,} score lists is of an observation that was voted on",
            where=origin,
            remedy="check the observation ids, or leave out --scores",
        )
