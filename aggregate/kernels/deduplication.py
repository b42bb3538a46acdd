"""One vote per observation and user, in the canonical order of :class:`aggregate.votes.Votes`.

A vote travels as one uint64 word, so that sorting words sorts votes: label (31 bits), user (31 bits), author (1 bit).
"""

import numpy as np

from ..arrays import Counts, Flags, Indices, LabelCodes, Offsets, UserCodes, Words
from .jit import kernel

NO_VOTE = np.uint64(0xFFFFFFFFFFFFFFFF)
"""A place whose row was superseded or withdrawn; sorts behind every vote."""


@kernel
def rows_by_observation(observations: Counts, users: UserCodes, offsets: Offsets, words: Words) -> None:
    """Fill words with (user, row) observation by observation; offsets int64[n_observations + 1] are zero before.

    Sorting the words of an observation brings a user's rows together, in row order.
    """
    # While words are placed, offsets[i + 1] is the next place of observation i; in the end it is i's end.
    n_observations = offsets.size - 1
    for row in range(observations.size):
        if observations[row] + 1 < n_observations:
            offsets[observations[row] + 2] += 1
    for i in range(1, n_observations):
        offsets[i + 1] += offsets[i]
    for row in range(observations.size):
        place = offsets[observations[row] + 1]
        words[place] = (np.uint64(users[row]) << np.uint64(32)) | np.uint64(row)
        offsets[observations[row] + 1] = place + 1


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
    """Replace each observation's (user, row) words, sorted, by the votes that stand.

    A user's last row stands: the one of the greatest ``voted_at`` (int64, empty if unknown), then the last in row
    order. A last row without a label (-1) withdraws the vote. The user is an author if any of the rows says so.
    ``n_kept[i]`` becomes the number of votes that stand; the other places hold NO_VOTE.
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
