import numpy as np
import pytest

from plant_aggregate.simulation.species import Flora, frequencies, rare_share, species_at

NONE = np.zeros(20_000, np.bool_)


def test_rare_species_hold_the_published_share():
    assert rare_share(frequencies(11_425, 6_699_593)) == pytest.approx(0.11, abs=0.002)


def test_smaller_samples_hold_fewer_species():
    at = [species_at(scale, round(6_699_593 * scale)) for scale in (1e-6, 1e-4, 0.01, 0.1, 0.99, 1, 10)]
    assert at == sorted(at)
    assert at[-1] == at[-2] == 11_425


def test_mistakes_are_another_species_and_mostly_of_the_genus():
    flora = Flora.of(4_000, 40_000)
    genus = np.array([name.split()[0] for name in flora.names])
    species = np.repeat(np.arange(4_000, dtype=np.int32), 5)
    other = flora.mistaken(species, NONE, np.random.default_rng(1))
    assert (other != species).all()
    assert 0.7 < (genus[other] == genus[species]).mean() < 0.95
    careless = flora.mistaken(species, ~NONE, np.random.default_rng(1))
    assert (careless != species).all()
    assert (genus[careless] == genus[species]).mean() < 0.05


def test_a_single_species_cannot_be_mistaken():
    flora = Flora.of(1, 10)
    assert flora.mistaken(np.zeros(3, np.int32), NONE[:3], np.random.default_rng(1)).tolist() == [0, 0, 0]


def test_truth_has_each_species_as_often_as_it_should_and_one_sure_vote_for_each():
    flora = Flora.of(300, 5_000)
    coded = flora.truth(np.random.default_rng(1))
    assert np.sort(~coded[coded < 0]).tolist() == list(range(300))
    assert (np.bincount(np.where(coded < 0, ~coded, coded)) == flora.counts).all()
