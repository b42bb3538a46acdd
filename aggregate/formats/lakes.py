"""Votes in tables of Delta Lake and Apache Iceberg, whose rows have no order.

Both give the newest commit first. So where the times of two votes of a user on an observation do not say which is the
later one, the last in the order of the rows, which is the one that counts elsewhere, would be the oldest, or any.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Words
from ..arrow import scalar, to_arrow, to_numpy
from ..errors import AggregateError, ParameterError, VotesError, on_one_line, quoted, reason_of
from ..files.columns import AvailableColumns, Columns, ConversionError, batch_of, match_columns
from ..files.sources import printable
from ..frames import without_views
from ..parameters import setting
from ..schema import VOTES
from .base import Account, Part, Rejected

Scan: TypeAlias = Callable[[Sequence[str]], "Iterator[pa.RecordBatch]"]
"""The rows of a table, with the columns of these names; always the same rows, in any order."""

TIMES = pa.timestamp("us", "UTC")
NULL_ID = "without an id of the {}"
SAME_TIME = "another vote of the user on the observation has the same time"
NO_ORDER = "the rows of such a table have no order, so which of them counts must follow from times"
KEYS = ("observation_id", "user_id", "voted_at")
MIXERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # odd numbers, one for each key


def columns_parameter() -> Any:
    """The option with the table's own names of columns."""
    return setting(
        None,
        "the table's own name of a column, such as observation_id=obs",
        group="Format",
        option="--column",
        columns_of=("VOTES",),
        metavar="COLUMN=NAME",
    )


def only_table(paths: Sequence[Path]) -> Path:
    """The one table that is read. Raises VotesError if there are several."""
    if len(paths) > 1:
        raise VotesError(f"one table is read at a time, not {len(paths)}", remedy="convert one after the other")
    return paths[0]


@contextmanager
def reading(path: Path, remedy: str = "see that the table is whole") -> Iterator[None]:
    """What a library says of a table that it cannot read, as a VotesError."""
    try:
        yield
    except AggregateError:
        raise
    except Exception as error:
        where = printable(str(path))
        raise VotesError(f"cannot be read ({on_one_line(reason_of(error))})", where=where, remedy=remedy) from error


def imported(module: str, extra: str) -> Any:
    """A module of an optional package. Raises ParameterError if it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        raise ParameterError(f"{package} is not installed", remedy=f"pip install 'plant-aggregate[{extra}]'") from error


def lake_parts(
    path: str, schema: pa.Schema, scan: Scan, renamed: Mapping[str, str] | None, account: Account
) -> Iterator[Part]:
    """The votes of a table.

    ``renamed``: columns of the votes -> their names in the table. Raises VotesError if a column is missing or has a
    wrong type, and if a user has several votes on an observation one of which has no time.
    """
    columns = _columns(path, schema, scan, renamed or {})
    votes = _Votes(path, scan, columns)
    times = schema.field(columns.names["voted_at"]).type if "voted_at" in columns.names else None
    if times is not None and pa.types.is_timestamp(times) and times.tz is None:
        account.details["voted_at"] = "without a time zone, read as UTC"
    ties = votes.ties()
    place = 0
    for batch in votes.batches([column.name for column in VOTES]):
        account.read(batch.num_rows)
        unusable = np.zeros(batch.num_rows, np.bool_)
        for column, what in (("observation_id", "observation"), ("user_id", "user")):
            if batch.column(column).null_count:
                missing = to_numpy(batch.column(column).is_null())
                _reject(batch, missing & ~unusable, NULL_ID.format(what), place, path, account)
                unusable |= missing
        if ties is not None:
            tied = ties.among(batch) & ~unusable
            _reject(batch, tied, SAME_TIME, place, path, account)
            unusable |= tied
        place += batch.num_rows
        usable = batch.filter(to_arrow(~unusable)) if unusable.any() else batch
        if usable.num_rows:
            yield "votes", usable


class _Votes:
    """The votes in a table, which can be read again and again."""

    def __init__(self, path: str, scan: Scan, columns: Columns) -> None:
        self.path, self._scan, self._columns = path, scan, columns

    def batches(self, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Those of the ``wanted`` columns that the table has, batch by batch, as the votes' types."""
        names = [self._columns.names[name] for name in wanted if name in self._columns.names]
        for batch in self._scan(names):
            plain = pa.record_batch([without_views(column) for column in batch.columns], names=batch.schema.names)
            try:
                found = batch_of(plain, wanted, self._columns)
            except ConversionError as error:
                raise VotesError(str(error), where=self.path, remedy="mend the column") from error
            yield pa.record_batch([_plain(column) for column in found.columns], names=found.schema.names)

    def ties(self) -> "_Ties | None":
        """Votes that cannot be distinguished by their times; None if there are none.

        Raises VotesError if some have no time.
        """
        hashes = [_hashes(batch) for batch in self.batches(KEYS)]
        repeated = _repeated(np.concatenate([np.empty(0, np.uint64), *hashes]))
        if not repeated.size:
            return None
        batches = [
            batch.filter(to_arrow(np.isin(_hashes(batch), repeated))) for batch in self.batches([*KEYS, "label"])
        ]
        rows = pa.Table.from_batches(batches)
        keys = [name for name in KEYS if name in rows.column_names]
        n_of = rows.group_by(keys).aggregate([([], "count_all"), ("label", "count_distinct", pc.CountOptions("all"))])
        valid = pc.and_(n_of["observation_id"].is_valid(), n_of["user_id"].is_valid())
        several = n_of.filter(pc.and_(valid, pc.greater(n_of["count_all"], scalar(1))))
        untimed = several if "voted_at" not in keys else several.filter(several["voted_at"].is_null())
        if untimed.num_rows:
            self._refuse(untimed, has_times="voted_at" in keys)
        tied = several.filter(pc.greater(several["label_count_distinct"], scalar(1)))
        return _Ties(tied.select(keys)) if tied.num_rows else None

    def _refuse(self, untimed: pa.Table, *, has_times: bool) -> None:
        first = untimed.slice(0, 1).to_pylist()[0]
        votes = f"user {quoted(first['user_id'])} has {first['count_all']} votes on {quoted(first['observation_id'])}"
        if has_times:
            fault = f"{votes} without a voted_at, and {NO_ORDER}"
            raise VotesError(fault, where=self.path, remedy="give these votes their times")
        fault = f"has no column 'voted_at', but {votes}, and {NO_ORDER}"
        raise VotesError(fault, where=self.path, remedy="name the column of the times: --column voted_at=NAME")


class _Ties:
    """Keys of several votes, with different labels."""

    def __init__(self, keys: pa.Table) -> None:
        self._keys = set(zip(*(column.to_pylist() for column in keys.columns), strict=True))
        self._hashes = np.unique(np.concatenate([_hashes(batch) for batch in keys.to_batches()]))

    def among(self, batch: pa.RecordBatch) -> np.ndarray:
        """Which votes of a batch have such a key, bool[n]."""
        tied = np.isin(_hashes(batch), self._hashes)
        for row in np.flatnonzero(tied):
            tied[row] = tuple(batch.column(name)[int(row)].as_py() for name in KEYS) in self._keys
        return tied


def _columns(path: str, schema: pa.Schema, scan: Scan, renamed: Mapping[str, str]) -> Columns:
    """Where the columns of the votes are in a table."""

    def has_value(name: str) -> bool:
        return any(batch.column(0).null_count < batch.num_rows for batch in scan([name]))

    unknown = [ours for ours in renamed if ours not in {column.name for column in VOTES}]
    if unknown:
        names = ", ".join(column.name for column in VOTES)
        raise VotesError(f"votes have no column {quoted(unknown[0])}", remedy=f"they have {names}")
    available = AvailableColumns(path, schema, 1, has_value)
    remedy = "name it: --column COLUMN=NAME"
    (columns,), faults = match_columns([available], VOTES, renamed, remedy)
    if faults:
        raise VotesError("\n".join(faults))
    return columns


def _plain(column: pa.Array) -> pa.Array:
    """A column without a dictionary, and times as microseconds in UTC."""
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode()
    return column.cast(TIMES, safe=False) if pa.types.is_timestamp(column.type) else column


def _hashes(batch: pa.RecordBatch) -> Words:
    """A hash of each vote's observation, user and time, uint64[n]; equal ones may be of different votes."""
    hashes = np.zeros(batch.num_rows, np.uint64)
    for name, mixer in zip(KEYS, MIXERS, strict=True):
        if name in batch.schema.names:
            hashes += _words_of(batch.column(name)) * np.uint64(mixer)
    return hashes


def _words_of(column: pa.Array) -> Words:
    if pa.types.is_string(column.type):
        encoded = column.dictionary_encode()
        words = np.array([hash(text) for text in encoded.dictionary.to_pylist()] or [0], np.int64)
        words = words[to_numpy(encoded.indices, null=0)]
        return np.where(to_numpy(column.is_null()), 0, words).view(np.uint64)
    if pa.types.is_timestamp(column.type):
        column = column.view(pa.int64())
    return to_numpy(column, null=0).astype(np.uint64)


def _repeated(words: Words) -> Words:
    """The words that occur more than once."""
    words = np.sort(words)
    return np.unique(words[1:][words[1:] == words[:-1]])


def _reject(batch: pa.RecordBatch, rows: Any, reason: str, place: int, path: str, account: Account) -> None:
    for row in map(int, np.flatnonzero(rows)):
        ids = (batch.column(name)[row].as_py() for name in ("observation_id", "user_id", "label"))
        texts = (None if value is None else str(value) for value in ids)
        account.reject(Rejected("votes", path, "row", place + row + 1, reason, *texts))
