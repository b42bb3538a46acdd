"""``plant-aggregate config``: check a configuration file, or show the effective settings."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from plant_aggregate.errors import did_you_mean, on_one_line
from plant_aggregate.strategies.registry import check_side_inputs

from . import console
from .command import OUTPUT, Command, Option, check_needs, option
from .config_file import Configuration, ConfigurationError, key_of, known
from .layouts import completed
from .log_format import is_json
from .options import debug_option, find_strategy, quiet_option, table_options
from .outputs import check, with_flags
from .run import NEEDS, chosen_by


def command_names(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The commands, to complete one."""
    group = context.parent.command if context.parent is not None else None
    assert isinstance(group, click.Group)
    return [CompletionItem(name) for name in group.list_commands(context) if name.startswith(incomplete)]


@click.command(cls=Command, loads_compiler=False)
@click.argument("command", default="run", metavar="[COMMAND]", shell_complete=command_names)
@option(
    "--show",
    is_flag=True,
    help="print the settings of COMMAND (default: run) as TOML, with where they are from",
    group=OUTPUT,
)
@table_options("a row for each path, or with --show for each setting", "print the same as JSON on stdout")
@quiet_option
@debug_option
@click.pass_context
def config(context: click.Context, command: str, show: bool, as_csv: bool, as_json: bool) -> None:
    """Check the file of --config, every table of it, and list the paths it names: absolute, and what is there.

    The exit code is 2 if a setting is wrong, and 1 if a file to read, or the folder of one to write, does not exist.

    With --show the effective settings of COMMAND go to stdout, as a file for --config: those of the file, and the
    defaults of the others.
    """
    configuration: Configuration | None = context.meta.get("configuration")
    group = context.parent.command if context.parent is not None else None
    assert isinstance(group, click.Group)
    chosen = group.get_command(context, command)
    if chosen is None or isinstance(chosen, click.Group):
        question = did_you_mean(command, group.list_commands(context))
        if command.lower().endswith(".toml"):
            question = f"to check a file, write: {context.command_path} --config {shlex.quote(on_one_line(command))}"
        raise click.BadParameter("; ".join(filter(None, [f"no command {command!r}", question])), param_hint="COMMAND")
    command = command.replace(".", " ")
    if configuration is not None:
        chosen = completed(chosen, configuration.of(command))
    if show:
        _show(command, _settings(command, chosen, configuration), configuration, as_csv=as_csv, as_json=as_json)
    elif configuration is None:
        raise click.UsageError("name a file with --config, or show the defaults with --show")
    else:
        _check(configuration, context, group, as_csv=as_csv, as_json=as_json)


def _check(
    configuration: Configuration, context: click.Context, group: click.Group, *, as_csv: bool, as_json: bool
) -> None:
    """Print the paths of a configuration. Raises ConfigurationError if it is wrong, VotesError for missing files."""
    from plant_aggregate.blocks import Block
    from plant_aggregate.errors import VotesError
    from plant_aggregate.schema import PATHS

    from .paths import faults, named_paths, path_blocks, path_rows

    if "run" in configuration.tables:
        _check_together(configuration, context, group)
    paths = named_paths(configuration, group, context)
    if as_csv:
        console.result_rows(PATHS, path_rows(configuration, paths))
    elif as_json:
        console.result_json(path_rows(configuration, paths))
    else:
        options = ", ".join(f"{name} ({len(table)})" for name, table in configuration.tables.items()) or "no command"
        run = group.get_command(context, "run")
        assert run is not None
        left = _left_to_command_line(run, configuration.of("run"))
        if left:
            options += f"; [run] names no {' and no '.join(left)}, so they have to be on the command line"
        verdict = "settings are right" if list(faults(paths)) else "nothing is wrong"
        console.result_blocks([Block(f"{configuration.path}: {verdict}; options for {options}"), *path_blocks(paths)])
    lines = [
        f"{on_one_line(configuration.path)}{'' if line is None else f', line {line}'}: {fault}"
        for line, fault in faults(paths)
    ]
    if lines:
        raise VotesError("\n".join(lines))


def _check_together(configuration: Configuration, context: click.Context, group: click.Group) -> None:
    """Raise ConfigurationError if settings of [run], each valid by itself, contradict each other."""
    import plant_aggregate
    from plant_aggregate.publishing.output_files import check_apart

    command = group.get_command(context, "run")
    assert command is not None
    table = configuration.of("run")
    command = completed(command, table)
    table |= {key.replace("-", "_"): ["FILE"] for key in _left_to_command_line(command, table)}
    # Parsing these options changes how this process logs: they get the values it has now.
    as_now = {"log_format": "json" if is_json() else "text", "debug": console.is_debug(), "quiet": console.is_quiet()}
    try:
        with command.make_context("run", [], parent=context, default_map={**table, **as_now}) as run:
            check_needs(command, run)
            check(command, run)
            strategy, settings = chosen_by(run.params)
            check_side_inputs(strategy, settings)
            check_apart(_folder(run.params["output"]), [*run.params["votes"], *settings.tables])
    except (click.UsageError, plant_aggregate.ParameterError) as error:
        message = with_flags(str(error), command)
        if isinstance(error, click.UsageError):
            message = error.message or error.format_message()
        named = {word.replace("-", "_") for word in re.findall(r"[a-z]+(?:[-_][a-z]+)*", message)}
        keys = {each.name or "": key_of(each).replace("-", "_") for each in known(command)}
        lines = [configuration.line("run", name) for name in configuration.of("run") if {name, keys[name]} & named]
        at = f", line {max(lines)}" if lines else ""
        raise ConfigurationError(configuration.path, f"{at}: [run] {message}") from error


def _left_to_command_line(command: click.Command, table: Mapping[str, Any]) -> list[str]:
    """The inputs that [run] does not name and the command line has to: votes, and what the options of [run] need."""
    if table.get("votes"):
        return []
    needs = {**NEEDS, **{each.name: each.needs for each in command.params if isinstance(each, Option) and each.needs}}
    missing = dict.fromkeys(needs[name] for name in table if name in needs and not table.get(needs[name]))
    return ["votes", *(name.replace("_", "-") for name in missing)]


class Setting(NamedTuple):
    """A setting of a command: its key, its value as TOML, and where that is from."""

    key: str
    value: str | None  # None if it is not set
    origin: str
    line: int | None = None  # of the configuration
    is_set: bool = True  # whether the value takes effect
    items: tuple[str, ...] = ()  # those of a list, as TOML


def _settings(name: str, command: click.Command, configuration: Configuration | None) -> list[Setting]:
    table = configuration.of(name) if configuration is not None else {}
    own = _strategy_defaults(table.get("strategy")) if name == "run" else {}
    rows = []
    for parameter in known(command):
        key = key_of(parameter)
        if configuration is not None and parameter.name in table:
            line = configuration.line(name, parameter.name)
            origin = f"{on_one_line(configuration.path)}, line {line}"
            value = table[parameter.name]
            items = tuple(map(_toml, value)) if isinstance(value, list) else ()
            rows.append(Setting(key, _toml(value), origin, line, items=items))
            continue
        default = own.get(parameter.name, parameter.get_default(click.Context(command)))
        if default is _FOREIGN:
            continue
        several = parameter.nargs == -1 or getattr(parameter, "multiple", False)
        needed = NEEDS.get(parameter.name or "") if name == "run" else None
        if needed is not None and needed not in table:
            rows.append(Setting(key, _toml(default), f"default, with {needed.replace('_', '-')}", is_set=False))
        elif isinstance(default, bool | int | float | str):
            rows.append(Setting(key, _toml(default), "default"))
        else:
            rows.append(Setting(key, "[]" if several else None, "not set", is_set=False))
    return rows


def _show(
    name: str, settings: list[Setting], configuration: Configuration | None, *, as_csv: bool, as_json: bool
) -> None:
    """Print the settings of a command, as TOML that can be a configuration, unless it is to be a table."""
    from plant_aggregate.schema import SHOWN_SETTINGS

    rows = [
        {
            "setting": each.key,
            "value": each.value if each.is_set else None,
            "file": None if each.line is None or configuration is None else os.path.abspath(configuration.path),
            "line": each.line,
        }
        for each in settings
    ]
    if as_csv:
        console.result_rows(SHOWN_SETTINGS, rows)
    elif as_json:
        console.result_json(rows)
    else:
        console.result("\n".join([f"[{name.replace(' ', '.')}]", *as_toml(settings, console.terminal_width())]))


def as_toml(settings: list[Setting], width: int | None) -> Iterator[str]:
    """A line for each setting, with its origin beside it, or where the terminal is too narrow for both, above it."""
    lines = [f"{'' if each.is_set else '# '}{each.key} = {each.value or ''}".rstrip() for each in settings]
    remarks = [f"  # {each.origin}" for each in settings]
    longest = max(map(len, remarks))
    column = max((len(line) for line in lines if width is None or len(line) + longest <= width), default=0)
    for line, remark, each in zip(lines, remarks, settings, strict=True):
        if len(line) <= column:
            yield f"{line:<{column}}{remark}"
            continue
        yield remark.strip()
        if width is not None and len(line) > width and each.items:
            yield from (f"{each.key} = [", *(f"    {item}," for item in each.items), "]")
        else:
            yield line


def _folder(output: str) -> str:
    """The place of an output, as runs are named there."""
    from plant_aggregate.files.locations import is_uri, local_path

    return output if is_uri(output) else local_path(output)


_FOREIGN = object()  # default of a parameter that the chosen strategy does not have


def _strategy_defaults(chosen: str | None) -> dict[str | None, Any]:
    """The strategies' parameters with the defaults of the one that is chosen."""
    from dataclasses import fields

    from plant_aggregate.strategies.registry import STRATEGIES

    strategies: list[Any] = list(STRATEGIES.values())
    strategy: Any = strategies[0] if chosen is None else find_strategy(chosen)
    defaults: dict[str | None, Any] = {item.name: _FOREIGN for other in strategies for item in fields(other)}
    defaults.update((item.name, item.default) for item in fields(strategy))
    return defaults


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        plain = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in plain) + '"'
    return str(value)
