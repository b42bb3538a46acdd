"""Times of uploads and reviews: more each year, in spring, at weekends, by day."""

from datetime import date, timedelta
from functools import cache

import numpy as np

from ..arrays import Indices

FIRST_DAY, LAST_DAY = date(2017, 1, 1), date(2023, 10, 31)  # the period of the published data [L25]

BY_YEAR = {2017: 2, 2018: 3, 2019: 5, 2020: 10, 2021: 12, 2022: 13, 2023: 15}
BY_MONTH = (2, 3, 6, 11, 16, 15, 12, 10, 8, 6, 3, 2)
BY_WEEKDAY = (4, 4, 4, 4, 4, 6, 7)
BY_HOUR = (1, 1, 0, 0, 1, 2, 4, 7, 10, 12, 13, 12, 11, 12, 14, 15, 14, 12, 10, 8, 6, 4, 3, 2)
"""Relative numbers of uploads (UTC); assumed."""

HOUR = 3_600_000  # an hour in milliseconds

SHORTEST_DELAY = 60_000
DELAY_DOUBLINGS = 18
"""Reviews come after a minute to half a year: SHORTEST_DELAY milliseconds doubled 0 to 18 times; assumed."""


@cache
def _hours() -> Indices:
    """Cumulative weights of the hours of the period, int64[hours + 1]."""
    days = [FIRST_DAY + timedelta(day) for day in range((LAST_DAY - FIRST_DAY).days + 1)]
    weights = [BY_YEAR[day.year] * BY_MONTH[day.month - 1] * BY_WEEKDAY[day.weekday()] for day in days]
    return np.concatenate([[0], np.cumsum(np.outer(weights, BY_HOUR).ravel())])


def period() -> tuple[int, int]:
    """First and last moment, in milliseconds since 1970 UTC."""
    start = (FIRST_DAY - date(1970, 1, 1)).days * 24 * HOUR
    return start, start + (len(_hours()) - 1) * HOUR - 1


def upload_times(first: int, n: int, n_observations: int, rng: np.random.Generator) -> Indices:
    """Upload times of the observations ``first`` to ``first + n`` of ``n_observations``: int64[n], ascending.

    In milliseconds since 1970 UTC.
    """
    hours = _hours()
    bounds = hours * n_observations // hours[-1]
    numbers = np.arange(first, first + n)
    hour = np.searchsorted(bounds, numbers, side="right") - 1
    begun = bounds[hour]
    within: Indices = ((numbers - begun) * HOUR + rng.integers(0, HOUR, n)) // (bounds[hour + 1] - begun)
    times: Indices = period()[0] + hour * HOUR + within
    return times


def review_times(uploaded: Indices, rng: np.random.Generator) -> Indices:
    """Times of reviews of observations ``uploaded`` int64[n], in milliseconds: later, within the period; int64[n]."""
    _, end = period()
    shortest = SHORTEST_DELAY << rng.integers(0, DELAY_DOUBLINGS, len(uploaded))
    chance = rng.integers(0, 2**20, len(uploaded))
    voted = uploaded + shortest + (shortest * chance >> 20)
    return np.where(voted <= end, voted, uploaded + ((end - uploaded) * chance >> 20))
