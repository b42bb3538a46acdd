"""Interrupts that are heard: from the keyboard, and from who ends the job (SIGTERM) or the session (SIGHUP).

One that falls into a callback of the compiler is lost otherwise: Python can raise nothing there.
"""

import signal
import sys
from typing import Any, NoReturn

from aggregate.progress import Progress


class _Heard:
    interrupt: KeyboardInterrupt | None = None
    number: int = signal.SIGINT


def listen() -> None:
    """From now on an interrupt is remembered, besides being raised; and no word is lost on one that is lost."""
    signal.signal(signal.SIGINT, _on_signal)
    signal.signal(signal.SIGTERM, _on_signal)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, _on_signal)
    tell = sys.unraisablehook

    def tell_others(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            tell(lost)

    sys.unraisablehook = tell_others


def _on_signal(number: int, _frame: Any) -> NoReturn:
    _Heard.interrupt, _Heard.number = KeyboardInterrupt(), number
    raise _Heard.interrupt


def number_heard() -> int:
    """The signal that ended the command. To be asked for: libraries make another exception of what was raised."""
    return _Heard.number


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
