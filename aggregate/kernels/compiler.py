"""Announcement of the compiler, without loading it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Announcement:
    """A function to call, once, when a kernel must be compiled."""

    call: Callable[[], None] | None = None

    def make(self) -> None:
        if self.call is not None:
            call, self.call = self.call, _nothing
            call()


ANNOUNCEMENT = _Announcement()


@contextmanager
def when_compiling(announce: Callable[[], None]) -> Iterator[None]:
    """Call ``announce``, once, when a kernel must be compiled meanwhile, unless something is to be called already."""
    if ANNOUNCEMENT.call is not None:
        yield
        return
    ANNOUNCEMENT.call = announce
    try:
        yield
    finally:
        ANNOUNCEMENT.call = None


def _nothing() -> None:
    """It was announced."""
