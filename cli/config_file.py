"""Options from a TOML file: a table for each command, a key for each option, by its long name.

    [run]
    votes = ["/data/votes"]
    output = "/data/consensus"
    max-label-changes = 0.02

The whole file is checked before any work is done, whichever command is called; all errors are reported at once, with
their lines.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from typing import Any

import click

from plant_aggregate.errors import ParameterError, did_you_mean, on_one_line, reason_of

from .layouts import completed
from .options import timestamp
from .suggestions import in_words

NOT_IN_FILES = ("help", "config", "version", "show", "place")  # options and arguments that a file cannot have
RUN_COMMANDS = ("runs", "diff", "publish", "rollback")  # commands that read or change the output of `run`

SHARED = ("output", "lock", "metrics", "log_format", "store_timeout")
"""Options of those that the table [run] sets, too, unless their own tables do."""

MAX_BYTES = 1 << 20  # larger files are not read

MAX_NAMES = 16
"""Names in a dotted key. Longer ones are no options, and the time to parse them is quadratic in their number."""

KEY = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
DOTTED = re.compile(rf"\s*(?P<header>\[\[?)?\s*(?P<names>{KEY}(?:[ \t]*\.[ \t]*{KEY})*)\s*(?(header)\]|=)")
"""The beginning of a line with a table or a key."""

TOKENS = re.compile(
    rf"(?P<long>(?:{KEY}[ \t]*+\.[ \t]*+){{{MAX_NAMES}}})"
    r"""|"{3}(?:[^\\]|\\[\s\S])*?(?:"{3,5}|\Z)|'{3}[\s\S]*?(?:'{3,5}|\Z)"""
    rf"|{KEY}|#[^\n]*+|[\s\S]"
)
"""Strings and comments, in which dots mean nothing, and keys outside of them that are too long."""


class ConfigurationError(click.UsageError):
    """A configuration that cannot be used; the message has a line for each fault."""

    def __init__(self, path: str, *faults: str) -> None:
        super().__init__("\n".join(on_one_line(f"{path}{fault}") for fault in faults))


@dataclass(frozen=True)
class Configuration:
    """A file that was checked."""

    path: str
    tables: Mapping[str, Mapping[str, Any]]  # command -> name of the parameter -> value
    lines: Mapping[tuple[str, str], int]  # command and name of the parameter -> line of the file

    def of(self, command: str) -> dict[str, Any]:
        """Parameter -> value for a command, including those that it shares with ``run``."""
        return {name: self.tables[table][name] for name, table in self._tables_of(command).items()}

    def line(self, command: str, name: str) -> int:
        """The line of a setting of a command."""
        return self.lines[self._tables_of(command)[name], name]

    def _tables_of(self, command: str) -> dict[str, str]:
        """Parameter -> the table that sets it for a command."""
        shared = SHARED if command in RUN_COMMANDS else ()
        found = {name: "run" for name in self.tables.get("run", ()) if name in shared}
        return found | dict.fromkeys(self.tables.get(command, ()), command)


def load(path: str, commands: Callable[[str], click.Command | None], names: list[str]) -> Configuration:
    """Read a file and check it against the commands. Raises ConfigurationError with all errors."""
    text = _read(path)
    document = _parsed(path, text)
    faults: list[tuple[int, str]] = []
    tables: dict[str, dict[str, Any]] = {}
    lines: dict[tuple[str, str], int] = {}
    places = dict(_places(text))
    for place, table in _tables(document, names):
        name, shown = " ".join(place), ".".join(place)
        command = commands(name) if name in names else None
        line = places.get(place, 1)
        if command is None and not _is_header(table):
            owned = _owned(name, names, commands) or "; write it below the line of one, such as [run]"
            faults.append((line, f"{shown} is in no table{owned}"))
        elif command is None:
            faults.append((line, f"no command {name!r}{_suggestion(name, names)}"))
        elif not isinstance(table, dict):
            faults.append((line, f"{shown} must be a table, [{shown}]"))
        else:
            tables[name] = {}
            with suppress(ParameterError):  # it is reported below, as a value of the key
                command = completed(command, table)
            for key, value in table.items():
                at = places.get((*place, key), line)
                try:
                    parameter = _parameter(command, key, (other for other in names if other != name), commands)
                    tables[name][parameter.name or key] = _checked(parameter, value, command)
                    lines[name, parameter.name or key] = at
                except click.UsageError as error:
                    faults.append((at, f"[{shown}] {key}: {error.message}"))
    if faults:
        raise ConfigurationError(path, *(f", line {line}: {fault}" for line, fault in sorted(faults)))
    return Configuration(path, tables, lines)


def _tables(document: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The tables of commands, by the words of their names: those of two words are in a table of the first."""
    families = {name.split()[0] for name in names if " " in name}
    for name, table in document.items():
        if name in families and isinstance(table, dict) and all(isinstance(inner, dict) for inner in table.values()):
            yield from (((name, inner), table[inner]) for inner in table)
        else:
            yield (name,), table


def log_format_in(path: str, command: str) -> str | None:
    """The log format that a file asks for, if it can be read: errors in the file are reported in it, too."""
    formats = (value_in_file(path, name, "log-format") for name in dict.fromkeys((command, *_shares_with(command))))
    return next((name for name in formats if name is not None), None)


def value_in_file(path: str, command: str, key: str) -> str | None:
    """The text that a table of a file has for a key, before the file is checked; None if it has none."""
    try:
        table: Any = _parsed(path, _read(path))
        for word in command.split():
            table = table.get(word, {})
        value = table.get(key)
    except (ConfigurationError, AttributeError):  # or a command is not a table
        return None
    return value if isinstance(value, str) else None


def _shares_with(command: str) -> list[str]:
    return ["run"] if command in RUN_COMMANDS else []


def key_of(parameter: click.Parameter) -> str:
    """The key of a parameter in a file: its longest name, without leading dashes."""
    return max(parameter.opts, key=len).lstrip("-").replace("_", "-")


def known(command: click.Command) -> list[click.Parameter]:
    """The parameters that a file may have."""
    return [parameter for parameter in command.params if key_of(parameter) not in NOT_IN_FILES]


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigurationError(path, ": is too large for a configuration")
        return content.decode("utf-8")
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(path, f": cannot be read ({reason})") from error


def _parsed(path: str, text: str) -> dict[str, Any]:
    """The parsed document. Raises ConfigurationError if it is not TOML, or would take long to parse."""
    for token in TOKENS.finditer(text):
        if token["long"]:
            line = text.count("\n", 0, token.start()) + 1
            raise ConfigurationError(path, f", line {line}: a key of more than {MAX_NAMES} names")
    try:
        import tomllib  # its regular expressions take long to compile

        return tomllib.loads(text)
    except (RecursionError, ValueError) as error:
        raise ConfigurationError(path, f": is not TOML: {error}") from error


def _places(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Tables and keys, and the first line of each; only for messages."""
    table: tuple[str, ...] = ()
    seen = set()
    lines = "".join(_without_inside(token[0]) for token in TOKENS.finditer(text)).split("\n")
    for number, line in enumerate(lines, start=1):
        found = DOTTED.match(line)
        if not found:
            continue
        place = _names(found["names"])
        if found["header"]:
            table = place
        else:
            place = table + place
        for depth in range(1, len(place) + 1):
            if place[:depth] not in seen:
                seen.add(place[:depth])
                yield place[:depth], number


def _without_inside(token: str) -> str:
    """A token, or for a multi-line string as many empty lines: what looks like a setting in it is none."""
    return "\n" * token.count("\n") if token[:3] in ('"""', "'''") else token


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(_name(part) for part in re.findall(KEY, dotted))


def _name(part: str) -> str:
    if part[0] not in "\"'":
        return part
    try:
        import tomllib

        return str(tomllib.loads(f"name = {part}")["name"])
    except ValueError:  # a line of a multi-line string, which only looks like a name
        return part


def _parameter(
    command: click.Command, key: str, others: Iterable[str], commands: Callable[[str], click.Command | None]
) -> click.Parameter:
    """The parameter of a key. Raises click.UsageError, which suggests another key, or other tables that have it."""
    by_key = {key_of(parameter): parameter for parameter in known(command)}
    if key in by_key:
        return by_key[key]
    raise click.UsageError(f"no such option{_owned(key, others, commands)}{_suggestion(key, list(by_key))}")


def _owned(key: str, names: Iterable[str], commands: Callable[[str], click.Command | None]) -> str:
    """The tables that may have a key, as the end of a message."""
    owners = [
        f"[{name.replace(' ', '.')}]"
        for name in names
        if (command := commands(name)) and key in map(key_of, known(command))
    ]
    return f"; it is an option of {in_words(owners)}" if owners else ""


def _is_header(value: Any) -> bool:
    """Whether a name at the top of a file is that of a table, or of a list of tables."""
    return isinstance(value[0] if isinstance(value, list) and value else value, dict)


def _suggestion(name: str, names: list[str]) -> str:
    question = did_you_mean(name, names)
    return f"; {question}" if question else ""


def _checked(parameter: click.Parameter, value: Any, command: click.Command) -> Any:
    """The value as click expects it. Raises click.UsageError for another type, or a value out of range."""
    context = click.Context(command)
    several = parameter.nargs == -1 or getattr(parameter, "multiple", False)
    if several and (isinstance(value, str) or (hasattr(parameter.type, "number") and not isinstance(value, list))):
        value = [value]
    if several and not isinstance(value, list):
        raise click.UsageError(f"{_shown(value)} must be a string or a list of strings")
    items = [_plain(parameter, item) for item in (value if several else [value])]
    for item in items:
        try:
            parameter.type.convert(item, None, context)
        except click.UsageError as error:
            raise click.UsageError(error.message.rstrip(".")) from error
    return items if several else items[0]


def _plain(parameter: click.Parameter, value: Any) -> Any:
    """A TOML value as it would be on the command line. Raises click.UsageError for another type."""
    kind = parameter.type
    if isinstance(value, date) and kind.name == timestamp.__name__:  # datetime is a subclass of date
        value = value.isoformat()
    number = getattr(kind, "number", kind)
    wanted: tuple[type, ...]
    if isinstance(number, click.types.BoolParamType):
        wanted, words = (bool,), "true or false"
    elif isinstance(number, click.types.IntParamType):
        wanted, words = (int,), "an integer"
    elif isinstance(number, click.types.FloatParamType):
        wanted, words = (int, float), "a number"
    else:
        wanted, words = (str,), "a string"
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise click.UsageError(f"{_shown(value)} must be {words}")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        raise click.UsageError("is too large a number")
    return value


def _shown(value: Any) -> str:
    """A value in a message: as TOML writes it where Python would write it differently."""
    if isinstance(value, bool):
        text = str(value).lower()
    else:
        text = value.isoformat() if isinstance(value, date | time) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
