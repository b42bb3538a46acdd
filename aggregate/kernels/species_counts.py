"""How many species each user has identified.

The votes stand by user, then label, each as one uint64 word: label (31 bits), observation (32 bits), author (1 bit).
So a user's species are runs of words, and counting distinct ones needs no set.
"""

import numpy as np

from ..arrays import Bytes, Counts, Flags, LabelCodes, Offsets, UserCodes, Words
from .jit import kernel

LABEL_SHIFT = 33
"""The label begins at this bit of a word."""

VALID = 1
DISPUTED = 2
"""Bits of an observation's state."""


@kernel
def count_by_user(first: int, last: int, offsets: Offsets, users: UserCodes, places: Offsets) -> None:
    """Add the votes of the observations ``first <= i < last`` to their users' counts in int64[n_users]."""
    for j in range(offsets[first], offsets[last]):
        places[users[j]] += 1


@kernel
def words_by_user(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    is_author: Flags,
    places: Offsets,
    words: Words,
) -> None:
    """Write the votes of the observations ``first <= i < last`` as words from their users' places on."""
    for i in range(first, last):
        for j in range(offsets[i], offsets[i + 1]):
            place = places[users[j]]
            label, observation = np.uint64(labels[j]), np.uint64(i)
            words[place] = (label << np.uint64(LABEL_SHIFT)) | (observation << np.uint64(1)) | np.uint64(is_author[j])
            places[users[j]] = place + 1


@kernel
def mark_voters(first: int, last: int, offsets: Offsets, users: UserCodes, changed: Flags, is_stale: Bytes) -> None:
    """Set is_stale[u] = 1 for the voters of the observations that changed. Threads may set the same byte: to 1."""
    for i in range(first, last):
        if changed[i]:
            for j in range(offsets[i], offsets[i + 1]):
                is_stale[users[j]] = 1


@kernel
def count_species(
    first: int,
    last: int,
    user_offsets: Offsets,
    words: Words,
    is_stale: Bytes,
    state: Bytes,
    chosen: LabelCodes,
    votes_need_validity: bool,
    n_author: Counts,
    n_vote: Counts,
) -> None:
    """Count the species of the stale users; state uint8[n_observations] says which are VALID, which DISPUTED.

    A vote counts if it equals its observation's label. n_author[u] are the species of u's own valid observations;
    n_vote[u] those of others' observations, valid or not unless ``votes_need_validity``, that u has not authored.
    """
    for u in range(first, last):
        if not is_stale[u]:
            continue
        n_author[u] = 0
        n_vote[u] = 0
        j = user_offsets[u]
        while j < user_offsets[u + 1]:
            label = words[j] >> np.uint64(LABEL_SHIFT)
            authored = False
            voted = False
            while j < user_offsets[u + 1] and words[j] >> np.uint64(LABEL_SHIFT) == label:
                i = np.int64((words[j] >> np.uint64(1)) & np.uint64(0xFFFFFFFF))
                if not state[i] & DISPUTED or np.uint64(chosen[i]) == label:
                    if words[j] & np.uint64(1):
                        authored |= (state[i] & VALID) != 0
                    else:
                        voted |= (state[i] & VALID) != 0 or not votes_need_validity
                j += 1
            if authored:
                n_author[u] += 1
            elif voted:
                n_vote[u] += 1


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
