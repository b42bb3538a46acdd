import numpy as np
import pytest

from plant_aggregate.simulation.timing import period, review_times, upload_times


@pytest.mark.parametrize("n_observations", [1, 3, 1000, 300_000])
def test_uploads_ascend_within_the_period(n_observations):
    times = upload_times(0, n_observations, n_observations, np.random.default_rng(1))
    start, end = period()
    assert (np.diff(times) >= 0).all()
    assert start <= times[0] <= times[-1] <= end


def test_blocks_of_uploads_follow_each_other():
    rng = np.random.default_rng(1)
    blocks = [upload_times(first, 500, 100_000, rng) for first in range(0, 100_000, 500)]
    assert (np.diff(np.concatenate(blocks)) >= 0).all()


def test_more_is_uploaded_in_spring_and_by_day():
    times = upload_times(0, 50_000, 50_000, np.random.default_rng(1)).astype("datetime64[ms]")
    months = np.bincount(times.astype("datetime64[M]").astype(int) % 12)
    hours = np.bincount(times.astype("datetime64[h]").astype(int) % 24)
    assert months[4] > 4 * months[0]
    assert hours[15] > 10 * hours[3]


def test_reviews_come_after_the_upload_and_within_the_period():
    uploaded = np.concatenate([np.full(5000, period()[0]), np.full(5000, period()[1] - 1000)])
    voted = review_times(uploaded, np.random.default_rng(1))
    assert (voted >= uploaded).all()
    assert voted.max() <= period()[1]
    assert (voted[:5000] - uploaded[:5000]).max() < 183 * 86_400_000
