"""Requests to stores with a time limit, which can be interrupted.

A request may block in a library for minutes, or for ever, and cannot be interrupted there. So it is made in a thread of
its own, and the caller waits no longer than the limit. Retries are those of pyarrow's file systems; requests through
fsspec are retried with tenacity.
"""

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, NoReturn, TypeVar

from ..errors import ParameterError

T = TypeVar("T")

TIME_LIMIT: float = 120  # default number of seconds that a store has for an answer, retries included

ATTEMPTS, FIRST_WAIT, LONGEST_WAIT = 4, 1, 30
"""Attempts of a request through fsspec, and the seconds between them, at first and at most."""

FINAL = (
    *(FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError),
    *(ImportError, AttributeError, LookupError, MemoryError, NotImplementedError, TypeError, ValueError),
)
"""Errors after which another attempt is useless."""


class _Limit:
    seconds = TIME_LIMIT


def set_time_limit(seconds: float) -> None:
    """Set the seconds that stores have for an answer from now on. Raises ParameterError."""
    check_time_limit(seconds)
    _Limit.seconds = seconds


def check_time_limit(seconds: float) -> None:
    """Raise ParameterError if ``seconds`` is no valid time limit."""
    if not (math.isfinite(seconds) and seconds > 0):
        raise ParameterError(f"store_timeout is {seconds} but must be a positive number of seconds")


def time_limit() -> float:
    """The current time limit: seconds that stores have for an answer."""
    return _Limit.seconds


class Requests:
    """Requests to one store."""

    def __init__(self, seconds: float, *, retries: bool) -> None:
        """``retries``: whether to retry requests here, since the library does not do so itself."""
        self.seconds = seconds
        self.retries = retries
        self._given_up: list[threading.Thread] = []

    @property
    def is_stuck(self) -> bool:
        """Whether a request timed out and is still running: further requests are pointless."""
        return any(thread.is_alive() for thread in self._given_up)

    def ask(self, work: Callable[[], T], *, times: int = 1, again: bool = False) -> T:
        """The result of ``work``, called in a thread of its own. Raises TimeoutError if there is none in time.

        ``times``: factor on the time limit. ``again``: whether ``work`` may be retried if it fails.
        """
        answers: SimpleQueue[Callable[[], T]] = SimpleQueue()
        if again and self.retries:
            work = partial(_with_retries, work, self.seconds)
        thread = threading.Thread(target=lambda: answers.put(_outcome(work)), name="store", daemon=True)
        thread.start()
        try:
            outcome = answers.get(timeout=min(times * self.seconds, threading.TIMEOUT_MAX))
        except Empty:
            self._given_up.append(thread)
            raise TimeoutError(f"no answer within {times * self.seconds:g} s, see --store-timeout") from None
        except BaseException:
            self._given_up.append(thread)
            raise
        return outcome()


def _outcome(work: Callable[[], T]) -> Callable[[], T]:
    """Call ``work`` now; the function returned gives its result, or raises its error, when called."""
    try:
        result = work()
    except BaseException as error:
        return partial(_fail, error)
    return lambda: result


def _fail(error: BaseException) -> NoReturn:
    raise error


def _with_retries(work: Callable[[], T], seconds: float) -> T:
    """The result of ``work``, retried with increasing waits if it fails; without tenacity it is called once."""
    try:
        from tenacity import Retrying, retry_if_not_exception_type, stop_after_attempt, stop_after_delay
        from tenacity.wait import wait_random_exponential
    except ImportError:
        return work()
    retrying = Retrying(
        retry=retry_if_not_exception_type(FINAL),
        wait=wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
        stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(seconds),
        reraise=True,
    )
    result: T = retrying(work)
    return result


class Store:
    """A file system of pyarrow whose requests have a time limit."""

    def __init__(self, filesystem: Any, requests: Requests) -> None:
        """``filesystem`` is a pyarrow.fs.FileSystem."""
        self._filesystem = filesystem
        self._requests = requests

    @property
    def type_name(self) -> str:
        """The type name of the file system, such as "s3"."""
        name: str = self._filesystem.type_name
        return name

    @property
    def is_stuck(self) -> bool:
        """Whether a request timed out and is still running."""
        return self._requests.is_stuck

    def get_file_info(self, selection: Any) -> Any:
        """The FileInfo of a path, or those of all files that a selector selects."""
        return self._requests.ask(lambda: self._filesystem.get_file_info(selection), again=True)

    def create_dir(self, path: str, *, recursive: bool = True) -> None:
        """Create a folder."""
        self._requests.ask(lambda: self._filesystem.create_dir(path, recursive=recursive), again=True)

    def delete_file(self, path: str) -> None:
        """Delete a file."""
        self._requests.ask(lambda: self._filesystem.delete_file(path))

    def delete_dir(self, path: str) -> None:
        """Delete a folder with its content."""
        self._requests.ask(lambda: self._filesystem.delete_dir(path))

    def copy_file(self, path: str, target: str) -> None:
        """Copy a file inside the store."""
        self._requests.ask(lambda: self._filesystem.copy_file(path, target), again=True)

    def move(self, path: str, target: str) -> None:
        """Move a file inside the store, replacing the target."""
        self._requests.ask(lambda: self._filesystem.move(path, target))

    def open_input_stream(self, path: str) -> "InputStream":
        """Open a file to read."""
        # A read that is retried after a failure starts at the same position.
        opened = self._filesystem.open_input_file if self._requests.retries else self._filesystem.open_input_stream
        return InputStream(self._requests.ask(lambda: opened(path), again=True), self._requests)

    def open_output_stream(self, path: str) -> "OutputStream":
        """Open a file to write."""
        return OutputStream(self._requests.ask(lambda: self._filesystem.open_output_stream(path)), self._requests)


class _Stream:
    """An open file of a store."""

    def __init__(self, stream: Any, requests: Requests) -> None:
        """``stream`` is a pyarrow.NativeFile."""
        self._stream = stream
        self._requests = requests
        self._times = 1
        self._place = 0

    def close(self) -> None:
        """Close the file, which completes what was written; does nothing while a request is still running."""
        if not self._requests.is_stuck:
            self._requests.ask(self._stream.close, times=self._times)


class InputStream(_Stream):
    """A file opened to read."""

    def read(self, n_bytes: int) -> bytes:
        """The next bytes, at most ``n_bytes``; empty at the end."""
        if self._requests.retries:
            place = self._place
            content = self._requests.ask(lambda: bytes(self._stream.read_at(n_bytes, place)), again=True)
            self._place += len(content)
            return content
        return self._requests.ask(lambda: bytes(self._stream.read(n_bytes)))

    def __enter__(self) -> "InputStream":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # everything is read, or another error is under way
            self.close()


class OutputStream(_Stream):
    """A file opened to write."""

    def write(self, content: bytes) -> None:
        """Write more bytes; they are in the store when the file is closed, not necessarily before."""
        self._times += 1
        self._requests.ask(lambda: self._stream.write(content))

    def __enter__(self) -> "OutputStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
