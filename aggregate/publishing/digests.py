"""A hash of each observation's votes, so that the next run can tell whether they are others."""

import numpy as np
import pyarrow as pa

from ..arrays import Words
from ..arrow import bytes_of, to_arrow, to_numpy
from ..kernels.digests import digest_votes
from ..kernels.lookup import hash_texts
from ..kernels.threads import in_blocks
from ..schema import DIGEST
from ..votes import Votes

SCHEME = b"2"
"""Which hash it is, in the metadata of the column; without any it is the first, under which 0 hid votes."""


class Digests:
    """The digests of all observations of some votes, worked out block by block."""

    def __init__(self, votes: Votes) -> None:
        self._votes = votes
        self._users, self._labels = _hashes(votes.user_ids), _hashes(votes.label_names)

    def add_to(self, table: pa.Table, first: int) -> pa.Table:
        """The table of the observations from ``first`` on with the column DIGEST."""
        column = pa.field(DIGEST[0].name, pa.uint32(), nullable=False, metadata={"scheme": SCHEME})
        return table.append_column(column, self._of(first, len(table)))

    def _of(self, first: int, n: int) -> pa.Array:
        votes = self._votes
        digests = np.empty(n, np.uint32)
        arrays = (votes.users, votes.labels, votes.is_author, self._users, self._labels)
        in_blocks(digest_votes, n, votes.offsets[first : first + n + 1], *arrays, digests)
        return to_arrow(digests)


def _hashes(values: pa.Array) -> Words:
    """uint64 for each of some ids or names: integers stand for themselves, modulo 2**64."""
    if pa.types.is_integer(values.type):
        return (
            to_numpy(values).astype(np.int64 if values.type != pa.uint64() else np.uint64, copy=False).view(np.uint64)
        )
    hashes = np.empty(len(values), np.uint64)
    in_blocks(hash_texts, hashes.size, *bytes_of(values), hashes)
    return hashes
