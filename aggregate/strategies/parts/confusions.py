"""Counts and probabilities of confusions (user, true label, voted label), kept for those that can occur."""

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...arrays import Counts, Floats, Indices, LabelCodes, Offsets, Weights, Words
from ...kernels.threads import in_blocks, kernels_side_by_side, one_part_per_thread
from ...votes import Votes
from .posteriors import Accuracies, CaseWeights, sum_of_logs
from .user_labels import LOW_WORD, UserLabels, distinct, pair_keys

if TYPE_CHECKING:
    from ...kernels.confusion_odds import UserConfusions


class Cells:
    """The triples, cells, rows and confusions of ``kernels.confusions``: what is counted, as long as the votes stand.

    Memory: some 60 bytes for each triple, that is, candidate and vote on the same disputed observation, and 8 for each
    further label of a user on undisputed ones.
    """

    def __init__(self, votes: Votes, case_weights: CaseWeights) -> None:
        from ...kernels.confusions import list_triples
        from ...kernels.posteriors import unit_for

        self.disputes = votes.disputes
        self.case_weights = case_weights
        self.n_labels = votes.n_labels
        self.n_users = votes.n_users
        offsets, candidates = self.disputes.offsets, self.disputes.candidates
        self.n_votes_on = np.diff(offsets)
        per_dispute = self.n_votes_on * np.diff(candidates.offsets)
        self.triple_offsets = np.concatenate([[0], np.cumsum(per_dispute)])
        n_triples = int(per_dispute.sum())
        self.unit = unit_for(case_weights.largest * n_triples)  # of sums of posteriors in fixed point
        voted = np.empty(n_triples, np.int32)
        words = np.empty(n_triples, np.uint64)
        list_triples(
            offsets, self.disputes.users, self.disputes.labels, candidates.offsets, candidates.labels, words, voted
        )
        row_keys, row = distinct(words)
        self.user_of_row, self.label_of_row = _pair(row_keys)
        keys, self.cell_of_triple = distinct(pair_keys(row, voted))
        self.row_of_cell, self.voted_of_cell = _pair(keys)
        true_of_cell = self.label_of_row[self.row_of_cell]
        self.is_right = true_of_cell == self.voted_of_cell  # of cells
        self.right_cells = np.flatnonzero(self.is_right)
        self.row_of_right_cell = self.row_of_cell[self.right_cells]
        keys, self.confusion_of_cell = distinct(pair_keys(true_of_cell, self.voted_of_cell))
        self.true_of_confusion, self.voted_of_confusion = _pair(keys)
        self.is_right_confusion = self.true_of_confusion == self.voted_of_confusion
        self._take_undisputed(votes, row_keys)

    def _take_undisputed(self, votes: Votes, row_keys: Words) -> None:
        """Count the votes on undisputed observations: of each row, of each label; and of all other pairs."""
        pairs = UserLabels.of(votes)
        self.pair_of_vote = pairs.of_vote
        counts = pairs.n_undisputed
        self.label_undisputed = np.bincount(pairs.labels, counts, self.n_labels)
        place = np.minimum(np.searchsorted(pairs.keys, row_keys), pairs.keys.size - 1)
        in_votes = pairs.keys[place] == row_keys
        self.undisputed = np.where(in_votes, counts[place], 0.0)
        counts[place[in_votes]] = 0.0
        certain = np.flatnonzero(counts)
        users, labels = _pair(pairs.keys[certain])
        offsets = np.searchsorted(users, np.arange(self.n_users + 1))
        self.certain = CertainPairs(offsets, labels, counts[certain].astype(np.int32))

    def right_of_users(self, sums: Indices) -> Floats:
        """The sums of the cells in which a vote is right, int64 in fixed point, by user: float64[n_users]."""
        right = _sums(self.user_of_row[self.row_of_right_cell], sums[self.right_cells], self.n_users)
        return right / self.unit

    def triples_for_own_label(self) -> Counts:
        """The triple of each vote on a disputed observation with the candidate that it is for."""
        disputes, candidates = self.disputes, self.disputes.candidates
        dispute = np.repeat(np.arange(len(disputes)), self.n_votes_on)
        among_votes = np.arange(disputes.users.size) - disputes.offsets[dispute]
        among_candidates = candidates.of_vote - candidates.offsets[dispute]
        triples: Counts = self.triple_offsets[dispute] + among_candidates * self.n_votes_on[dispute] + among_votes
        return triples


class CertainPairs(NamedTuple):
    """The pairs of user and label that are no row: all that is known of them are votes that are right."""

    offsets: Offsets  # int64[n_users + 1]; the labels of user u are the slice `offsets[u]:offsets[u + 1]`, ascending
    labels: LabelCodes
    n_votes: Counts


class Confusions:
    """P(l | k, u) of the cells under given posteriors: counts, with the crowd's confusions moved to u as the prior.

    C(l | k) = (n(k, l) + c(l, k)) / (n(k) + 1), where c is the mean accuracy m if l = k, else (1 - m) / (K - 1). The
    odds of the right label are multiplied by the user's odds of being right over the crowd's, and the wrong labels
    share the rest as they do in C:

        B(k | k, u) = R = sigmoid(logit C(k | k) + logit p(u) - logit m),
        B(l | k, u) = C(l | k) (1 - R) / (1 - C(k | k)), and
        P(l | k, u) = (n(u, k, l) + prior_votes B(l | k, u)) / (n(u, k) + prior_votes).

    All counts are sums of the posteriors given, times the case weights. So observations of several kinds, each with
    confusions of its own, have one ``Confusions`` a kind on the same cells, to which their part of the posteriors is
    given; the votes on undisputed observations count in the one that is made with ``undisputed``.
    """

    def __init__(self, cells: Cells, prior_votes: float, *, undisputed: bool = True) -> None:
        self._cells = cells
        self._prior_votes = prior_votes
        self._has_undisputed = undisputed
        self._undisputed = cells.undisputed * undisputed
        self._label_undisputed = cells.label_undisputed * undisputed
        self.probabilities: Floats = np.ones(cells.row_of_cell.size)  # P(voted | true, user) of each cell

    def maximise(self, posteriors: Floats, accuracies: Accuracies) -> None:
        """Estimate the probabilities; ``accuracies`` have p(u) and m."""
        from ...kernels.confusions import tally_cells

        cells, offsets = self._cells, self._cells.disputes.candidates.offsets
        counted = cells.case_weights.times(posteriors)
        sums = np.zeros(cells.row_of_cell.size, np.int64)
        tally_cells(cells.triple_offsets, cells.n_votes_on, cells.cell_of_triple, offsets, counted, cells.unit, sums)
        self.maximise_counts(sums, accuracies)

    def maximise_counts(self, sums: Indices, accuracies: Accuracies) -> None:
        """The same from the sum of the posteriors of each cell's triples, int64 in fixed point.

        All other sums are sums of these.
        """
        from ...kernels.confusions import cell_probabilities

        cells, n_rows = self._cells, self._cells.undisputed.size
        row_sums = _sums(cells.row_of_cell, sums, n_rows)
        self._right_counts = self._undisputed.copy()
        self._right_counts[cells.row_of_right_cell] += sums[cells.right_cells] / cells.unit
        self._row_counts = self._undisputed + row_sums / cells.unit
        self._cell_counts = sums / cells.unit
        crowd = self._crowd(sums, row_sums, accuracies.mean)
        self._prior = self._crowd_right, self._crowd_wrong, accuracies.of_users, accuracies.mean, self._prior_votes
        of_cells = sums, cells.unit, cells.is_right, cells.confusion_of_cell, crowd
        of_rows = cells.row_of_cell, cells.user_of_row, cells.label_of_row, self._undisputed, self._row_counts
        in_blocks(cell_probabilities, sums.size, *of_cells, *of_rows, *self._prior, self.probabilities)

    def _crowd(self, sums: Indices, row_sums: Indices, mean: float) -> Floats:
        """The crowd's probability of each wrong confusion; and of each label, to be recognised or not: float64."""
        cells, undisputed = self._cells, self._label_undisputed
        label_sums = _sums(cells.label_of_row, row_sums, cells.n_labels)
        confusion_sums = _sums(cells.confusion_of_cell, sums, cells.true_of_confusion.size)
        right, true = cells.is_right_confusion, cells.true_of_confusion
        right_sums = np.zeros(cells.n_labels, np.int64)
        right_sums[true[right]] = confusion_sums[right]
        counts = undisputed + label_sums / cells.unit
        self._crowd_right = (undisputed + right_sums / cells.unit + mean) / (counts + 1)
        self._crowd_wrong = ((label_sums - right_sums) / cells.unit + (1 - mean)) / (counts + 1)  # 1 - right, never 0
        of_wrong = (1 - mean) / max(cells.n_labels - 1, 1)
        self._crowd_others = of_wrong / (counts + 1)
        self._crowd_confusions: Floats = (confusion_sums / cells.unit + of_wrong) / (counts[true] + 1)
        return self._crowd_confusions

    def scores(self, cell_logs: Indices, label_logs: Indices) -> Indices:
        """Log P(label, votes) of each candidate, in the fixed point of the logarithms."""
        from ...kernels.confusions import triple_scores

        cells, candidates = self._cells, self._cells.disputes.candidates
        scores = np.empty(len(candidates), np.int64)
        triples = cells.triple_offsets, cells.n_votes_on, cells.cell_of_triple, cell_logs
        logs = candidates.offsets, candidates.labels, label_logs, scores
        in_blocks(triple_scores, len(cells.disputes), *triples, *logs)
        return scores

    def right_of_votes(self) -> Floats:
        """P(label voted | label voted true, user) of each vote on a disputed observation."""
        right: Floats = self.probabilities[self._cells.cell_of_triple[self._cells.triples_for_own_label()]]
        return right

    def diagonal(self) -> "Diagonal":
        """P(k | k, u) of every user and label."""
        from ...kernels.confusions import recognition

        cells, (crowd_right, crowd_wrong, accuracies, mean, _) = self._cells, self._prior
        users = np.repeat(np.arange(cells.n_users, dtype=np.int32), np.diff(cells.certain.offsets))
        labels, counts = cells.certain.labels, cells.certain.n_votes * float(self._has_undisputed)
        certain = np.empty(labels.size)
        in_blocks(recognition, labels.size, counts, counts, users, labels, *self._prior, certain)
        users, labels = np.concatenate([cells.user_of_row, users]), np.concatenate([cells.label_of_row, labels])
        order = np.argsort(pair_keys(users, labels))
        return Diagonal(
            offsets=np.searchsorted(users[order], np.arange(cells.n_users + 1)),
            labels=labels[order],
            right=np.concatenate([self._recognition(), certain])[order],
            crowd_right=np.append(crowd_right, mean),
            crowd_wrong=np.append(crowd_wrong, 1 - mean),
            accuracies=accuracies,
            mean=mean,
        )

    def of_any(self) -> "UserConfusions":
        """All that P(l | k, u) of any u, k and l is made of; an only label has another beside it, never voted."""
        from ...kernels.confusion_odds import UserConfusions

        cells, (right, wrong, accuracies, mean, prior_votes), others = self._cells, self._prior, self._crowd_others
        if cells.n_labels == 1:
            right, wrong, others = np.append(right, mean), np.append(wrong, 1 - mean), np.append(others, 1 - mean)
        return UserConfusions(
            row_offsets=np.searchsorted(cells.user_of_row, np.arange(cells.n_users + 1)),
            row_labels=cells.label_of_row,
            row_counts=self._row_counts[None],
            right_counts=self._right_counts[None],
            cell_offsets=np.searchsorted(cells.row_of_cell, np.arange(cells.label_of_row.size + 1)),
            cell_labels=cells.voted_of_cell,
            cell_counts=self._cell_counts[None],
            certain_offsets=cells.certain.offsets,
            certain_labels=cells.certain.labels,
            certain_counts=(cells.certain.n_votes.astype(np.float64) * self._has_undisputed)[None],
            confusion_offsets=np.searchsorted(cells.true_of_confusion, np.arange(others.size + 1)),
            confusion_labels=cells.voted_of_confusion,
            confusions=self._crowd_confusions[None],
            others=others[None],
            crowd_right=right[None],
            crowd_wrong=wrong[None],
            accuracies=accuracies,
            mean=mean,
            prior_votes=prior_votes,
        )

    def log_likelihood(self) -> float:
        """That of the votes on undisputed observations, given their labels."""
        if not self._has_undisputed:
            return 0.0
        return sum_of_logs(self._undisputed, self._recognition()) + self._log_likelihood_of_certain()

    def _log_likelihood_of_certain(self) -> float:
        from ...kernels.confusions import log_likelihood_of_certain
        from ...kernels.posteriors import LARGEST_LOG, unit_for

        pairs = self._cells.certain
        unit = unit_for(float(pairs.n_votes.sum()) * LARGEST_LOG, 44)
        users = np.searchsorted(pairs.offsets, [last for _, last in one_part_per_thread(pairs.labels.size)])
        part = partial(log_likelihood_of_certain, pairs.offsets, pairs.labels, pairs.n_votes, *self._prior, unit)
        parts = pairwise([0, *users[:-1].tolist(), self._cells.n_users])
        return sum(map(int, kernels_side_by_side(*(partial(part, *each) for each in parts)))) / unit

    def _recognition(self) -> Floats:
        """P(k | k, u) of each row."""
        from ...kernels.confusions import recognition

        cells, right = self._cells, np.empty(self._cells.undisputed.size)
        of_rows = self._right_counts, self._row_counts, cells.user_of_row, cells.label_of_row
        in_blocks(recognition, right.size, *of_rows, *self._prior, right)
        return right


def _pair(keys: Words) -> tuple[Counts, Counts]:
    """The two codes of each key."""
    return (keys >> np.uint64(32)).astype(np.int32), (keys & LOW_WORD).astype(np.int32)


def _sums(codes: Counts, values: Indices, n_codes: int) -> Indices:
    from ...kernels.posteriors import add_up

    sums = np.zeros(n_codes, np.int64)
    add_up(codes, values, sums)
    return sums


class Diagonal(NamedTuple):
    """How well each user recognises each label: the diagonals of the confusion matrices."""

    offsets: Offsets  # int64[n_users + 1]; the labels of user u are the slice `offsets[u]:offsets[u + 1]`, ascending
    labels: LabelCodes
    right: Floats  # P(k | k, u) of these; it is 0 where neither a vote nor a prior speaks of it
    # float64[n_labels + 1]; the crowd's C(k | k) and 1 - C(k | k), last those of a label never voted. Moved to a user
    # of some accuracy they are P(k | k, u) of all others.
    crowd_right: Floats
    crowd_wrong: Floats
    accuracies: Weights  # float64[n_users]
    mean: float
