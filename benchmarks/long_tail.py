"""A classifier of many species with a long tail, trained and applied in simulation: its label lists are drawn quickly.

Species have centres in a space of features; those of a genus are near each other, so that they are confused. An
observation is its species' centre plus Gaussian noise. The classifier is linear discriminant analysis trained on a
long-tailed set of pictures: it knows the shares of the species exactly, and their centres as well as the pictures of
each tell. So it confuses what is alike, prefers common species, and is poor on those of which it saw few pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

import plant_aggregate
from plant_aggregate.arrays import Floats, LabelCodes
from plant_aggregate.assessment.conformal.comparison import LabelledScores
from plant_aggregate.simulation.species import frequencies

BLOCK = 4096  # observations whose probabilities of all species are in memory at a time
SPECIES_OF_A_GENUS = 6
WITHIN_GENUS = 0.5
"""Standard deviation of the centres of a genus' species in each feature, in units of that of the genera."""


@dataclass(frozen=True)
class LongTail:
    """Species, pictures of them, and a classifier trained on these."""

    n_labels: int = 1000
    training_pictures: int = 240_000
    fewest_pictures: int = 4
    """Training pictures of the rarest species; the counts of the others follow the law of ``simulate``."""
    features: int = 16
    noise: float = 0.9
    """Standard deviation of an observation in each feature, in units of that of the genera's centres."""
    pictures_alike: float = 6.0
    """Pictures of a species that tell as much as one drawn independently: they show the same plants, places, users."""
    top: int = 200
    """Labels in a list: the likeliest."""
    seed: int = 0

    @cached_property
    def counts(self) -> Floats:
        """Training pictures of each species, float64[n_labels], descending."""
        return np.maximum(frequencies(self.n_labels, self.training_pictures), self.fewest_pictures).astype(np.float64)

    @cached_property
    def _centres(self) -> tuple[Floats, Floats]:
        """The centres of the species, and where the classifier believes them to be, float64[n_labels, features]."""
        random = np.random.default_rng(self.seed)
        genus = random.integers(0, max(1, self.n_labels // SPECIES_OF_A_GENUS), self.n_labels)
        genera = random.normal(size=(self.n_labels, self.features))
        centres = genera[genus] + WITHIN_GENUS * random.normal(size=genera.shape)
        error = self.noise * np.sqrt(self.pictures_alike / self.counts)[:, None]
        return centres, centres + error * random.normal(size=centres.shape)

    def drawn(self, n: int, random: np.random.Generator) -> LabelledScores:
        """The lists of ``n`` observations of species drawn by their shares, and these species."""
        truth = random.choice(self.n_labels, n, p=self.counts / self.counts.sum()).astype(np.int32)
        found = plant_aggregate.scores_from_matrix(self._logits(truth, random), logits=True, top=self.top)
        return LabelledScores(found.lists, truth)

    def _logits(self, truth: LabelCodes, random: np.random.Generator) -> Iterator[Floats]:
        """The log of the probability of each species, up to a constant of the observation, in blocks."""
        centres, believed = self._centres
        weights = believed.T / self.noise**2
        intercepts = np.log(self.counts) - (believed**2).sum(axis=1) / (2 * self.noise**2)
        for start in range(0, truth.size, BLOCK):
            of_block = centres[truth[start : start + BLOCK]]
            yield (of_block + self.noise * random.normal(size=of_block.shape)) @ weights + intercepts
