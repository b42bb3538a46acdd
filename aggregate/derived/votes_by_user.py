"""The votes once more, by user: what a change of weight, and a count of species, have to look at."""

from functools import partial
from typing import NamedTuple

import numpy as np

from ..arrays import Offsets, Words
from ..kernels.threads import in_blocks, kernels_side_by_side, one_part_per_thread
from ..votes import Votes


class VotesByUser(NamedTuple):
    """The votes by user and label: 8 bytes a vote and 8 a user."""

    offsets: Offsets  # int64[n_users + 1]; the votes of user u are the slice offsets[u]:offsets[u + 1]
    words: Words  # uint64[n_votes]; each a vote, as `kernels.species_counts` packs it

    @classmethod
    def of(cls, votes: Votes) -> "VotesByUser":
        """Sort the votes by user: a counting sort, in which each thread has a part of the observations.

        All threads count, so that each knows the places of its votes, then all write.
        """
        from ..kernels.sorting import sort_within_groups
        from ..kernels.species_counts import LABEL_SHIFT, count_by_user, words_by_user

        parts = one_part_per_thread(votes.n_observations)
        counts = np.zeros((len(parts), votes.n_users), np.int64)
        words = np.empty(votes.n_votes, np.uint64)
        kernels_side_by_side(
            *(partial(count_by_user, *part, votes.offsets, votes.users, counts[p]) for p, part in enumerate(parts))
        )
        offsets = np.zeros(votes.n_users + 1, np.int64)
        np.cumsum(counts.sum(axis=0), out=offsets[1:])
        places = np.cumsum(counts, axis=0) - counts + offsets[:-1]

        def write(part: int) -> None:
            first, last = parts[part]
            words_by_user(first, last, votes.offsets, votes.users, votes.labels, votes.is_author, places[part], words)

        kernels_side_by_side(*(partial(write, part) for part in range(len(parts))))
        in_blocks(sort_within_groups, votes.n_users, offsets, words, LABEL_SHIFT)
        return cls(offsets, words)
