"""Keys in order, on any number of threads, against sorted()."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.kernels import threads
from plant_aggregate.kernels.ordering import codes_of, order_of_keys, starts_of

KEYS = st.lists(st.one_of(st.integers(0, 5), st.integers(2**30, 2**30 + 9), st.integers(0, 2**64 - 1)), max_size=300)


def assert_ordered(keys: list[int]) -> None:
    array = np.array(keys, np.uint64)
    found, order = order_of_keys(array)
    expected = sorted(range(len(keys)), key=lambda row: (keys[row], row))
    assert array.tolist() == keys
    assert order.tolist() == expected
    assert found.tolist() == [keys[row] for row in expected]
    starts = starts_of(found)
    assert starts.tolist() == [place == 0 or found[place] != found[place - 1] for place in range(len(keys))]
    code = {key: place for place, key in enumerate(sorted(set(keys)))}
    assert codes_of(order, starts).tolist() == [code[key] for key in keys]


@given(KEYS)
def test_equal_keys_keep_the_order_of_rows(keys: list[int]) -> None:
    assert_ordered(keys)


@pytest.fixture(params=[1, 2, 4])
def n_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Every number of threads, and no work too small for them."""
    before = threads._THREADS.count
    monkeypatch.setattr(threads, "SMALL_WORK", 0)
    threads.set_threads(request.param)
    yield request.param
    threads.set_threads(before)


@pytest.mark.parametrize(
    "highest", [1, 300, 2**12, 2**40, 2**64 - 1], ids=["alike", "few", "a-bucket-each", "wide", "all-bits"]
)
@pytest.mark.usefixtures("n_threads")
def test_many_keys_are_ordered_on_any_number_of_threads(highest: int) -> None:
    chance = random.Random(highest)
    assert_ordered([chance.randint(0, highest) for _ in range(5000)])


@pytest.mark.usefixtures("n_threads")
def test_keys_of_one_bucket_are_ordered() -> None:
    """All but one key share their high bits: one bucket holds them all."""
    chance = random.Random(7)
    assert_ordered([2**63] + [chance.randint(0, 2**30) for _ in range(3000)])
