"""Counts and probabilities of confusions (user, true label, voted label), kept for those that can occur."""

from typing import NamedTuple

import numpy as np

from ...arrays import Counts, Floats, Indices, LabelCodes, Offsets, Words
from ...kernels.threads import in_blocks
from ...votes import Votes
from .posteriors import sum_of_logs
from .user_labels import LOW_WORD, UserLabels, distinct, pair_keys


class Cells:
    """The cells, rows and confusions of ``kernels.confusions``, and their probabilities under given posteriors.

    Memory: some 60 bytes for each triple, that is, candidate and vote on the same disputed observation.
    """

    def __init__(self, votes: Votes) -> None:
        from ...kernels.confusions import list_triples
        from ...kernels.posteriors import unit_for

        disputes, candidates = votes.disputes, votes.disputes.candidates
        self._disputes = disputes
        self._n_labels = votes.n_labels
        self._n_votes_on = np.diff(disputes.offsets)
        per_dispute = self._n_votes_on * np.diff(candidates.offsets)
        self._triple_offsets = np.concatenate([[0], np.cumsum(per_dispute)])
        n_triples = int(per_dispute.sum())
        voted = np.empty(n_triples, np.int32)
        row_words = np.empty(n_triples, np.uint64)
        list_triples(
            disputes.offsets, disputes.users, disputes.labels, candidates.offsets, candidates.labels, row_words, voted
        )
        row_keys, row = distinct(row_words)
        cell_keys, self._cell = distinct(pair_keys(row, voted))
        self._row_of_cell = (cell_keys >> np.uint64(32)).astype(np.int32)
        voted_of_cell = (cell_keys & LOW_WORD).astype(np.int32)
        self._label_of_row = (row_keys & LOW_WORD).astype(np.int32)
        self._user_of_row = (row_keys >> np.uint64(32)).astype(np.int32)
        confusion_keys, self._confusion_of_cell = distinct(
            pair_keys(self._label_of_row[self._row_of_cell], voted_of_cell)
        )
        self._true_of_confusion = (confusion_keys >> np.uint64(32)).astype(np.int32)
        self._is_right = self._true_of_confusion == (confusion_keys & LOW_WORD).astype(np.int32)

        self._unit = unit_for(float(n_triples))
        self._is_right_cell = self._label_of_row[self._row_of_cell] == voted_of_cell
        self._take_undisputed(votes, row_keys)
        self.probabilities: Floats = np.ones(cell_keys.size)  # P(voted | true, user) of each cell

    def _take_undisputed(self, votes: Votes, row_keys: Words) -> None:
        """Count the votes on undisputed observations: of each row, each cell, each label; and of all other pairs."""
        pairs = UserLabels.of(votes)
        n_undisputed = pairs.n_undisputed
        place = np.minimum(np.searchsorted(pairs.keys, row_keys), pairs.keys.size - 1)
        in_votes = pairs.keys[place] == row_keys
        self._row_undisputed = np.where(in_votes, n_undisputed[place], 0.0)
        self._cell_undisputed = np.where(self._is_right_cell, self._row_undisputed[self._row_of_cell], 0.0)
        self._label_undisputed = np.bincount(pairs.labels, n_undisputed, self._n_labels)
        # All other pairs of user and label have no doubt about them; those alike in label and votes count together.
        n_undisputed[place[in_votes]] = 0.0
        certain = np.flatnonzero(n_undisputed)
        keys, kind = distinct(pair_keys(pairs.labels[certain], n_undisputed[certain].astype(np.int32)))
        self._certain_labels = (keys >> np.uint64(32)).astype(np.int32)
        self._certain_votes = (keys & LOW_WORD).astype(np.float64)
        self._certain_times = np.bincount(kind, minlength=keys.size).astype(np.float64)

    def maximise(self, posteriors: Floats, prior_votes: float, mean_accuracy: float) -> None:
        """Estimate the probabilities; the prior is ``prior_votes`` of the crowd's confusion."""
        from ...kernels.confusions import cell_probabilities

        cell_sums = self._cell_sums(posteriors)
        row_sums = _sums(self._row_of_cell, cell_sums, self._label_of_row.size)
        right = self._is_right_cell
        row_right_sums = _sums(self._row_of_cell[right], cell_sums[right], self._label_of_row.size)
        crowd, crowd_right = self._crowd(cell_sums, row_sums, mean_accuracy)
        row_counts = self._row_undisputed + row_sums / self._unit
        cell_counts = self._cell_undisputed + cell_sums / self._unit
        of_cells = cell_counts, self._row_of_cell, row_counts, self._confusion_of_cell
        cell_probabilities(*of_cells, crowd, prior_votes, self.probabilities)
        self._right_of_label = crowd_right
        right_counts = self._row_undisputed + row_right_sums / self._unit
        right_prior = prior_votes * crowd_right
        with np.errstate(invalid="ignore"):  # a row without counts or prior has no votes to be judged either
            self._row_right = (right_counts + right_prior[self._label_of_row]) / (row_counts + prior_votes)
        self._certain_right = (self._certain_votes + right_prior[self._certain_labels]) / (
            self._certain_votes + prior_votes
        )

    def _cell_sums(self, posteriors: Floats) -> Indices:
        """The posteriors of each cell's triples, added up in fixed point: all other sums are sums of these."""
        from ...kernels.confusions import tally_cells

        offsets = self._disputes.candidates.offsets
        sums = np.zeros(self._row_of_cell.size, np.int64)
        tally_cells(self._triple_offsets, self._n_votes_on, self._cell, offsets, posteriors, self._unit, sums)
        return sums

    def _crowd(self, cell_sums: Indices, row_sums: Indices, mean_accuracy: float) -> tuple[Floats, Floats]:
        """The crowd's probability of each confusion, and of each label to be recognised: float64[n_labels]."""
        of_wrong = (1 - mean_accuracy) / max(self._n_labels - 1, 1)
        label_counts = self._label_undisputed + _sums(self._label_of_row, row_sums, self._n_labels) / self._unit
        counts = _sums(self._confusion_of_cell, cell_sums, self._true_of_confusion.size) / self._unit
        right_counts = self._label_undisputed.copy()
        right_counts[self._true_of_confusion[self._is_right]] += counts[self._is_right]
        right = (right_counts + mean_accuracy) / (label_counts + 1)
        wrong = (counts + of_wrong) / (label_counts[self._true_of_confusion] + 1)
        return np.where(self._is_right, right[self._true_of_confusion], wrong), right

    def scores(self, cell_logs: Indices, label_logs: Indices) -> Indices:
        """Log P(label, votes) of each candidate, in the fixed point of the logarithms."""
        from ...kernels.confusions import triple_scores

        candidates = self._disputes.candidates
        scores = np.empty(len(candidates), np.int64)
        triples = self._triple_offsets, self._n_votes_on, self._cell, cell_logs
        logs = candidates.offsets, candidates.labels, label_logs, scores
        in_blocks(triple_scores, len(self._disputes), *triples, *logs)
        return scores

    def right_of_votes(self) -> Floats:
        """P(label voted | label voted true, user) of each vote on a disputed observation."""
        disputes, candidates = self._disputes, self._disputes.candidates
        dispute = np.repeat(np.arange(len(disputes)), self._n_votes_on)
        place_among_votes = np.arange(disputes.users.size) - disputes.offsets[dispute]
        place_among_candidates = candidates.of_vote - candidates.offsets[dispute]
        triple = self._triple_offsets[dispute] + place_among_candidates * self._n_votes_on[dispute] + place_among_votes
        right: Floats = self.probabilities[self._cell[triple]]
        return right

    def diagonal(self, votes: Votes, prior_votes: float, mean_accuracy: float) -> "Diagonal":
        """P(k | k, u) of every user and label, by the confusions estimated last; ``votes`` are those of the cells."""
        pairs = UserLabels.of(votes)
        rows = pair_keys(self._user_of_row, self._label_of_row)
        certain = ~np.isin(pairs.keys, rows, assume_unique=True)
        n_votes, of_label = pairs.n_undisputed[certain], self._right_of_label[pairs.labels[certain]]
        keys = np.concatenate([rows, pairs.keys[certain]])
        right = np.concatenate([self._row_right, (n_votes + prior_votes * of_label) / (n_votes + prior_votes)])
        order = np.argsort(keys)
        users, labels = (keys[order] >> np.uint64(32)).astype(np.int32), (keys[order] & LOW_WORD).astype(np.int32)
        return Diagonal(
            offsets=np.searchsorted(users, np.arange(votes.n_users + 1)),
            labels=labels,
            right=np.nan_to_num(right[order]),
            otherwise=np.append(self._right_of_label, mean_accuracy),
        )

    def log_likelihood(self) -> float:
        """That of the votes on undisputed observations, given their labels."""
        rows = sum_of_logs(self._row_undisputed, self._row_right)
        return rows + sum_of_logs(self._certain_times * self._certain_votes, self._certain_right)


def _sums(codes: Counts, values: Indices, n_codes: int) -> Indices:
    from ...kernels.posteriors import add_up

    sums = np.zeros(n_codes, np.int64)
    add_up(codes, values, sums)
    return sums


class Diagonal(NamedTuple):
    """How well each user recognises each label: the diagonals of the confusion matrices, where they differ."""

    offsets: Offsets  # int64[n_users + 1]; the labels of user u are the slice `offsets[u]:offsets[u + 1]`, ascending
    labels: LabelCodes
    right: Floats  # P(k | k, u) of these; it is 0 where neither a vote nor a prior speaks of it
    # float64[n_labels + 1]; the crowd's, which is that of any other user, and last that of a label never voted.
    otherwise: Floats
