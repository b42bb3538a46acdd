"""Makes a format of its name and its options, which may be texts, as a command line and a configuration have them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from ..errors import ParameterError, did_you_mean
from ..frames import wrong_type
from ..parameters import Parameter, declared, kind_of
from .base import Format, fault_of
from .registry import FORMATS

TYPES_OF_IDS = INTEGER, TEXT = ("integer", "text")
WORDS = {"true": True, "false": False}


def format_of(given: "str | Format", options: Mapping[str, Any] | None = None) -> Format:
    """The format of a name, or of ``package.module:Class``, with its ``options``; an object as it is.

    Options are named as the fields of the class or as on the command line, ``task`` or ``--task``. Their values may be
    texts; several of one option are a list. Raises ParameterError for an unknown format or option, or a wrong value.
    """
    options = options or {}
    if not isinstance(given, str):
        if fault_of(given) or isinstance(given, type):
            raise wrong_type("a format", given, f"a name such as {next(iter(FORMATS))!r}, or an object")
        if options:
            raise TypeError(f"options of a format that is an object are given to its class: {', '.join(options)}")
        return given
    kind: Any = FORMATS.find(given)
    known = declared(kind)
    by_name = {name: name for name in known} | {_flag(name, known[name]): name for name in known}
    made: dict[str, Any] = {}
    for option, value in options.items():
        name = by_name.get(option.lstrip("-").replace("_", "-")) or by_name.get(option)
        if name is None:
            has = f"it has {', '.join(known)}" if known else "it has none"
            question = did_you_mean(option, [*by_name])
            raise ParameterError(f"format {given} has no option {option!r}", remedy=question or has)
        made[name] = _value(kind, name, known[name], value)
    layout: Format = kind(**made)
    return layout


class GivenFormat(NamedTuple):
    """A format that votes are read from directly."""

    format: Format
    ids: str | None  # one of TYPES_OF_IDS; None for those that the format gives


def given_format(given: "str | Format | None", options: Mapping[str, Any] | None = None) -> GivenFormat | None:
    """As :func:`format_of`, with ``ids`` among the options; None for none. Raises ParameterError."""
    if given is None:
        if options:
            raise ParameterError("format_options are given without format")
        return None
    others, ids = _ids_among(options or {})
    return GivenFormat(format_of(given, others), ids)


def as_read(given: GivenFormat, details: Mapping[str, str]) -> GivenFormat:
    """The format with which an input is read as it was, by the ``details`` of the conversion.

    A format of tables that have versions has a method of this name, which names the version.
    """
    pinned = getattr(given.format, "as_read", None)
    return given if pinned is None else given._replace(format=pinned(details))


def with_columns(given: GivenFormat, columns: Mapping[str, str] | None) -> tuple[GivenFormat, Mapping[str, str] | None]:
    """A format that is also given the files' own names of columns, if it has an option for that; and what is left."""
    own = next((name for name, known in declared(given.format).items() if known.columns_of), None)
    if not columns or own is None:
        return given, columns
    if getattr(given.format, own):
        raise ParameterError(f"names of columns are given twice, also as an option of format {given.format.name}")
    return GivenFormat(replace(given.format, **{own: columns}), given.ids), None  # type: ignore[type-var]


def _ids_among(options: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Options without ``ids``, which every format may be given where there is no other place for it, and that.

    Raises ParameterError for another value of it.
    """
    others = {name: value for name, value in options.items() if name.lstrip("-") != "ids"}
    ids = next((value for name, value in options.items() if name not in others), None)
    if ids not in (None, *TYPES_OF_IDS):
        raise ParameterError(f"ids is {ids!r} but must be one of {', '.join(TYPES_OF_IDS)}")
    return others, ids


def plain_options(layout: Format) -> dict[str, Any]:
    """The options of a format that are not as by default, as JSON has them."""
    plain = {}
    for item in fields(layout):  # type: ignore[arg-type]
        value = getattr(layout, item.name)
        if value != item.default and (value or value == 0 or item.default):  # none given is as none
            plain[item.name] = _plain(value)
    return plain


def name_of(layout: Format) -> str:
    """The name by which :func:`format_of` finds the class of an object: in the registry, or where it is."""
    kind = type(layout)
    if layout.name in FORMATS and FORMATS[layout.name] is kind:
        return layout.name
    return f"{kind.__module__}:{kind.__qualname__}"


def _flag(name: str, known: Parameter) -> str:
    """The option on the command line, without dashes."""
    return (known.option or name).lstrip("-").replace("_", "-")


def _value(kind: type, name: str, known: Parameter, given: Any) -> Any:
    """The value of an option, from text or as it is. Raises ParameterError."""
    if known.columns_of:
        return given if isinstance(given, Mapping) else dict(_pair(name, text) for text in _several(given))
    if known.several:
        return tuple(_several(given))
    if isinstance(given, list):
        raise ParameterError(f"{name} is given {len(given)} times")
    if not isinstance(given, str):
        return given
    number = kind_of(kind, name)
    try:
        if number is bool:
            return WORDS[given.lower()]
        return number(given) if number in (int, float) else given
    except (ValueError, KeyError) as error:
        wanted = "true or false" if number is bool else "an integer" if number is int else "a number"
        raise ParameterError(f"{name} is {given!r} but must be {wanted}") from error


def _pair(name: str, text: str) -> tuple[str, str]:
    ours, equals, theirs = str(text).partition("=")
    if not equals or not theirs:
        raise ParameterError(f"{name} is {text!r} but must be of the form COLUMN=NAME")
    return ours, theirs


def _several(given: Any) -> Sequence[Any]:
    return [given] if isinstance(given, str) else list(given)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int | float | None) else str(value)
