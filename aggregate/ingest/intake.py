"""Batches of rows come in, are cleaned and encoded as they arrive, and go out as Votes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..arrays import Flags, Indices
from ..errors import VotesError
from ..kernels.threads import side_by_side
from ..progress import Progress
from ..votes import Votes
from .cleaning import Quarantine, split_batch
from .encoding import LabelColumn, check_text, id_column
from .grouping import CodedRows, group

MAX_ROWS = 2**31 - 1
"""Rows are numbered in 32 bits."""

UNKNOWN_TIME = np.iinfo(np.int64).min
"""A row without a time is older than any other."""


@dataclass(frozen=True)
class RowCounts:
    """What became of the rows; every row is used, superseded, no_opinion, after_as_of or rejected."""

    read: int
    used: int
    superseded: int
    """Rows with a label that a later row of the same user on the same observation replaced or withdrew."""
    no_opinion: int
    """Rows without a label."""
    after_as_of: int
    """Rows cast after the time limit."""
    rejected: Mapping[str, int]
    """Rows that could not be used, by reason."""


class Intake:
    """Takes batches with the columns of ``aggregate.schema.VOTES`` and makes Votes of them."""

    def __init__(self, origin: str, types: Mapping[str, pa.DataType], as_of: datetime | None) -> None:
        """``origin`` names the input in messages; ``types`` are those of the columns that any batch has."""
        self.origin = origin
        self.types = types
        self.as_of = as_of
        self.quarantine = Quarantine()
        self._observations = id_column(types["observation_id"])
        self._users = id_column(types["user_id"])
        self._labels = LabelColumn(types["label"])
        self._is_author: list[Flags] = []
        self._voted_at: list[Indices] = []
        self._n_read = 0
        self._n_kept = 0

    def take(self, batch: pa.RecordBatch, path: str, row: int) -> None:
        """Take a batch that begins at ``row`` of the file at ``path``."""
        self._n_read += batch.num_rows
        if self._n_read > MAX_ROWS:
            raise VotesError(f"more than {MAX_ROWS:,} rows", remedy="split the log by observation and run in parts")
        keep, rejected, reasons = split_batch(batch, self.as_of)
        if keep is not None:
            if pc.any(rejected).as_py():
                self.quarantine.add(batch, rejected, reasons, path, row)
            batch = batch.filter(keep)
        self._n_kept += batch.num_rows
        self._observations.append(batch.column("observation_id"))
        self._users.append(batch.column("user_id"))
        self._labels.append(batch.column("label"))
        self._is_author.append(_flags(batch))
        if "voted_at" in self.types:
            self._voted_at.append(_ticks(batch))

    def finish(self, progress: Progress) -> tuple[Votes, RowCounts]:
        """Encode and group what was taken in. Raises VotesError if no vote is left. Empties the intake."""
        if self._n_read == 0:
            raise VotesError("no rows", where=self.origin)
        progress.phase("encode ids")
        if self._n_kept == 0:
            raise self._nothing_left()
        (names, labels), (observation_ids, observations), (user_ids, users) = side_by_side(
            partial(self._labels.encode, self.origin), self._observations.encode, self._users.encode
        )
        for column, ids in (("observation_id", observation_ids), ("user_id", user_ids)):
            check_text(ids, column, self.origin)
        progress.phase("group by observation")
        is_author = np.concatenate(self._is_author)
        voted_at = np.concatenate(self._voted_at) if self._voted_at else np.empty(0, np.int64)
        self._is_author, self._voted_at = [], []
        n_labelled = int(np.count_nonzero(labels >= 0))
        votes = group(CodedRows(observations, users, labels, is_author, voted_at, observation_ids, user_ids, names))
        if votes.n_votes == 0:
            raise self._nothing_left()
        counts = RowCounts(
            read=self._n_read,
            used=votes.n_votes,
            superseded=n_labelled - votes.n_votes,
            no_opinion=self._n_kept - n_labelled,
            after_as_of=self._n_read - self._n_kept - self.quarantine.total,
            rejected=dict(sorted(self.quarantine.counts.items())),
        )
        return votes, counts

    def _nothing_left(self) -> VotesError:
        return VotesError(
            f"no usable vote left of {self._n_read:,} rows",
            where=self.origin,
            remedy="every row has no label, was withdrawn, was rejected or lies after --as-of",
        )


def _flags(batch: pa.RecordBatch) -> NDArray[np.bool_]:
    if "is_author" not in batch.schema.names:
        return np.zeros(batch.num_rows, np.bool_)
    return np.asarray(pc.fill_null(batch.column("is_author"), False))


def _ticks(batch: pa.RecordBatch) -> NDArray[np.int64]:
    if "voted_at" not in batch.schema.names:
        return np.full(batch.num_rows, UNKNOWN_TIME, np.int64)
    return np.asarray(pc.fill_null(batch.column("voted_at").cast(pa.int64()), UNKNOWN_TIME))
