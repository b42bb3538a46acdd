"""Reads small tables of labels: lists of names, and a number for each label."""

import csv
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, NamedTuple, TypeAlias, TypeGuard

import numpy as np
import pyarrow as pa

from ..arrays import Floats
from ..arrow import array, plain, to_numpy
from ..errors import VotesError, quoted
from ..files.locations import path_text, redacted
from ..files.parquet import check_side_input, origin_of, stream_all
from ..files.sources import path_list, read_text
from ..frames import IN_MEMORY, Frame, is_frame, to_table, wrong_type
from ..schema import Column, Table

LabelTable: TypeAlias = "str | PathLike[str] | Mapping[str, float] | Mapping[int, float] | Frame"
"""A file (.parquet, or text: a label a line, and with a comma its number), a dict, or a frame."""

TEXT = (".csv", ".txt", ".tsv")


class LabelNames(NamedTuple):
    """Labels, and what names their source in messages."""

    labels: pa.Array
    origin: str


class LabelValues(NamedTuple):
    """Labels, and the number of each."""

    labels: pa.Array
    values: Floats
    origin: str


def read_label_values(given: LabelTable, value: str, columns: Mapping[str, str] | None = None) -> LabelValues:
    """A number for each label, from the column ``value``. Raises VotesError if the table cannot be read."""
    if _is_by_label(given):
        try:
            values = np.array(list(given.values()), np.float64)
        except (ValueError, TypeError) as error:
            raise VotesError(f"a {value} is no number", where=IN_MEMORY) from error
        return LabelValues(_labels(given), values, IN_MEMORY)
    table = (Column("label", "label", "as in the scores"), Column(value, "float64", "of the label"))
    labels, numbers, origin = _columns(given, table, columns or {})
    assert numbers is not None
    return LabelValues(labels, numbers, origin)


def read_label_names(given: "LabelTable | Iterable[str | int]", columns: Mapping[str, str] | None = None) -> LabelNames:
    """Labels, from a column or a line each. Raises VotesError if the table cannot be read."""
    if isinstance(given, list | tuple | set | frozenset) or _is_by_label(given):
        return LabelNames(_labels(given), IN_MEMORY)
    labels, _, origin = _columns(given, (Column("label", "label", "as in the scores"),), columns or {})
    return LabelNames(labels, origin)


def _is_by_label(given: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a dict has a number for each label, and is no frame, whose keys are columns."""
    return isinstance(given, Mapping) and "label" not in given


def _labels(labels: Iterable[str | int]) -> pa.Array:
    given = list(labels)
    if len({isinstance(label, str) for label in given}) > 1:
        raise VotesError("labels are neither all texts nor all integers", where=IN_MEMORY)
    return array(given) if given else pa.array([], pa.string())


def _columns(given: LabelTable, table: Table, columns: Mapping[str, str]) -> tuple[pa.Array, Floats | None, str]:
    """The columns of a table: labels, and numbers if there are two; and where they are from."""
    if is_frame(given):
        found = to_table(given, table, columns, reader="this")
        labels, *others = (plain(found.column(column.name)) for column in table)
        return labels, _floats(others[0], IN_MEMORY) if others else None, IN_MEMORY
    if not isinstance(given, str | PathLike):
        raise wrong_type("labels", given, "the name of a file, a frame, or a dict of numbers by label")
    name = path_text(given)
    if name.lower().endswith(TEXT):
        return _from_text(given, table, columns)
    named = " and ".join(column.name for column in table)
    files = check_side_input(path_list(given), table, columns, remedy=f"name the columns {named}")
    origin = origin_of(files)
    batches = [batch for batch, _, _ in stream_all(files, table)]
    if not sum(batch.num_rows for batch in batches):
        raise VotesError("no rows", where=origin, remedy="give a row for each label")
    labels, *others = (
        plain(pa.chunked_array([plain(batch.column(column.name)) for batch in batches])) for column in table
    )
    return labels, _floats(others[0], origin) if others else None, origin


def _floats(values: pa.Array, origin: str) -> Floats:
    if values.null_count:
        raise VotesError("a number is null", where=origin, remedy="give each label a number")
    return to_numpy(values.cast(pa.float64()))


def _from_text(
    path: "str | PathLike[str]", table: Table, columns: Mapping[str, str]
) -> tuple[pa.Array, Floats | None, str]:
    """Labels, and numbers if the table has two columns, of a text file; a first line of these names is its header."""
    origin = redacted(path_text(path))
    text = read_text(path, "give a text file with a label a line, or Parquet")
    delimiter = "\t" if origin.lower().endswith(".tsv") else ","
    names = [columns.get(column.name, column.name) for column in table]
    if len(table) == 1 and not origin.lower().endswith(".csv"):
        lines = [[line.strip()] for line in text.lstrip("\ufeff").splitlines()]
    else:
        lines = list(csv.reader(text.lstrip("\ufeff").splitlines(), delimiter=delimiter))
    rows = [(number, row) for number, row in enumerate(lines, 1) if row and any(field.strip() for field in row)]
    places = list(range(len(table)))
    if rows and all(name in rows[0][1] for name in names):
        places = [rows[0][1].index(name) for name in names]
        rows = rows[1:]
    if not rows:
        raise VotesError("no rows", where=origin, remedy="give a line for each label")
    labels, numbers = [], []
    for number, row in rows:
        if len(row) <= max(places):
            raise VotesError(
                f"line {number} has {len(row)} of the columns {', '.join(names)}",
                where=origin,
                remedy=f"write {delimiter.join(names).strip()} in each line",
            )
        labels.append(row[places[0]].strip())
        if len(places) > 1:
            try:
                numbers.append(float(row[places[1]]))
            except ValueError as error:
                raise VotesError(f"line {number}: {quoted(row[places[1]])} is no number", where=origin) from error
    return pa.array(labels), np.array(numbers) if len(table) > 1 else None, origin
