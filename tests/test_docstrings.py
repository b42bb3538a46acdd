"""Everything public has a docstring, and the examples in docstrings print what they say."""

import dataclasses
import doctest
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

import plant_aggregate
from plant_aggregate.parameters import declared
from plant_aggregate.simulation import Simulation

MODULES = [module.name for module in pkgutil.walk_packages(plant_aggregate.__path__, "plant_aggregate.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.failed == 0


DTYPE = re.compile(r"\b(u?int(8|16|32|64)|float(32|64)|bool)\b")


def public_objects() -> Iterator[tuple[str, Any]]:
    """Public names, and the methods and properties of public classes that are not inherited from others' packages."""
    for name in plant_aggregate.__all__:
        item = getattr(plant_aggregate, name)
        if name != "__version__":
            yield name, item
        if inspect.isclass(item):
            members = inspect.getmembers_static(item, lambda member: not isinstance(member, type))
            for member_name, member in members:
                function = getattr(member, "fget", getattr(member, "func", getattr(member, "__func__", member)))
                if not member_name.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{member_name}", function


def parameters_of(item: Any) -> dict[str, Any]:
    return item.__annotations__ if inspect.isfunction(item) else {}


PUBLIC = dict(public_objects())


def test_everything_public_has_a_docstring() -> None:
    texts = {name: item.__doc__ or "" for name, item in PUBLIC.items()}
    generated = {name for name, text in texts.items() if text.startswith(f"{name}(")}  # by dataclass, of the fields
    assert {name for name, text in texts.items() if len(text.split()) < 3} | generated == set()


def test_public_functions_say_what_arrays_they_take() -> None:
    takes_arrays = {
        name: item
        for name, item in PUBLIC.items()
        if any("ndarray" in str(kind) for key, kind in parameters_of(item).items() if key != "return")
    }
    assert len(PUBLIC) > 100
    assert {name for name, item in takes_arrays.items() if not DTYPE.search(item.__doc__ or "")} == set()


DECLARING = {name: item for name, item in PUBLIC.items() if dataclasses.is_dataclass(item) and declared(item)}
DECLARING["simulate"] = Simulation


def described_parameters(name: str) -> dict[str, str]:
    """The parameters in the docstring of a public name, each with its text on one line."""
    text = inspect.getdoc(PUBLIC[name]) or ""
    section = text.split("Args:\n")[1].split("\n\n")[0]
    lines = re.sub(r"\n {8}", " ", section).splitlines()
    return {parameter: words for parameter, _, words in (line.strip().partition(": ") for line in lines)}


@pytest.mark.parametrize("name", DECLARING)
def test_the_parameters_of_a_docstring_are_those_declared(name: str) -> None:
    kind, described = DECLARING[name], described_parameters(name)
    assert list(described) == list(declared(kind))
    for item in dataclasses.fields(kind):
        parameter, words = declared(kind)[item.name], described[item.name]
        plain = parameter.help.partition("[default")[0].split("--")[0].split("=")[0].rpartition(" ")[0].strip()
        assert words.startswith(plain)
        assert parameter.range.lower() in words.lower()
        in_words = re.search(r"\[default: (.*)\]", parameter.help)
        shown = repr(item.default) if not isinstance(item.default, float) else f"{item.default:.4g}"
        expected = in_words[1] if in_words else parameter.unset.replace("--weight-function", "weight_function") or shown
        assert re.search(rf"[Dd]efault:? {re.escape(expected)}\.$", words), words


def test_signatures_show_types_and_defaults() -> None:
    for name, kind in DECLARING.items():
        parameters = inspect.signature(PUBLIC[name]).parameters
        assert set(declared(kind)) <= set(parameters)
        assert [
            item for item in parameters.values() if item.annotation is item.empty or item.default is item.empty
        ] == []
