"""The group of commands, each loaded from the file of its name when it is called."""

from contextlib import suppress
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from plant_aggregate.errors import ParameterError
from plant_aggregate.version import VERSION

from . import console, log_format
from .command import Choice, Option
from .completions import TOML, files

COMMANDS = {
    "convert": "Make votes of what a platform or tool has published.",
    "run": "Publish a consensus of the votes.",
    "diff": "Show what changed between two runs, and why.",
    "runs": "List the runs of an output folder.",
    "publish": "Publish a run that was held back, or an older one.",
    "rollback": "Publish the run before the published one.",
    "evaluate": "Evaluate a consensus against expert labels.",
    "compare": "Evaluate strategies against expert labels, side by side.",
    "export": "Write what another tool reads of a run into a folder.",
    "subset": "Write a smaller research set out of a run.",
    "ambiguity": "Find observations that a classifier in training finds ambiguous.",
    "calibrate": "Learn from expert labels how probable a label is.",
    "calibrate-ai": "Learn from expert labels what the AI's scores mean.",
    "conformal fit": "Find thresholds for sets of likely labels, from labels that are known.",
    "conformal predict": "Write sets of likely labels for a classifier's label lists.",
    "conformal evaluate": "Evaluate sets of likely labels against expert labels.",
    "conformal check": "Check whether these sets still cover what they should, on new labels.",
    "compare-sets": "Evaluate methods of making such sets against expert labels, side by side.",
    "config": "Check a configuration file, or show the effective settings.",
    "simulate": "Make up a vote log whose truth is known.",
    "completion": "Print the script that completes commands in a shell.",
}
"""Command -> its line in the list of commands, in the order of a working day. One of two words is in a folder."""

FAMILIES = {"conformal": "Make, evaluate and monitor sets of likely labels."}
"""First word of commands of two words -> what they are for."""


def _configure(context: click.Context, _parameter: click.Parameter, path: str | None) -> None:
    """Take options that the command line does not give from a file."""
    if path is None or context.parent is None:
        return
    from .config_file import load

    group = context.find_root().command
    assert isinstance(group, LazyGroup)
    words = [context.info_name or ""]
    if isinstance(context.parent.command, Family):
        words = [context.parent.info_name or "", *words]
    command = " ".join(words)
    found = load(path, lambda name: group.get_command(context, name), list(COMMANDS))
    context.meta["configuration"] = found
    context.default_map = found.of(command)


config_option = Option(
    ["--config"],
    metavar="FILE",
    shell_complete=files(*TOML),
    is_eager=True,
    expose_value=False,
    callback=_configure,
    help="TOML file with a table of options for each command; the command line wins",
    group="Other",
)
log_format_option = Option(
    ["--log-format"],
    type=Choice(list(log_format.FORMATS)),
    default="text",
    show_default=True,
    is_eager=True,
    expose_value=False,
    callback=lambda _context, _parameter, name: log_format.set_format(name),
    help="of progress, warnings and errors on stderr: lines to read, or a JSON object a line for collectors",
    group="Logging",
)


def _with_own_options(command: click.Command, arguments: list[str]) -> click.Command:
    """A command with the parameters of the strategy or layout that its command line, or its configuration, names."""
    from .layouts import LayoutCommand

    if isinstance(command, LayoutCommand):
        return command.meant_by(arguments, _configured(arguments, command.name, "format"))
    if command.name != "run":
        return command
    from .own_strategies import with_parameters_of

    strategy = log_format.value_in(arguments, "--strategy") or _configured(arguments, "run", "strategy")
    with suppress(ParameterError):  # it is reported as a value of the option, or with its line in the file
        return with_parameters_of(strategy, command)
    return command


def _configured(arguments: list[str], command: str | None, key: str) -> str | None:
    """The text that the configuration has for a key of a command; None if there is none."""
    path = log_format.value_in(arguments, "--config")
    if path is None or command is None:
        return None
    from .config_file import value_in_file

    return value_in_file(path, command, key)


class Interrupted(BaseException):
    """A signal ended the command."""


class WrappedError(Exception):
    """Hides its cause from click, which would report EOFError as an interrupt and drop a broken pipe."""


class LazyGroup(click.Group):
    """Lists commands without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load one command; the two words of its name may have a dot between them, as in a configuration."""
        if name in FAMILIES:
            return Family(name, self)
        name = name.replace(".", " ")
        if name not in COMMANDS:
            return None
        module = name.replace("-", "_").replace(" ", ".")
        command: click.Command = getattr(import_module(f".{module}", __package__), module.rpartition(".")[2])
        if config_option not in command.params:
            command.short_help = COMMANDS[name]
            command.params += [config_option, log_format_option]
            from .config_file import key_of

            for option in command.params:
                if isinstance(option, click.Option) and option.is_bool_flag and not option.secondary_opts:
                    option.secondary_opts.append(f"--no-{key_of(option)}")  # a file may have said yes
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command named; click 8.1 would print help for a name that begins with no letter."""
        if args[0] not in first_words() and not ctx.resilient_parsing:
            from .suggestions import unknown_command

            ctx.fail(unknown_command(args[0], self, ctx))
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            command = _with_own_options(command, rest)
        return name, command, rest

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse the command line; this prints help."""
        with console.printing():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Interrupts are hidden from click, which would write an empty line into logs."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted from error
        except (EOFError, OSError) as error:
            raise WrappedError from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options; commands are not loaded for it."""
        commands = [
            CompletionItem(name, help=line) for name, line in first_words().items() if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from COMMANDS."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class Family(click.Group):
    """The commands whose first word is its name."""

    def __init__(self, name: str, group: LazyGroup) -> None:
        super().__init__(name, help=FAMILIES[name], context_settings={"help_option_names": ["-h", "--help"]})
        self._group = group
        self._lines = {
            command.partition(" ")[2]: line for command, line in COMMANDS.items() if command.startswith(f"{name} ")
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The second words, in the order of COMMANDS."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load one command."""
        return self._group.get_command(ctx, f"{self.name} {name}")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command named."""
        if args[0] not in self._lines and not ctx.resilient_parsing:
            from .suggestions import unknown_command

            ctx.fail(unknown_command(args[0], self, ctx))
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            command = _with_own_options(command, rest)
        return name, command, rest

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse the command line; this prints help."""
        with console.printing():
            return super().make_context(*arguments, **options)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options; commands are not loaded for it."""
        commands = [
            CompletionItem(name, help=line) for name, line in self._lines.items() if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))


def first_words() -> dict[str, str]:
    """The words that may come first on the command line, and their lines, in the order of COMMANDS."""
    return {word: FAMILIES.get(word, COMMANDS.get(word, "")) for word in (name.split()[0] for name in COMMANDS)}


def command_in(arguments: list[str]) -> str:
    """The name of the command that a command line names, perhaps one that there is not."""
    return " ".join(arguments[: 1 + (arguments[0] in FAMILIES)])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the input or the output cannot be used, 2 wrong usage, 3 the run was held back, "
    "4 another process writes in the output folder (--lock fail).",
)
@click.version_option(VERSION, prog_name="plant-aggregate")
def cli() -> None:
    """Turn crowd votes on species into labels a model can be trained on."""
