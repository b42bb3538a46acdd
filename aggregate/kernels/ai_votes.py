"""The AI's vote among those of the users.

``heard`` int32[n_observations] is the label the AI votes where its vote counts, -1 elsewhere.
"""

from ..arrays import Counts, Flags, Indices, LabelCodes, Offsets, UserCodes
from .jit import kernel


@kernel
def merge_places(one: Indices, other: Indices, of_one: Counts, of_other: Counts) -> int:
    """Places of two ascending lists of distinct integers in their union, whose size is returned."""
    a = 0
    b = 0
    place = 0
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
    first: int, last: int, offsets: Offsets, labels: LabelCodes, heard: LabelCodes, opposed: Flags, joined: Flags
) -> None:
    """opposed[i] = users and AI name more than one label on i, and a user votes there at all.

    joined[i] = the AI votes on i, and nobody says otherwise.
    """
    for i in range(first, last):
        start, stop = offsets[i], offsets[i + 1]
        opposed[i] = False
        if start < stop:
            opposed[i] = labels[start] != labels[stop - 1] or (heard[i] >= 0 and heard[i] != labels[start])
        joined[i] = heard[i] >= 0 and not opposed[i]


@kernel
def insert_votes(
    first: int,
    last: int,
    offsets: Offsets,
    users: UserCodes,
    labels: LabelCodes,
    is_author: Flags,
    heard: LabelCodes,
    ai: int,
    new_offsets: Offsets,
    new_users: UserCodes,
    new_labels: LabelCodes,
    new_is_author: Flags,
) -> None:
    """Copy the votes of each observation with the AI's among them, as that of the user ``ai``, by (label, user)."""
    for i in range(first, last):
        place = new_offsets[i]
        waits = heard[i] >= 0
        for j in range(offsets[i], offsets[i + 1]):
            if waits and (labels[j] > heard[i] or (labels[j] == heard[i] and users[j] > ai)):
                new_users[place], new_labels[place], new_is_author[place] = ai, heard[i], False
                place += 1
                waits = False
            new_users[place], new_labels[place], new_is_author[place] = users[j], labels[j], is_author[j]
            place += 1
        if waits:
            new_users[place], new_labels[place], new_is_author[place] = ai, heard[i], False
