"""Settings for all tests."""

import pytest
from hypothesis import HealthCheck, settings

from aggregate.kernels.threads import set_threads

# A first call may compile a kernel: no example has a deadline.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """Small logs are worth no threads, and tests run side by side already; what is about threads sets their number."""
    set_threads(1)
