"""How each user's votes compare with the consensus, and how they spread over the labels."""

import numpy as np

from ..arrays import Counts, Floats, Indices, LabelCodes, Offsets, Words
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


@kernel
def compare_with_ai(
    first: int,
    last: int,
    user_offsets: Offsets,
    words: Words,
    labels: LabelCodes,
    ai_labels: LabelCodes,
    accuracy: Indices,
    n_votes: Counts,
    n_equal: Counts,
    expected: Indices,
) -> None:
    """Compare the votes of the users ``first <= u < last`` with the AI's, where it has one.

    ``words`` are the votes as ``species_counts`` packs them; ``labels``, ``ai_labels`` int32[n_observations] the
    consensus and what the AI says, -1 for nothing; ``accuracy`` int64[n_labels], in any unit. n_votes[u] counts the
    votes compared, n_equal[u] those that name the AI's label, expected[u] adds up the accuracy of the consensus labels.
    """
    for u in range(first, last):
        for place in range(user_offsets[u], user_offsets[u + 1]):
            i = np.int64((words[place] >> np.uint64(1)) & np.uint64(0xFFFFFFFF))
            if ai_labels[i] >= 0:
                n_votes[u] += 1
                n_equal[u] += np.uint64(ai_labels[i]) == words[place] >> np.uint64(33)
                expected[u] += accuracy[labels[i]]
