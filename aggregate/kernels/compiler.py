"""The compiler's loading and announcement, for those who must not wait for it: nothing here imports it at the top."""

from collections.abc import Callable


class _Announcement:
    """What to call, once, at the moment a kernel must be compiled."""

    call: Callable[[], None] | None = None

    def make(self) -> None:
        if self.call is not None:
            call, self.call = self.call, None
            call()


ANNOUNCEMENT = _Announcement()


def when_compiling(announce: Callable[[], None]) -> None:
    """Have ``announce`` called, once, at the moment a kernel must be compiled."""
    ANNOUNCEMENT.call = announce


def load_compiler() -> None:
    """Load what the first kernel needs: half a second that something else can use, if it needs no interpreter lock.

    To be called on the main thread: an interrupt that comes while another thread loads modules can hang the process.
    """
    from .jit import nothing

    nothing()
