"""Reprs of a line or two, for results whose fields are arrays, tables or long lists, and for settings."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

LONGEST = 60  # characters of a value
SEVERAL = 3  # items of a list that are shown


def short_repr(result: Any) -> str:
    """The fields of a dataclass or named tuple: arrays by type and length, tables and long lists by their size.

    >>> from collections import namedtuple
    >>> short_repr(namedtuple("Point", ["x", "y"])(1.0, range(100)))
    'Point(x=1.0, y=<100 items>)'
    """
    names = [item.name for item in fields(result) if item.repr] if is_dataclass(result) else result._fields
    return _call(result, ((name, _short(getattr(result, name))) for name in names))


def changed_repr(settings: Any) -> str:
    """The fields of a dataclass that are not as by default."""
    by_default = type(settings)()
    values = ((item.name, getattr(settings, item.name)) for item in fields(settings))
    return _call(settings, ((n, _short(value)) for n, value in values if value != getattr(by_default, n)))


def _call(result: Any, values: Iterable[tuple[str, str]]) -> str:
    return f"{type(result).__name__}({', '.join(f'{name}={text}' for name, text in values)})"


def _short(value: Any) -> str:
    if hasattr(value, "num_rows"):
        return f"<table of {value.num_rows} rows, {value.num_columns} columns>"
    kind = getattr(value, "dtype", None) or getattr(value, "type", None)
    if kind is not None and hasattr(value, "__len__"):
        return f"{kind}[{len(value)}]"
    if isinstance(value, Mapping | tuple | list | range) and not hasattr(value, "_fields") and len(value) > SEVERAL:
        return f"<{len(value)} items>"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
