"""Dawid and Skene's model with two kinds of observations, clear and unclear, stored sparsely."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from ..arrays import Floats, Indices, Weights
from ..consensus import Consensus, ModelFindings
from ..disputes import vote_shares
from ..kernels.threads import in_blocks, kernels_side_by_side, one_part_per_thread
from ..progress import Progress
from ..votes import Votes
from .dawid_skene import DawidSkene
from .parts.confusion_odds import confusion_findings
from .parts.confusions import Cells, Confusions
from .parts.outcome import Outcome, build_consensus
from .parts.posteriors import Accuracies, CaseWeights, LabelPrior, Scores, estimate, exact_sum, sum_of_logs

CLEAR = 0
LEAST_ITERATIONS = 4  # the shares of the votes may move little at first
TIED = 1e-9  # relative difference of two log-likelihoods, or two shares, below which they count as equal


@dataclass(frozen=True, repr=False)
class Kinds(DawidSkene):
    """As ``dawid-skene``, where some observations are clear, and others unclear: users err otherwise on these.

    On a poor photograph good users err, too, and often in the same direction. So each observation has, beside its label
    k, a kind m, clear or unclear, and each user a probability of voting l where k is true for each kind:

        P(l | k, m, u) = (n(u, l, k, m) + prior_votes B(l | u, k, m)) / (n(u, k, m) + prior_votes),

    where n(u, l, k, m) is the sum of the posteriors of k and m over the observations on which u voted l, and n(u, k, m)
    that over all l. The prior B is the confusion of the whole crowd, moved by what is known of the user. The crowd's is

        C(l | k, m) = (n(l, k, m) + c(l, k)) / (n(k, m) + 1),

    smoothed by one vote spread like one coin: c = m0 on the diagonal, (1 - m0) / (K - 1) elsewhere, with m0 = (expected
    right votes + 1) / (votes + 2), K labels. p(u) = (right votes of u + prior_votes m0) / (votes of u + prior_votes)
    moves the odds that a label is recognised; the wrong labels share the rest as they do in the crowd:

        B(k | u, k, m) = R = sigmoid(logit C(k | k, m) + logit p(u) - logit m0),
        B(l | u, k, m) = C(l | k, m) (1 - R) / (1 - C(k | k, m)).

    EM: the posterior of k and m is proportional to P(k) P(m | k) prod P(l | k, m, u), over the labels voted on the
    observation; that of k is its sum over m. P(k) is as in ``dawid-skene``; P(m | k) = (n(k, m) + 1) / (n(k) + 2), with
    n the expected observations. Observations whose voters agree, and experts with them, are clear. The iteration ends
    when no posterior of a label moves by more than ``tolerance``, but not before the fourth.

    EM finds the nearest optimum, and one start may end in a poor one. So it starts three times from the shares of the
    votes, with three guesses that an observation is clear: 0.9 if the largest share on it is at least the mean of the
    largest shares, else 0.1; that share; and 1/4 plus half of it. The result is that of the start with the highest
    log-likelihood, of equals the first; the trace says which (``start``).

    A user's weight is p(u). With one kind this is ``dawid-skene``; it was written for crowds that choose between two
    labels, where it is right most often (see the measurements).

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        max_iter: iterations at most. At least 1, default 300.
        tolerance: stop when no posterior probability has moved by more. In (0, 1), default 0.01.
        expert_weight: how often votes on observations that experts labelled count in what is learnt of users. In
            [0.001, 1e6], with experts, default 1.
        prior_votes: votes of the crowd's mean quality added to each user's. In [0, 1e6], default 3.
        label_prior: power of a label's frequency in its prior probability; 0: all alike. In [0, 1], default 1.
        label_smoothing: observations added to each label's. In [0, 1e6], default 1.
    """

    name: ClassVar[str] = "kinds"

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Estimate from each start, and take the best."""
        progress.phase("pair labels")
        cells = Cells(votes, CaseWeights(votes.disputes, self.expert_weight))
        best: KindsModel | None = None
        for number, clear in enumerate(starts(votes), 1):
            model = KindsModel(self, votes, cells, clear)
            phase = f"estimate, start {number}"
            outcome, trace = estimate(self, votes, model, progress, phase=phase, at_least=LEAST_ITERATIONS)
            if best is None or model.log_likelihood > best.log_likelihood + TIED * abs(best.log_likelihood):
                best, found = model, (outcome, trace._replace(start=number))
        assert best is not None
        progress.phase("compare all labels")
        return build_consensus(*found, progress, best.findings(found[0]))


def starts(votes: Votes) -> Iterator[Floats]:
    """Guesses that an observation is clear, float64 by candidate, to begin with.

    ``top`` is the largest share of the votes on the observation.
    """
    disputes = votes.disputes
    sizes, n = np.diff(disputes.candidates.offsets), votes.n_observations
    top = np.maximum.reduceat(vote_shares(disputes), disputes.candidates.offsets[:-1]) if len(disputes) else np.empty(0)
    mean = (n - len(disputes) + exact_sum(top, n)) / n
    for clear in (np.where(top >= mean * (1 - TIED), 0.9, 0.1), top, 0.25 + top / 2):
        yield np.repeat(np.where(sizes > 1, clear, 1.0), sizes)


class KindsModel:
    """Confusions P(l | k, m, u) of the triples that occur, and probabilities of labels P(k) and of kinds P(m | k)."""

    def __init__(self, strategy: Kinds, votes: Votes, cells: Cells, clear: Floats) -> None:
        """``clear`` float64: P(clear | k, votes) of each candidate k, to begin with."""
        self._cells = cells
        self._accuracies = Accuracies(votes, strategy.prior_votes, cells.case_weights)
        self._label_prior = LabelPrior(votes, strategy.label_prior, strategy.label_smoothing)
        self._kinds = Confusions(cells, strategy.prior_votes), Confusions(cells, strategy.prior_votes, undisputed=False)
        self._scores = Scores(votes.disputes)
        times = cells.case_weights.of_disputes
        self._times = np.ones(len(votes.disputes)) if times is None else times
        self._clear = clear
        self.log_likelihood = -np.inf

    def maximise(self, posteriors: Floats) -> None:
        """Accuracies, confusions, and probabilities of labels and kinds from the posteriors of the labels."""
        cells, (cell_sums, label_sums) = self._cells, self._sums_of(posteriors)
        self._accuracies.maximise_counts(cells.right_of_users(cell_sums.sum(axis=0)))
        self._label_prior.maximise(posteriors)
        for confusions, sums in zip(self._kinds, cell_sums, strict=True):
            confusions.maximise_counts(sums, self._accuracies)
        counts = label_sums / cells.unit
        counts[CLEAR] += self._label_prior.undisputed
        self._kind_prior: Floats = (counts + 1) / (counts.sum(axis=0) + 2)  # P(m | k), [m, k]

    def _sums_of(self, posteriors: Floats) -> tuple[Indices, Indices]:
        """Sums of the posteriors of each kind, in fixed point: int64[2, n_cells] of triples, int64[2, n_labels]."""
        from ..kernels.kinds import tally

        cells, candidates, n_cells = self._cells, self._cells.disputes.candidates, self._cells.is_right.size
        parts = one_part_per_thread(len(cells.disputes))
        if len(parts) * n_cells > cells.cell_of_triple.size:  # sums of their own cost more than they save
            parts = [(0, len(cells.disputes))]
        cell_sums = np.zeros((len(parts), n_cells, 2), np.int64)
        label_sums = np.zeros((len(parts), cells.n_labels, 2), np.int64)
        triples = cells.triple_offsets, cells.n_votes_on, cells.cell_of_triple, candidates.offsets, candidates.labels
        shares = posteriors, self._clear, self._times, cells.unit

        def tally_part(first: int, last: int, part: int) -> None:
            tally(first, last, *triples, *shares, cell_sums[part], label_sums[part])

        kernels_side_by_side(*(partial(tally_part, *bounds, part) for part, bounds in enumerate(parts)))
        of_cells, of_labels = (np.ascontiguousarray(sums.sum(axis=0).T) for sums in (cell_sums, label_sums))
        return of_cells, of_labels

    def expect(self) -> tuple[Floats, float]:
        """Posteriors of the labels and log-likelihood; and, for the next step, those of the kinds."""
        from ..kernels.kinds import triple_scores

        cells, candidates, logs_of = self._cells, self._cells.disputes.candidates, self._scores.logs_of
        cell_logs = np.stack([logs_of(confusions.probabilities) for confusions in self._kinds], axis=1)
        kind_logs = logs_of(self._kind_prior.ravel()).reshape(2, -1)
        label_logs = np.ascontiguousarray((logs_of(self._label_prior.probabilities) + kind_logs).T)
        scores = np.empty((len(candidates), 2), np.int64)
        triples = cells.triple_offsets, cells.n_votes_on, cells.cell_of_triple, cell_logs
        in_blocks(
            triple_scores, len(cells.disputes), *triples, candidates.offsets, candidates.labels, label_logs, scores
        )
        posteriors, self._clear, log_likelihood = self._scores.normalised_of_kinds(scores)
        undisputed = self._label_prior.undisputed
        log_likelihood += self._label_prior.log_likelihood() + sum_of_logs(undisputed, self._kind_prior[CLEAR])
        self.log_likelihood = log_likelihood + self._kinds[CLEAR].log_likelihood()
        return posteriors, self.log_likelihood

    def weights(self) -> Weights:
        """Accuracies of the users."""
        return self._accuracies.of_users

    def findings(self, outcome: Outcome) -> ModelFindings:
        """Confidence and probability; observations may be of either kind here, also those whose voters agree."""
        kinds = list(zip(self._kind_prior, self._kinds, strict=True))
        return confusion_findings(outcome, self._label_prior.probabilities, kinds, self._cells.pair_of_vote)
