"""How kernels are compiled and cached on disk."""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import event

from ..errors import AggregateWarning
from .compiler import ANNOUNCEMENT

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile ``function`` on first call, without the interpreter lock, and keep the machine code on disk."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder that it may write to
        _warn_uncached("no writable folder")
        return cast(F, numba.njit(**options)(function))
    _forgive_failed_saves(dispatcher)
    return cast(F, dispatcher)


def _warn_uncached(why: str) -> None:
    warnings.warn(
        f"compiled kernels cannot be kept on disk ({why}): every run compiles them again; "
        "set NUMBA_CACHE_DIR to a writable folder",
        AggregateWarning,
        stacklevel=3,
    )


def _forgive_failed_saves(dispatcher: Any) -> None:
    """A cache that cannot be written (full disk, folder removed) costs time next run, not this result."""
    cache = dispatcher._cache
    save = cache.save_overload

    def save_or_warn(signature: Any, data: Any) -> None:
        try:
            save(signature, data)
        except OSError as error:
            cache.disable()
            _warn_uncached(str(error))

    cache.save_overload = save_or_warn


class _CompileListener(event.Listener):  # type: ignore[misc]
    """Has it announced that a kernel has to be compiled; one that is loaded from the cache is no news."""

    def on_start(self, event: Any) -> None:
        """A compilation begins."""
        ANNOUNCEMENT.make()

    def on_end(self, event: Any) -> None:
        """A compilation ends."""


event.register("numba:compile", _CompileListener())


@kernel
def nothing() -> None:
    """Do nothing: the first kernel to run has the compiler load the rest of itself."""
