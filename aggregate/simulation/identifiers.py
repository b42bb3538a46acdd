"""Realistic ids of observations and users."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..arrays import Indices
from ..arrow import strings_of, to_arrow
from . import IdKind

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_OBSERVATION_ID = 1_000_000_000
MAX_GAP = 9

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def next_observation_ids(last: int, n: int, rng: np.random.Generator) -> Indices:
    """``n`` ids that follow ``last``, ascending with random gaps of 5 on average; int64[n]."""
    return last + np.cumsum(rng.integers(1, MAX_GAP + 1, n))


def observation_id_array(ids: Indices, kind: IdKind) -> "pa.Array":
    """``ids`` int64[n] as integers, or each as a UUID."""
    return to_arrow(ids) if kind == "int" else _strings(_uuids(ids))


def user_id_array(ids: Indices, kind: IdKind) -> "pa.Array":
    """``ids`` int64[n] as integers, or each as ``user-`` and ten digits."""
    if kind == "int":
        return to_arrow(ids)
    text = np.empty((len(ids), 15), np.uint8)
    text[:, :5] = np.frombuffer(b"user-", np.uint8)
    rest = ids
    for column in range(14, 4, -1):
        rest, digit = np.divmod(rest, 10)
        text[:, column] = digit + ord("0")
    return _strings(text)


def _uuids(ids: Indices) -> NDArray[np.uint8]:
    """Text of a version 4 UUID made of each id, uint8[n, 36]; 122 scrambled bits, so different for different ids."""
    high = _scrambled(ids.astype(np.uint64))
    low = _scrambled(high)
    words = np.stack([high, low], axis=1).astype(">u8").view(np.uint8)
    nibbles = np.stack([words >> 4, words & 15], axis=2).reshape(len(ids), 32)
    nibbles[:, 12] = 4
    nibbles[:, 16] = nibbles[:, 16] & 3 | 8
    text = np.full((len(ids), 36), ord("-"), np.uint8)
    for begin, end, place in ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24)):
        text[:, place : place + end - begin] = _HEX[nibbles[:, begin:end]]
    return text


def _scrambled(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele et al. 2014), a bijection of 64-bit words."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _strings(text: NDArray[np.uint8]) -> "pa.Array":
    """An Arrow string array of equally long ASCII rows, uint8[n, length]."""
    n, length = text.shape
    return strings_of(text.reshape(-1), np.arange(n + 1) * length)
