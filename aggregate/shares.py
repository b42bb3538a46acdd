"""Exact shares of a count: 0.29 of 100 is 29, where ``int(0.29 * 100)`` is 28.

A share is taken as the shortest decimal number with the same nearest float.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

import numpy as np

from .arrays import Indices


def count_of(share: float, whole: int) -> int:
    """``floor(share whole)``, the largest count that is at most a ``share`` of ``whole``.

    >>> count_of(0.29, 100), count_of(0.57, 100), count_of(0.3, 9)
    (29, 57, 2)
    """
    decimal = exact(share)
    return decimal.numerator * int(whole) // decimal.denominator


def counts_of(share: float, wholes: Indices) -> Indices:
    """As :func:`count_of`, for each of ``wholes`` int64[n]."""
    distinct, places = np.unique(wholes, return_inverse=True)
    counts: Indices = np.array([count_of(share, whole) for whole in distinct.tolist()], np.int64)[places]
    return counts


def nearest_count(share: float, whole: int) -> int:
    """The count nearest to a ``share`` of ``whole``; the even one if two are equally near.

    >>> nearest_count(0.35, 10), nearest_count(0.29, 50), nearest_count(0.145, 100)
    (4, 14, 14)
    """
    return round(exact(share) * int(whole))


def exact(share: float) -> "Fraction":
    """The decimal number that a share is written as.

    >>> exact(0.1) + exact(0.2)
    Fraction(3, 10)
    """
    from fractions import Fraction

    return Fraction(repr(float(share)))
