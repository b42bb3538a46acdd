"""How many species each user has identified.

A pair is a (user, label) that was voted at least once. Each pair counts the votes that speak for it, each user the
pairs that have any: distinct species without a set, and an observation whose label or validity changes moves only
the counts of its voters.
"""

import numpy as np
from numpy.typing import NDArray

from ..arrays import Counts, Flags, Indices, LabelCodes, Offsets, UserCodes
from .jit import kernel

Words = NDArray[np.uint64]


@kernel
def words_by_label(
    first: int, last: int, user_offsets: Offsets, votes: Counts, labels: LabelCodes, words: Words
) -> None:
    """Fill words with (label, vote), so that sorting them within a user brings equal labels together."""
    for j in range(user_offsets[first], user_offsets[last]):
        words[j] = (np.uint64(labels[votes[j]]) << np.uint64(32)) | np.uint64(votes[j])


@kernel
def number_pairs(user_offsets: Offsets, words: Words, pair_of_vote: Counts) -> int:
    """Number the pairs by user, then label; write each vote's into ``pair_of_vote`` int32[n_votes].

    Returns the number of pairs.
    """
    pair = -1
    for u in range(user_offsets.size - 1):
        label = np.uint64(0xFFFFFFFFFFFFFFFF)
        for j in range(user_offsets[u], user_offsets[u + 1]):
            if words[j] >> np.uint64(32) != label:
                label = words[j] >> np.uint64(32)
                pair += 1
            pair_of_vote[np.int64(words[j] & np.uint64(0xFFFFFFFF))] = pair
    return pair + 1


@kernel
def shift_counts(
    step: int,
    observations: Indices,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    is_author: Flags,
    pair_of_vote: Counts,
    chosen: LabelCodes,
    valid: Flags,
    votes_need_validity: bool,
    pair_counts: NDArray[np.int32],
    user_counts: NDArray[np.int32],
) -> None:
    """Add (``step`` 1) or take back (-1) what some observations give their voters, as ``chosen`` and ``valid`` say.

    A vote that equals its observation's label counts: as authored if the voter is the author and the observation
    valid; as voted if the voter is not the author, whether the observation is valid or not unless
    ``votes_need_validity``. ``pair_counts`` int32[n_pairs, 2] are the authored and voted votes of each pair;
    ``user_counts`` int32[n_users, 2] the pairs with something authored, and those with votes alone.
    """
    for position in range(observations.size):
        i = observations[position]
        for j in range(offsets[i], offsets[i + 1]):
            if labels[j] != chosen[i]:
                continue
            u = users[j]
            pair = pair_of_vote[j]
            authored, voted = pair_counts[pair, 0], pair_counts[pair, 1]
            if is_author[j]:
                if not valid[i]:
                    continue
                pair_counts[pair, 0] = authored + step
                if (authored > 0) != (authored + step > 0):
                    user_counts[u, 0] += step
                    if voted > 0:
                        user_counts[u, 1] -= step
            elif valid[i] or not votes_need_validity:
                pair_counts[pair, 1] = voted + step
                if authored == 0 and (voted > 0) != (voted + step > 0):
                    user_counts[u, 1] += step


@kernel
def tally_users(
    offsets: Offsets, users: UserCodes, labels: LabelCodes, is_author: Flags, chosen: LabelCodes, n_users: int
) -> tuple[Counts, Counts, Counts]:
    """Each user's votes, votes on own observations, and votes that equal the consensus: int32[n_users] each."""
    n_votes = np.zeros(n_users, np.int32)
    n_authored = np.zeros(n_users, np.int32)
    n_agreeing = np.zeros(n_users, np.int32)
    for i in range(offsets.size - 1):
        for j in range(offsets[i], offsets[i + 1]):
            u = users[j]
            n_votes[u] += 1
            n_authored[u] += is_author[j]
            n_agreeing[u] += labels[j] == chosen[i]
    return n_votes, n_authored, n_agreeing
