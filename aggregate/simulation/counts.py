"""Integers that add up exactly: parts of a total, and heavy-tailed counts."""

import numpy as np

from ..arrays import Floats, Indices

EXPONENT_STEP = 2.0**-12
"""Step of the exponents searched: so coarse that the rounding of ``pow`` cannot change the result."""


def split_total(total: int, sizes: Indices) -> Indices:
    """Split ``total`` in proportion to ``sizes`` int64[n] into integers, int64[n], none above its size.

    >>> split_total(5, np.array([4, 4, 2])).tolist()
    [2, 2, 1]
    """
    upto: Indices = np.cumsum(sizes) * total // sizes.sum()
    return np.diff(upto, prepend=0)


def largest_remainder(total: int, weights: Floats) -> Indices:
    """Round ``weights`` scaled to ``total`` to integers of at least 1 that add up to it, int64[n].

    ``total`` must be at least ``len(weights)``.
    """
    exact = weights * ((total - len(weights)) / weights.sum())
    counts: Indices = exact.astype(np.int64)
    missing = total - len(weights) - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    return counts + 1


def heavy_tailed(n: int, total: int, lowest: int, highest: int) -> Indices:
    """``n`` integers from ``lowest`` to ``highest``, ascending, that add up to ``total``; int64[n].

    A discrete bounded Pareto law: the share of the numbers that reach k falls like ``(lowest / k) ** exponent``
    less its value above ``highest``. The exponent is chosen so that they add up; a remainder too small
    for the step of exponents is added to the largest.

    >>> heavy_tailed(8, 40, 2, 20).tolist()
    [2, 2, 2, 3, 4, 5, 8, 14]
    """
    if n == 0:
        return np.empty(0, np.int64)
    beyond = total - n * lowest
    ratio = lowest / np.arange(lowest + 1, highest + 2)

    def reaching(exponent: int) -> Indices:
        power = ratio ** (exponent * EXPONENT_STEP)
        share = (power[:-1] - power[-1]) / (1 - power[-1])
        numbers: Indices = np.floor(n * share + 0.5).astype(np.int64)
        return numbers

    low, high = 1, 2**17
    while low < high:
        middle = (low + high) // 2
        if reaching(middle).sum() <= beyond:
            high = middle
        else:
            low = middle + 1
    numbers = np.concatenate([[n], reaching(low), [0]])
    values = np.repeat(np.arange(lowest, highest + 1), -np.diff(numbers))
    return _raise_largest(values, total - int(values.sum()), highest)


def _raise_largest(ascending: Indices, missing: int, highest: int) -> Indices:
    """Add ``missing`` in ones, from the largest number down, repeatedly, never above ``highest``."""
    while missing:
        room = np.flatnonzero(ascending < highest)[-abs(missing) :]
        ascending[room] += 1
        missing -= len(room)
    return ascending
