"""Splits, classes and genus sampling of a set of observations, from one end to the other."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..arrays import Flags, Indices, LabelCodes
from .classes import EMPTY_SPLIT, NO_TRAINING, TOO_FEW, Classes, find_classes
from .genera import Genera, genera_of, sample
from .observations import Observations
from .populations import Population, lorenz_distance, population
from .settings import SplitSettings
from .units import APART, SPLITS, SplitCodes, split_units

NOT_VALID, GENUS_UNKNOWN, NOT_SAMPLED = "not_valid", "genus_unknown", "genus_not_sampled"
DIFFERENT = "authors_in_different_splits"

REASONS = (NOT_VALID, GENUS_UNKNOWN, NOT_SAMPLED, DIFFERENT, TOO_FEW, NO_TRAINING, EMPTY_SPLIT)
"""Why an observation is left out: the first that applies."""

USED = -1


@dataclass(frozen=True, eq=False, repr=False)
class Assignment:
    """The set of each observation that is used, and why others are not."""

    observations: Observations
    settings: SplitSettings
    genera: Genera
    splits: SplitCodes
    """int8[n]; positions in SPLITS, -1 for an observation that is left out."""
    reasons: SplitCodes
    """int8[n]; positions in REASONS, -1 for an observation that is used."""
    classes: LabelCodes
    """int32[n_classes]; the labels that are classes, ascending."""
    class_counts: Indices
    """int64[n_classes, 3]; the observations of each class in each of SPLITS."""
    frame: tuple[str, ...]
    """The genera of labels with a valid observation, sorted."""
    sampled: tuple[str, ...]
    """Those of them that are kept."""
    before: Population
    """Labels with a valid observation."""
    eligible: Population
    """Labels that would be classes without genus sampling."""
    after: Population
    """The classes."""
    label_counts: tuple[Indices, Indices, Indices]
    """int64[n_labels] each; the observations of each label in these three populations."""
    labels_left_out: dict[str, int]
    """Labels with usable observations that are no classes, by reason."""
    author_unknown: int
    """Observations used without a known author: each was split on its own."""

    def __repr__(self) -> str:
        sets = ", ".join(f"{n:,} {name}" for name, n in self.counts.items())
        return f"Assignment({self.reasons.size:,} observations: {sets}; {self.classes.size:,} classes)"

    @property
    def used(self) -> Flags:
        """bool[n]; whether an observation is used."""
        used: Flags = self.reasons == USED
        return used

    @cached_property
    def counts(self) -> dict[str, int]:
        """Observations used, by set."""
        return dict(zip(SPLITS, self.class_counts.sum(axis=0).tolist(), strict=True))

    @cached_property
    def left_out(self) -> dict[str, int]:
        """Observations left out, by reason."""
        numbers = np.bincount(self.reasons[~self.used], minlength=len(REASONS))
        return dict(zip(REASONS, numbers.tolist(), strict=True))

    @cached_property
    def classes_without(self) -> dict[str, int]:
        """Classes without an observation in a set, by set."""
        return dict(zip(SPLITS, (self.class_counts == 0).sum(axis=0).tolist(), strict=True))

    @cached_property
    def distances(self) -> tuple[float | None, float | None]:
        """Largest difference of the Lorenz curves: of before and eligible, and of eligible and after."""
        return lorenz_distance(self.before, self.eligible), lorenz_distance(self.eligible, self.after)

    def report(self) -> dict[str, Any]:
        """The populations, what was left out, and what was reached, for JSON."""
        minimum, sampling = self.distances
        return {
            "before": self.before.to_dict(),
            "eligible": self.eligible.to_dict(),
            "after": self.after.to_dict(),
            "lorenz_distance_of_minimum": minimum,
            "lorenz_distance_of_sampling": sampling,
            "genera_in_frame": len(self.frame),
            "genera_sampled": len(self.sampled),
            "excluded": self.left_out,
            "species_excluded": self.labels_left_out,
            "splits": self.counts,
            "classes_without": self.classes_without,
            "author_unknown": self.author_unknown,
        }


def assign(observations: Observations, settings: SplitSettings, genera: Genera | None = None) -> Assignment:
    """Split observations, choose the classes, and measure the populations before, between and after.

    ``genera`` are those of ``observations.label_names``, by default the ones that their names begin with.
    """
    labels, valid = observations.labels, observations.valid & (observations.labels >= 0)
    genera = genera_of(observations.label_names) if genera is None else genera
    n_valid = observations.counts(valid)
    frame = sorted({genus for genus, n in zip(genera.names, n_valid, strict=True) if genus is not None and n})
    sampled = sample(frame, settings)

    known = np.array([genus is not None for genus in genera.names], np.bool_) | (not genera.needed)
    chosen = set(sampled)
    kept = known & np.array([genus is None or genus in chosen for genus in genera.names], np.bool_)
    of_known, of_kept = (valid & _of_labels(flags, labels) for flags in (known, kept))

    units = split_units(observations, of_known, settings)
    together = units.splits != APART
    usable = of_kept & together
    n_labels = observations.n_labels
    classes = find_classes(labels[usable], units.splits[usable], n_labels, settings)
    frame_rows = of_known & together
    unsampled = find_classes(labels[frame_rows], units.splits[frame_rows], n_labels, settings)

    reasons = np.full(labels.size, USED, np.int8)
    why = {
        NOT_VALID: ~valid,
        GENUS_UNKNOWN: ~_of_labels(known, labels),
        NOT_SAMPLED: ~_of_labels(kept, labels),
        DIFFERENT: ~together,
        **{reason: _of_labels(of, labels) for reason, of in classes.reasons.items()},
    }
    for reason in reversed(REASONS):
        reasons[why[reason]] = REASONS.index(reason)
    used = reasons == USED

    n_eligible, n_after = _counts_of(unsampled), _counts_of(classes)
    n_usable = classes.counts.sum(axis=1)
    codes = np.flatnonzero(classes.is_class).astype(np.int32)
    return Assignment(
        observations,
        settings,
        genera,
        np.where(used, units.splits, np.int8(APART)),
        reasons,
        codes,
        classes.counts[codes],
        tuple(frame),
        tuple(sampled),
        population(observations, genera, n_valid, observations.counts(np.ones(labels.size, np.bool_))),
        population(observations, genera, n_eligible),
        population(observations, genera, n_after),
        (n_valid, n_eligible, n_after),
        {reason: int(np.count_nonzero(flags & (n_usable > 0))) for reason, flags in classes.reasons.items()},
        int(np.count_nonzero(used & ~units.has_author)),
    )


def _counts_of(classes: Classes) -> Indices:
    """int64[n_labels]; the usable observations of each class, 0 for other labels."""
    return np.where(classes.is_class, classes.counts.sum(axis=1), 0)


def _of_labels(flags: Flags, labels: LabelCodes) -> Flags:
    """bool[n]; the flag of each observation's label, false without one."""
    with_none: Flags = np.append(flags, False)
    return with_none[labels]
