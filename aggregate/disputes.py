"""Distributions over the labels of disputed observations: the kernels of ``candidates`` on whole arrays."""

import numpy as np

from .arrays import Counts, Floats, LabelCodes, Weights
from .kernels.threads import in_blocks
from .votes import Disputes


def vote_shares(disputes: Disputes) -> Floats:
    """Each candidate's share of the votes: float64[n_candidates]."""
    return weight_shares(disputes, np.ones(disputes.users.size))


def weight_shares(disputes: Disputes, vote_weights: Weights) -> Floats:
    """Each candidate's share of the weight; ``vote_weights`` float64 >= 0, by vote of the disputes.

    Where no vote on an observation weighs anything, all count alike.
    """
    from .kernels.candidates import weight_shares as kernel

    candidates = disputes.candidates
    shares = np.empty(len(candidates))
    in_blocks(kernel, len(disputes), disputes.offsets, vote_weights, candidates.offsets, candidates.n_votes, shares)
    return shares


def weights_of_chosen(disputes: Disputes, user_weights: Weights, chosen: Counts) -> Weights:
    """The weight of the votes for the ``chosen`` candidate of each disputed observation, float64."""
    from .kernels.candidates import weights_of_chosen as kernel

    candidates = disputes.candidates
    weights = np.empty(len(disputes))
    in_blocks(
        kernel,
        len(disputes),
        disputes.offsets,
        disputes.users,
        user_weights,
        candidates.offsets,
        candidates.n_votes,
        chosen,
        weights,
    )
    return weights


def likeliest(
    disputes: Disputes, shares: Floats, *, held: LabelCodes | None = None, excluded: LabelCodes | None = None
) -> Counts:
    """The candidate with the largest share on each disputed observation, -1 if all are ``excluded``: int32.

    Among tied candidates (within 1e-9) the label ``held`` so far wins, else the author's, else the one with most
    votes, else the smallest.
    """
    from .kernels.candidates import likeliest as kernel

    candidates = disputes.candidates
    none = np.full(len(disputes), -1, np.int32)
    chosen = np.empty(len(disputes), np.int32)
    in_blocks(
        kernel,
        len(disputes),
        candidates.offsets,
        candidates.labels,
        candidates.n_votes,
        candidates.by_author,
        shares,
        none if held is None else held,
        none if excluded is None else excluded,
        chosen,
    )
    return chosen


def likeliest_labels(disputes: Disputes, shares: Floats, held: LabelCodes | None = None) -> LabelCodes:
    """The label with the largest share on each disputed observation: int32[len(disputes)]."""
    return disputes.candidates.labels[likeliest(disputes, shares, held=held)]


def entropies(disputes: Disputes, shares: Floats) -> Floats:
    """Entropy (nats) of the shares of each disputed observation."""
    from .kernels.candidates import entropies as kernel

    entropy = np.empty(len(disputes))
    in_blocks(kernel, len(disputes), disputes.candidates.offsets, shares, entropy)
    return entropy


class Margins:
    """The margin of every candidate, averaged over the distributions that the iterations started from."""

    def __init__(self, disputes: Disputes) -> None:
        self._disputes = disputes
        self._total = np.zeros(len(disputes.candidates))
        self._count = 0

    def add(self, shares: Floats) -> None:
        """Take another distribution into the average."""
        from .kernels.candidates import add_margins

        in_blocks(add_margins, len(self._disputes), self._disputes.candidates.offsets, shares, self._total)
        self._count += 1

    @property
    def mean(self) -> Floats:
        """float64[n_candidates], in [-1, 1]."""
        return self._total / self._count
