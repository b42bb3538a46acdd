"""What parsers of other packages confirm: the names as the rules write them, and nothing that they doubt."""

import subprocess
import sys
from pathlib import Path

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


def said_beside(folder: Path, module: str, text: str, parser: str) -> str:
    """What a process says that would clean names with a parser, where a module is another one."""
    (folder / f"{module}.py").write_text(text)
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(folder)!r})
        import plant_aggregate
        plant_aggregate.clean_names(["Quercus robur"], parser={parser!r})
    """
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize(("parser", "module"), [("gbif", "nameparser"), ("gnparser", "gnparser")])
def test_a_parser_that_is_not_installed_says_what_to_install(parser: str, module: str, tmp_path: Path) -> None:
    said = said_beside(tmp_path, module, "raise ImportError('is not installed')", parser)
    assert "ParameterError: " in said
    assert f"which is not installed; pip install 'plant-aggregate[{parser}]'" in said


@pytest.mark.extras
def test_a_module_of_the_same_name_is_not_taken_for_the_parser(tmp_path: Path) -> None:
    """PyPI's nameparser, of names of persons, has the module of gbif-name-parser."""
    pytest.importorskip("nameparser")
    said = said_beside(tmp_path, "nameparser", "class HumanName: pass", "gbif")
    assert "uninstall the package nameparser, then install gbif-name-parser again" in said


def test_an_unknown_parser_is_an_error() -> None:
    with pytest.raises(ParameterError, match="one of gbif, gnparser"):
        clean_names(["Quercus robur"], parser="gni")
