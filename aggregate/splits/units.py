"""The set that an observation falls into: a hash of its author, or of itself if none is known."""

from typing import NamedTuple

import numpy as np

from ..arrays import Flags, Indices
from ..arrow import to_arrow
from ..ids.hashing import limit_of, numbers_of
from ..shares import exact
from .observations import Observations
from .settings import SplitSettings

SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(len(SPLITS))
APART = -1  # its authors are in different sets

SplitCodes = np.ndarray[tuple[int], np.dtype[np.int8]]  # int8[n]; positions in SPLITS, or APART


class Units(NamedTuple):
    """The sets of observations."""

    splits: SplitCodes  # int8[n]
    has_author: Flags  # bool[n]; whether an author is known


def split_units(observations: Observations, wanted: Flags, settings: SplitSettings) -> Units:
    """The set of each of the ``wanted`` observations, bool[n]; others may be APART.

    The units of an observation are its authors, ``a|USER``, or, if none is known, itself, ``o|OBSERVATION``.
    """
    n = len(observations.ids)
    rows, users, ids = observations.authors
    has_author = np.zeros(n, np.bool_)
    has_author[rows] = True
    in_sets = np.zeros(n, np.uint8)  # a bit for each set that a unit of the observation is in
    alone = wanted if settings.group == "observation" else wanted & ~has_author
    if settings.group == "author":
        of_pairs = _splits_of(numbers_of(f"split|{settings.seed}|a|", ids), settings)[users]
        for split in range(len(SPLITS)):
            in_sets[rows[of_pairs == split]] |= np.uint8(1 << split)
    own = np.flatnonzero(alone)
    numbers = numbers_of(f"split|{settings.seed}|o|", observations.ids.take(to_arrow(own)))
    in_sets[own] = 1 << _splits_of(numbers, settings)
    splits = np.full(n, APART, np.int8)
    for split in range(len(SPLITS)):
        splits[in_sets == 1 << split] = split
    return Units(splits, has_author)


def _splits_of(numbers: Indices, settings: SplitSettings) -> SplitCodes:
    """Test below its share, validation above it and below both, train above both."""
    test = exact(settings.test)
    splits = np.full(numbers.size, TRAIN, np.int8)
    splits[numbers < limit_of(test + exact(settings.val))] = VALIDATION
    splits[numbers < limit_of(test)] = TEST
    return splits
