"""Blocks and parts cover the work, whatever the number of threads."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from plant_aggregate.kernels import threads


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("n_items", [0, 1, 7, threads.SMALL_WORK, 3 * threads.SMALL_WORK + 1])
def test_blocks_and_parts_cover_everything_once(count: int, n_items: int) -> None:
    threads.set_threads(count)
    try:
        times = np.zeros(n_items, np.int64)

        def visit(first: int, last: int) -> None:
            times[first:last] += 1

        threads.in_blocks(visit, n_items)
        for first, last in threads.one_part_per_thread(n_items):
            visit(first, last)
        assert (times == 2).all()
    finally:
        threads.set_threads(threads.available_cores())


def test_an_error_in_a_block_is_raised() -> None:
    def fail(first: int, last: int) -> None:
        raise ValueError(f"block from {first}")

    with pytest.raises(ValueError, match="block from 0"):
        threads.in_blocks(fail, 3 * threads.SMALL_WORK)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("run", [threads.side_by_side, threads.kernels_side_by_side])
def test_results_come_in_the_order_of_the_tasks(count: int, run: Callable[..., list[int]]) -> None:
    threads.set_threads(count)
    try:
        for n_tasks in (0, 1, 7):
            assert run(*(partial(int, number) for number in range(n_tasks))) == list(range(n_tasks))
    finally:
        threads.set_threads(threads.available_cores())
