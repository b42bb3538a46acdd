"""Signals that end the program: from the keyboard (SIGINT), from who ends the job (SIGTERM) or the session (SIGHUP).

Until a command begins its work, a signal ends the process at once. After that the first one is raised as
KeyboardInterrupt, so that what was begun is cleaned up. It may be lost in a callback of a library, where Python can
raise nothing: so it is remembered. And it may be that the main thread is in a library's code that does not come back,
where Python's handlers are not called at all: so a thread of its own reads the signals, too, and ends the process at
the second one, or if it is still there some seconds after the first. A process that ends so leaves what one that is
killed leaves, which the next run clears away.

Whatever happens, it is one line on stderr, and never a traceback.
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
"""What each signal is called."""

EXIT_SIGNAL = 128
"""And the number of the signal, as shells have it: 130 interrupted, 143 terminated, 129 hung up."""

PATIENCE = 5.0
"""Seconds that the main thread has to come to an end after a signal."""

UNFINISHED = "an unfinished run is not published"
"""Said of ``run`` at an end from outside, as long as it is not known that its run was published or held back."""

AT_ONCE = "at once, without cleaning up, which the next run does"


class _Heard:
    is_listening = False
    is_working = False
    """Whether there is something to clean up."""
    is_leaving = False
    interrupt: KeyboardInterrupt | None = None
    number: int = signal.SIGINT
    arguments: list[str] = []  # noqa: RUF012 - replaced, never changed
    finished: str | None = None
    """What became of the run of this command, in words, once that is settled."""
    last_word = threading.Lock()
    """Who has it says how the process ended; it is never given back."""


def listen(arguments: list[str]) -> None:
    """Hear signals from now on, for the command line ``arguments``. What is ignored already, as by nohup, stays so."""
    _Heard.arguments = arguments
    if _Heard.is_listening:
        return
    _Heard.is_listening = True
    for number in ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    numbers, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    with suppress(RuntimeError):  # no thread can be started: signals are heard between the steps of Python alone
        threading.Thread(target=_watch, args=(numbers,), name="signals", daemon=True).start()
    sys.unraisablehook = but_interrupts(sys.unraisablehook)


def begin() -> None:
    """From now on the first signal is a KeyboardInterrupt: there is something to clean up."""
    _Heard.is_working = True
    _Heard.finished = None


def finish(outcome: str) -> None:
    """From now on an end from outside is said to have left the run as ``outcome`` says."""
    _Heard.finished = outcome


def leave() -> None:
    """From now on nothing is raised: the process is about to end by itself."""
    _Heard.is_leaving = True


def is_heard() -> bool:
    """Whether a signal came after the work began."""
    return _Heard.interrupt is not None


def number_heard() -> int:
    """The signal that ended the command. To be asked for: libraries make another exception of what was raised."""
    return _Heard.number


def take_last_word() -> None:
    """Come back if the caller is to say how the process ended by a signal; else it is being ended already."""
    if _Heard.is_listening and not _Heard.last_word.acquire(blocking=False):
        time.sleep(PATIENCE)


def ended(how: str, arguments: list[str]) -> str:
    """An end from outside, in words."""
    return f"{how}; {_Heard.finished or UNFINISHED}" if arguments[:1] == ["run"] else how


def _on_signal(number: int, _frame: Any) -> None:
    """Called in the main thread, if that is in Python."""
    if _Heard.is_leaving or _Heard.interrupt is not None:
        return  # the other thread sees to it
    if not _Heard.is_working:
        _end(number, ENDINGS[signal.Signals(number)])
    _Heard.interrupt, _Heard.number = KeyboardInterrupt(), number
    raise _Heard.interrupt


def _watch(numbers: int) -> None:
    """Read signals and end the process if the main thread does not. Imports nothing: that may be what hangs."""
    first = _next_of(numbers)
    second = _next_of(numbers) if select.select([numbers], [], [], PATIENCE)[0] else first
    _end(second, f"{ENDINGS[signal.Signals(second)]} {AT_ONCE}")


def _next_of(numbers: int) -> int:
    while True:
        number = os.read(numbers, 1)[0]
        if number in ENDINGS:
            return number


def _end(number: int, how: str) -> NoReturn:
    """End the process with a line."""
    if _Heard.last_word.acquire(blocking=False):
        _write_line(ended(how, _Heard.arguments), EXIT_SIGNAL + number)
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


def but_interrupts(tell: Callable[[Any], Any]) -> Callable[[Any], None]:
    """No word is lost on an interrupt that was lost."""

    def tell_others(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            tell(lost)

    return tell_others


class Heedful:
    """Passes progress on, and raises an interrupt again that was lost."""

    def __init__(self, listener: Progress) -> None:
        self._listener = listener

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """Heed an interrupt, else pass on."""
        self._heed()
        self._listener.phase(name, total, unit)

    def advance(self, steps: int = 1) -> None:
        """Heed an interrupt, else pass on."""
        self._heed()
        self._listener.advance(steps)

    def note(self, text: str) -> None:
        """Pass on."""
        self._listener.note(text)

    def _heed(self) -> None:
        if _Heard.interrupt is not None:
            raise _Heard.interrupt
