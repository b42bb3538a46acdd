"""Prefetching: items are made on a thread of their own while the ones before are used."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 0.1  # seconds after which a thread that waits for room checks whether to stop


class _End:
    """Marks the end of the items."""


@contextmanager
def prefetched(items: Iterator[T], room: int) -> Iterator[Iterator[T]]:
    """The items, made up to ``room`` ahead. An error while one is made is raised where it is taken."""
    queue: Queue[T | _End | BaseException] = Queue(room)
    stop = Event()

    def put(item: T | _End | BaseException) -> None:
        while not stop.is_set():
            with suppress(Full):
                queue.put(item, timeout=PATIENCE)
                return

    def make() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(_End())
        except BaseException as error:
            put(error)

    def taken() -> Iterator[T]:
        while not isinstance(item := queue.get(), _End):
            if isinstance(item, BaseException):
                raise item
            yield item

    maker = Thread(target=make, name="ahead")
    maker.start()
    try:
        yield taken()
    finally:
        stop.set()
        try:
            while True:
                queue.get_nowait()
        except Empty:
            maker.join()
