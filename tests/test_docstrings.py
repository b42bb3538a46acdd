"""The examples in docstrings print what they say."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import plant_aggregate

MODULES = [module.name for module in pkgutil.walk_packages(plant_aggregate.__path__, "plant_aggregate.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.failed == 0
