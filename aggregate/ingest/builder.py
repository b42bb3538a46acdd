"""Builds Votes from batches of rows, which are cleaned and encoded as they arrive."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Flags, Indices
from ..arrow import scalar, to_numpy
from ..errors import VotesError, on_one_line, warn
from ..ids.encoding import LabelColumn, id_column
from ..ids.text_faults import checked_batch
from ..kernels.threads import one_by_one, one_part_per_thread, side_by_side
from ..progress import Progress
from ..votes import Votes
from .cleaning import Quarantine, split_batch
from .grouping import CodedRows, group

MAX_ROWS = 2**31 - 1  # maximum number of rows: they are numbered in 32 bits
UNKNOWN_TIME = np.iinfo(np.int64).min  # the time of a row without one: older than any other


class RowCounts(NamedTuple):
    """Counts of rows by outcome; every row is used, superseded, no_opinion, after_as_of or rejected."""

    read: int
    used: int
    superseded: int  # rows with a label that a later row of the same user on the same observation replaced or withdrew
    no_opinion: int  # rows without a label
    after_as_of: int  # rows cast after the time limit
    # Rows without a time, if others have one, of those neither rejected nor after the limit: they count as older.
    untimed: int
    rejected: Mapping[str, int]  # rows that could not be used, by reason


class VotesBuilder:
    """Builds Votes from batches with the columns of ``schema.VOTES``.

    Until the ids are encoded it takes 13 bytes a row: int32 distances of integer ids, labels, and whether the voter is
    the author; 8 more for integer ids that are far apart; strings take their bytes, and 8 for the offset. Times are
    compared but not stored: a log in the order of time does not need them, any other log is read for them again.
    """

    def __init__(
        self,
        origin: str,
        types: Mapping[str, pa.DataType],
        as_of: datetime | None,
        capacity: int,
        clean: Callable[[pa.Array], pa.Array] | None = None,
    ) -> None:
        """``origin`` names the input in messages; ``types`` are those of the columns that any batch has.

        ``capacity``: rows at most. ``clean`` makes other labels of those in a batch, null for no opinion. Raises
        VotesError if there are more rows than MAX_ROWS.
        """
        if capacity > MAX_ROWS:
            raise VotesError(f"more than {MAX_ROWS:,} rows", remedy="split the log by observation and run in parts")
        self.origin = origin
        self.types = types
        self.as_of = as_of
        self.quarantine = Quarantine()
        self._clean = clean
        self._observations = id_column(types["observation_id"], capacity)
        self._users = id_column(types["user_id"], capacity)
        self._labels = LabelColumn(types["label"], capacity)
        self._is_author: Flags = np.empty(capacity, np.bool_)
        self._left_out: list[tuple[int, Flags]] = []
        self._last_tick = UNKNOWN_TIME
        self._in_order = True
        self._times = _Times()
        self._n_read = 0
        self._n_kept = 0

    def append(self, batch: pa.RecordBatch, path: str, row: int) -> None:
        """Append a batch that begins at ``row`` of the file at ``path``."""
        n_before = self._n_read
        self._n_read += batch.num_rows
        sound, texts = checked_batch(batch, ("observation_id", "user_id", "label"))
        keep, rejected, reasons = split_batch(batch, self.as_of, texts)
        if keep is not None:
            if pc.any(rejected).as_py():
                self.quarantine.add(batch, rejected, reasons, path, row)
            sound = sound.filter(keep)
            self._left_out.append((n_before, ~to_numpy(keep)))
        self._observations.append(sound.column("observation_id"))
        self._users.append(sound.column("user_id"))
        labels = sound.column("label")
        self._labels.append(labels if self._clean is None else self._clean(labels))
        self._is_author[self._n_kept : self._n_kept + sound.num_rows] = _flags(sound)
        self._n_kept += sound.num_rows
        if "voted_at" in self.types:
            self._times.watch(sound, path)
            if self._in_order:
                self._watch_order(ticks_of(sound))

    def finish(self, all_ticks: Callable[[], Indices], progress: Progress) -> tuple[Votes, RowCounts]:
        """Encode and group what was appended. Raises VotesError if no vote is left. Empties the builder.

        ``all_ticks`` returns the times of all rows read, int64[n]; it is called only if they matter.
        """
        if self._n_read == 0:
            raise VotesError("no rows", where=self.origin)
        progress.phase("encode ids")
        if self._n_kept == 0:
            raise self._nothing_left()
        # Texts are encoded on all threads, one column after the other, so that only one is in memory twice.
        has_texts = any(pa.types.is_string(self.types[column]) for column in ("observation_id", "user_id"))
        is_small = len(one_part_per_thread(self._n_kept)) == 1
        encode = one_by_one if has_texts or is_small else side_by_side
        (names, labels), (observation_ids, observations), (user_ids, users) = encode(
            self._labels.encode, self._observations.encode, self._users.encode
        )
        progress.phase("group by observation")
        n_labelled = int(np.count_nonzero(labels >= 0))
        is_author, self._is_author = self._is_author[: self._n_kept], np.empty(0, np.bool_)
        votes = group(
            CodedRows(observations, users, labels, is_author, observation_ids, user_ids, names),
            voted_at=None if self._in_order else lambda: self._kept(all_ticks()),
        )
        if votes.n_votes == 0:
            raise self._nothing_left()
        self._times.warn()
        counts = RowCounts(
            read=self._n_read,
            used=votes.n_votes,
            superseded=n_labelled - votes.n_votes,
            no_opinion=self._n_kept - n_labelled,
            after_as_of=self._n_read - self._n_kept - self.quarantine.total,
            rejected=dict(sorted(self.quarantine.counts.items())),
            untimed=self._times.n_untimed if self._times.any_timed else 0,
        )
        return votes, counts

    def _watch_order(self, ticks: Indices) -> None:
        """Record whether the rows still come in the order of their times, int64[n]."""
        if ticks.size:
            self._in_order = bool(ticks[0] >= self._last_tick and np.all(ticks[1:] >= ticks[:-1]))
            self._last_tick = int(ticks[-1])

    def _kept(self, ticks: Indices) -> Indices:
        if not self._left_out:
            return ticks
        kept = np.ones(ticks.size, np.bool_)
        for first, left_out in self._left_out:
            kept[first : first + left_out.size] = ~left_out
        return ticks[kept]

    def _nothing_left(self) -> VotesError:
        return VotesError(
            f"no usable vote left of {self._n_read:,} rows",
            where=self.origin,
            remedy="every row has no label, was withdrawn, was rejected or lies after --as-of",
        )


@dataclass
class _Times:
    """Counts rows without a time, and those among them that follow rows with one."""

    any_timed: bool = False
    n_untimed: int = 0
    n_late: int = 0
    late_files: dict[str, None] = field(default_factory=dict)

    def watch(self, batch: pa.RecordBatch, path: str) -> None:
        """Count the rows of a batch of the file at ``path``."""
        times = batch.column("voted_at") if "voted_at" in batch.schema.names else None
        n_untimed = batch.num_rows if times is None else times.null_count
        if n_untimed:
            self.n_untimed += n_untimed
            n_late = n_untimed
            if not self.any_timed:  # those at the beginning count as older, which their order says, too
                n_first = batch.num_rows if times is None else pc.index(times.is_valid(), scalar(True)).as_py()
                n_late = 0 if n_untimed == batch.num_rows else n_untimed - n_first
            if n_late:
                self.n_late += n_late
                self.late_files[path] = None
        self.any_timed |= n_untimed < batch.num_rows

    def warn(self) -> None:
        """Warn if rows count as older than rows before them."""
        if not self.n_late:
            return
        first, n_files = next(iter(self.late_files)), len(self.late_files)
        rows = f"{self.n_late:,} row{'s' * (self.n_late != 1)}"
        files = f"{n_files:,} file{'s' * (n_files != 1)}"
        warn(
            f"{rows} of {files} without voted_at, after rows that have one, count as older than these "
            f"(first: {on_one_line(first)}); give every row a time, or none"
        )


def ticks_of(batch: pa.RecordBatch) -> Indices:
    """The times of a batch's rows, in the unit of the column; UNKNOWN_TIME where there is none."""
    if "voted_at" not in batch.schema.names:
        return np.full(batch.num_rows, UNKNOWN_TIME, np.int64)
    return to_numpy(batch.column("voted_at").cast(pa.int64()), null=UNKNOWN_TIME)


def _flags(batch: pa.RecordBatch) -> Flags | bool:
    return to_numpy(batch.column("is_author"), null=False) if "is_author" in batch.schema.names else False
