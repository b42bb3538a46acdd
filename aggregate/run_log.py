"""Records the seconds of a run's phases, and its warnings, for run.json."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import AggregateWarning
from .progress import Progress


class PhaseTimer:
    """A progress listener that measures the seconds of each phase, and passes all calls on."""

    def __init__(self, listener: Progress) -> None:
        self.listener = listener
        self.seconds: dict[str, float] = {}
        self._phase: str | None = None
        self._since = 0.0

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        """End the phase before, and begin another."""
        self.end()
        self._phase, self._since = name, time.perf_counter()
        self.listener.phase(name, total, unit)

    def advance(self, steps: int = 1) -> None:
        """Pass the call on."""
        self.listener.advance(steps)

    def note(self, text: str) -> None:
        """Pass the call on."""
        self.listener.note(text)

    def end(self) -> None:
        """End the current phase."""
        if self._phase is not None:
            spent = time.perf_counter() - self._since
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + spent
            self._phase = None


@contextmanager
def recorded_warnings() -> Iterator[list[str]]:
    """Record the messages of AggregateWarnings in a list; each is also shown, even if it was shown before."""
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
