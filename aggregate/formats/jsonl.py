"""JSON objects, one in each line or in a list, each a vote, an expert label or a vote of the AI."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from ..arrow import strings
from ..errors import VotesError, did_you_mean, quoted
from ..files.sources import printable
from ..parameters import check_parameters
from .base import Account, Part
from .csv import columns_option, table_option
from .json_records import Record, items, kind_of, lines
from .recognition import Sample
from .rows import BATCH_ROWS
from .typed import Texts, columns_of, typed

NO_OBJECT = "that are no JSON object"
TWICE = "with a key that occurs twice"
NO_TEXT = "with a {} that is no text, number or truth value"


@dataclass(frozen=True)
class JsonLines:
    """JSON objects, one in each line or in a list, each a vote.

    Keys are observation_id, user_id, label, and if there are any is_author and voted_at (ISO 8601; UTC without a zone);
    with --table truth observation_id and label, with --table ai_votes also score. --column user_id=user.id means the
    key id of the object user. Other keys are left out.
    """

    name: ClassVar[str] = "jsonl"

    columns: Mapping[str, str] | None = columns_option()
    table: str = table_option()

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether objects have our keys."""
        return any(sample.has_paths(f"{at}observation_id", f"{at}label") for at in ("", "item."))

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The rows of each file."""
        required, optional = columns_of(self.table, self.columns or {})
        keys = {ours: (self.columns or {}).get(ours, ours) for ours in (*required, *optional)}
        for path in paths:
            collected = _Collected(path, list(keys), self.table, account)
            is_first = True
            for record in items(path) if kind_of(path) == "list" else lines(path):
                account.read(table=self.table)
                if record.fault or not isinstance(record.value, dict) or record.repeated:
                    reason = record.fault or (TWICE if record.repeated else NO_OBJECT)
                    account.reject(record.rejected(path, reason, table=self.table))
                    continue
                found = {ours: _value_at(record.value, key) for ours, key in keys.items()}
                if is_first:
                    _check_keys(record, path, {ours: keys[ours] for ours in required if found[ours] is MISSING})
                    is_first = False
                wrong = next((ours for ours, value in found.items() if isinstance(value, dict | list)), None)
                if wrong is not None:
                    account.reject(record.rejected(path, NO_TEXT.format(wrong), table=self.table))
                    continue
                collected.add(record, {ours: _text(value) for ours, value in found.items()})
                yield from collected.full()
            yield from collected.rest()


class _Missing:
    pass


MISSING = _Missing()
"""The value of a key that an object does not have."""


class _Collected:
    """Records of a file as texts, until there are enough for a batch."""

    def __init__(self, path: Path, names: Sequence[str], table: str, account: Account) -> None:
        self._where, self._names, self._table, self._account = printable(str(path)), names, table, account
        self._unit = "line"
        self._numbers: list[int] = []
        self._rows: list[Mapping[str, str]] = []

    def add(self, record: Record, texts: Mapping[str, str]) -> None:
        """Add a record."""
        self._unit = record.unit
        self._numbers.append(record.number)
        self._rows.append(texts)

    def full(self) -> Iterator[Part]:
        """The rows, once there are enough."""
        if len(self._rows) >= BATCH_ROWS:
            yield from self.rest()

    def rest(self) -> Iterator[Part]:
        """The rows that are left."""
        if self._rows:
            columns = [strings(row[name] for row in self._rows) for name in self._names]
            batch = pa.record_batch(columns, names=list(self._names))
            numbers = np.array(self._numbers, np.int64)
            self._numbers, self._rows = [], []
            yield typed(Texts(self._where, batch, numbers, self._unit), self._account, self._table)


def _value_at(record: Mapping[str, Any], key: str) -> Any:
    """The value of a key, or of ``outer.inner``."""
    if key in record:
        return record[key]
    outer, dot, inner = key.partition(".")
    below = record.get(outer)
    return _value_at(below, inner) if dot and isinstance(below, dict) else MISSING


def _text(value: Any) -> str:
    """A value as text; none is empty."""
    if value is None or value is MISSING:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _check_keys(record: Record, path: Path, missing: Mapping[str, str]) -> None:
    """Raise VotesError if the first record lacks keys."""
    for ours, key in missing.items():
        has = ", ".join(map(quoted, record.value)) or "none"
        question = did_you_mean(key, record.value)
        remedy = "; ".join(filter(None, [question, f"map keys with --column {ours}=KEY"]))
        what = f"{record.unit} {record.number} has no key {quoted(key)}, but {has}"
        raise VotesError(what, where=printable(str(path)), remedy=remedy)
