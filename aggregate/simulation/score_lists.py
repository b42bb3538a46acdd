"""The score lists of a simulated classifier: for each observation the species that it may show, with probabilities.

A picture gives evidence for each species, in nats: normal, with a mean of d for the species that it looks like and of 0
for others, and a variance of d. With such evidence the posterior is proportional to ``prior * exp(evidence)``, where
the prior is the share of the training images: probabilities are right, and what is rare loses against what is common
and looks alike. The larger d, the fewer species are confused.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Indices, LabelCodes, Offsets, Probabilities
from .species import Flora

LONGEST = 100  # most species of a list
LEAST = 0.001  # smallest probability in a list, as in Pl@ntNet's
STEP = 1e-5  # probabilities are multiples of it, as Pl@ntNet's are

SPECIES_EVIDENCE = 9.0  # d of the species of a genus, at difficulty 1; assumed
GENUS_EVIDENCE = 14.0  # d of genera; assumed
OTHERS_EVIDENCE = 4.0  # variance of the evidence for species of other genera; assumed
QUALITY_SPREAD = 0.5  # log-normal spread of the factor on d that is the quality of a picture; assumed
FEW_IMAGES = 3.0  # training images of a species from which half of its d is learnt; assumed
OTHERS = 50  # species of other genera that may be listed

DECEPTIVE = 0.15
"""Share of the observations with a wrong first vote that look like the species voted; assumed."""

DOUBT = 0.19
DOUBT_SPREAD = 1.15
"""Probability that goes to all species whatever the evidence: median, and normal spread of its log-odds; assumed."""

LISTED_DOUBT = 0.5  # share of it that goes to candidates; assumed
DOUBT_DECAY = 1.8  # the candidates after the first have shares of it that fall with their rank to this power; assumed

SEVERAL_PICTURES = 0.09
PICTURES_FACTOR = 8.0
"""Share of the observations with several pictures, each with other species beside the first, whose probabilities are up
to so many times as large: then lists may add up to more than 1. Assumed."""

UNKNOWN = -300.0  # logarithm of what is left to species that a list cannot have
SORTING = 1024.0  # more than the range of the logarithms, from UNKNOWN

CHUNK = 2**14  # observations at a time. Another size gives other lists


@dataclass(frozen=True)
class Lists:
    """Score lists, the likeliest species first.

    ``offsets`` int64[n + 1]; ``labels`` int32[items]; ``probabilities`` float32[items].
    """

    offsets: Offsets
    labels: LabelCodes
    probabilities: Probabilities

    @property
    def first(self) -> tuple[LabelCodes, Floats]:
        """The likeliest species of each and its probability: int32[n], float64[n]."""
        first = self.offsets[:-1]
        return self.labels[first], np.rint(self.probabilities[first] / np.float64(STEP)) * STEP


@dataclass(frozen=True)
class Classifier:
    """A classifier that was trained on images of the species of a flora, and names none of which it had no image.

    ``images`` int64[n_species]: training images of each. ``upto`` int64[n_species + 1]: their cumulative sums from 0.
    ``genus_first``, ``genus_last`` int64[n_species]: the range of codes that the genus spans.
    """

    flora: Flora
    images: Indices
    upto: Indices
    genus_first: Indices
    genus_last: Indices

    @classmethod
    def trained(cls, flora: Flora, rng: np.random.Generator) -> "Classifier":
        """One that was trained on about as many images of each species as there are observations of it."""
        images: Indices = rng.poisson(flora.counts).astype(np.int64)
        images[flora.counts.argmax()] += not images.any()
        return cls(
            flora,
            images,
            upto=np.concatenate([[0], np.cumsum(images)]),
            genus_first=np.searchsorted(flora.upto, flora.genus_from),
            genus_last=np.searchsorted(flora.upto, flora.genus_upto),
        )

    def lists(self, truth: LabelCodes, first_voted: LabelCodes, rng: np.random.Generator) -> Lists:
        """The lists of observations of the species ``truth``, whose first vote is ``first_voted``; both int32[n]."""
        looks_like = np.where(rng.random(len(truth)) < DECEPTIVE, first_voted, truth)
        chunks = [self._chunk(looks_like[begin : begin + CHUNK], rng) for begin in range(0, len(truth), CHUNK)]
        lengths, labels, probabilities = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
        return Lists(np.concatenate([[0], np.cumsum(lengths)]), labels, probabilities)

    def _chunk(self, species: LabelCodes, rng: np.random.Generator) -> tuple[Indices, LabelCodes, Probabilities]:
        """Lengths int64[n], labels and probabilities of the lists of observations that look like ``species``."""
        n = len(species)
        offsets, labels, prior = self._candidates(species, rng)
        begins, row = offsets[:-1], np.repeat(np.arange(n), np.diff(offsets))
        with np.errstate(divide="ignore"):
            prior = np.log(prior)
        strength = np.maximum(prior + self._evidence(species, labels, row, rng), UNKNOWN)
        order = np.argsort(row * SORTING - strength, kind="stable")
        labels, strength = labels[order], strength[order]
        rank = np.arange(row.size) - begins[row]

        posterior = np.exp(strength - strength[begins][row])
        posterior /= np.add.reduceat(posterior, begins)[row]
        fall = np.arange(1.0, rank.max() + 1) ** -DOUBT_DECAY
        fall = np.concatenate([[0.0], fall / fall.sum()])
        doubt = 1 / (1 + (1 - DOUBT) / DOUBT * np.exp(DOUBT_SPREAD * rng.standard_normal(n)))
        several = np.where(rng.random(n) < SEVERAL_PICTURES, 1 + (PICTURES_FACTOR - 1) * rng.random(n), 1.0)
        p = (1 - doubt[row]) * posterior + LISTED_DOUBT * doubt[row] * fall[rank]
        p = np.minimum(p * np.where(rank, several[row], 1.0), p[begins][row])
        p = np.rint(p / STEP) * STEP
        kept = (p >= LEAST) & (rank < LONGEST) & (strength > UNKNOWN)
        return np.bincount(row[kept], minlength=n), labels[kept], p[kept].astype(np.float32)

    def _candidates(self, species: LabelCodes, rng: np.random.Generator) -> tuple[Offsets, LabelCodes, Floats]:
        """All species of the genus, and OTHERS of other genera, drawn in proportion to their images.

        Offsets int64[n + 1], labels int32[items], and prior float64[items], 0 for repeats and those
        without images.
        """
        first, last = self.genus_first[species], self.genus_last[species]
        start, n_images = self.upto[first], self.upto[last] - self.upto[first]
        place = np.sort(rng.random((len(species), OTHERS)), axis=1) * (self.upto[-1] - n_images)[:, None]
        place = np.floor(place).astype(np.int64)
        place += np.where(place >= start[:, None], n_images[:, None], 0)
        others = np.searchsorted(self.upto, np.minimum(place, self.upto[-1] - 1), side="right") - 1
        counted = np.diff(others, axis=1, prepend=-1) > 0
        counted &= (n_images < self.upto[-1])[:, None]

        offsets = np.concatenate([[0], np.cumsum(last - first + OTHERS)])
        row = np.repeat(np.arange(len(species)), np.diff(offsets))
        labels = (first[row] + np.arange(row.size) - offsets[row]).astype(np.int32)
        prior = self.images[np.minimum(labels, len(self.images) - 1)] / self.upto[-1]
        beyond = labels >= last[row]
        labels[beyond] = others.ravel()
        prior[beyond] = counted.ravel() / OTHERS
        return offsets, labels, prior

    def _evidence(self, species: LabelCodes, labels: LabelCodes, row: Indices, rng: np.random.Generator) -> Floats:
        """The evidence of pictures that look like ``species`` for candidate ``labels``: float64[items]."""
        quality = np.exp(QUALITY_SPREAD * rng.standard_normal(len(species)))
        images = self.images[species]
        of_species = quality * SPECIES_EVIDENCE / self.flora.difficulty[species]
        of_genus = quality * GENUS_EVIDENCE
        genus = of_genus + np.sqrt(of_genus) * rng.standard_normal(len(species))
        noise = rng.standard_normal(len(row))
        near = (labels >= self.genus_first[species][row]) & (labels < self.genus_last[species][row])
        within = genus[row] + np.sqrt(of_species)[row] * noise
        within += np.where(labels == species[row], (of_species * images / (images + FEW_IMAGES))[row], 0.0)
        return np.where(near, within, np.sqrt(OTHERS_EVIDENCE) * noise)
