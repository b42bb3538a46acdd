"""Runs a command line; the one place where an error becomes a line and an exit code."""

import os
import signal

import click

import plant_aggregate
from plant_aggregate.errors import on_one_line, reason_of

from . import console, interrupts, log_format
from .group import FAMILIES, Interrupted, WrappedError, cli, command_in
from .outputs import with_flags

COMPLETION = "_PLANT_AGGREGATE_COMPLETE"
"""The variable with which a shell asks for completions, as click names and reads it."""

EXIT_INPUT = 1
EXIT_USAGE = 2
EXIT_HELD = 3
EXIT_LOCKED = 4
EXIT_READER_CLOSED = interrupts.EXIT_SIGNAL + signal.SIGPIPE  # as shells report it of programs that it ends
NO_THREAD = "can't start new thread"
"""Python's message where the system allows no more threads."""

EXIT_CODES = {plant_aggregate.HeldError: EXIT_HELD, plant_aggregate.LockedError: EXIT_LOCKED}


def run_command(arguments: list[str], program: str = "plant-aggregate") -> int:
    """Run one command line; the exit code. Errors are a line on stderr, with ``--debug`` a traceback.

    ``program``: how it was called, for lines of usage.
    """
    if COMPLETION in os.environ:
        from .completion import complete

        return complete(os.environ[COMPLETION])
    log_format.set_format(log_format.format_in(arguments))  # an error may come before options are read
    console.set_debug("--debug" in arguments)
    console.set_quiet(False)
    try:
        with console.warnings_as_lines():
            cli.main(arguments, prog_name=program, standalone_mode=False)
    except click.exceptions.Exit as done:
        return int(done.exit_code)
    except click.ClickException as error:
        return _report_usage(error, arguments)
    except (Interrupted, click.Abort, KeyboardInterrupt):
        return report_interrupt(arguments)
    except plant_aggregate.ParameterError as error:
        _use_format_of_file(arguments)
        command = cli.get_command(click.Context(cli), command_in(arguments))
        return console.error(str(error) if command is None else with_flags(str(error), command), EXIT_USAGE)
    except plant_aggregate.AggregateError as error:
        if interrupts.was_interrupted():  # a library has turned the interrupt into an error
            return report_interrupt(arguments)
        console.traceback_if_debug()
        return console.error(str(error), EXIT_CODES.get(type(error), EXIT_INPUT))
    except MemoryError:
        return console.error(interrupts.end_message("out of memory", arguments), EXIT_INPUT)
    except console.ReaderClosedError:
        return EXIT_READER_CLOSED
    except WrappedError as wrapped:
        return _report_failure(wrapped.__cause__ or wrapped, arguments)
    except Exception as error:
        return _report_failure(error, arguments)
    return 0


def report_interrupt(arguments: list[str]) -> int:
    """Print which signal ended the command; the exit code."""
    number = interrupts.signal_number()
    message = interrupts.end_message(interrupts.ENDINGS[signal.Signals(number)], arguments)
    interrupts.claim_last_message()
    return console.error(message, interrupts.EXIT_SIGNAL + number)


def _report_failure(error: BaseException, arguments: list[str]) -> int:
    """Print an error that the engine does not raise itself; the exit code."""
    if interrupts.was_interrupted():
        return report_interrupt(arguments)
    console.traceback_if_debug()
    if isinstance(error, RuntimeError) and str(error) == NO_THREAD:
        message = interrupts.end_message("no thread can be started", arguments)
        return console.error(
            f"{message}; allow more threads or memory (ulimit -u, -v), or run on fewer (--threads 1)", EXIT_INPUT
        )
    if isinstance(error, OSError) and error.errno:  # of the machine, not of the program
        where = error.filename2 or error.filename
        what = f"{where}: {reason_of(error)}" if isinstance(where, str) else reason_of(error)
        return console.error(f"{interrupts.end_message(what, arguments)}; --debug shows where", EXIT_INPUT)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return console.error(f"internal error, please report it ({what}); --debug shows where", EXIT_INPUT)


def _report_usage(error: click.ClickException, arguments: list[str]) -> int:
    """Print what is wrong with a command line or a configuration file; the exit code."""
    if not arguments or (len(arguments) == 1 and arguments[0] in FAMILIES):  # help, which click 8.1 prints itself
        error.show()
        return error.exit_code
    from .config_file import ConfigurationError

    _use_format_of_file(arguments)
    if isinstance(error, ConfigurationError):
        return console.error(error.message, error.exit_code)
    message = on_one_line(error.format_message().rstrip("."))
    context = getattr(error, "ctx", None)
    if context is not None and isinstance(error, click.NoSuchOption):
        from .suggestions import unknown_option

        message = unknown_option(error)
    if context is not None:
        message = f"{message[:1].lower()}{message[1:]}; see {context.command_path} --help"
    return console.error(message, error.exit_code)


def _use_format_of_file(arguments: list[str]) -> None:
    """Log in the format that the configuration file asks for, which may not have been read yet."""
    path = log_format.value_in(arguments, "--config")
    if path is not None and not log_format.has_format():
        from .config_file import log_format_in

        log_format.set_format(log_format_in(path, command_in(arguments)))
