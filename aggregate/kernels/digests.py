"""Digests of the votes on each observation, to detect changes between runs."""

import numpy as np

from ..arrays import Flags, HalfWords, LabelCodes, Offsets, UserCodes, Words
from .jit import kernel


@kernel
def _stir(word: np.uint64) -> np.uint64:
    """Mix all bits of a word: a step of splitmix64 (Steele, Lea and Flood 2014).

    It includes the addition, without which 0 would stay 0; ids and labels are often small.
    """
    word += np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@kernel
def digest_votes(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    is_author: Flags,
    user_hashes: Words,
    label_hashes: Words,
    digests: HalfWords,
) -> None:
    """digests[i] = upper half of a sum over the votes on observation i, uint32, in any order of the votes.

    ``user_hashes`` and ``label_hashes`` uint64 are those of ids and names, as codes change with new users and labels. A
    digest is 0 without a vote, and never with one.
    """
    for i in range(first, last):
        total = np.uint64(0)
        for j in range(offsets[i], offsets[i + 1]):
            author = np.uint64(1) if is_author[j] else np.uint64(0)
            total += _stir(_stir(_stir(user_hashes[users[j]]) + author) + label_hashes[labels[j]])
        upper = total >> np.uint64(32)
        digests[i] = max(upper, np.uint64(offsets[i + 1] > offsets[i]))
