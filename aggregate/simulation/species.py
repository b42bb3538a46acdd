"""The species: how frequent each is, and what it is mistaken for."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ..arrays import Flags, Floats, Indices, LabelCodes
from ..shares import count_of
from .counts import largest_remainder
from .names import species_names
from .published import OBSERVATIONS, RARE_SPECIES, RARE_SPECIES_SHARE, SPECIES

SAME_GENUS_SHARE = 0.9
"""Probability that a mistake names another species of the genus, if there is one; results in 80 % of all mistakes."""

SPREAD_STEP = 2.0**-10  # step of the spreads searched, coarse for the same reason as EXPONENT_STEP


@dataclass(frozen=True)
class Flora:
    """The species of a simulation, in the order of their names, so that a genus is a range of codes.

    ``counts`` int64[n_species]: observations of each, at least 1. ``upto`` int64[n_species + 1]: their cumulative
    sums from 0. ``genus_from``, ``genus_upto`` int64[n_species]: the range of ``upto`` that the genus spans.
    ``difficulty`` float64[n_species]: factor on a user's error rate.
    """

    names: tuple[str, ...]
    counts: Indices
    upto: Indices
    genus_from: Indices
    genus_upto: Indices
    difficulty: Floats

    @classmethod
    def of(cls, n_species: int, n_observations: int) -> "Flora":
        """The ``n_species`` commonest species, with counts that add up to ``n_observations``."""
        ranked = species_names()[:n_species]
        order = sorted(range(n_species), key=ranked.__getitem__)
        names = tuple(ranked[rank] for rank in order)
        counts = frequencies(n_species, n_observations)[order]
        upto = np.concatenate([[0], np.cumsum(counts)])
        _, genus, sizes = np.unique([name.split()[0] for name in names], return_inverse=True, return_counts=True)
        first = (np.cumsum(sizes) - sizes)[genus]
        rarity = np.array(order) / n_species
        return cls(
            names=names,
            counts=counts,
            upto=upto,
            genus_from=upto[first],
            genus_upto=upto[first + sizes[genus]],
            difficulty=(0.6 + 0.8 * (1 - 1 / sizes[genus])) * (1 + 0.5 * rarity),
        )

    def mistaken(self, species: LabelCodes, at_random: Flags, rng: np.random.Generator) -> LabelCodes:
        """Another species for each of ``species``, int32[n].

        Mostly one of the same genus, if it has others; for ``at_random`` bool[n] one of all species. The probability is
        proportional to the species' frequency.
        """
        draws = rng.random((2, len(species)))
        own = self.counts[species]
        near = (draws[0] < SAME_GENUS_SHARE) & ~at_random
        near &= self.genus_upto[species] - self.genus_from[species] > own
        start = np.where(near, self.genus_from[species], 0)
        room = np.where(near, self.genus_upto[species], self.upto[-1]) - start - own
        place = start + np.floor(draws[1] * room).astype(np.int64)
        place += np.where(place >= self.upto[species], own, 0)
        other = np.searchsorted(self.upto, place, side="right") - 1
        return np.where(room > 0, other, species).astype(np.int32)

    def truth(self, rng: np.random.Generator) -> NDArray[np.int16]:
        """The species of every observation in random order, int16[n_observations].

        One observation of each species k has the value ``~k`` (that is -1 - k): its first voter is to name it
        correctly, so that every species is voted at least once.
        """
        species = np.repeat(np.arange(len(self.names), dtype=np.int16), self.counts)
        species[self.upto[:-1]] ^= -1
        rng.shuffle(species)
        return species


def species_at(scale: float, n_observations: int) -> int:
    """Expected number of species in a random share ``scale`` of the published observations, at most SPECIES."""
    if scale >= 1:
        return SPECIES
    expected = (1 - (1 - scale) ** frequencies(SPECIES, OBSERVATIONS)).sum()
    return max(1, min(n_observations, round(float(expected))))


def frequencies(n_species: int, n_observations: int) -> Indices:
    """Observations of each species, int64[n_species], descending, each at least 1, adding up to ``n_observations``.

    The log-normal law of Preston (1948), with the spread at which the rarest 80 % of the species have the published
    11 % of the observations [L25], or the nearest share that is possible when each has at least one.
    """
    normal = NormalDist()
    deviations = np.array([normal.inv_cdf((n_species - rank - 0.5) / n_species) for rank in range(n_species)])

    def counts(spread: int) -> Indices:
        return largest_remainder(n_observations, np.exp(deviations * (spread * SPREAD_STEP)))

    low, high = 0, 4 * 1024
    while low < high:
        middle = (low + high) // 2
        if rare_share(counts(middle)) <= RARE_SPECIES_SHARE:
            high = middle
        else:
            low = middle + 1
    return counts(low)


def rare_share(counts: Indices) -> float:
    """Share of the observations that the rarest 80 % of the species have; ``counts`` int64[n_species] in any order."""
    ascending = np.sort(counts)
    return float(ascending[: count_of(RARE_SPECIES, len(counts))].sum() / counts.sum())
