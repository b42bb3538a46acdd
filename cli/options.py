"""Options that are made from the engine's own declarations, and types the commands share."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from aggregate.schema import Table

F = TypeVar("F", bound=Callable[..., Any])


def strategy_options(strategy: type[Any]) -> Callable[[F], F]:
    """One option for each parameter of a strategy, with the range and default declared there."""

    def decorate(function: F) -> F:
        for item in reversed(fields(strategy)):
            known = item.metadata["parameter"]
            kind: Any = click.Choice(known.choices) if known.choices else type(item.default)
            default = "" if item.default is None else f"; default {_short(item.default)}"
            function = click.option(
                f"--{item.name.replace('_', '-')}",
                type=click.FLOAT if item.default is None else kind,
                default=item.default,
                help=f"{known.help} ({known.range}{default})",
            )(function)
        return function

    return decorate


def column_name(text: str) -> tuple[str, str]:
    """``observation_id=obs``: a column of the votes and the files' own name for it."""
    from aggregate.schema import VOTES

    return _name_in(text, VOTES)


def truth_column_name(text: str) -> tuple[str, str]:
    """``observation_id=obs``: a column of the expert labels and the file's own name for it."""
    from aggregate.schema import TRUTH

    return _name_in(text, TRUTH)


def column_mapping(columns: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Our column -> the files' own name; each may be given once."""
    twice = {ours for ours, _ in columns if [name for name, _ in columns].count(ours) > 1}
    if twice:
        raise click.BadParameter(f"{', '.join(sorted(twice))} is mapped more than once", param_hint="--column")
    return dict(columns)


def _name_in(text: str, table: "Table") -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    known = [column.name for column in table]
    if not equals or not theirs or ours not in known:
        raise click.BadParameter(f"{text!r} is not of the form COLUMN=NAME with COLUMN one of {', '.join(known)}")
    return ours, theirs


def timestamp(text: str) -> datetime:
    """An ISO 8601 time; a date is its midnight."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not an ISO 8601 time such as 2026-11-23 or 2026-11-23T02:15:00Z"
        ) from error


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
