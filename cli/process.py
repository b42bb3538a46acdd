"""Start and end of the process that runs a command line."""

import gc
import io
import os
import sys
from typing import NoReturn

from . import console, interrupts
from .main import EXIT_INPUT, EXIT_READER_CLOSED, report_interrupt, run_command


def run(program: str) -> NoReturn:
    """Run the command line of this process, which help calls ``program``, and end it with the exit code."""
    gc.set_threshold(1_000_000)  # loading the compiler makes 200,000 objects and no garbage
    console.report_uncaught_exceptions()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that the terminal's encoding does not have
    arguments = sys.argv[1:]
    try:
        exit_code = run_command(arguments, program)
        interrupts.stop_raising()
    except KeyboardInterrupt:  # while another error was reported
        exit_code = report_interrupt(arguments)
    _exit(exit_code)


def _exit(exit_code: int) -> NoReturn:
    """Exit without the interpreter's teardown, which takes a fifth of a second for the compiler alone."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # a stream that was closed from the start is None
        try:
            stream.flush()
        except BrokenPipeError:  # its reader has closed it
            exit_code = exit_code or EXIT_READER_CLOSED
        except (OSError, ValueError):  # the disk is full, or the stream is closed
            exit_code = exit_code or EXIT_INPUT
    os._exit(exit_code)
