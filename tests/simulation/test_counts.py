import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate.simulation.counts import heavy_tailed, largest_remainder, split_total


@given(st.integers(1, 300), st.integers(1, 3), st.integers(0, 100), st.floats(0, 1))
def test_heavy_tailed_counts_add_up_and_keep_their_bounds(n, lowest, width, fullness):
    total = n * lowest + int(fullness * n * width)
    counts = heavy_tailed(n, total, lowest, lowest + width)
    assert len(counts) == n
    assert counts.sum() == total
    assert counts.min() >= lowest
    assert counts.max() <= lowest + width
    assert (np.diff(counts) >= 0).all()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), st.floats(0, 1))
def test_shares_of_a_total_add_up_and_fit_their_sizes(sizes, fullness):
    sizes = np.array(sizes)
    total = int(fullness * sizes.sum())
    shares = split_total(total, sizes)
    assert shares.sum() == total
    assert (shares >= 0).all()
    assert (shares <= sizes).all()


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30), st.integers(0, 1000))
def test_largest_remainder_gives_everybody_one_and_adds_up(weights, beyond):
    counts = largest_remainder(len(weights) + beyond, np.array(weights))
    assert counts.sum() == len(weights) + beyond
    assert counts.min() >= 1


def test_votes_of_users_are_heavy_tailed():
    """The most active hundredth casts over half of the votes, and nobody stands out alone."""
    counts = heavy_tailed(31_000, 850_000, 2, 10_000)
    assert counts[-310:].sum() > 0.5 * counts.sum()
    assert counts[-1] < 2 * counts[-2]
