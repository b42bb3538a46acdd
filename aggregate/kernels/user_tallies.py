"""How each user's votes compare with the consensus, and how they spread over the labels."""

import numpy as np

from ..arrays import Counts, Floats, Indices, LabelCodes, Offsets
from .jit import kernel


@kernel
def consensus_of_votes(first: int, last: int, offsets: Offsets, labels: LabelCodes, chosen: LabelCodes) -> None:
    """Set chosen[j] to the label of vote j's observation, -1 if it is the only vote there.

    Of the observations ``first <= i < last``, whose labels are ``labels`` int32[n_observations].
    """
    for i in range(first, last):
        alone = offsets[i + 1] - offsets[i] == 1
        for j in range(offsets[i], offsets[i + 1]):
            chosen[j] = -1 if alone else labels[i]


@kernel
def compare_users(
    first: int,
    last: int,
    user_offsets: Offsets,
    rows: Counts,
    labels: LabelCodes,
    chosen: LabelCodes,
    n_labels: int,
    n_shared: Counts,
    n_agreeing: Counts,
    n_by_chance: Indices,
    entropy: Floats,
) -> None:
    """Compare the votes of the users ``first <= u < last``, which are ``rows[user_offsets[u]:user_offsets[u + 1]]``.

    ``labels`` int32[n_votes] were voted, ``chosen`` int32[n_votes] are the consensus, -1 where nobody else voted. With
    a[k] and b[k], how many of the user's shared votes name k and have consensus k: n_shared = sum of a, n_agreeing
    counts the votes with label = consensus, n_by_chance = sum of a[k] b[k] (int64). ``entropy`` (nats) is that of all
    the user's labels.
    """
    voted = np.zeros(n_labels, np.int64)
    shared = np.zeros(n_labels, np.int64)
    for u in range(first, last):
        for place in range(user_offsets[u], user_offsets[u + 1]):
            j = rows[place]
            voted[labels[j]] += 1
            if chosen[j] >= 0:
                shared[labels[j]] += 1
                n_shared[u] += 1
                n_agreeing[u] += labels[j] == chosen[j]
        n_votes = user_offsets[u + 1] - user_offsets[u]
        for place in range(user_offsets[u], user_offsets[u + 1]):
            j = rows[place]
            if chosen[j] >= 0:
                n_by_chance[u] += shared[chosen[j]]
        for place in range(user_offsets[u], user_offsets[u + 1]):
            j = rows[place]
            if voted[labels[j]] > 0:
                share = voted[labels[j]] / n_votes
                entropy[u] -= share * np.log(share)
            voted[labels[j]] = 0
            shared[labels[j]] = 0
