"""One vote per observation and user, in the canonical order of :class:`plant_aggregate.votes.Votes`.

A vote is encoded as a uint64 word, so that sorting words sorts votes: label (31 bits), user (31 bits), author (1 bit).
"""

import numpy as np

from ..arrays import Bytes, Counts, Flags, Indices, LabelCodes, Offsets, UserCodes, Words
from .jit import kernel

NO_VOTE = np.uint64(0xFFFFFFFFFFFFFFFF)  # the word of a row that was superseded or withdrawn; sorts after every vote


@kernel
def count_rows(first: int, last: int, observations: Counts, n_rows: Counts) -> None:
    """Add the rows of the observations ``first <= i < last`` to n_rows int32[n_observations]."""
    for row in range(observations.size):
        i = observations[row]
        if first <= i < last:
            n_rows[i] += 1


@kernel
def place_rows(first: int, last: int, observations: Counts, users: UserCodes, places: Counts, words: Words) -> None:
    """Write (user, row) words to the positions of their observations ``first <= i < last``, in row order.

    ``places`` int32[n_observations] are the next positions, which are advanced.

    Sorting the words of an observation brings a user's rows together, in row order.
    """
    for row in range(observations.size):
        i = observations[row]
        if first <= i < last:
            words[places[i]] = (np.uint64(users[row]) << np.uint64(32)) | np.uint64(row)
            places[i] += 1


@kernel
def find_repeated(first: int, last: int, offsets: Offsets, words: Words, repeated: Bytes) -> None:
    """Set repeated[0] = 1 if two of an observation's sorted words are of one user. Several threads may set it."""
    for i in range(first, last):
        for j in range(offsets[i] + 1, offsets[i + 1]):
            if words[j] >> np.uint64(32) == words[j - 1] >> np.uint64(32):
                repeated[0] = 1


@kernel
def keep_latest(
    first: int,
    last: int,
    offsets: Offsets,
    labels: LabelCodes,
    is_author: Flags,
    voted_at: Indices,
    words: Words,
    n_kept: Counts,
) -> None:
    """Replace each observation's (user, row) words, sorted, by the valid votes.

    A user's last row is the vote: the one with the greatest ``voted_at`` (int64, empty if unknown), then the last one.
    If it has no label (-1), the vote is withdrawn. The user is an author if any of the rows says so.
    ``n_kept[i]`` becomes the number of votes; the other words become NO_VOTE.
    """
    timed = voted_at.size > 0
    for i in range(first, last):
        n_kept[i] = 0
        j = offsets[i]
        stop = offsets[i + 1]
        while j < stop:
            user = words[j] >> np.uint64(32)
            latest = np.int64(words[j] & np.uint64(0xFFFFFFFF))
            author = is_author[latest]
            words[j] = NO_VOTE
            slot = j
            j += 1
            while j < stop and (words[j] >> np.uint64(32)) == user:
                row = np.int64(words[j] & np.uint64(0xFFFFFFFF))
                author |= is_author[row]
                if not timed or voted_at[row] >= voted_at[latest]:
                    latest = row
                words[j] = NO_VOTE
                j += 1
            if labels[latest] >= 0:
                label = np.uint64(labels[latest])
                words[slot] = (label << np.uint64(32)) | (user << np.uint64(1)) | np.uint64(author)
                n_kept[i] += 1


@kernel
def unpack(first: int, last: int, words: Words, users: UserCodes, labels: LabelCodes, is_author: Flags) -> None:
    """Unpack the words of the votes ``first <= j < last`` into users, labels and author flags."""
    for j in range(first, last):
        word = words[j]
        labels[j] = np.int32(word >> np.uint64(32))
        users[j] = np.int32((word >> np.uint64(1)) & np.uint64(0x7FFFFFFF))
        is_author[j] = (word & np.uint64(1)) != 0
