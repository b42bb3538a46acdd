"""The group of commands, and the one place where an error becomes a line and an exit code."""

import gc
import os
import signal
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

import plant_aggregate
from plant_aggregate.errors import on_one_line, reason_of

from . import console, interrupts, log_format
from .command import Option

COMMANDS = {
    "run": "Publish a consensus of the votes.",
    "diff": "Show what changed between two runs, and why.",
    "runs": "List the runs of an output folder.",
    "publish": "Publish a run that was held back, or an older one.",
    "rollback": "Publish the run before the published one.",
    "evaluate": "Evaluate a consensus against expert labels.",
    "compare": "Evaluate strategies against expert labels, side by side.",
    "ambiguity": "Find observations that a classifier in training finds ambiguous.",
    "calibrate": "Learn from expert labels how probable a label is.",
    "calibrate-ai": "Learn from expert labels what the AI's scores mean.",
    "config": "Check a configuration file, or show the effective settings.",
    "simulate": "Make up a vote log whose truth is known.",
}
"""In the order of a working day; each is loaded from the file of its name when it is called."""

EXIT_INPUT = 1
EXIT_USAGE = 2
EXIT_HELD = 3
EXIT_LOCKED = 4
NO_THREAD = "can't start new thread"
"""What Python says where the system allows no more threads."""

EXIT_CODES = {plant_aggregate.HeldError: EXIT_HELD, plant_aggregate.LockedError: EXIT_LOCKED}


def _configure(context: click.Context, _parameter: click.Parameter, path: str | None) -> None:
    """Take what the command line leaves open from a file."""
    if path is None or context.parent is None:
        return
    from .configuration import load

    group = context.parent.command
    assert isinstance(group, LazyGroup)
    command = context.info_name or ""
    found = load(path, lambda name: group.get_command(context, name), list(COMMANDS))
    context.meta["configuration"] = found
    context.default_map = found.of(command)


config_option = Option(
    ["--config"],
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_configure,
    help="TOML file with a table of options for each command; the command line wins",
    group="Other",
)
log_format_option = Option(
    ["--log-format"],
    type=click.Choice(list(log_format.FORMATS)),
    default="text",
    show_default=True,
    is_eager=True,
    expose_value=False,
    callback=lambda _context, _parameter, name: log_format.set_format(name),
    help="of progress, warnings and errors on stderr: lines to read, or a JSON object a line for collectors",
    group="Logging",
)


class Stopped(BaseException):
    """An interrupt, from the keyboard or from who ends the job."""


class PassedError(Exception):
    """Brings an error past click, which would take an EOFError for an interrupt and a broken pipe for a reader's."""


class LazyGroup(click.Group):
    """Lists commands without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load one command."""
        if name not in COMMANDS:
            return None
        module = name.replace("-", "_")
        command: click.Command = getattr(import_module(f".{module}", __package__), module)
        if config_option not in command.params:
            command.params += [config_option, log_format_option]
            from .configuration import key_of

            for option in command.params:
                if isinstance(option, click.Option) and option.is_bool_flag and not option.secondary_opts:
                    option.secondary_opts.append(f"--no-{key_of(option)}")  # a file may have said yes
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; a name that begins as no word does is, to click 8.1, a call for help."""
        if args[0] not in COMMANDS:
            ctx.fail(f"No such command {args[0]!r}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. An interrupt is brought past click, which would write an empty line into logs."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Stopped from error
        except (EOFError, OSError) as error:
            raise PassedError from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from COMMANDS."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the input or the output cannot be used, 2 wrong usage, 3 the run was held back, "
    "4 another process writes in the output folder (--lock fail).",
)
@click.version_option(plant_aggregate.__version__, prog_name="plant-aggregate")
def cli() -> None:
    """Turn crowd votes on species into labels a model can be trained on."""


def main() -> None:
    """Entry point of ``plant-aggregate``."""
    gc.set_threshold(1_000_000)  # loading the compiler makes 200,000 objects and no garbage
    interrupts.listen(sys.argv[1:])
    console.tell_strays()
    try:
        exit_code = run_command(sys.argv[1:])
        interrupts.leave()
    except KeyboardInterrupt:  # while another error was told
        exit_code = _stopped(sys.argv[1:])
    _leave(exit_code)


def _leave(exit_code: int) -> NoReturn:
    """End the process without taking it apart piece by piece: for the compiler that alone is a fifth of a second."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # a stream that was closed from the start is None
        try:
            stream.flush()
        except (OSError, ValueError):  # the reader has left, the disk is full, or the stream is closed
            exit_code = exit_code or EXIT_INPUT
    os._exit(exit_code)


def run_command(arguments: list[str]) -> int:
    """Run one command line; the exit code. Errors are a line on stderr, with ``--debug`` a traceback."""
    log_format.set_format(log_format.format_in(arguments))  # an error may come before options are read
    console.set_debug("--debug" in arguments)
    console.set_quiet(False)
    try:
        with console.warnings_as_lines():
            cli.main(arguments, prog_name="plant-aggregate", standalone_mode=False)
    except click.exceptions.Exit as done:
        return int(done.exit_code)
    except click.ClickException as error:
        return _refuse(error, arguments)
    except (Stopped, click.Abort, KeyboardInterrupt):
        return _stopped(arguments)
    except plant_aggregate.ParameterError as error:
        return console.complain(str(error), EXIT_USAGE)
    except plant_aggregate.AggregateError as error:
        if interrupts.is_heard():  # a library has made an error of it
            return _stopped(arguments)
        console.trace()
        return console.complain(str(error), EXIT_CODES.get(type(error), EXIT_INPUT))
    except MemoryError:
        return console.complain(interrupts.ended("out of memory", arguments), EXIT_INPUT)
    except console.ReaderLeftError:
        sys.stderr.close()  # the interpreter would complain once more on exit
        return EXIT_INPUT
    except PassedError as passed:
        return _fail(passed.__cause__ or passed, arguments)
    except Exception as error:
        return _fail(error, arguments)
    return 0


def _stopped(arguments: list[str]) -> int:
    """Say which signal ended the command; the exit code."""
    number = interrupts.number_heard()
    message = interrupts.ended(interrupts.ENDINGS[signal.Signals(number)], arguments)
    interrupts.take_last_word()
    return console.complain(message, interrupts.EXIT_SIGNAL + number)


def _fail(error: BaseException, arguments: list[str]) -> int:
    """Say what nobody was prepared for."""
    if interrupts.is_heard():
        return _stopped(arguments)
    console.trace()
    if isinstance(error, RuntimeError) and str(error) == NO_THREAD:
        message = interrupts.ended("no thread can be started", arguments)
        return console.complain(
            f"{message}; allow more threads or memory (ulimit -u, -v), or run on fewer (--threads 1)", EXIT_INPUT
        )
    if isinstance(error, OSError) and error.errno:  # the machine's, not the program's
        where = error.filename2 or error.filename
        what = f"{where}: {reason_of(error)}" if isinstance(where, str) else reason_of(error)
        return console.complain(f"{interrupts.ended(what, arguments)}; --debug shows where", EXIT_INPUT)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return console.complain(f"internal error, please report it ({what}); --debug shows where", EXIT_INPUT)


def _refuse(error: click.ClickException, arguments: list[str]) -> int:
    """Say what is wrong with a command line."""
    if not arguments:  # the help, which older versions of click print themselves
        error.show()
        return error.exit_code
    from .configuration import ConfigurationError, log_format_in

    path = log_format.value_in(arguments, "--config")
    if path is not None and not log_format.has_format():  # it may not have been read yet
        log_format.set_format(log_format_in(path, arguments[0]))
    if isinstance(error, ConfigurationError):
        return console.complain(error.message, error.exit_code)
    message = on_one_line(error.format_message().rstrip("."))
    context = getattr(error, "ctx", None)
    if context is not None:
        message = f"{message[:1].lower()}{message[1:]}; see {context.command_path} --help"
    return console.complain(message, error.exit_code)


if __name__ == "__main__":
    main()
