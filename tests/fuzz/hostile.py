"""Files that are well formed and mean harm: strange types, values and names."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from .originals import WRITERS, written

INT64 = (-(2**63), 2**63 - 1, 0, -1, 2**31, -(2**31))
FLOATS = (float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.8e308, -1.0, 2.0, 1e9, 1.5e9)
STRINGS = ("", " ", "\x00", "a\x00b", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\r\n", "\u202e", "x" * 100_000)
STRINGS += ("e\u0301", "\u00e9", "\ufeff", "null", "NaN", "\U0001f33f", "\u2028", "'; DROP", "\x7f", "\x9b31m")
NAMES = ("label", "LABEL", "user_id ", "", "observation_id", "a.b", "labels.list.element", "\x1b[31m", "x\ny")

MOST_CHUNKS = 20_000


def hostile_file(chance: random.Random, table: pa.Table) -> tuple[bytes, str]:
    """A file like that of a good table, and what is strange about it."""
    options = dict(chance.choice(WRITERS))
    tiny_groups = chance.random() < 0.2
    content, names = written(table, **options), []
    for _ in range(chance.choice((1, 1, 2))):
        way = chance.choice(WAYS)
        try:
            table = way(chance, table)
            if tiny_groups:  # but not so many that the metadata is larger than any that was ever written
                options["row_group_size"] = 1 + table.num_rows * table.num_columns // MOST_CHUNKS
            content = written(table, **options)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            break  # this cannot be written, or not after what came before
        names.append(way.__name__)
    return content, "+".join(names)


def strange_values(chance: random.Random, table: pa.Table) -> pa.Table:
    """Extreme values of the column's own type, in some rows or in all."""
    place = chance.randrange(table.num_columns)
    kind = table.column(place).type
    values = table.column(place).to_pylist()
    share = chance.choice((0.01, 0.2, 1.0))
    values = [_strange(chance, kind, value) if chance.random() < share else value for value in values]
    return _replaced(table, place, pa.array(values, kind))


def nulls(chance: random.Random, table: pa.Table) -> pa.Table:
    """Nulls in a column, or in all."""
    share = chance.choice((0.05, 0.5, 1.0))
    places = range(table.num_columns) if chance.random() < 0.3 else [chance.randrange(table.num_columns)]
    for place in places:
        column = table.column(place)
        values = [None if chance.random() < share else value for value in column.to_pylist()]
        table = _replaced(table, place, pa.array(values, column.type))
    return table


def strange_type(chance: random.Random, table: pa.Table) -> pa.Table:
    """A column of another type, with values or without."""
    n = table.num_rows
    kinds: tuple[Callable[[], pa.Array], ...] = (
        lambda: pa.array(np.arange(n) % 250, pa.uint8()),
        lambda: pa.array(np.arange(n, dtype=np.uint64) + np.uint64(2**63), pa.uint64()),
        lambda: pa.array(np.arange(n), pa.int32()),
        lambda: pa.array(np.arange(n) % 100, pa.int8()),
        lambda: pa.array(np.linspace(-1, 2, n)),
        lambda: pa.array(np.linspace(0, 1, n), pa.float32()),
        lambda: pa.array(np.linspace(0, 1, n).astype(np.float16)),
        lambda: pa.array([chance.choice(STRINGS[:-9]) for _ in range(n)], pa.large_string()),
        lambda: pa.array([str(i % 7) for i in range(n)], pa.string_view()),
        lambda: pa.array([b"\xff" * (i % 5) for i in range(n)], pa.binary()),
        lambda: pa.array([b"1234"] * n, pa.binary(4)),
        lambda: pa.array([[1, None]] * n),
        lambda: pa.array([[[str(i)]] for i in range(n)]),
        lambda: pa.array([["x", None, ""]] * n),
        lambda: pa.array([{"label": "x", "list": [1]}] * n),
        lambda: pa.array([[("k", 1)]] * n, pa.map_(pa.string(), pa.int64())),
        lambda: pa.array(range(n), pa.decimal128(38, 0)),
        lambda: pa.array([i % 2 == 0 for i in range(n)]),
        lambda: pa.array(range(n), pa.timestamp("s", "Europe/Paris")),
        lambda: pa.array(range(n), pa.timestamp("ns")),
        lambda: pa.array(range(n), pa.date32()),
        lambda: pa.array(range(n), pa.duration("us")),
        lambda: pa.array(range(n), pa.time64("ns")),
        lambda: pa.nulls(n),
        lambda: pa.array(np.arange(n) % 9).dictionary_encode(),
        lambda: pa.array([str(i % 9) for i in range(n)]).dictionary_encode(),
        lambda: pa.array([["x", "y"]] * n, pa.list_(pa.string(), 2)),
        lambda: pa.array([[0.5]] * n, pa.large_list(pa.float64())),
        lambda: pa.array([["x"] * (i % 40) for i in range(n)]),
        lambda: pa.array([None if i % 3 else [float("nan")] for i in range(n)]),
    )
    place = chance.randrange(table.num_columns)
    return _replaced(table, place, chance.choice(kinds)())


def broken_text(chance: random.Random, table: pa.Table) -> pa.Table:
    """Text that is not UTF-8."""
    texts = [place for place, column in enumerate(table.columns) if pa.types.is_string(column.type)]
    if not texts:
        return nulls(chance, table)
    raw = chance.choice((b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80", b"abc\xe2\x82", b"\x80"))
    n, times = table.num_rows, chance.choice((1, 1, 50))
    values = [raw * times if chance.random() < 0.1 else b"x%d" % (row % 20) for row in range(n)]
    binary = pa.array(values, pa.binary())
    return _replaced(table, chance.choice(texts), pa.StringArray.from_buffers(n, *binary.buffers()[1:]))


def strange_names(chance: random.Random, table: pa.Table) -> pa.Table:
    """Columns that are called alike, or like nothing."""
    names = list(table.column_names)
    names[chance.randrange(len(names))] = chance.choice(NAMES)
    columns = list(table.columns)
    if chance.random() < 0.5:
        columns.append(pa.chunked_array([_any_column(chance, table.num_rows)]))
        names.append(chance.choice((*table.column_names, *NAMES)))
    return pa.Table.from_arrays(columns, names=names)


def other_size(chance: random.Random, table: pa.Table) -> pa.Table:
    """No rows, one, or many that are alike."""
    many, alike = pa.concat_tables([table] * 40), pa.concat_tables([table.slice(3, 1)] * 99)
    return chance.choice((table.slice(0, 0), table.slice(0, 1), many, alike))


def many_columns(_chance: random.Random, table: pa.Table) -> pa.Table:
    """Far more columns than are asked for."""
    for number in range(300):
        table = table.append_column(f"extra {number}", pa.nulls(table.num_rows, pa.int8()))
    return table


def deep_column(chance: random.Random, table: pa.Table) -> pa.Table:
    """A column nested deeply, beside the others or in the place of one."""
    kind: Any = pa.int64()
    for level in range(chance.choice((3, 30, 90))):
        kind = pa.list_(kind) if level % 2 else pa.struct([("label", kind)])
    values = pa.nulls(table.num_rows, kind)
    if chance.random() < 0.5:
        return table.append_column("deep", values)
    return _replaced(table, chance.randrange(table.num_columns), values)


def strange_metadata(chance: random.Random, table: pa.Table) -> pa.Table:
    """Key-value metadata that others look into."""
    return table.replace_schema_metadata({chance.choice(("pandas", "ARROW:schema", "x")): chance.choice(STRINGS)})


WAYS = (
    strange_values,
    strange_values,
    nulls,
    strange_type,
    strange_type,
    broken_text,
    strange_names,
    other_size,
    many_columns,
    deep_column,
    strange_metadata,
)


def _strange(chance: random.Random, kind: pa.DataType, value: Any) -> Any:
    if pa.types.is_dictionary(kind):
        return _strange(chance, kind.value_type, value)
    if pa.types.is_integer(kind):
        return chance.choice(INT64)
    if pa.types.is_floating(kind):
        return chance.choice(FLOATS)
    if pa.types.is_string(kind):
        return chance.choice(STRINGS)
    if pa.types.is_timestamp(kind):
        return chance.choice(INT64)
    if pa.types.is_list(kind):
        return [_strange(chance, kind.value_type, None) for _ in range(chance.choice((0, 1, 3, 4)))]
    return not value


def _any_column(chance: random.Random, n: int) -> pa.Array:
    return chance.choice((partial(pa.nulls, n), lambda: pa.array(range(n)), lambda: pa.array(["x"] * n)))()


def _replaced(table: pa.Table, place: int, values: pa.Array) -> pa.Table:
    return table.set_column(place, table.field(place).name, values)
