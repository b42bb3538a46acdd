"""What parsers of other packages confirm: the names as the rules write them, and nothing that they doubt."""

import sys
from types import ModuleType

import pytest

from plant_aggregate import ParameterError, clean_names
from plant_aggregate.taxon_names.parsers import find_parser
from plant_aggregate.taxon_names.rules import Name, read_name

from .test_rules import KEPT_AS

NOT_CONFIRMED = {
    "gbif": {"Tobacco mosaic virus", "Quercus unknown"},
    "gnparser": {"Tobacco mosaic virus", "Solanum o'brienii"},
}
"""Parser -> labels that the rules read, and it does not."""

TRAPS = [
    *("Nothing here", "Betula pendula/pubescens", "Betula pendula / B. pubescens", "Quercus robur or petraea"),
    *("Quercus cf. robur", "Quercus aff. robur", "Quercus sp.", "Quercus robur auct."),
]
"""Labels that a parser takes for a species, or for a name that is not doubtful; rules refuse them before."""


@pytest.fixture(params=["gbif", "gnparser"])
def parser(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    pytest.importorskip({"gbif": "nameparser"}.get(name, name))
    return name


def names(*labels: str) -> list[Name]:
    return [name for name in map(read_name, labels) if isinstance(name, Name)]


@pytest.mark.extras
def test_a_parser_confirms_what_the_rules_read(parser: str) -> None:
    assert find_parser(parser).check(names(*KEPT_AS)) == {}


@pytest.mark.extras
def test_what_a_parser_does_not_read_is_refused_with_its_reason(parser: str) -> None:
    every = sorted(set.union(*NOT_CONFIRMED.values()))
    faults = find_parser(parser).check(names(*every))
    assert set(faults) == NOT_CONFIRMED[parser]
    assert all(fault.startswith(f"{parser}: ") for fault in faults.values())
    refused = clean_names([*every, "Quercus robur"], parser=parser)
    assert {row["verbatim"]: row["reason"] for row in refused.table.to_pylist()} == faults


@pytest.mark.extras
def test_labels_that_parsers_take_for_names_are_refused_before(parser: str) -> None:
    assert clean_names(TRAPS, parser=parser).labels.to_pylist() == [None] * len(TRAPS)
    assert clean_names(["quercus robur l."], parser=parser).labels.to_pylist() == ["Quercus robur"]
    assert clean_names(["Rubus fruticosus aggr."], parser=parser).labels.to_pylist() == ["Rubus fruticosus agg."]


@pytest.mark.extras
def test_the_version_is_in_the_counts(parser: str) -> None:
    package = {"gbif": "gbif-name-parser"}.get(parser, parser)
    assert str(clean_names(["Quercus robur"], parser=parser).counts.parser).startswith(f"{parser}: {package} 0.")


def test_a_parser_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nameparser", None)
    monkeypatch.setitem(sys.modules, "gnparser", None)
    with pytest.raises(ParameterError, match=r"gbif-name-parser, which is not installed; pip install .*\[gbif\]"):
        clean_names(["Quercus robur"], parser="gbif")
    with pytest.raises(ParameterError, match=r"gnparser, which is not installed; pip install .*\[gnparser\]"):
        clean_names(["Quercus robur"], parser="gnparser")


@pytest.mark.extras
def test_a_module_of_the_same_name_is_not_taken_for_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nameparser")
    monkeypatch.setitem(sys.modules, "nameparser", ModuleType("nameparser"))  # that of PyPI's nameparser, of persons
    with pytest.raises(ParameterError, match="uninstall the package nameparser"):
        clean_names(["Quercus robur"], parser="gbif")


def test_an_unknown_parser_is_an_error() -> None:
    with pytest.raises(ParameterError, match="one of gbif, gnparser"):
        clean_names(["Quercus robur"], parser="gni")
