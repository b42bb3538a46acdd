"""Reads scores and probabilities as the decimals they were written as: float32 0.7 is 0.7, not 0.699999988."""

from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..arrays import Flags, Floats, Probabilities
from ..arrow import to_numpy
from ..classifier_scores import TOLERANCE

Kind = TypeVar("Kind", bound=np.floating[Any])

PLACES = {np.dtype(np.float16): (3, 4, 5, 6, 7), np.dtype(np.float32): (7,)}
"""Decimal places tried, fewest first. Different decimals of so many places have different floats in [0.5, 1]."""


def scores_of(column: pa.Array) -> Floats:
    """The scores of a column of floats or integers: float64, NaN for null.

    A float32 or float16 that is the nearest float to a decimal of at most seven places becomes that decimal: so 0.7
    reaches a threshold of 0.7 in any type. Scores outside [0, 1] by more than TOLERANCE are left as they are.
    """
    if pa.types.is_integer(column.type):
        column = column.cast(pa.float64(), safe=False)
    numbers = to_numpy(column.drop_null())
    scores = in_range(as_decimals(numbers))
    if not column.null_count:
        return scores
    spread = np.full(len(column), np.nan)
    spread[to_numpy(column.is_valid())] = scores
    return spread


def are_scores(scores: Probabilities) -> Flags:
    """Which numbers are valid scores, in [0, 1]: bool[n]."""
    valid: Flags = (scores >= 0) & (scores <= 1)
    return valid


def as_decimals(numbers: NDArray[Any]) -> Floats:
    """Floats as float64; narrow ones as the shortest decimal number of PLACES that they are the nearest float to."""
    found = numbers.astype(np.float64)
    with np.errstate(over="ignore"):
        for places in reversed(PLACES.get(numbers.dtype, ())):
            rounded = np.round(numbers.astype(np.float64), places)
            np.copyto(found, rounded, where=rounded.astype(numbers.dtype) == numbers)
    return found


def in_range(scores: NDArray[Kind]) -> NDArray[Kind]:
    """Scores of the same type; those outside [0, 1] by no more than TOLERANCE are moved to the nearer end."""
    near = (scores >= -TOLERANCE) & (scores <= 1 + TOLERANCE)
    ends = np.clip(scores, scores.dtype.type(0), scores.dtype.type(1))
    found: NDArray[Kind] = np.where(near, ends, scores)
    return found
