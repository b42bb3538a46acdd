"""``plant-aggregate config``: what a configuration file says, checked."""

from typing import Any

import click

from aggregate.errors import on_one_line

from . import console
from .configuration import key_of, known
from .options import debug_option


@click.command(short_help="Check a configuration file, or show the effective settings.")
@click.argument("command", default="run", metavar="[COMMAND]")
@click.option(
    "--show", is_flag=True, help="print the settings of COMMAND (default: run) as TOML, with where they are from"
)
@debug_option
@click.pass_context
def config(context: click.Context, command: str, show: bool) -> None:
    """Check the file of --config, every table of it.

    With --show the effective settings of COMMAND go to stdout, as a file for --config: those of the file, and the
    defaults of the others.
    """
    configuration = context.meta.get("configuration")
    group = context.parent.command if context.parent is not None else None
    assert isinstance(group, click.Group)
    chosen = group.get_command(context, command)
    if chosen is None:
        raise click.BadParameter(f"no command {command!r}", param_hint="COMMAND")
    if show:
        console.result(_settings(command, chosen, configuration))
    elif configuration is None:
        raise click.UsageError("name a file with --config, or show the defaults with --show")
    else:
        told = ", ".join(f"{name} ({len(table)})" for name, table in configuration.tables.items()) or "no command"
        console.result(f"{on_one_line(configuration.path)}: nothing is wrong; options for {told}")


def _settings(name: str, command: click.Command, configuration: Any) -> str:
    table = configuration.tables.get(name, {}) if configuration is not None else {}
    own = _strategy_defaults(table.get("strategy")) if name == "run" else {}
    rows = []
    for parameter in known(command):
        key = key_of(parameter)
        if parameter.name in table:
            line = configuration.lines[name, parameter.name]
            rows.append((f"{key} = {_toml(table[parameter.name])}", f"{on_one_line(configuration.path)}, line {line}"))
            continue
        default = own.get(parameter.name, parameter.get_default(click.Context(command)))
        if default is _FOREIGN:
            continue
        several = parameter.nargs == -1 or getattr(parameter, "multiple", False)
        if isinstance(default, bool | int | float | str):
            rows.append((f"{key} = {_toml(default)}", "default"))
        else:
            rows.append((f"# {key} = {'[]' if several else ''}".rstrip(), "not set"))
    width = max(len(text) for text, _ in rows)
    return "\n".join([f"[{name}]", *(f"{text:<{width}}  # {origin}" for text, origin in rows)])


_FOREIGN = object()
"""Stands for the default of a parameter that the chosen strategy does not have."""


def _strategy_defaults(chosen: str | None) -> dict[str | None, Any]:
    """The strategies' parameters with the defaults of the one that is chosen."""
    from dataclasses import fields

    from aggregate.strategies.registry import STRATEGIES

    strategies: dict[str, Any] = dict(STRATEGIES)
    strategy = strategies[chosen] if chosen is not None else next(iter(strategies.values()))
    defaults: dict[str | None, Any] = {item.name: _FOREIGN for other in strategies.values() for item in fields(other)}
    defaults.update((item.name, item.default) for item in fields(strategy))
    return defaults


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        plain = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in plain) + '"'
    return str(value)
