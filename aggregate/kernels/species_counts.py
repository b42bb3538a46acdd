"""How many species each user has identified, and the state of the observations that decides which of them count.

The votes are sorted by user, then label, each as a uint64 word: label (31 bits), observation (32 bits), author (1 bit).
So a user's species are runs of words, and counting distinct ones needs no set.

Flags that several threads set are bytes, and all set them to 1: the order does not matter.
"""

import numpy as np

from ..arrays import Bytes, Counts, Factors, Flags, LabelCodes, Offsets, UserCodes, Weights, Words
from .jit import kernel

LABEL_SHIFT = 33  # the bit of a word at which the label begins

VALID = 1
DISPUTED = 2
JOINED = 4
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
def mark_observations(
    first: int, last: int, user_offsets: Offsets, words: Words, changed: Flags, is_stale: Bytes
) -> None:
    """Set is_stale[i] = 1 for the observations that the changed users ``first <= u < last`` have voted on."""
    for u in range(first, last):
        if changed[u]:
            for j in range(user_offsets[u], user_offsets[u + 1]):
                is_stale[np.int64((words[j] >> np.uint64(1)) & np.uint64(0xFFFFFFFF))] = 1


@kernel
def _weight_of(weights: Weights, users: UserCodes, factors: Factors | None, j: int) -> float:
    """The same as in ``label_weights``: a test says so."""
    weight: float = weights[users[j]]
    if factors is not None:
        weight *= factors[j]
    return weight


@kernel
def _add(total: float, lost: float, weight: float) -> tuple[float, float]:
    """The same as in ``label_weights``."""
    new = total + weight
    lost += (total - new) + weight if total >= weight else (weight - new) + total
    return new, lost


@kernel
def update_states(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    factors: Factors | None,
    weights: Weights,
    threshold: float,
    joined_weight: float,
    is_stale: Bytes,
    totals: Weights,
    state: Bytes,
    changed: Bytes,
) -> None:
    """Bring the stale observations up to date, and clear their mark.

    totals[i] becomes the sum of the weights of the votes on i, and ``joined_weight`` if it is JOINED, exact before it
    is rounded (see ``label_weights``). Of the undisputed ones, state[i] becomes VALID where that reaches
    ``threshold`` and anybody voted; changed[i] says of every observation whether its state did.
    """
    for i in range(first, last):
        changed[i] = 0
        if not is_stale[i]:
            continue
        is_stale[i] = 0
        total = joined_weight if state[i] & JOINED else 0.0
        lost = 0.0
        for j in range(offsets[i], offsets[i + 1]):
            total, lost = _add(total, lost, _weight_of(weights, users, factors, j))
        totals[i] = total + lost
        if not state[i] & DISPUTED:
            anybody = offsets[i] < offsets[i + 1] or state[i] & JOINED
            now = (VALID if anybody and totals[i] >= threshold else 0) | (state[i] & JOINED)
            changed[i] = now != state[i]
            state[i] = now


@kernel
def mark_voters(first: int, last: int, offsets: Offsets, users: UserCodes, changed: Bytes, is_stale: Bytes) -> None:
    """Set is_stale[u] = 1 for the voters of the observations that changed."""
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
                by_author = (words[j] & np.uint64(1)) != 0
                # The state is far away in memory: it is looked up only where it can still matter.
                if not authored and (by_author or not voted):
                    i = np.int64((words[j] >> np.uint64(1)) & np.uint64(0xFFFFFFFF))
                    if not state[i] & DISPUTED or np.uint64(chosen[i]) == label:
                        is_valid = (state[i] & VALID) != 0
                        authored |= by_author and is_valid
                        voted |= not by_author and (is_valid or not votes_need_validity)
                j += 1
            if authored:
                n_author[u] += 1
            elif voted:
                n_vote[u] += 1


@kernel
def tally_users(
    first: int,
    last: int,
    user_offsets: Offsets,
    words: Words,
    state: Bytes,
    chosen: LabelCodes,
    n_authored: Counts,
    n_agreeing: Counts,
) -> None:
    """Each user's votes on own observations, and votes that equal the observation's label."""
    for u in range(first, last):
        n_authored[u] = 0
        n_agreeing[u] = 0
        for j in range(user_offsets[u], user_offsets[u + 1]):
            i = np.int64((words[j] >> np.uint64(1)) & np.uint64(0xFFFFFFFF))
            n_authored[u] += np.int32(words[j] & np.uint64(1))
            n_agreeing[u] += not state[i] & DISPUTED or np.uint64(chosen[i]) == words[j] >> np.uint64(LABEL_SHIFT)
