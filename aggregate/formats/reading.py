"""Reads files in a format into tables in memory, for small ones."""

from os import PathLike
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from .base import Account, Format


class Tables(NamedTuple):
    """What files in a format hold."""

    tables: dict[str, pa.Table]  # by name, those that have rows
    account: Account


def read_tables(layout: Format, *paths: str | PathLike[str]) -> Tables:
    """All tables of files. Raises VotesError."""
    account = Account()
    batches: dict[str, list[pa.RecordBatch]] = {}
    for table, batch in layout.read([Path(path) for path in paths], account):
        batches.setdefault(table, []).append(batch)
    return Tables({table: pa.Table.from_batches(several) for table, several in batches.items()}, account)
