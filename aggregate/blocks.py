"""Blocks: results as titles, tables and notes of plain values, which a terminal and a page render in their own ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from .reprs import short_repr

if TYPE_CHECKING:
    import pyarrow as pa

FIRST = 5  # rows of a long table that are shown


class Label(NamedTuple):
    """A label or id of the data, which may be long."""

    name: str | int | None


class Place(Label):
    """The path of a file or folder, or an id: the end tells most."""


class Interval(NamedTuple):
    """An estimate and the ends of its interval; NaN if there is none."""

    value: float
    low: float
    high: float


Cell = str | int | float | None | Label | Interval


@dataclass(frozen=True, kw_only=True, repr=False)
class Table:
    """Rows of cells, and how to show them."""

    header: Sequence[str] = ()  # names of the columns; none if the table needs no names
    rows: Sequence[Sequence[Cell]]
    # The format of the numbers of each column, see :func:`shown`; the columns after them have the format `""`.
    formats: Sequence[str] = ()
    left: tuple[int, ...] = (0,)  # columns aligned on the left; the others are on the right
    # `sideways`: a line for each column. `counts`: a name, a number, and perhaps its share and a remark.
    layout: Literal["columns", "sideways", "counts"] = "columns"
    intervals: str = ""  # what its intervals are
    # Places of columns (`sideways`: of rows after the names) in the order in which they are left out where there is no
    # room; then the others, from the last. The first is 0.
    least: tuple[int, ...] = ()
    complete_with: str = "--csv"  # the option that shows what was left out; empty if there is none

    __repr__ = short_repr


@dataclass(frozen=True, repr=False)
class Block:
    """A part of a result."""

    title: str = ""
    # Tables, and notes of one line, in the order in which they are shown. A note that begins with spaces continues the
    # line before.
    content: Sequence[Table | str] = ()

    __repr__ = short_repr


def shown(cell: Cell, form: str) -> str:
    """A cell as text. ``form`` is a format specification for numbers, and after a space a unit; ``-`` stands for none.

    >>> shown(1234, ","), shown(87.31, ".1f %"), shown(None, ","), shown(float("nan"), ".3f"), shown("all", ",")
    ('1,234', '87.3 %', '-', '-', 'all')
    >>> shown(Interval(87.31, 86.1, 88.2), ".1f %"), shown(Label(1234), ","), shown(Label(None), "")
    ('87.3 % [86.1, 88.2]', '1234', '-')
    """
    if isinstance(cell, Label):
        return "-" if cell.name is None else str(cell.name)
    value, low, high = cell if isinstance(cell, Interval) else (cell, None, None)
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return "-"
    spec, _, unit = form.partition(" ")
    text = f"{value:{spec}} {unit}".rstrip()
    return text if low is None or low != low else f"{text} [{low:{spec}}, {high:{spec}}]"


def first_rows(rows: "pa.Table", n_in_all: int) -> "list[Table | str]":
    """The ``rows`` that a table of ``n_in_all`` begins with, and how many follow; texts and ids as labels."""
    import pyarrow as pa

    def is_number(field: "pa.Field") -> bool:
        is_count = pa.types.is_integer(field.type) and field.name.startswith("n_")
        return bool(is_count or pa.types.is_floating(field.type))

    columns = [
        column.to_pylist() if is_number(field) else [Label(value) for value in column.to_pylist()]
        for field, column in zip(rows.schema, rows.columns, strict=True)
    ]
    table = Table(
        header=rows.column_names,
        rows=list(zip(*columns, strict=True)),
        formats=[".3f" if pa.types.is_floating(field.type) else "," for field in rows.schema],
        left=tuple(place for place, field in enumerate(rows.schema) if not is_number(field)),
    )
    return [table, *([f"and {n_in_all - rows.num_rows:,} more"] if n_in_all > rows.num_rows else [])]


def mean_text(mean: float) -> str:
    """A mean of counts in three digits, or all before the point: ``1.78``, ``3,250``."""
    return f"{mean:.3g}" if mean < 100 else f"{mean:,.0f}"


def count(number: int, thing: str) -> str:
    """``1 vote``, ``2,000 votes``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
