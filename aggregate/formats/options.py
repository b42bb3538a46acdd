"""Makes a format of its name and its options, which may be texts, as a command line and a configuration have them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..errors import ParameterError, did_you_mean
from ..frames import wrong_type
from ..parameters import Parameter, declared, kind_of
from .base import Format, fault_of
from .registry import FORMATS

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


def plain_options(layout: Format) -> dict[str, Any]:
    """The options of a format that are not as by default, as JSON has them."""
    plain = {}
    for item in fields(layout):  # type: ignore[arg-type]
        value = getattr(layout, item.name)
        if value != item.default:
            plain[item.name] = _plain(value)
    return plain


def name_of(layout: Format) -> str:
    """The name by which :func:`format_of` finds the class of an object: in the registry, or where it is."""
    kind = type(layout)
    if layout.name in tuple(FORMATS) and FORMATS[layout.name] is kind:
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
