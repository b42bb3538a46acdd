"""What a person or a log sees on stderr while the engine works."""

import json
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import click

from plant_aggregate.errors import on_one_line, reason_of
from plant_aggregate.progress import SILENT, Progress

from . import interrupts
from .interrupts import Heedful
from .log_format import is_json


@contextmanager
def progress() -> Iterator[Progress]:
    """A listener for stderr: a bar on a terminal, log lines otherwise, nothing if quiet is wanted."""
    if is_quiet() or sys.stderr is None:
        yield Heedful(SILENT)
        return
    listener = JsonLines() if is_json() else Bar() if sys.stderr.isatty() else Lines()
    try:
        yield Heedful(listener)
    finally:
        listener.close()


class _Log:
    debug = False
    quiet = False


def set_quiet(wanted: bool) -> None:
    """Write nothing but warnings and errors from now on, or progress, too."""
    _Log.quiet = wanted


def is_quiet() -> bool:
    """Whether nothing but warnings and errors is wanted."""
    return _Log.quiet


def set_debug(wanted: bool) -> None:
    """Show tracebacks from now on, or no more."""
    _Log.debug = wanted


def is_debug() -> bool:
    """Whether tracebacks are wanted."""
    return _Log.debug


def complain(message: str, exit_code: int) -> int:
    """Say what went wrong; the exit code."""
    if is_json():
        log("error", "error", message=message, exit_code=exit_code)
    else:
        for line in message.split("\n"):
            say(f"plant-aggregate: error: {on_one_line(line)}")
    return exit_code


def log(level: str, event: str, **facts: Any) -> None:
    """Write a JSON object as a line of stderr."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    _write(json.dumps(_without_secrets({"time": now, "level": level, "event": event, **facts})))


def event(name: str, text: str, **facts: Any) -> None:
    """What a log should have: a JSON object, or a line with the time; on a terminal it is seen without."""
    if is_quiet() or sys.stderr is None:
        return
    if is_json():
        log("info", name, **facts)
    elif not sys.stderr.isatty():
        Lines().note(text)


def warn(message: str) -> None:
    """Say what its owner should know."""
    if is_json():
        log("warning", "warning", message=message)
    else:
        say(f"plant-aggregate: warning: {on_one_line(message)}")


def trace() -> None:
    """Show where the error that is being handled came from, if that is wanted."""
    if is_debug():
        _tell_traceback(traceback.format_exc())


def _tell_traceback(told: str) -> None:
    if is_json():
        log("error", "traceback", traceback=told)
    else:
        say(told.rstrip("\n"))


def say(line: str) -> None:
    """Write a line to stderr, without secrets."""
    _write(_without_secrets(line))


def _write(line: str) -> None:
    """A log that is full or closed does not keep the engine from its work."""
    with suppress(OSError):
        click.echo(line, err=True)


def _without_secrets(told: Any) -> Any:
    """A text, or all texts in a value of JSON, with URIs as they may be shown."""
    from plant_aggregate.files.stores import without_secrets

    if isinstance(told, str):
        return without_secrets(told)
    if isinstance(told, dict):
        return {name: _without_secrets(value) for name, value in told.items()}
    return [_without_secrets(value) for value in told] if isinstance(told, list | tuple) else told


class ReaderLeftError(Exception):
    """Nobody reads on what is printed: the reader has seen enough."""


def result(text: str) -> None:
    """Print the result on stdout, when the work is done. Raises PublishError if it cannot be printed."""
    _print(printable(text))


def result_json(value: Any) -> None:
    """As :func:`result`, of a value as JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # What is not printable stands inside strings, where JSON has an escape for it.
    _print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def printable(text: str) -> str:
    """The text without characters that would steer a terminal; it keeps its lines."""
    return "\n".join(map(on_one_line, text.split("\n")))


def _print(text: str) -> None:
    from plant_aggregate.errors import PublishError

    try:
        click.echo(text)
    except BrokenPipeError as error:
        raise ReaderLeftError("nobody reads what is printed") from error
    except OSError as error:
        raise PublishError(
            f"the summary cannot be printed ({reason_of(error)})", remedy="the work itself is done and in place"
        ) from error


class Lines:
    """A line a phase, with the time, for logs."""

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Write a line."""
        self.note(f"{name}: {total:,} {unit}" if total is not None else name)

    def advance(self, steps: int = 1) -> None:
        """Ignore: a log needs no bar."""

    def note(self, text: str) -> None:
        """Write a line with the time."""
        say(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {on_one_line(text)}")

    def close(self) -> None:
        """Nothing is open."""


class JsonLines:
    """A JSON object a line, for collectors."""

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Write a line."""
        log("info", "phase", phase=name, **({} if total is None else {"total": total, "unit": unit}))

    def advance(self, steps: int = 1) -> None:
        """Ignore: a log needs no bar."""

    def note(self, text: str) -> None:
        """Write a line."""
        log("info", "note", message=text)

    def close(self) -> None:
        """Nothing is open."""


class Bar:
    """A bar for the current phase, on a terminal; it goes when the phase ends."""

    def __init__(self) -> None:
        self._bar: Any = None

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Begin another bar."""
        from tqdm import tqdm

        self.close()
        layout = None if unit else "{desc} ..."
        scaled = total is not None
        self._bar = tqdm(
            total=total, desc=name, unit=f" {unit}", unit_scale=scaled, leave=False, bar_format=layout, file=sys.stderr
        )

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        self._bar.update(steps)

    def note(self, text: str) -> None:
        """Write a line above the bar."""
        from tqdm import tqdm

        tqdm.write(on_one_line(text), file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """The engine's warnings are lines for the owner of the job; those of libraries are not for this audience."""
    from plant_aggregate.errors import AggregateWarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, AggregateWarning):
            warn(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", AggregateWarning)
        warnings.showwarning = show
        yield


def tell_messages_of_libraries() -> None:
    """What libraries log, if nobody else takes it, becomes a line of ours from now on: warnings and worse."""
    import logging

    class ToLines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warn(f"{record.name}: {record.getMessage()}")

    logging.lastResort = ToLines(logging.WARNING)


def tell_strays() -> None:
    """Errors that can be raised nowhere, and those of threads, are told as other tracebacks are from now on."""

    def tell(kind: type[BaseException], error: BaseException | None, place: TracebackType | None) -> None:
        _tell_traceback("".join(traceback.format_exception(kind, error, place)))

    def tell_unraisable(lost: "sys.UnraisableHookArgs") -> None:
        tell(lost.exc_type, lost.exc_value, lost.exc_traceback)

    def tell_of_thread(lost: threading.ExceptHookArgs) -> None:
        tell(lost.exc_type, lost.exc_value, lost.exc_traceback)

    sys.unraisablehook = interrupts.but_interrupts(tell_unraisable)
    threading.excepthook = tell_of_thread
