"""Declarations of parameters and settings: dataclass fields with help, range, unit and group.

A field made with :func:`parameter` is a parameter of a strategy, or a setting of a run, of an assessment or of the
simulation. The check on construction, options and their help, configuration files, run.json, and whether a difference
changes the result all derive from the declaration.
"""

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from numbers import Integral, Real
from types import NoneType
from typing import Any, NamedTuple, get_args

from .errors import ParameterError

INTERVAL = re.compile(
    r"in (?P<left>[\[(])(?P<low>[^,]+), (?P<high>[^\])]+)(?P<right>[\])])|at least (?P<least>.+)|a positive number\b.*"
)


class Interval(NamedTuple):
    """Numbers from ``low`` to ``high``, with or without the ends."""

    low: float
    high: float
    without_low: bool
    without_high: bool

    @classmethod
    def of(cls, words: str) -> "Interval | None":
        """The interval that ``words`` name; None if they name none. An end that is no number is no limit.

        >>> Interval.of("in (0, 1e9]")
        Interval(low=0, high=1000000000.0, without_low=True, without_high=False)
        """
        found = INTERVAL.fullmatch(words)
        if found is None:
            return None
        if found["left"] is None:
            return cls(_number(found["least"] or "0"), math.inf, found["least"] is None, False)
        high = math.inf if found["high"].isidentifier() else _number(found["high"])
        return cls(_number(found["low"]), high, found["left"] == "(", found["right"] == ")")

    def has(self, value: float) -> bool:
        """Whether a number is one of them."""
        if isinstance(value, float) and not math.isfinite(value):
            return False
        above = self.low < value if self.without_low else self.low <= value
        return above and (value < self.high if self.without_high else value <= self.high)


def _number(text: str) -> float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


@dataclass(frozen=True)
class Parameter:
    """What a field means."""

    help: str
    # In words: `in (0, 1]`, `at least 1`; an end may be another parameter, which the dataclass then checks.
    range: str = ""
    choices: tuple[str, ...] = ()
    group: str = "Strategy parameters"  # heading in help
    unit: str = ""
    unset: str = ""  # what None means, in words
    needs: str = ""  # the setting without which this one means nothing
    side_input: str = ""  # the member of `SideInputs` that this setting becomes or changes
    is_file: bool = False  # whether it names a file that is read as a whole: run.json has its SHA-256
    words: tuple[str, ...] = ()  # words that are allowed instead of a file
    is_table: bool = False  # whether it names Parquet files, folders or globs, which are read row by row
    or_frame: bool = False  # whether a table in memory may be given instead of files
    changes_result: bool = True  # whether another value may give the same votes another label or status
    several: bool = False  # whether it may be given several times
    columns_of: tuple[str, ...] = ()  # tables of `schema` whose columns it maps to the files' own names
    is_format: bool = False  # whether it names a format of `formats`
    is_mapping: bool = False  # whether it is a mapping of names to values, such as the options of a format
    option: str = ""  # its name on the command line, if not that of the field
    metavar: str = ""  # what help shows in place of the value, if not the type or unit

    def __post_init__(self) -> None:
        if self.range and not self.choices and Interval.of(self.range) is None:
            raise ValueError(f"{self.range!r} is no range that can be checked")

    @property
    def names_files(self) -> bool:
        """Whether its value is a path, or several."""
        return self.is_file or self.is_table

    def holds(self, value: Any) -> bool:
        """Whether a value is among the choices, and in the range."""
        if self.choices:
            return value in self.choices
        interval = Interval.of(self.range)
        return interval is None or interval.has(value)


def parameter(default: Any, help: str, range: str = "", *, choices: tuple[str, ...] = (), **attributes: Any) -> Any:
    """A dataclass field that users may set; ``attributes`` are further ones of :class:`Parameter`."""
    words = f"one of {', '.join(choices)}" if choices else range
    return field(default=default, metadata={"parameter": Parameter(help, words, choices, **attributes)})


setting = partial(parameter, changes_result=False)  # a setting that gives the same votes the same labels and statuses


def max_rejected(help: str = "share of the rows that may be unusable") -> Any:
    """The limit to unusable rows of tables."""
    return setting(0.01, help, "in [0, 1]", group="Votes")


def normalise(needs: str = "") -> Any:
    """What to do about score lists that do not add up to 1."""
    return setting(False, "divide each score list by its sum", group="Scores and calibration", needs=needs)


def declared(settings: Any) -> Mapping[str, Parameter]:
    """The declarations of a dataclass, or of an object of one, by the names of the fields, in their order."""
    return {item.name: item.metadata["parameter"] for item in fields(settings) if "parameter" in item.metadata}


def kind_of(settings: Any, name: str) -> type:
    """bool, int, float, datetime or str: how the command line and configuration files write the value of a field."""
    (kind,) = (item.type for item in fields(settings) if item.name == name)
    return next((simple for simple in (bool, int, float, datetime) if simple in (kind, *get_args(kind))), str)


KINDS: Mapping[type, tuple[type, str]] = {
    int: (Real, "an integer"),
    float: (Real, "a number"),
    str: (str, "text"),
    datetime: (datetime, "a datetime, such as datetime.fromisoformat('2026-11-23')"),
}
"""Kind of a parameter -> the types of its values, and what they are called. Those of bool have names of their own."""


def check_parameters(settings: Any) -> None:
    """Raise ParameterError naming every value that is out of its range; None passes where it is the default.

    Raises TypeError for a value of a wrong type.
    """
    faults = []
    for item in fields(settings):
        known: Parameter | None = item.metadata.get("parameter")
        value = getattr(settings, item.name)
        if known is None or (value is None and item.default is None):
            continue
        check_kind(settings, item.name, known, value)
        if not known.holds(value):
            faults.append(f"{item.name} is {value!r} but must be {known.range}")
        elif kind_of(settings, item.name) is int and not isinstance(value, Integral):
            faults.append(f"{item.name} is {value!r} but must be an integer")
    if faults:
        raise ParameterError("; ".join(faults))


def check_kind(settings: Any, name: str, known: Parameter, value: Any) -> None:
    """Raise TypeError if a value is not of the type of its field; those that name files are checked on reading."""
    kind = kind_of(settings, name)
    if known.choices or known.names_files:
        return
    if known.columns_of:
        right, words = isinstance(value, Mapping), "a dict, such as {'observation_id': 'obs'}"
    elif known.is_mapping:
        right, words = isinstance(value, Mapping), "a dict, such as {'task': 'T0'}"
    elif known.several:
        right, words = not isinstance(value, str) and _are_texts(value), "a list of texts"
    elif kind is bool:
        right, words = type(value).__name__ in ("bool", "bool_"), "True or False"
    else:
        wanted, words = KINDS[kind]
        right = isinstance(value, wanted) and not isinstance(value, bool)
    if not right:
        from .frames import in_words

        owner = type(settings)  # peers take votes where it is made
        is_votes = hasattr(owner, "fit_predict") and not isinstance(value, str | NoneType)
        advice = f": votes go to {owner.__name__}().fit_predict(votes)" if is_votes else ""
        raise TypeError(f"{name} is {in_words(value)} but must be {words}{advice}")


def _are_texts(values: Any) -> bool:
    return isinstance(values, Iterable) and all(isinstance(value, str) for value in values)


def check_settings(settings: Any) -> None:
    """Raise ParameterError if a setting is out of its range, or given without the one that it needs.

    Paths that may be several become a list: they are looked through more than once.
    """
    check_parameters(settings)
    faults = []
    for name, known in declared(settings).items():
        value = getattr(settings, name)
        if known.or_frame and _is_in_memory(value):
            continue
        if known.names_files and value is not None and not isinstance(value, str | os.PathLike):
            value = _paths(name, value, several=known.several)
            object.__setattr__(settings, name, value)
        is_given = value not in (None, False) and not ((known.columns_of or known.is_mapping) and not value)
        if is_given and known.needs and getattr(settings, known.needs) in (None, False):
            faults.append(f"{name} is given without {known.needs}")
    if faults:
        raise ParameterError("; ".join(faults))


def _is_in_memory(value: Any) -> bool:
    from .frames import is_frame

    return is_frame(value)


def _paths(name: str, given: Any, *, several: bool) -> list[str | os.PathLike[str]] | None:
    """The paths of a setting that names several files; None for none. Raises TypeError."""
    from .frames import in_words, is_frame

    items = [given] if is_frame(given) or not several or not isinstance(given, Iterable) else list(given)
    for item in items:
        if not isinstance(item, str | os.PathLike):
            write = "; write the table to a Parquet file" if several and is_frame(item) else ""
            raise TypeError(f"{name} is {in_words(item)} but must be {'paths' if several else 'a path'}{write}")
    return items or None
