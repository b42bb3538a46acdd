"""One vote per observation and user, in the canonical order of :class:`aggregate.votes.Votes`.

A vote travels as one uint64 word, so that sorting words sorts votes: label (31 bits), user (31 bits), author (1 bit).
"""

import numpy as np

from ..arrays import Counts, Flags, Indices, LabelCodes, Offsets, UserCodes, Words
from .jit import kernel

NO_VOTE = np.uint64(0xFFFFFFFFFFFFFFFF)
"""A place whose row was superseded or withdrawn; sorts behind every vote."""


@kernel
def words_by_user(first: int, last: int, offsets: Offsets, rows: Counts, users: UserCodes, words: Words) -> None:
    """Fill words with (user, place in the group), so that sorting brings a user's rows together, in row order."""
    for i in range(first, last):
        for j in range(offsets[i], offsets[i + 1]):
            place = np.uint64(j - offsets[i])
            words[j] = (np.uint64(users[rows[j]]) << np.uint64(32)) | place


@kernel
def keep_latest(
    first: int,
    last: int,
    offsets: Offsets,
    rows: Counts,
    labels: LabelCodes,
    is_author: Flags,
    voted_at: Indices,
    words: Words,
    n_kept: Counts,
) -> None:
    """Replace each group's (user, place) words, sorted, by the votes that stand.

    A user's last row stands: the one of the greatest ``voted_at`` (int64, empty if unknown), then the last in row
    order. A last row without a label (-1) withdraws the vote. The user is an author if any of the rows says so.
    ``n_kept[i]`` becomes the number of votes that stand; the other places hold NO_VOTE.
    """
    timed = voted_at.size > 0
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        n_kept[i] = 0
        j = start
        while j < stop:
            user = words[j] >> np.uint64(32)
            latest = rows[start + np.int64(words[j] & np.uint64(0xFFFFFFFF))]
            author = is_author[latest]
            words[j] = NO_VOTE
            slot = j
            j += 1
            while j < stop and (words[j] >> np.uint64(32)) == user:
                row = rows[start + np.int64(words[j] & np.uint64(0xFFFFFFFF))]
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
