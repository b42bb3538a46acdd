"""Numbers from SHA-256, which every language and SQL can recompute.

``u(text)`` is the first 15 hexadecimal digits of SHA-256 of the UTF-8 text, an integer in [0, 2**60). In DuckDB:
``('0x' || left(sha256(text), 15))::BIGINT``.
"""

from fractions import Fraction
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pyarrow as pa

from ..arrays import Indices
from ..arrow import bytes_of

SPACE = 1 << 60

BATCH = 1 << 18  # ids hashed at a time


def u(text: str) -> int:
    """The number of a text.

    >>> u("split|0|a|17")
    737846564647157652
    """
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 4


def numbers_of(prefix: str, ids: pa.Array) -> Indices:
    """``u(prefix + id)`` of each id as int64[n]; integers are hashed as their text, so 17 and "17" are the same.

    >>> numbers_of("split|0|a|", pa.array([17, 1])).tolist()
    [737846564647157652, 757753603309513048]
    """
    numbers = np.empty(len(ids), np.int64)
    start = prefix.encode()
    for first in range(0, len(ids), BATCH):
        texts = ids[first : first + BATCH]
        data, offsets = bytes_of(texts.cast(pa.string()) if pa.types.is_integer(texts.type) else texts)
        text = data.tobytes()  # of whose slices Python makes hashes faster than of an array's
        digests = b"".join([sha256(start + text[a:b]).digest() for a, b in pairwise(offsets.tolist())])
        numbers[first : first + BATCH] = np.frombuffer(digests, ">u8")[::4] >> np.uint64(4)
    return numbers


def limit_of(share: Fraction) -> int:
    """The numbers below this limit are the ones with ``u / 2**60 < share``.

    >>> limit_of(Fraction(1, 2)) == SPACE // 2, limit_of(Fraction(1, 3)) == SPACE // 3 + 1
    (True, True)
    """
    return -(-share.numerator * SPACE // share.denominator)
