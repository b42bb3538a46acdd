"""Species and their numbers of observations: how uneven they are, how many have congeners, how they are confused."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats, Indices
from .genera import Genera
from .observations import Observations

FEW, MANY = 20, 100  # observations of a species: fewer are few, more are many

Group = tuple[int, int]  # species, observations


@dataclass(frozen=True, eq=False, repr=False)
class Population:
    """Some species, and how many observations each has. Without any, figures that need one are None."""

    species: int
    observations: int
    genera: int
    """That are known."""
    gini: float | None
    """0 if all species have the same number of observations, near 1 if one has nearly all."""
    rarest_80_percent_hold: float | None
    """Share of the observations, in [0, 1]."""
    largest_to_smallest: float | None
    """Observations of the commonest species against those of the rarest."""
    few: Group
    """Species with fewer than 20 observations, and these observations."""
    medium: Group
    """20 to 100."""
    many: Group
    """More than 100."""
    species_with_congener: int
    """Species whose genus has another one in the population."""
    observations_with_congener: int
    congener_pairs_per_species: float | None
    confusion: float | None
    """Mean share of the weight that is on the runner-up, over all observations with such a label, valid or not."""
    confusion_within_genus: float | None
    """The part of it where both are of one genus."""
    share_within_genus: float | None
    """That part's share."""
    share_among_species: float | None
    """Share of the confusion where the runner-up is in the population."""
    species_without_observations: int | None
    """Labels none of whose observations is valid; None if they were not counted."""
    gini_with_empty: float | None
    """The Gini index with these."""
    counts: Indices
    """int64[species]; observations of each, ascending."""

    def __repr__(self) -> str:
        return f"Population({self.observations:,} observations of {self.species:,} species, {self.genera:,} genera)"

    def to_dict(self) -> dict[str, Any]:
        """The figures for JSON; the last two only where they were counted."""
        figures = {name: value for name, value in vars(self).items() if name != "counts"}
        if self.species_without_observations is None:
            del figures["species_without_observations"], figures["gini_with_empty"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in figures.items()}


def population(observations: Observations, genera: Genera, counts: Indices, voted: Indices | None = None) -> Population:
    """The species with ``counts`` > 0, int64[n_labels]; empty ones are those with ``voted`` > 0, if that is given."""
    members = counts > 0
    n = np.sort(counts[members])
    codes = _codes(genera)
    species_of = np.bincount(codes[members & (codes >= 0)], minlength=1)
    has_congener = members & (codes >= 0)
    has_congener[has_congener] = species_of[codes[has_congener]] > 1
    empty = None if voted is None else int(np.count_nonzero((voted > 0) & ~members))
    gini = _gini(n)
    return Population(
        species=n.size,
        observations=int(n.sum()),
        genera=int(np.count_nonzero(species_of)),
        gini=gini,
        rarest_80_percent_hold=_lorenz_at(n, np.array([0.8]))[0].item() if n.size else None,
        largest_to_smallest=float(n[-1] / n[0]) if n.size else None,
        few=_group(n[n < FEW]),
        medium=_group(n[(n >= FEW) & (n <= MANY)]),
        many=_group(n[n > MANY]),
        species_with_congener=int(np.count_nonzero(has_congener)),
        observations_with_congener=int(counts[has_congener].sum()),
        congener_pairs_per_species=float((species_of * (species_of - 1) // 2).sum() / n.size) if n.size else None,
        **_confusions(observations, codes, members),
        species_without_observations=empty,
        gini_with_empty=None if gini is None or empty is None else 1 - (1 - gini) * n.size / (n.size + empty),
        counts=n,
    )


def lorenz(counts: Indices) -> tuple[Floats, Floats]:
    """The Lorenz curve of ascending ``counts``: shares of the rarest species, and of the observations that they hold.

    >>> [shares.tolist() for shares in lorenz(np.array([1, 3]))]
    [[0.0, 0.5, 1.0], [0.0, 0.25, 1.0]]
    """
    held = np.append(0, np.cumsum(counts))
    return np.arange(counts.size + 1) / max(counts.size, 1), held / max(int(held[-1]), 1)


def lorenz_distance(one: Population, other: Population) -> float | None:
    """The largest vertical distance of two Lorenz curves; None if one of them has no species."""
    if not one.species or not other.species:
        return None
    places = np.union1d(lorenz(one.counts)[0], lorenz(other.counts)[0])  # between these, the difference is linear
    return float(np.abs(_lorenz_at(one.counts, places) - _lorenz_at(other.counts, places)).max())


def _lorenz_at(counts: Indices, places: Floats) -> Floats:
    """The share of the observations that shares ``places`` of the rarest species hold; ``counts`` ascend."""
    shares: Floats = np.interp(places, *lorenz(counts))
    return shares


def _gini(counts: Indices) -> float | None:
    """1 - (1/K) sum over j of (L((j-1)/K) + L(j/K)); ``counts`` ascend."""
    if not counts.size:
        return None
    held = np.append(0, np.cumsum(counts))  # in integers, so that even counts have a Gini index of exactly 0
    return 1 - float((held[:-1] + held[1:]).sum() / (counts.size * held[-1]))


def _group(counts: Indices) -> Group:
    return counts.size, int(counts.sum())


def _codes(genera: Genera) -> Indices:
    """int64[n_labels]; a number for each genus, -1 for none."""
    numbers: dict[str, int] = {}
    return np.array(
        [-1 if genus is None else numbers.setdefault(genus, len(numbers)) for genus in genera.names], np.int64
    )


def _confusions(observations: Observations, codes: Indices, members: np.ndarray) -> dict[str, float | None]:
    """The mean share of the runner-up, and where that is: r_i = agreement_i - margin_i."""
    labels, others = observations.labels, observations.runner_up
    rows = np.append(members, False)[labels]
    n = int(np.count_nonzero(rows))
    share = (observations.agreement - observations.margin)[rows]
    with_none = np.append(codes, -1)
    genus, other = with_none[labels[rows]], with_none[others[rows]]
    within = _exact_sum(share[(genus == other) & (genus >= 0)])
    among = _exact_sum(share[np.append(members, False)[others[rows]]])
    total = _exact_sum(share)
    return {
        "confusion": total / n if n else None,
        "confusion_within_genus": within / n if n else None,
        "share_within_genus": within / total if total else None,
        "share_among_species": among / total if total else None,
    }


def _exact_sum(values: Floats) -> float:
    """The sum, which does not depend on the order of the rows."""
    return math.fsum(values[values != 0].tolist())
