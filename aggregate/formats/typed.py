"""Rows of text with the names of our columns become the typed rows of a table; what cannot is rejected."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Flags, Indices
from ..arrow import array, fill_null, scalar, to_arrow, to_numpy
from ..errors import ParameterError
from .base import LONGEST, TABLES, Account, Part, Rejected
from .rows import EPOCH, MICROSECOND, TIME
from .scores import share_of

BLANK = {"observation_id": "without an observation", "user_id": "without a user"}
NO_FLAG = "with an is_author that is not true, false, 1 or 0"
NO_TIME = "with a voted_at that is no time as 2026-11-23T02:15:00Z (ISO 8601)"
NO_SCORE = "with a score that is no number from 0 to 1"

FLAGS = {"true": True, "false": False, "1": True, "0": False}

ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)


class Texts(NamedTuple):
    """Records as texts."""

    file: str
    batch: pa.RecordBatch  # columns by our names, all of text
    numbers: Indices  # int64[n] of the records in the file
    unit: str = "line"  # what is numbered


def columns_of(table: str, named: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The names of the columns that rows of a table must have, and of those that they may have.

    Those that are ``named`` must be there. Raises ParameterError if the table has no column of such a name.
    """
    columns = [column.name for column in TABLES[table]]
    for name in named:
        if name not in columns:
            raise ParameterError(f"{name} is no column of {table}, which has {', '.join(columns)}")
    required = [column.name for column in TABLES[table] if not column.optional or column.name in named]
    return required, [name for name in columns if name not in required]


def typed(texts: Texts, account: Account, table: str) -> Part:
    """The rows of a table. Ids and labels stay texts; an empty is_author or voted_at is null.

    Those without an id, or with another column that is not what it should be, are rejected.
    """
    batch = texts.batch
    columns, faults = {}, []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in BLANK:
            faults.append((BLANK[name], to_numpy(fill_null(pc.equal(column, scalar("")), True))))
        if name in READERS:
            reason, read = READERS[name]
            column, wrong = read(column)
            faults.append((reason, wrong))
        columns[name] = column
    rejected = np.zeros(batch.num_rows, np.bool_)
    for reason, wrong in faults:
        _reject(texts, wrong & ~rejected, reason, account, table)
        rejected |= wrong
    made = pa.record_batch(list(columns.values()), names=list(columns))
    return table, made.filter(to_arrow(~rejected)) if rejected.any() else made


def _reject(texts: Texts, which: Flags, reason: str, account: Account, table: str) -> None:
    places = np.flatnonzero(which)
    if not places.size:
        return
    rows = texts.batch.take(to_arrow(places)).to_pylist()
    for number, row in zip(texts.numbers[places].tolist(), rows, strict=True):
        ids = {name: row.get(name) for name in ("observation_id", "user_id", "label")}
        text = ", ".join(f"{name}={value}" for name, value in row.items())[:LONGEST]
        account.reject(Rejected(table, texts.file, texts.unit, number, reason, **ids, text=text))


def _flags(texts: pa.Array) -> tuple[pa.Array, Flags]:
    return _each(texts, lambda text: FLAGS[text.lower()], pa.bool_())


def _times(texts: pa.Array) -> tuple[pa.Array, Flags]:
    none = np.zeros(len(texts), np.bool_)
    if not texts.null_count and not pc.any(pc.equal(texts, scalar(""))).as_py():
        for kind in (TIME, pa.timestamp("us")):  # with zones, and without
            try:
                return texts.cast(kind).cast(TIME), none
            except pa.ArrowInvalid:
                continue
    return _each(texts, lambda text: time_of(text), TIME)


def time_of(text: str) -> datetime:
    """A time in ISO 8601, with a date at least; without a zone it is UTC. Raises ValueError."""
    if not ISO.fullmatch(text):
        raise ValueError(text)
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _scores(texts: pa.Array) -> tuple[pa.Array, Flags]:
    return _each(texts, _score, pa.float64())


def _score(text: str) -> float:
    score = share_of(text)
    if score is None:
        raise ValueError(text)
    return score


def _each(texts: pa.Array, value_of: Callable[[str], Any], kind: pa.DataType) -> tuple[pa.Array, Flags]:
    """The values of distinct texts, and which rows have a text that has none. Empty texts are null."""
    encoded = texts.dictionary_encode()
    known: list[Any] = []
    wrong = []
    for text in encoded.dictionary.to_pylist():
        try:
            known.append(value_of(text) if text else None)
            wrong.append(False)
        except (ValueError, KeyError, OverflowError):
            known.append(None)
            wrong.append(True)
    if pa.types.is_timestamp(kind):
        values = array([None if time is None else (time - EPOCH) // MICROSECOND for time in known], pa.int64())
    else:
        values = array(known, kind)
    indices = encoded.indices
    is_wrong = np.array([*wrong, False], np.bool_)[to_numpy(indices, null=len(wrong))]
    return values.cast(kind).take(indices), is_wrong


READERS: Mapping[str, tuple[str, Callable[[pa.Array], tuple[pa.Array, Flags]]]] = {
    "is_author": (NO_FLAG, _flags),
    "voted_at": (NO_TIME, _times),
    "score": (NO_SCORE, _scores),
}
