"""Names that Pl@ntNet publishes, with authors, hybrids and labels that are no names."""

import json
from collections import Counter

import pytest

from plant_aggregate.taxon_names.parsers import find_parser
from plant_aggregate.taxon_names.rules import Name, Refused, read_name

from .rows import needs_data, real_names

pytestmark = needs_data


def test_all_real_names_are_read() -> None:
    readings = [read_name(name) for name in real_names()]
    ranks = Counter(reading.rank for reading in readings if isinstance(reading, Name))
    assert ranks == {"species": 19136, "above species": 31, "hybrid formula": 7}
    assert [reading for reading in readings if isinstance(reading, Refused)] == [Refused("no name of a taxon")]


@pytest.mark.extras
def test_authors_are_cut_where_parsers_cut_them() -> None:
    nameparser, gnparser = pytest.importorskip("nameparser"), pytest.importorskip("gnparser")
    names = real_names()
    ours = [reading.label if isinstance(reading := read_name(name), Name) else None for name in names]
    # Those that parsers know as informal, or not at all: `spp.`, formulas, underscores.
    of_gbif = [
        parsed.canonical_name_without_authorship() if hasattr(parsed, "specific_epithet") else None
        for parsed in nameparser.parse_all(names)
    ]
    other = [name for name, label, theirs in zip(names, ours, of_gbif, strict=True) if label != theirs]
    assert len([name for name in other if "spp." in name]) == 18
    assert len([name for name in other if " x " in name]) == 7
    assert [name for name in other if "spp." not in name and " x " not in name] == ["Empty", "Homo_sapiens_L"]
    some = [(name, label) for name, label in zip(names, ours, strict=True) if label][::20]
    for name, label in some:
        parsed = json.loads(gnparser.parse_to_string(name, "compact", None, False, False))
        assert parsed["canonical"]["full"] == label


@pytest.mark.extras
@pytest.mark.parametrize("parser", ["gbif", "gnparser"])
def test_parsers_confirm_all_real_names(parser: str) -> None:
    pytest.importorskip({"gbif": "nameparser"}.get(parser, parser))
    readings = [read_name(name) for name in real_names()]
    assert find_parser(parser).check([reading for reading in readings if isinstance(reading, Name)]) == {}
