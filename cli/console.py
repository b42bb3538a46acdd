"""Progress, warnings and errors on stderr, and results on stdout."""

import json
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from plant_aggregate.errors import on_one_line, reason_of
from plant_aggregate.listeners import Bar, Lines
from plant_aggregate.progress import SILENT, Progress

from . import interrupts
from .interrupts import InterruptCheck
from .log_format import is_json

if TYPE_CHECKING:
    import pyarrow as pa

    from plant_aggregate.blocks import Block
    from plant_aggregate.schema import Table

CSV_ROWS = 20_000  # rows that are printed at a time


@contextmanager
def progress(*, in_logs: bool = True) -> Iterator[Progress]:
    """A listener for stderr: a bar on a terminal, log lines otherwise (if ``in_logs``), nothing with --quiet."""
    has_bar = sys.stderr is not None and sys.stderr.isatty() and not is_json()
    if is_quiet() or sys.stderr is None or not (has_bar or in_logs):
        yield InterruptCheck(SILENT)
        return
    listener = Bar() if has_bar else JsonLines() if is_json() else Lines(write_line)
    try:
        yield InterruptCheck(listener)
    finally:
        listener.close()


class _Log:
    debug = False
    quiet = False


def set_quiet(wanted: bool) -> None:
    """Whether to write only warnings and errors from now on."""
    _Log.quiet = wanted


def is_quiet() -> bool:
    """Whether only warnings and errors are written."""
    return _Log.quiet


def set_debug(wanted: bool) -> None:
    """Whether to show tracebacks from now on."""
    _Log.debug = wanted


def is_debug() -> bool:
    """Whether tracebacks are shown."""
    return _Log.debug


def error(message: str, exit_code: int) -> int:
    """Write an error, a line of stderr for each of its lines; the exit code."""
    if is_json():
        log("error", "error", message=message, exit_code=exit_code)
    else:
        for line in message.split("\n"):
            write_line(f"plant-aggregate: error: {on_one_line(line)}")
    return exit_code


def log(level: str, event: str, **facts: Any) -> None:
    """Write a JSON object as a line of stderr."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    _write(json.dumps(_without_secrets({"time": now, "level": level, "event": event, **facts})))


def event(name: str, text: str, **facts: Any) -> None:
    """Write an event for logs: a JSON object, or a line with the time; nothing on a terminal."""
    if is_quiet() or sys.stderr is None:
        return
    if is_json():
        log("info", name, **facts)
    elif not sys.stderr.isatty():
        Lines(write_line).note(text)


def warn(message: str) -> None:
    """Write a warning."""
    if is_json():
        log("warning", "warning", message=message)
    else:
        write_line(f"plant-aggregate: warning: {on_one_line(message)}")


def traceback_if_debug() -> None:
    """Write the traceback of the exception being handled, with --debug."""
    if is_debug():
        _report_traceback(traceback.format_exc())


def _report_traceback(text: str) -> None:
    if is_json():
        log("error", "traceback", traceback=text)
    else:
        write_line(text.rstrip("\n"))


def write_line(line: str) -> None:
    """Write a line to stderr, without secrets."""
    _write(_without_secrets(line))


def _write(line: str) -> None:
    """A log that is full or closed does not stop the engine."""
    with suppress(OSError):
        click.echo(line, err=True)


def _without_secrets(value: Any) -> Any:
    """A text, or all texts in a JSON value, with the secrets in URIs hidden."""
    from plant_aggregate.files.locations import without_secrets

    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: _without_secrets(each) for name, each in value.items()}
    return [_without_secrets(each) for each in value] if isinstance(value, list | tuple) else value


class ReaderClosedError(Exception):
    """The reader of stdout has closed it, as ``head`` does."""


@contextmanager
def printing() -> Iterator[None]:
    """Raise ReaderClosedError where the reader of stdout has closed it."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderClosedError("the reader of stdout has closed it") from error


def result(text: str) -> None:
    """Print the result on stdout. Raises PublishError if it cannot be printed."""
    _print(printable(text))


def result_json(value: Any) -> None:
    """As :func:`result`, a value as JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Characters that are not printable occur only inside strings, where JSON can escape them.
    _print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def result_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """As :func:`result`, rows of values as CSV (RFC 4180, but lines end in a line feed), in UTF-8.

    None is empty, a truth value ``true`` or ``false``, and numbers have all their digits. Control characters in names
    are printed as they are, except on a terminal.
    """
    import csv
    from itertools import chain, islice

    lines = chain([columns], (["true" if c is True else "false" if c is False else c for c in row] for row in rows))
    for_people = is_terminal()
    while some := list(islice(lines, CSV_ROWS)):
        written = _WithLineFeeds()
        csv.writer(written).writerows(some)
        text = "".join(written.rows)
        _print(printable(text) if for_people else text.encode(errors="backslashreplace"), nl=False)


class _WithLineFeeds:
    """A file for ``csv.writer``, which quotes a lone carriage return only if its rows end in one, too."""

    def __init__(self) -> None:
        self.rows: list[str] = []

    def write(self, row: str) -> None:
        """Add a row."""
        self.rows.append(row.removesuffix("\r\n") + "\n")


def result_rows(table: "Table", rows: Iterable[Mapping[str, Any]]) -> None:
    """As :func:`result_csv`, rows with the columns of a table of ``schema``."""
    columns = [column.name for column in table]
    result_csv(columns, ([row[name] for name in columns] for row in rows))


def result_table(table: "pa.Table") -> None:
    """As :func:`result_csv`, a table."""
    batches = table.to_batches(CSV_ROWS)
    result_csv(table.column_names, (row for batch in batches for row in zip(*map(_values, batch), strict=True)))


def _values(column: "pa.Array") -> list[Any]:
    """The values of a column as Python's: of a dictionary each name once, as names may be long and are slow to make."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        values: list[Any] = column.to_pylist()
        return values
    names = [*column.dictionary.to_pylist(), None]
    return [names[-1 if code is None else code] for code in column.indices.to_pylist()]


def result_blocks(blocks: Iterable["Block"]) -> None:
    """As :func:`result`, blocks as text, which fits the terminal if stdout is one."""
    from .text import as_text

    result(as_text(blocks, terminal_width()))


def terminal_width() -> int | None:
    """The columns of the terminal that stdout is, or of the variable COLUMNS; None if it is none, or not known."""
    if not is_terminal():
        return None
    from shutil import get_terminal_size

    return get_terminal_size((0, 0)).columns or None


def is_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def printable(text: str) -> str:
    """The text with the control characters of each line escaped."""
    return "\n".join(map(on_one_line, text.split("\n")))


def _print(text: str | bytes, *, nl: bool = True) -> None:
    from plant_aggregate.errors import PublishError

    try:
        with printing():
            click.echo(text, nl=nl)
    except OSError as error:
        raise PublishError(
            f"the summary cannot be printed ({reason_of(error)})", remedy="the work itself is done and in place"
        ) from error


class JsonLines:
    """A line of JSON for each phase, for log collectors."""

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


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Write the engine's warnings as lines of stderr, and none of those of libraries."""
    from plant_aggregate.errors import AggregateWarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, AggregateWarning):
            warn(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", AggregateWarning)
        warnings.showwarning = show
        yield


def report_library_messages() -> None:
    """Write what libraries log at level WARNING and above as warnings from now on, unless a handler is set."""
    import logging

    class ToLines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warn(f"{record.name}: {record.getMessage()}")

    logging.lastResort = ToLines(logging.WARNING)


def report_uncaught_exceptions() -> None:
    """Write exceptions of threads, and unraisable ones, as other tracebacks from now on."""

    def report(caught: "sys.UnraisableHookArgs | threading.ExceptHookArgs") -> None:
        _report_traceback("".join(traceback.format_exception(caught.exc_type, caught.exc_value, caught.exc_traceback)))

    sys.unraisablehook = interrupts.except_interrupts(report)
    threading.excepthook = report
