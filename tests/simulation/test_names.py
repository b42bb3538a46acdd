import re

from plant_aggregate.simulation.names import n_listed, species_names
from plant_aggregate.simulation.published import SPECIES


def test_there_are_as_many_different_names_as_published_species():
    names = species_names()
    assert len(names) == len(set(names)) == SPECIES


def test_names_are_binomials():
    assert all(re.fullmatch(r"[A-Z][a-z]+ [a-z]+(-[a-z]+)*", name) for name in species_names())


def test_most_names_are_real_and_the_composed_come_last():
    assert n_listed() > 9_000
    assert "Bellis perennis" in species_names()[:150]
    assert "Quercus robur" in species_names()[:150]


def test_composed_epithets_agree_with_their_genus():
    composed = set(species_names()[n_listed() :])
    assert any(name.startswith("Carex ") for name in composed)
    assert not [name for name in composed if re.match(r"(Carex|Viola|Rosa) \w+(us|um)$", name)]
