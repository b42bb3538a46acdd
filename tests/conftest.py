"""Settings for all tests."""

import importlib
import os
import pkgutil

import pytest
from hypothesis import HealthCheck, settings

import plant_aggregate
import plant_aggregate.cli
from plant_aggregate.kernels.threads import set_threads

# A first call may compile a kernel, and the machine may be busy: no example has a deadline, and none is too slow.
UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("project", derandomize=True, **UNTIMED)
settings.register_profile("campaign", database=None, print_blob=True, **UNTIMED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))


def load_all_modules() -> None:
    """Import every module of ours.

    Hypothesis draws from the constants in the source of those that are loaded: which these are must not depend on the
    tests that ran before in the same process.
    """
    for package in (plant_aggregate, plant_aggregate.cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


load_all_modules()


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """Small logs are worth no threads, and tests run side by side already; what is about threads sets their number."""
    set_threads(1)
