"""Requests to stores: each is answered within a time limit, or is an error; and can be interrupted.

What asks a store for something may wait in a library for minutes, or for ever, and cannot be interrupted there. So a
thread of its own asks, and who waits for the answer waits no longer than the limit. Retries are the libraries' own:
those of pyarrow's file systems, with tenacity for those of fsspec.
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

TIME_LIMIT: float = 120
"""Seconds that a store has for an answer, retries included, unless it is said."""

ATTEMPTS, FIRST_WAIT, LONGEST_WAIT = 4, 1, 30
"""How often what fsspec opens is asked, and how many seconds lie between, at first and at most."""

FINAL = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    ImportError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    TypeError,
    ValueError,
)
"""Errors that another attempt would not help against."""


class _Limit:
    seconds = TIME_LIMIT


def set_time_limit(seconds: float) -> None:
    """Give stores so many seconds for an answer from now on. Raises ParameterError."""
    check_time_limit(seconds)
    _Limit.seconds = seconds


def check_time_limit(seconds: float) -> None:
    """Raise ParameterError if stores cannot be given so many seconds."""
    if not (math.isfinite(seconds) and seconds > 0):
        raise ParameterError(f"store_timeout is {seconds} but must be a positive number of seconds")


def time_limit() -> float:
    """Seconds that stores have for an answer."""
    return _Limit.seconds


class Requests:
    """Requests to one store."""

    def __init__(self, seconds: float, *, retries: bool) -> None:
        """``retries``: whether what may be asked twice is, since the library does not do it itself."""
        self.seconds = seconds
        self.retries = retries
        self._given_up: list[threading.Thread] = []

    @property
    def is_stuck(self) -> bool:
        """Whether a request was given up that is still going on: it is not worth while to ask for more."""
        return any(thread.is_alive() for thread in self._given_up)

    def ask(self, work: Callable[[], T], *, times: int = 1, again: bool = False) -> T:
        """The result of ``work``, done in a thread of its own. Raises TimeoutError if there is none in time.

        ``times``: how often the limit is allowed for. ``again``: whether it may be tried again if it fails.
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
    """What returns the result of ``work``, or raises its error, whenever it is called."""
    try:
        result = work()
    except BaseException as error:
        return partial(_fail, error)
    return lambda: result


def _fail(error: BaseException) -> NoReturn:
    raise error


def _with_retries(work: Callable[[], T], seconds: float) -> T:
    """The result of ``work``, which is tried again after a while if it fails; at once what it is without tenacity."""
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
    """A file system of pyarrow, each request to which is answered in time."""

    def __init__(self, filesystem: Any, requests: Requests) -> None:
        """``filesystem`` is a pyarrow.fs.FileSystem."""
        self._filesystem = filesystem
        self._requests = requests

    @property
    def type_name(self) -> str:
        """The kind of store."""
        name: str = self._filesystem.type_name
        return name

    @property
    def is_stuck(self) -> bool:
        """Whether a request was given up that is still going on."""
        return self._requests.is_stuck

    def get_file_info(self, selection: Any) -> Any:
        """What is known of a path, or of all that a selector selects."""
        return self._requests.ask(lambda: self._filesystem.get_file_info(selection), again=True)

    def create_dir(self, path: str, *, recursive: bool = True) -> None:
        """Create a folder."""
        self._requests.ask(lambda: self._filesystem.create_dir(path, recursive=recursive), again=True)

    def delete_file(self, path: str) -> None:
        """Delete a file."""
        self._requests.ask(lambda: self._filesystem.delete_file(path))

    def delete_dir(self, path: str) -> None:
        """Delete a folder and all that is in it."""
        self._requests.ask(lambda: self._filesystem.delete_dir(path))

    def copy_file(self, path: str, target: str) -> None:
        """Copy a file inside the store."""
        self._requests.ask(lambda: self._filesystem.copy_file(path, target), again=True)

    def move(self, path: str, target: str) -> None:
        """Move a file inside the store, in place of what is there."""
        self._requests.ask(lambda: self._filesystem.move(path, target))

    def open_input_stream(self, path: str) -> "InputStream":
        """A file to read."""
        # What is to be read again after a failure is read from where it was.
        opened = self._filesystem.open_input_file if self._requests.retries else self._filesystem.open_input_stream
        return InputStream(self._requests.ask(lambda: opened(path), again=True), self._requests)

    def open_output_stream(self, path: str) -> "OutputStream":
        """A file to write."""
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
        """Close the file, and see that what was written is there; but not while a request is still going on."""
        if not self._requests.is_stuck:
            self._requests.ask(self._stream.close, times=self._times)


class InputStream(_Stream):
    """A file that is read."""

    def read(self, n_bytes: int) -> bytes:
        """The next bytes, no more than so many; none at the end."""
        if self._requests.retries:
            place = self._place
            content = self._requests.ask(lambda: bytes(self._stream.read_at(n_bytes, place)), again=True)
            self._place += len(content)
            return content
        return self._requests.ask(lambda: bytes(self._stream.read(n_bytes)))

    def __enter__(self) -> "InputStream":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # all that was wanted is read, or something else went wrong
            self.close()


class OutputStream(_Stream):
    """A file that is written."""

    def write(self, content: bytes) -> None:
        """Write more. It may be on its way for long after, but not after the file is closed."""
        self._times += 1
        self._requests.ask(lambda: self._stream.write(content))

    def __enter__(self) -> "OutputStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
