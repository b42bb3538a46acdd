"""Compiles kernels with numba, and caches them on disk. The only module that loads numba."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from typing import Any, TypeVar, cast

from ..errors import ParameterError, reason_of, warn
from .cache import KernelCache, UntrustedError, user_cache
from .compiler import ANNOUNCEMENT

try:
    import numba
    import numpy as np
    from numba.core import cgutils, event
    from numba.extending import intrinsic, typeof_impl
except (ImportError, OSError, MemoryError):
    raise
except Exception as error:  # from the environment variables that numba reads
    settings = ", ".join(sorted(name for name in os.environ if name.startswith("NUMBA_"))) or "NUMBA_..."
    raise ParameterError(
        f"the compiler numba refuses its settings ({reason_of(error)})", remedy=f"see the environment: {settings}"
    ) from error

__all__ = ["cgutils", "intrinsic", "kernel", "numba"]

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = {"nogil": True, "error_model": "numpy"}


def kernel(function: F) -> F:
    """Compile ``function`` on first call, to run without the interpreter lock, and cache the machine code on disk.

    The cache is in the user's cache folder, or in NUMBA_CACHE_DIR. Numba's default is the folder of the installed
    files, where the cache would outlive them and hide a later editable installation. A cache that cannot be used is a
    warning.
    """
    return cast(F, Kernel(function))


class Kernel:
    """A function that is compiled when it is called. Kernels may call each other."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        update_wrapper(self, function)
        self._dispatcher: Any = None
        self._uncached: Any = None

    def __call__(self, *arguments: Any) -> Any:
        """Call the compiled function."""
        dispatcher = self._dispatcher or self._made()
        try:
            return dispatcher(*arguments)
        except Exception as error:
            if not self._is_ready_now(dispatcher, error, arguments):
                raise
        return self._dispatcher(*arguments)

    @property
    def uncached(self) -> Any:
        """The function compiled without a cache, for use in other kernels, or if there is no cache."""
        if self._uncached is None:
            _check_settings()
            self._uncached = numba.njit(**OPTIONS)(self.function)
        return self._uncached

    def _made(self) -> Any:
        with STORE.lock:
            if self._dispatcher is None:
                self._dispatcher = STORE.cached(self.function) or self.uncached
        return self._dispatcher

    def _is_ready_now(self, dispatcher: Any, error: Exception, arguments: tuple[Any, ...]) -> bool:
        """Whether to repeat a failed call: it failed because no compiled function was loaded, and now there is one."""
        signature = tuple(numba.typeof(argument) for argument in arguments)
        if dispatcher not in STORE.dispatchers or signature in dispatcher.signatures or isinstance(error, MemoryError):
            return False
        try:
            if not isinstance(error, NotCompiledError):
                STORE.clear(error)
            with STORE.saving():
                dispatcher.compile(signature)
        except MemoryError:
            raise
        except Exception as failure:
            if signature not in dispatcher.signatures:  # otherwise it was compiled but not saved
                self.uncached.compile(signature)
                self._dispatcher = self._uncached
            STORE.give_up(reason_of(failure))
        return True


@typeof_impl.register(Kernel)  # type: ignore[untyped-decorator]
def _typeof(other: Kernel, context: Any) -> Any:
    """The type of a kernel that is used in another."""
    return numba.types.Dispatcher(other.uncached)


def _check_settings() -> None:
    if numba.config.DISABLE_JIT:
        raise ParameterError(
            "NUMBA_DISABLE_JIT is set: what takes seconds compiled would take hours", remedy="unset it"
        )


class NotCompiledError(Exception):
    """A kernel is not in the cache; it is compiled and saved outside of the call that needs it."""


class _Store:
    """The cache of this process, opened when the first kernel is called."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.dispatchers: set[Any] = set()  # dispatchers that load from the cache and save in it
        self._is_open = False
        self._cache: KernelCache | None = None
        self._thread = threading.local()
        self._has_warned = False

    @property
    def is_saving(self) -> bool:
        """Whether this thread is in :meth:`saving`."""
        return getattr(self._thread, "is_saving", False)

    def cached(self, function: Callable[..., Any]) -> Any:
        """The dispatcher of a function with a cache; None if no cache can be used."""
        _check_settings()
        if not self._is_open:
            self._is_open = True
            self._open()
        if self._cache is None:
            return None
        try:
            with _caching_in(self._cache.path):
                made = numba.njit(cache=True, **OPTIONS)(function)
        except (RuntimeError, OSError):  # numba found no folder that it may write to
            made = None
        if made is None or os.path.dirname(made.stats.cache_path) != self._cache.path:
            self.give_up("no folder that may be written to")
            return None
        self.dispatchers.add(made)
        return made

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Save what is compiled in the block. Raises OSError."""
        if self._cache is None:
            raise OSError("nothing is saved any more")
        with self.lock, self._cache.saving():
            self._thread.is_saving = True
            try:
                yield
            finally:
                self._thread.is_saving = False

    def clear(self, error: Exception) -> None:
        """Remove all kernels, because one could not be loaded."""
        with self.lock:
            if self._cache is not None:
                self._cache.clear()
                self._warn_once(f"compiled kernels in {self._cache.path} could not be loaded ({reason_of(error)})")

    def give_up(self, why: str) -> None:
        """Use no cache from now on, with one warning per process: the reason applies to all kernels."""
        self._cache = None
        self._warn_once(
            f"compiled kernels cannot be kept on disk ({why}): every run compiles them again; set XDG_CACHE_HOME, or "
            "NUMBA_CACHE_DIR, to a folder of your own that may be written to"
        )

    def _open(self) -> None:
        base = numba.config.CACHE_DIR or user_cache()
        try:
            if not base:
                raise UntrustedError("there is no home folder")
            cache = KernelCache(base, (numba.__version__, np.__version__))
            damaged = cache.damaged() and cache.remove_damaged()
            self._cache = cache
        except (OSError, UntrustedError) as error:
            self.give_up(f"{base}: {reason_of(error)}" if isinstance(error, OSError) else str(error))
            return
        if damaged:
            self._warn_once(
                f"compiled kernels in {cache.path} were not as they had been saved, as after a power cut: "
                "they were removed and are compiled again"
            )

    def _warn_once(self, message: str) -> None:
        if not self._has_warned:
            warn(message)
        self._has_warned = True


STORE = _Store()


@contextmanager
def _caching_in(folder: str) -> Iterator[None]:
    """Functions decorated in the block are cached in ``folder``; other packages' caches are unaffected."""
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, folder
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


class _CompileListener(event.Listener):  # type: ignore[misc]
    """Is called when numba compiles a function, not when it loads one from the cache."""

    def on_start(self, event: Any) -> None:
        """Announce a compilation; raise NotCompiledError if it must first wait for the lock of the cache."""
        if event.data["dispatcher"] in STORE.dispatchers and not STORE.is_saving:
            raise NotCompiledError
        ANNOUNCEMENT.make()

    def on_end(self, event: Any) -> None:
        """A compilation ends."""


event.register("numba:compile", _CompileListener())


@kernel
def load_compiler() -> None:
    """Do nothing: calling the first kernel makes the compiler load the rest of itself, which takes half a second.

    Threads without the interpreter lock go on meanwhile. Call it on the main thread: an interrupt while another thread
    loads modules can hang the process.
    """
