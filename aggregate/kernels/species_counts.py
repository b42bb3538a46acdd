"""How many species each user has identified.

A pair is a (user, label) that was voted at least once. Votes mark their pair, pairs are counted by user: distinct
species without a set.
"""

import numpy as np
from numpy.typing import NDArray

from ..arrays import Counts, Flags, LabelCodes, Offsets, UserCodes
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
def number_pairs(user_offsets: Offsets, words: Words, pair_of_vote: Counts) -> Offsets:
    """Number the pairs by user, then label, and write each vote's pair into ``pair_of_vote`` int32[n_votes].

    Returns int64[n_users + 1]: the pairs of user u are pair_offsets[u]:pair_offsets[u + 1].
    """
    n_users = user_offsets.size - 1
    pair_offsets = np.zeros(n_users + 1, np.int64)
    pair = -1
    for u in range(n_users):
        label = np.uint64(0xFFFFFFFFFFFFFFFF)
        for j in range(user_offsets[u], user_offsets[u + 1]):
            if words[j] >> np.uint64(32) != label:
                label = words[j] >> np.uint64(32)
                pair += 1
            pair_of_vote[np.int64(words[j] & np.uint64(0xFFFFFFFF))] = pair
        pair_offsets[u + 1] = pair + 1
    return pair_offsets


@kernel
def mark_species(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    is_author: Flags,
    pair_of_vote: Counts,
    chosen: LabelCodes,
    valid: Flags,
    votes_need_validity: bool,
    authored: NDArray[np.uint8],
    voted: NDArray[np.uint8],
) -> None:
    """Mark the pairs of the votes that agree with their observation's label.

    ``authored`` uint8[n_pairs] if the voter is the observation's author and it is valid; ``voted`` if the voter is
    not the author, valid or not unless ``votes_need_validity``. Threads may mark a pair at the same time: they
    write the same value.
    """
    for i in range(first, last):
        for j in range(offsets[i], offsets[i + 1]):
            if labels[j] != chosen[i]:
                continue
            if is_author[j]:
                if valid[i]:
                    authored[pair_of_vote[j]] = 1
            elif valid[i] or not votes_need_validity:
                voted[pair_of_vote[j]] = 1


@kernel
def count_species(
    first: int,
    last: int,
    pair_offsets: Offsets,
    authored: NDArray[np.uint8],
    voted: NDArray[np.uint8],
    n_author: Counts,
    n_vote: Counts,
) -> None:
    """n_author[u] = authored species; n_vote[u] = species voted and not among the authored."""
    for u in range(first, last):
        by_author = 0
        by_vote = 0
        for pair in range(pair_offsets[u], pair_offsets[u + 1]):
            if authored[pair]:
                by_author += 1
            elif voted[pair]:
                by_vote += 1
        n_author[u] = by_author
        n_vote[u] = by_vote


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
