"""Announcement of the compiler, without loading it."""

from collections.abc import Callable


class _Announcement:
    """A function to call, once, when a kernel must be compiled."""

    call: Callable[[], None] | None = None

    def make(self) -> None:
        if self.call is not None:
            call, self.call = self.call, None
            call()


ANNOUNCEMENT = _Announcement()


def when_compiling(announce: Callable[[], None]) -> None:
    """Call ``announce``, once, when a kernel must be compiled."""
    ANNOUNCEMENT.call = announce
