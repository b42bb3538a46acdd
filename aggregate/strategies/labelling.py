"""Which label the weights favour, and by how much: the kernels of ``label_weights`` on whole arrays."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Counts, Floats, LabelCodes, Weights
from ..kernels.threads import in_blocks
from ..votes import Disputes


def heaviest_labels(
    disputes: Disputes,
    vote_weights: Weights,
    *,
    held: LabelCodes | None = None,
    excluded: LabelCodes | None = None,
) -> LabelCodes:
    """The label with most weight of each disputed observation: int32[len(disputes)].

    Among tied labels (within 1e-9) the one ``held`` so far wins, else the author's, else the one with most votes,
    else the smallest. ``excluded`` labels do not take part.
    """
    from ..kernels.label_weights import heaviest_labels as kernel

    none = np.full(len(disputes), -1, np.int32)
    heaviest = np.empty(len(disputes), np.int32)
    in_blocks(
        kernel,
        len(disputes),
        disputes.offsets,
        disputes.labels,
        disputes.is_author,
        vote_weights,
        none if held is None else held,
        none if excluded is None else excluded,
        heaviest,
    )
    return heaviest


@dataclass(frozen=True, eq=False)
class Support:
    """What speaks for and against the labels of the disputed observations; float64[len(disputes)] each."""

    weight: Weights
    """Weight on the label."""
    total: Weights
    """Weight of all votes."""
    opposition: Weights
    """Weight on the strongest other label."""

    @property
    def agreement(self) -> Floats:
        """Share of the weight that is on the label; 0 where no vote weighs anything."""
        return _share(self.weight, self.total)

    @property
    def margin(self) -> Floats:
        """Agreement less the share of the strongest other label, in [-1, 1]."""
        return self.agreement - _share(self.opposition, self.total)


def support_of(disputes: Disputes, vote_weights: Weights, labels: LabelCodes) -> Support:
    """What speaks for and against ``labels`` int32[len(disputes)]."""
    from ..kernels.label_weights import support_of as kernel

    weight, total, opposition = np.empty((3, len(disputes)))
    in_blocks(
        kernel,
        len(disputes),
        disputes.offsets,
        disputes.labels,
        vote_weights,
        labels,
        weight,
        total,
        opposition,
    )
    return Support(weight, total, opposition)


def entropies_of(disputes: Disputes, vote_weights: Weights, totals: Weights) -> tuple[Floats, Counts]:
    """Entropy (nats) of the labels' shares of the weight, and the number of labels, of each dispute."""
    from ..kernels.label_weights import entropies

    entropy = np.empty(len(disputes))
    n_labels = np.empty(len(disputes), np.int32)
    in_blocks(
        entropies,
        len(disputes),
        disputes.offsets,
        disputes.labels,
        vote_weights,
        totals,
        entropy,
        n_labels,
    )
    return entropy, n_labels


def _share(part: Weights, whole: Weights) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
