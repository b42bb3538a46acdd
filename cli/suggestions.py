"""What to write instead of a name that a command line, or a configuration file, has wrong."""

import shlex
from collections.abc import Iterator

import click

from plant_aggregate.errors import closest, did_you_mean, on_one_line
from plant_aggregate.formats.registry import FORMATS
from plant_aggregate.parameters import declared

from .completions import PARQUET

SHOWN = 4  # commands that a message names, and a fifth that is the last


def unknown_command(name: str, group: click.Group, context: click.Context) -> str:
    """A message about a command that does not exist; a file in its place may be meant for ``run``."""
    commands = group.list_commands(context)
    of_second = {command.split()[1]: command for command in commands if " " in command}
    question = did_you_mean(name, dict.fromkeys([*(command.split()[0] for command in commands), *commands]))
    if question is None and name in of_second:
        question = f"did you mean {of_second[name]!r}?"
    if name.lower().endswith(PARQUET):
        question = f"to aggregate votes, write: {context.command_path} run {shlex.quote(name)}"
    return "; ".join(filter(None, [f"no such command {on_one_line(name)!r}", question]))


def unknown_option(error: click.NoSuchOption) -> str:
    """A message about an option that a command does not have: other commands may have it, or it is misspelt."""
    context = error.ctx
    assert context is not None
    root = context.find_root()
    name = error.option_name
    message = f"no such option {on_one_line(name)}"
    owners = _owners(root, name)
    if context is root and owners:
        return f"{message} before the command: write it after {in_words(owners)}"
    suggestion = _closest_option(name, _options(context.command, context))
    question = f"did you mean {suggestion}?" if suggestion else None
    if context is root:
        return "; ".join(filter(None, [message, question]))
    if owners:
        message += f"; it is an option of {in_words(owners)}"
    elif layouts := _layouts_with(name, context.command):
        question = f"it is an option of {in_words(layouts)}: --from-option {name[2:]}=VALUE"
    elif not suggestion and (elsewhere := _closest_option(name, _all_options(root))):
        question = f"did you mean {elsewhere}, an option of {in_words(_owners(root, elsewhere))}?"
    return "; ".join(filter(None, [message, question]))


def _layouts_with(option: str, command: click.Command) -> list[str]:
    """The formats that have an option, for a command that reads them by ``--from``."""
    if "--from-option" not in _options(command):
        return []
    name = option[2:].replace("-", "_")
    return [layout for layout in FORMATS if name in declared(FORMATS[layout])]


def _closest_option(name: str, options: Iterator[str]) -> str | None:
    """The long option that a wrong one is most likely another spelling of."""
    if not name.startswith("--"):
        return None
    close = closest(name[2:], (option[2:] for option in options if option.startswith("--")))
    return None if close is None else f"--{close}"


def _commands(root: click.Context) -> Iterator[tuple[str, click.Command]]:
    """All commands, loaded."""
    assert isinstance(root.command, click.Group)
    for name in root.command.list_commands(root):
        command = root.command.get_command(root, name)
        if command is not None:
            yield name, command


def _owners(root: click.Context, option: str) -> list[str]:
    """The commands that have an option."""
    return [name for name, command in _commands(root) if option in _options(command)]


def _options(command: click.Command, context: click.Context | None = None) -> Iterator[str]:
    """The options of a command, by all their names; ``--help`` among them for its ``context``."""
    for parameter in command.params if context is None else command.get_params(context):
        if isinstance(parameter, click.Option):
            yield from (*parameter.opts, *parameter.secondary_opts)


def _all_options(root: click.Context) -> Iterator[str]:
    for _, command in _commands(root):
        yield from _options(command)


def in_words(commands: list[str]) -> str:
    """``evaluate``; ``evaluate and compare``; ``run, diff, runs, publish and 3 more``."""
    *others, last = commands
    if len(others) > SHOWN:
        others, last = commands[:SHOWN], f"{len(commands) - SHOWN} more"
    return f"{', '.join(others)} and {last}" if others else last
