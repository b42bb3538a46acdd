"""Groups encoded rows into Votes: one vote per observation and user, by observation, in canonical order."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Counts, Flags, Indices, LabelCodes, Offsets, UserCodes, Words
from ..arrow import to_arrow
from ..kernels.threads import in_blocks, kernels_side_by_side, one_part_per_thread
from ..votes import Votes


class CodedRows(NamedTuple):
    """Encoded rows of the log; arrays have an item a row, in row order."""

    observations: Counts  # int32[n_rows]; codes of observations
    users: UserCodes
    labels: LabelCodes  # int32[n_rows]; -1 for no opinion
    is_author: Flags
    observation_ids: pa.Array
    user_ids: pa.Array
    label_names: pa.Array


def group(rows: CodedRows, voted_at: Callable[[], Indices] | None = None) -> Votes:
    """The valid votes: the latest of each user on each observation, unless withdrawn.

    ``voted_at`` returns the rows' times as int64 ticks, the least possible where unknown; None if the rows are in the
    order of their times. Observations, users and labels that are left without a vote are dropped. Overwrites the rows'
    arrays.
    """
    from ..kernels.deduplication import keep_latest
    from ..kernels.sorting import sort_within_groups

    n_observations = len(rows.observation_ids)
    offsets, words = _rows_by_observation(rows, n_observations)
    in_blocks(sort_within_groups, n_observations, offsets, words, 0)
    untimed = np.empty(0, np.int64)
    ticks = untimed if voted_at is None or not _any_repeated(offsets, words) else voted_at()
    n_kept = np.empty(n_observations, np.int32)
    in_blocks(keep_latest, n_observations, offsets, rows.labels, rows.is_author, ticks, words, n_kept)
    in_blocks(sort_within_groups, n_observations, offsets, words, 0)
    return _unpacked(rows, offsets, words, n_kept)


def _rows_by_observation(rows: CodedRows, n_observations: int) -> tuple[Offsets, Words]:
    """Offsets of the observations, and a word (user, row) for each row, by observation and row.

    A counting sort: each thread handles a range of observations, and picks their rows from all.
    """
    from ..kernels.deduplication import count_rows, place_rows

    parts = one_part_per_thread(n_observations)
    places = np.zeros(n_observations, np.int32)
    kernels_side_by_side(*(partial(count_rows, *part, rows.observations, places) for part in parts))
    offsets = np.zeros(n_observations + 1, np.int64)
    np.cumsum(places, out=offsets[1:])
    places[:] = offsets[:-1]
    words = np.empty(rows.observations.size, np.uint64)
    kernels_side_by_side(*(partial(place_rows, *part, rows.observations, rows.users, places, words) for part in parts))
    return offsets, words


def _any_repeated(offsets: Offsets, words: Words) -> bool:
    from ..kernels.deduplication import find_repeated

    repeated = np.zeros(1, np.uint8)
    in_blocks(find_repeated, offsets.size - 1, offsets, words, repeated)
    return bool(repeated[0])


def _unpacked(rows: CodedRows, offsets: Offsets, words: Words, n_kept: Counts) -> Votes:
    """Votes from the words of each observation; words without a vote come last."""
    from ..kernels.deduplication import NO_VOTE, unpack

    user_ids, label_names, observation_ids = rows.user_ids, rows.label_names, rows.observation_ids
    n_votes = int(n_kept.sum(dtype=np.int64))
    some_dropped = n_votes < words.size
    if some_dropped:
        words = words[words != NO_VOTE]
        voted_on = np.flatnonzero(n_kept)
        observation_ids = observation_ids.take(to_arrow(voted_on))
        offsets = np.zeros(voted_on.size + 1, np.int64)
        np.cumsum(n_kept[voted_on], out=offsets[1:])
    # The rows' arrays are no longer needed: their memory is reused, as new memory would have to be cleared first.
    users, labels, is_author = rows.users[:n_votes], rows.labels[:n_votes], rows.is_author[:n_votes]
    in_blocks(unpack, n_votes, words, users, labels, is_author)
    if some_dropped:
        user_ids, users = drop_unused(user_ids, users)
        label_names, labels = drop_unused(label_names, labels)
    return Votes(offsets, users, labels, is_author, observation_ids, user_ids, label_names)


def drop_unused(names: pa.Array, codes: Counts) -> tuple[pa.Array, Counts]:
    """Names and codes, int32[n], without the names that no code refers to."""
    from ..kernels.sorting import distinct_codes

    occurring = distinct_codes(codes, len(names))
    if occurring.size == len(names):
        return names, codes
    new_codes = np.zeros(len(names), np.int32)
    new_codes[occurring] = np.arange(occurring.size, dtype=np.int32)
    return names.take(to_arrow(occurring)), new_codes[codes]
