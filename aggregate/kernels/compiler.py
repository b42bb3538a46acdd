"""Loading and announcement of the compiler, without importing it at the top."""

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


def load_compiler() -> None:
    """Load what the first kernel needs: half a second, in which threads without the interpreter lock go on.

    Call it on the main thread: an interrupt while another thread loads modules can hang the process.
    """
    from .jit import nothing

    nothing()
