"""Runs kernels on several threads, which is possible because they do not hold the interpreter lock."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

SMALL_WORK = 20_000  # number of items below which threads are not worthwhile
BLOCKS_PER_THREAD = 4  # blocks per thread: several, so that one block of large groups does not delay the others


def available_cores() -> int:
    """Cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


class _Threads:
    """The number of threads that kernels run on, and their pool."""

    def __init__(self) -> None:
        self.count = available_cores()
        self.pool: ThreadPoolExecutor | None = None

    def set(self, count: int) -> None:
        if count != self.count and self.pool is not None:
            self.pool.shutdown()
            self.pool = None
        self.count = count

    def get_pool(self) -> ThreadPoolExecutor:
        if self.pool is None:
            self.pool = ThreadPoolExecutor(self.count, thread_name_prefix="kernel")
        return self.pool


_THREADS = _Threads()


def set_threads(count: int) -> None:
    """Run kernels on ``count`` threads from now on; results do not depend on it."""
    _THREADS.set(count)


def in_blocks(blocked: Callable[..., None], n_items: int, *arguments: object) -> None:
    """Call ``blocked(first, last, *arguments)`` for blocks that together cover ``range(n_items)``."""
    if n_items < SMALL_WORK or _THREADS.count == 1:
        blocked(0, n_items, *arguments)
        return
    n_blocks = _THREADS.count * BLOCKS_PER_THREAD
    edges = [n_items * block // n_blocks for block in range(n_blocks + 1)]
    pool = _THREADS.get_pool()
    blocks = [pool.submit(blocked, a, b, *arguments) for a, b in pairwise(edges)]
    for block in blocks:
        block.result()


MOST_PARTS = 8  # maximum number of parts, as each may have counters of its own, which take memory


def one_part_per_thread(n_items: int) -> list[tuple[int, int]]:
    """Parts (first, last) that together cover ``range(n_items)``; one if there are few items."""
    n_parts = 1 if n_items < SMALL_WORK else min(_THREADS.count, MOST_PARTS)
    return list(pairwise(n_items * part // n_parts for part in range(n_parts + 1)))


def one_by_one(*tasks: Callable[[], Any]) -> list[Any]:
    """Run tasks one after the other; their results in order."""
    return [task() for task in tasks]


def side_by_side(*tasks: Callable[[], Any]) -> list[Any]:
    """Run independent tasks at the same time, if there are threads for it; their results in order.

    A task may do the same with tasks of its own: each call has threads of its own.
    """
    if _THREADS.count == 1 or len(tasks) == 1:
        return one_by_one(*tasks)
    with ThreadPoolExecutor(_THREADS.count) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def kernels_side_by_side(*kernels: Callable[[], Any]) -> list[Any]:
    """The same for tasks that start none of their own: on the threads of ``in_blocks``, which costs little."""
    if _THREADS.count == 1 or len(kernels) == 1:
        return one_by_one(*kernels)
    pool = _THREADS.get_pool()
    return [future.result() for future in [pool.submit(each) for each in kernels]]
