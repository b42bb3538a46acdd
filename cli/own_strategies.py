"""Options for the parameters of strategies of other packages, which are known once one is named."""

import copy
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, get_args, get_type_hints

import click

from plant_aggregate.parameters import Parameter, declared
from plant_aggregate.strategies.registry import STRATEGIES

from .command import Option
from .options import find_strategy, flag, parameter_type

KINDS: tuple[type, ...] = (bool, int, float, str)
"""Types of parameters that can be options."""


@cache
def built_in_parameters() -> dict[str, Parameter]:
    """The parameters of the strategies that are built in; loads all of these."""
    return {name: known for kind in STRATEGIES.values() for name, known in declared(kind).items()}


class OwnParameter(Option):
    """A parameter of a strategy of another package."""


def with_parameters_of(name: object, command: click.Command) -> click.Command:
    """``run`` with the parameters of the strategy of a name among its options, if that is of another package.

    They take the place of those of the same name, if these are parameters of strategies, too; names that ``run`` has
    for anything else stay what they are. Other commands are unchanged: they have strategies with their defaults.
    Raises ParameterError if there is no such strategy, or it cannot be used.
    """
    if command.name != "run" or not isinstance(name, str) or name in tuple(STRATEGIES):
        return command
    of_built_in = built_in_parameters()
    taken = {parameter.name for parameter in command.params} - set(of_built_in)
    own = {option.name: option for option in _options(find_strategy(name)) if option.name not in taken}
    after = max(place for place, parameter in enumerate(command.params) if parameter.name in of_built_in) + 1
    kept = [own.pop(parameter.name, parameter) for parameter in command.params]
    extended = copy.copy(command)
    extended.params = [*kept[:after], *own.values(), *kept[after:]]
    return extended


def own_parameters(command: click.Command) -> list[str]:
    """The names of the parameters that :func:`with_parameters_of` made options."""
    return [parameter.name or "" for parameter in command.params if isinstance(parameter, OwnParameter)]


def _options(strategy: type[Any]) -> Iterator[OwnParameter]:
    """An option for each parameter of a strategy that is a number, a text or a flag; unset unless it is given."""
    for item in fields(strategy):
        kind = _kind_of(strategy, item)
        if kind is None or not item.init or item.name.startswith("_"):
            continue
        alike = built_in_parameters().get(item.name, Parameter(""))
        known = declared(strategy).get(item.name) or Parameter(item.metadata.get("help") or alike.help)
        facts = [known.range] if known.range else []
        if item.default is not None and item.default is not MISSING:
            facts.append(f"default {item.default}")
        yield OwnParameter(
            [f"{flag(item.name)}/--no-{flag(item.name)[2:]}" if kind is bool else flag(item.name), item.name],
            type=None if kind is bool else parameter_type(known, kind),
            default=None,
            help=" ".join(filter(None, [known.help, f"({'; '.join(facts)})" if facts else "", f"[{strategy.name}]"])),
            group=known.group,
        )


def _kind_of(strategy: type[Any], item: "Field[Any]") -> type | None:
    """The type of a field, one of KINDS, by its annotation, or else its default; None if it is none of these."""
    try:
        hint = get_type_hints(strategy)[item.name]
    except (NameError, TypeError):  # a name that is imported for type checkers only
        hint = type(item.default)
    given = (hint, *get_args(hint))
    return next((kind for kind in KINDS if kind in given), None)
