"""The figures of Pl@ntNet-300K [Garcin et al. 2021, NeurIPS datasets and benchmarks], to compare a subset with.

It keeps genera at random, with all their species that have at least 4 images; its validation and test sets are a tenth
of the images of each species, rounded up, drawn by image.
"""

from collections.abc import Mapping

PLANTNET_300K: Mapping[str, float] = {
    "species": 1081,
    "observations": 306_146,  # images
    "genera": 303,
    "gini": 0.84,
    "rarest_80_percent_hold": 0.11,
    "species_with_congener": 1081 - 164,  # 164 genera have one species
    "congener_pairs_per_species": 7.07,
}
"""Figures of :class:`plant_aggregate.splits.populations.Population`, as far as they are published."""

SPLITS: Mapping[str, int] = {"train": 243_916, "validation": 31_118, "test": 31_112}
"""Images in each set."""
