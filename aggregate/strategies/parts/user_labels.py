"""Distinct keys, and how often each user voted each label."""

from typing import NamedTuple

import numpy as np

from ...arrays import Counts, Floats, LabelCodes, UserCodes, Words
from ...votes import Votes

LOW_WORD = np.uint64(0xFFFFFFFF)


def pair_keys(high: Counts, low: Counts) -> Words:
    """``high << 32 | low``, uint64: pairs of codes as words that sort by ``high``, then ``low``."""
    return (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)


def distinct(keys: Words) -> tuple[Words, Counts]:
    """The distinct keys, ascending, and the position among them of each: uint64, int32."""
    from ...kernels.ordering import codes_of, order_of_keys, starts_of

    keys, order = order_of_keys(keys)
    starts = starts_of(keys)
    return keys[starts], codes_of(order, starts)


class UserLabels(NamedTuple):
    """The pairs (user, label) that occur among the votes, by user, then label; arrays of one item a pair."""

    keys: Words  # user << 32 | label
    n_votes: Counts  # votes of the user for the label
    of_disputed: Counts  # int32, the pair of each vote on a disputed observation
    of_vote: Counts  # int32, the pair of each vote

    @classmethod
    def of(cls, votes: Votes) -> "UserLabels":
        """Those of all votes."""
        keys, codes = distinct(pair_keys(votes.users, votes.labels))
        n_votes = np.bincount(codes, minlength=keys.size).astype(np.int32)
        disputes = votes.disputes
        of_disputed = np.searchsorted(keys, pair_keys(disputes.users, disputes.labels)).astype(np.int32)
        return cls(keys, n_votes, of_disputed, codes)

    @property
    def users(self) -> UserCodes:
        """int32[n_pairs]."""
        return (self.keys >> np.uint64(32)).astype(np.int32)

    @property
    def labels(self) -> LabelCodes:
        """int32[n_pairs]."""
        return (self.keys & LOW_WORD).astype(np.int32)

    @property
    def n_undisputed(self) -> Floats:
        """Votes on undisputed observations, float64."""
        return (self.n_votes - np.bincount(self.of_disputed, minlength=self.keys.size)).astype(np.float64)
