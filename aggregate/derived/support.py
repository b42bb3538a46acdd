"""Which label the weights favour, and by how much: the kernels of ``label_weights`` on whole arrays."""

from typing import NamedTuple

import numpy as np

from ..arrays import Counts, Floats, LabelCodes, UserCodes, Weights
from ..disputes import Disputes
from ..kernels.threads import in_blocks


def heaviest_labels(disputes: Disputes, vote_weights: Weights, *, excluded: LabelCodes) -> LabelCodes:
    """The label with most weight of each disputed observation, other than ``excluded``: int32[len(disputes)].

    Ties: see ``plantnet.iteration.Engine.settle``; no label is held.
    """
    from ..kernels.label_weights import heaviest_labels as kernel

    heaviest = np.empty(len(disputes), np.int32)
    in_blocks(
        kernel, len(disputes), disputes.offsets, disputes.labels, disputes.is_author, vote_weights, excluded, heaviest
    )
    return heaviest


class Support(NamedTuple):
    """Weights for and against the labels of the disputed observations; float64[len(disputes)] each."""

    weight: Weights  # weight on the label
    total: Weights  # weight of all votes
    opposition: Weights  # weight on the strongest other label

    @property
    def agreement(self) -> Floats:
        """Share of the weight that is on the label; 0 if all votes have weight 0."""
        return _share(self.weight, self.total)

    @property
    def margin(self) -> Floats:
        """Agreement less the share of the strongest other label, in [-1, 1]."""
        return self.agreement - _share(self.opposition, self.total)


class LabelChoice:
    """The labels of the disputed observations and their support, under changing weights of the users.

    Those that experts gave are fixed. Only observations with a vote of a user whose weight changed are computed again.
    """

    def __init__(self, disputes: Disputes) -> None:
        n = len(disputes)
        self.disputes = disputes
        self.labels: LabelCodes = np.full(n, -1, np.int32)
        if disputes.expert_labels is not None:  # where nobody voted, they stay so
            self.labels[:] = disputes.expert_labels
        self.support = Support(*np.zeros((3, n)))
        self.vote_weights: Weights = np.zeros(disputes.users.size)  # float64, of each vote
        self._weights: Weights | None = None

    def settle(self, weights: Weights) -> None:
        """Choose each label anew under ``weights`` float64[n], by user code; of tied ones the label held so far."""
        from ..kernels.label_weights import settle

        disputes, support = self.disputes, self.support
        changed = np.ones(weights.size, np.bool_) if self._weights is None else weights != self._weights
        votes = disputes.offsets, disputes.users, disputes.factors, disputes.labels, disputes.is_author
        known = disputes.expert_labels
        found = self.vote_weights, self.labels, support.weight, support.total, support.opposition
        in_blocks(settle, len(disputes), *votes, known, weights, changed, *found)
        self._weights = weights


class WeightHistory:
    """The weights that users with votes on disputed observations have had: 8 bytes for each and each iteration."""

    def __init__(self, users: UserCodes, n_users: int) -> None:
        """``users`` int32, of the votes on disputed observations; codes are below ``n_users``."""
        disputes = np.zeros(n_users, np.bool_)
        disputes[users] = True
        self._codes_kept = np.flatnonzero(disputes)
        self._codes = np.cumsum(disputes, dtype=np.int32) - np.int32(1)
        self._past: list[Weights] = []

    def saw(self, weights: Weights) -> None:
        """Take note of the weights that an iteration starts from, or the last one ended with: float64[n_users]."""
        self._past.append(weights[self._codes_kept])

    def mean_margins(self, disputes: Disputes, labels: LabelCodes) -> Floats:
        """The margin of each dispute's label, averaged over all weights seen but the last: float64[len(disputes)]."""
        from ..kernels.label_weights import add_up_margins

        past = np.stack(self._past[:-1], axis=1)
        margins = np.empty(len(disputes))
        votes = disputes.offsets, self._codes[disputes.users], disputes.factors, disputes.labels
        in_blocks(add_up_margins, len(disputes), *votes, past, labels, margins)
        return margins / (len(self._past) - 1)


def support_of(disputes: Disputes, vote_weights: Weights, labels: LabelCodes) -> Support:
    """The weights for and against ``labels`` int32[len(disputes)]."""
    from ..kernels.label_weights import support_of as kernel

    weight, total, opposition = np.empty((3, len(disputes)))
    in_blocks(kernel, len(disputes), disputes.offsets, disputes.labels, vote_weights, labels, weight, total, opposition)
    return Support(weight, total, opposition)


def entropies_of(disputes: Disputes, vote_weights: Weights, totals: Weights) -> tuple[Floats, Counts]:
    """Entropy (nats) of the labels' shares of the weight, and the number of labels, of each dispute."""
    from ..kernels.label_weights import entropies

    entropy = np.empty(len(disputes))
    n_labels = np.empty(len(disputes), np.int32)
    in_blocks(entropies, len(disputes), disputes.offsets, disputes.labels, vote_weights, totals, entropy, n_labels)
    return entropy, n_labels


def _share(part: Weights, whole: Weights) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
