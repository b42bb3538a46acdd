"""Add-ons: further columns of a run's tables, and facts in run.json.

An add-on is made from a consensus, adds columns to one of the tables of a run, and facts to its run.json. The
writers of tables and run.json use these methods alone. Settings that ask for one are in ``pipeline.ADD_ONS``.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .arrow import to_arrow
from .schema import PROBABILITY, Table, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from .consensus import Consensus
    from .progress import Progress

Columns: TypeAlias = "Mapping[str, pa.Array | NDArray[Any]]"  # arrays by the name of the column, with an item a row
Extends: TypeAlias = Literal["consensus", "users"]  # the table that an add-on adds columns to


REPLACED = tuple(column.name for column in PROBABILITY)  # a calibration's goes before that of the strategy's model


class AddOn(Protocol):
    """Adds columns to a table of the run, and facts to run.json; either may be none."""

    @property
    def extends(self) -> Extends:
        """Which table the columns are added to: ``consensus``, or ``users``."""

    @property
    def table(self) -> Table:
        """The columns it adds, in order. Those of type ``label`` have the type of the column ``label``."""

    def columns(self, rows: "pa.Table", first: int) -> Columns:
        """The columns of ``table`` for some ``rows`` of the table it extends, which begin with row ``first``."""

    def facts(self) -> Mapping[str, Any]:
        """Facts for run.json, under a name of its own, as JSON values."""


class Maker(Protocol):
    """Makes the add-on of a setting. It is constructed from the ``settings.Settings`` before anything is read."""

    def __init__(self, settings: Any) -> None: ...

    def check(self, types: "Mapping[str, pa.DataType]") -> None:
        """Before the votes are read, whose columns have these types: raise VotesError if its input does not fit."""

    def make(self, consensus: "Consensus", progress: "Progress") -> AddOn:
        """The add-on for a consensus. Raises VotesError."""


def extended(table: "pa.Table", first: int, add_ons: Iterable[AddOn]) -> "pa.Table":
    """The rows of a table from ``first`` on, with the columns of ``add_ons``, in their order.

    A calibration's probability replaces that of the model. Raises ValueError if the table has another such column.
    """
    rows = table
    for add_on in add_ons:
        columns = add_on.columns(rows, first)
        of_labels = {column.name: rows.schema.field("label").type for column in add_on.table if column.type == "label"}
        for field in arrow_schema(add_on.table, **of_labels):
            replaces = field.name in REPLACED and field.name in rows.column_names
            if field.name in table.column_names and not replaces:
                raise ValueError(f"{type(add_on).__name__} adds a column {field.name}, which the table already has")
            values = columns[field.name]
            values = to_arrow(values) if isinstance(values, np.ndarray) else values
            values = values if values.type == field.type else values.cast(field.type)
            if replaces:
                table = table.set_column(table.column_names.index(field.name), field, values)
            else:
                table = table.append_column(field, values)
    return table


def facts_of(add_ons: Iterable[AddOn], reserved: Collection[str] = ()) -> dict[str, Any]:
    """The facts of all add-ons. Raises ValueError if one has the name of another, or one that is ``reserved``."""
    facts: dict[str, Any] = {}
    for add_on in add_ons:
        for name, fact in add_on.facts().items():
            if name in facts or name in reserved:
                raise ValueError(f"{type(add_on).__name__} adds a fact {name}, which run.json already has")
            facts[name] = fact
    return facts
