"""A hash of each observation's votes, so that the next run can detect whether they changed."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from ..add_ons import Columns, Extends
from ..arrays import Words
from ..arrow import bytes_of, to_numpy
from ..kernels.digests import digest_votes
from ..kernels.lookup import hash_texts
from ..kernels.threads import in_blocks
from ..schema import DIGEST, Table
from ..votes import Votes


class Digests:
    """The digests of all observations, computed block by block: an add-on."""

    extends: ClassVar[Extends] = "consensus"
    table: ClassVar[Table] = DIGEST

    def __init__(self, votes: Votes) -> None:
        self._votes = votes

    def columns(self, rows: pa.Table, first: int) -> Columns:
        """The column DIGEST of the observations from ``first`` on."""
        votes, n = self._votes, rows.num_rows
        digests = np.empty(n, np.uint32)
        arrays = (votes.users, votes.labels, votes.is_author, *self._hashed)
        in_blocks(digest_votes, n, votes.offsets[first : first + n + 1], *arrays, digests)
        return {DIGEST[0].name: digests}

    def facts(self) -> Mapping[str, Any]:
        """None."""
        return {}

    @cached_property
    def _hashed(self) -> tuple[Words, Words]:
        return _hashes(self._votes.user_ids), _hashes(self._votes.label_names)


def _hashes(values: pa.Array) -> Words:
    """Hashes of ids or names, uint64: integers are their own, modulo 2**64."""
    if pa.types.is_integer(values.type):
        return (
            to_numpy(values).astype(np.int64 if values.type != pa.uint64() else np.uint64, copy=False).view(np.uint64)
        )
    hashes = np.empty(len(values), np.uint64)
    in_blocks(hash_texts, hashes.size, *bytes_of(values), hashes)
    return hashes
