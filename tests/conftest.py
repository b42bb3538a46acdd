"""Settings for all tests."""

from hypothesis import HealthCheck, settings

# A first call may compile a kernel: no example has a deadline.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
