"""The AI's votes merged into those of the users, and compared with them.

``counted`` int32[n_observations] is the label the AI votes where its vote counts, -1 elsewhere.
"""

from ..arrays import Counts, Flags, Indices, LabelCodes, Offsets, UserCodes
from .jit import kernel


@kernel
def merge_places(one: Indices, other: Indices, of_one: Counts, of_other: Counts) -> int:
    """Positions of two ascending arrays of distinct integers in their union; returns the size of the union."""
    a = b = place = 0
    while a < one.size or b < other.size:
        if b == other.size or (a < one.size and one[a] < other[b]):
            of_one[a] = place
            a += 1
        elif a == one.size or other[b] < one[a]:
            of_other[b] = place
            b += 1
        else:
            of_one[a] = place
            of_other[b] = place
            a += 1
            b += 1
        place += 1
    return place


@kernel
def find_opposed(
    first: int, last: int, offsets: Offsets, labels: LabelCodes, counted: LabelCodes, opposed: Flags, joined: Flags
) -> None:
    """opposed[i] = users and AI name more than one label on i, and a user votes there at all.

    joined[i] = the AI votes on i, and no user votes for another label.
    """
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        opposed[i] = False
        if start < stop:
            opposed[i] = labels[start] != labels[stop - 1] or (counted[i] >= 0 and counted[i] != labels[start])
        joined[i] = counted[i] >= 0 and not opposed[i]


@kernel
def insert_votes(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    is_author: Flags,
    counted: LabelCodes,
    ai: int,
    new_offsets: Offsets,
    new_users: UserCodes,
    new_labels: LabelCodes,
    new_is_author: Flags,
) -> None:
    """Copy the votes of each observation with the AI's among them, as that of the user ``ai``, by (label, user)."""
    for i in range(first, last):
        place = new_offsets[i]
        waits = counted[i] >= 0
        for j in range(offsets[i], offsets[i + 1]):
            if waits and (labels[j] > counted[i] or (labels[j] == counted[i] and users[j] > ai)):
                new_users[place], new_labels[place], new_is_author[place] = ai, counted[i], False
                place += 1
                waits = False
            new_users[place], new_labels[place], new_is_author[place] = users[j], labels[j], is_author[j]
            place += 1
        if waits:
            new_users[place], new_labels[place], new_is_author[place] = ai, counted[i], False


@kernel
def compare_with_ai(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    consensus: LabelCodes,
    ai_labels: LabelCodes,
    accuracy: Indices,
    tallies: Indices,
) -> None:
    """Compare the votes on the observations ``first <= i < last`` with the AI's, where it has one.

    ``consensus``, ``ai_labels`` int32[n_observations] are the labels of the consensus and of the AI, -1 for none;
    ``accuracy`` int64[n_labels], in any unit. ``tallies`` int64[n_users, 3] has for each user the votes compared, those
    that name the AI's label, and the sum of the accuracies of the consensus labels; the kernel adds to it.
    """
    for i in range(first, last):
        if ai_labels[i] < 0:
            continue
        for j in range(offsets[i], offsets[i + 1]):
            tallies[users[j], 0] += 1
            tallies[users[j], 1] += labels[j] == ai_labels[i]
            tallies[users[j], 2] += accuracy[consensus[i]]


@kernel
def count_ai_right(labels: LabelCodes, ai_labels: LabelCodes, valid: Flags, tallies: Indices) -> None:
    """Add, by label, the valid observations the AI votes on, and those it is right on, to int64[n_labels, 2]."""
    for i in range(labels.size):
        if valid[i] and ai_labels[i] >= 0:
            tallies[labels[i], 0] += 1
            tallies[labels[i], 1] += labels[i] == ai_labels[i]
