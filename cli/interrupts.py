"""Signals that end the program: SIGINT (keyboard), SIGTERM (the scheduler) and SIGHUP (end of the session).

Until a command begins its work, a signal ends the process at once. After that the first one is raised as
KeyboardInterrupt, so that unfinished work is cleaned up. The exception may be lost in a callback of a library, where
Python cannot raise it, so it is remembered. The main thread may also be in library code that does not return, where
Python's handlers are not called at all. A thread therefore reads the signals, too, and ends the process at the second
one, or if it is still running some seconds after the first. A process that ends this way leaves the same files as one
that is killed; the next run removes them.

In every case one line is written to stderr, and never a traceback.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from plant_aggregate.progress import Progress

from .log_format import is_json

ENDINGS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
"""Words for each signal in messages."""

EXIT_SIGNAL = 128  # exit code less the number of the signal, as in shells: 130 interrupted, 143 terminated, 129 hung up
PATIENCE = 5.0  # seconds in which the main thread may end after a signal

UNFINISHED = "an unfinished run is not published"
"""End of the message for ``run``, until its run is published or held back."""

AT_ONCE = "at once, without cleaning up, which the next run does"


class _State:
    is_listening = False
    is_working = False  # whether there is something to clean up
    is_exiting = False
    interrupt: KeyboardInterrupt | None = None
    number: int = signal.SIGINT
    arguments: list[str] = []  # noqa: RUF012 - replaced, never changed
    outcome: str | None = None  # what happened to the run of this command, in words, once that is decided
    # The thread that acquires it writes the last message of the process; it is never released.
    last_message = threading.Lock()


def listen(arguments: list[str]) -> None:
    """Handle signals from now on, for the command line ``arguments``. Signals ignored already, as by nohup, stay so."""
    _State.arguments = arguments
    if _State.is_listening:
        return
    _State.is_listening = True
    for number in ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    numbers, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    with suppress(RuntimeError):  # no thread can be started: signals are handled between bytecodes only
        threading.Thread(target=_watch, args=(numbers,), name="signals", daemon=True).start()
    sys.unraisablehook = except_interrupts(sys.unraisablehook)


def begin() -> None:
    """From now on the first signal is a KeyboardInterrupt: there is something to clean up."""
    _State.is_working = True
    _State.outcome = None


def finish(outcome: str) -> None:
    """From now on messages about a signal end with ``outcome``, the state of the run."""
    _State.outcome = outcome


def stop_raising() -> None:
    """Raise no KeyboardInterrupt from now on: the process is about to end."""
    _State.is_exiting = True


def was_interrupted() -> bool:
    """Whether a signal came after the work began."""
    return _State.interrupt is not None


def signal_number() -> int:
    """The signal that ended the command. Not in the exception: libraries may have raised another one instead."""
    return _State.number


def claim_last_message() -> None:
    """Return if the caller is to print which signal ended the process; else the other thread is ending it."""
    if _State.is_listening and not _State.last_message.acquire(blocking=False):
        time.sleep(PATIENCE)


def end_message(reason: str, arguments: list[str]) -> str:
    """Why the command ended, and for ``run`` the state of its run."""
    return f"{reason}; {_State.outcome or UNFINISHED}" if arguments[:1] == ["run"] else reason


def _on_signal(number: int, _frame: Any) -> None:
    """The handler, which Python calls in the main thread, between bytecodes."""
    if _State.is_exiting or _State.interrupt is not None:
        return  # the other thread handles it
    if not _State.is_working:
        _end(number, ENDINGS[signal.Signals(number)])
    _State.interrupt, _State.number = KeyboardInterrupt(), number
    raise _State.interrupt


def _watch(numbers: int) -> None:
    """Read signals and end the process if the main thread does not. Imports nothing: an import may be what hangs."""
    first = _next_of(numbers)
    second = _next_of(numbers) if select.select([numbers], [], [], PATIENCE)[0] else first
    _end(second, f"{ENDINGS[signal.Signals(second)]} {AT_ONCE}")


def _next_of(numbers: int) -> int:
    while True:
        number = os.read(numbers, 1)[0]
        if number in ENDINGS:
            return number


def _end(number: int, reason: str) -> NoReturn:
    if _State.last_message.acquire(blocking=False):
        _write_line(end_message(reason, _State.arguments), EXIT_SIGNAL + number)
    else:  # the main thread is writing its own
        time.sleep(PATIENCE)
    os._exit(EXIT_SIGNAL + number)


def _write_line(message: str, exit_code: int) -> None:
    """Write an error to stderr past Python's buffer, which the main thread may hold; never wait for a reader."""
    if is_json():  # by hand: the module json may be half loaded
        now = time.time()
        at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}+00:00"
        facts = f'"level": "error", "event": "error", "message": "{message}", "exit_code": {exit_code}'
        line = f'{{"time": "{at}", {facts}}}\n'
    else:
        line = f"plant-aggregate: error: {message}\n"
    with suppress(OSError, ValueError, AttributeError):  # closed, or closed from the start
        descriptor = sys.stderr.fileno()
        if select.select([], [descriptor], [], 0)[1]:
            os.write(descriptor, line.encode())


def except_interrupts(hook: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A hook for unraisable exceptions that ignores interrupts."""

    def hook_for_others(unraisable: Any) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            hook(unraisable)

    return hook_for_others


class InterruptCheck:
    """Passes progress on, and raises again an interrupt that was lost."""

    def __init__(self, listener: Progress) -> None:
        self._listener = listener

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Raise a lost interrupt, else pass on."""
        self._check()
        self._listener.phase(name, total, unit)

    def advance(self, steps: int = 1) -> None:
        """Raise a lost interrupt, else pass on."""
        self._check()
        self._listener.advance(steps)

    def note(self, text: str) -> None:
        """Pass on."""
        self._listener.note(text)

    def _check(self) -> None:
        if _State.interrupt is not None:
            raise _State.interrupt
