"""How kernels are compiled and cached on disk."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numba
from numba.core import config, event

from ..errors import AggregateWarning
from .compiler import ANNOUNCEMENT

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile ``function`` on first call, without the interpreter lock, and keep the machine code on disk.

    It is kept in the user's cache folder, or where NUMBA_CACHE_DIR says. Among the installed files, where numba would
    put it, it would outlive them, and the folder that remains hides a later editable installation.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        with _caching_in(config.CACHE_DIR or _user_cache()):
            dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder that it may write to
        _warn_uncached("no writable folder")
        return cast(F, numba.njit(**options)(function))
    _forgive_failed_saves(dispatcher)
    return cast(F, dispatcher)


def _user_cache() -> str:
    """The user's cache folder for this program; empty if it cannot be written to."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(base, "plant-aggregate", "kernels")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return ""
    return folder if os.access(folder, os.W_OK) else ""


@contextmanager
def _caching_in(folder: str) -> Iterator[None]:
    """Functions decorated meanwhile are cached in ``folder``; those of others stay where they were."""
    before, config.CACHE_DIR = config.CACHE_DIR, folder
    try:
        yield
    finally:
        config.CACHE_DIR = before


class _Told:
    uncached = False


def _warn_uncached(why: str) -> None:
    """Say so once in a process: what holds for one kernel holds for all."""
    if _Told.uncached:
        return
    _Told.uncached = True
    warnings.warn(
        f"compiled kernels cannot be kept on disk ({why}): every run compiles them again; "
        "set XDG_CACHE_HOME, or NUMBA_CACHE_DIR, to a folder that may be written to",
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
