"""What a run notes of itself while it works: seconds of each phase, and warnings."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import AggregateWarning
from .progress import Progress


class PhaseTimer:
    """Passes progress on, and notes the seconds each phase took."""

    def __init__(self, listener: Progress) -> None:
        self.listener = listener
        self.seconds: dict[str, float] = {}
        self._phase: str | None = None
        self._since = 0.0

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """End the phase before and begin another."""
        self.end()
        self._phase, self._since = name, time.perf_counter()
        self.listener.phase(name, total, unit)

    def advance(self, steps: int = 1) -> None:
        """Pass on."""
        self.listener.advance(steps)

    def note(self, text: str) -> None:
        """Pass on."""
        self.listener.note(text)

    def end(self) -> None:
        """End the current phase."""
        if self._phase is not None:
            spent = time.perf_counter() - self._since
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + spent
            self._phase = None


@contextmanager
def recorded_warnings() -> Iterator[list[str]]:
    """The messages of the engine's warnings, each of which is shown, whatever was warned of before."""
    messages: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", AggregateWarning)
        show = warnings.showwarning

        def note_and_show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, AggregateWarning):
                messages.append(str(message))
            show(message, category, *place, **more)

        warnings.showwarning = note_and_show
        yield messages
