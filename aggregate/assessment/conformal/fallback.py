"""Sets that fall back on a taxonomy: the smallest taxon that all labels of a set are in, and their number of genera.

A person who is shown five oaks first reads "probably an oak".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Counts, Flags, Floats, LabelCodes, Weights
from ...arrow import to_arrow
from ...measures import bootstrap
from ...reprs import short_repr
from ...schema import TAXON_MEASURES
from ...taxonomy import FAMILY, GENUS, Taxonomy
from ..evaluation import RESAMPLES, Estimate
from .sets import PredictionSets

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, repr=False)
class CommonTaxa:
    """The smallest common taxon of each of n sets, and in how many genera and families its labels are.

    A set has no common taxon, and no number of genera, if a label of it is not in the taxonomy. An empty set has none
    either. Labels that are in every set without being listed count: a set of the whole label space is as wide as that.
    """

    taxonomy: Taxonomy
    taxa: LabelCodes
    """int32[n]; positions in ``taxonomy``, -1 if there is none."""
    n_genera: Counts
    """int32[n]; -1 if the genus of a label is not known, 0 for an empty set."""
    n_families: Counts
    """int32[n]; likewise."""
    is_placed: Flags
    """bool[n]; whether all labels of the set are in the taxonomy."""
    unplaced: LabelCodes
    """int32; the labels of sets that are not in the taxonomy, each once."""

    __repr__ = short_repr

    def __len__(self) -> int:
        return self.taxa.size

    def columns(self) -> "dict[str, pa.Array]":
        """The columns of ``schema.COMMON_TAXA``, null where nothing is known."""
        places = to_arrow(self.taxa, null=self.taxa < 0)
        return {
            "common_taxon": self.taxonomy.labels.take(places),
            "common_rank": self.taxonomy.ranks.take(places),
            "common_name": self.taxonomy.names.take(places),
            "n_genera": to_arrow(self.n_genera, null=self.n_genera < 0),
            "n_families": to_arrow(self.n_families, null=self.n_families < 0),
        }


def common_taxa(sets: PredictionSets, names: "pa.Array", taxonomy: Taxonomy) -> CommonTaxa:
    """The common taxa of sets whose labels have ``names``: those of the label space, and then others."""
    from ...kernels import taxa as kernels
    from ...kernels.threads import in_blocks

    n, taxa, parents = len(sets), taxonomy.of_labels.taxa(names, sets.n_labels), taxonomy.parents
    found = np.empty(n, np.int32)
    of_always = kernels.common_taxon(taxa[: sets.n_labels][sets.always], parents)
    in_blocks(kernels.common_taxa, n, sets.offsets, sets.labels, taxa, parents, of_always, found)
    n_genera, n_families = (_group_counts(sets, names, taxonomy, rank) for rank in (GENUS, FAMILY))
    is_placed, unplaced = _placed(sets, taxa)
    return CommonTaxa(taxonomy, found, n_genera, n_families, is_placed, unplaced)


def _placed(sets: PredictionSets, taxa: LabelCodes) -> tuple[Flags, LabelCodes]:
    """Whether all labels of each set have taxa, bool[n]; and the labels of sets that have none, int32."""
    lacks, of_always = (taxa < 0)[sets.labels], np.flatnonzero((taxa[: sets.n_labels] < 0) & sets.always)
    placed = np.full(len(sets), of_always.size == 0)
    placed[np.searchsorted(sets.offsets, np.flatnonzero(lacks), side="right") - 1] = False
    return placed, np.union1d(sets.labels[lacks], of_always).astype(np.int32)


def _group_counts(sets: PredictionSets, names: "pa.Array", taxonomy: Taxonomy, rank: str) -> Counts:
    """In how many taxa of a rank the labels of each set are, int32[n]; -1 where that of one is not known."""
    from ...kernels.taxa import count_groups
    from ...kernels.threads import in_blocks

    groups = taxonomy.of_labels.groups(names, sets.n_labels, rank)
    always = groups[: sets.n_labels][sets.always]
    in_always = np.zeros(taxonomy.of_labels.n_groups(rank), np.bool_)
    in_always[always[always >= 0]] = True
    of_always = -1 if (always < 0).any() else int(np.count_nonzero(in_always))
    counts = np.empty(len(sets), np.int32)
    in_blocks(count_groups, len(sets), sets.offsets, sets.labels, groups, in_always, of_always, counts)
    return counts


@dataclass(frozen=True, eq=False)
class Covered:
    """Which sets have a label in the taxon that the true label is in."""

    covered: Flags
    """bool[n]."""
    known: Flags
    """bool[n]; whether the taxon of the true label is known, otherwise the set is neither right nor wrong."""


def covers_at(
    sets: PredictionSets, names: "pa.Array", truth: LabelCodes, taxonomy: Taxonomy, rank: str = GENUS
) -> Covered:
    """Which sets have a label in the taxon of a rank, such as the genus, that the true label is in.

    ``truth`` int32[n] are positions in ``names``; negative for a label that has none.
    """
    groups = np.append(taxonomy.of_labels.groups(names, sets.n_labels, rank), np.int32(-1))
    of_truth = groups[np.where(truth < 0, -1, truth)]
    rows = np.repeat(np.arange(len(sets)), np.diff(sets.offsets))
    covered = np.zeros(len(sets), np.bool_)
    covered[rows[groups[sets.labels] == of_truth[rows]]] = True
    covered |= np.isin(of_truth, groups[: sets.n_labels][sets.always])
    known = of_truth >= 0
    return Covered(covered & known, known)


def is_below(taxonomy: Taxonomy, taxa: LabelCodes, above: LabelCodes) -> Flags:
    """Which ``taxa`` int32[n] are, or are below, those of ``above`` int32[n]; none that is negative: bool[n]."""
    reached = taxa.copy()
    while (climbing := reached > above).any():  # a taxon comes after those above it
        reached[climbing] = taxonomy.parents[reached[climbing]]
    found: Flags = (reached == above) & (above >= 0)
    return found


def measure_taxa(
    sets: PredictionSets,
    names: "pa.Array",
    truth: LabelCodes,
    taxonomy: Taxonomy,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """The measures of ``schema.TAXON_MEASURES``, with 95 % intervals; NaN where nothing is known.

    ``truth`` int32[n]: positions in ``names``, which are all labels of the space and then those of ``sets``.
    """
    common = common_taxa(sets, names, taxonomy)
    genus, family = (covers_at(sets, names, truth, taxonomy, rank) for rank in (GENUS, FAMILY))
    of_truth = taxonomy.of_labels.taxa(names, sets.n_labels)[truth]
    has_genera, has_common = common.n_genera >= 0, common.taxa >= 0
    is_right = is_below(taxonomy, of_truth, common.taxa)
    everything = np.ones(len(sets), np.bool_)
    shares = [  # each is the sum of the first over that of the second
        (genus.covered, genus.known),
        (family.covered, family.known),
        (has_common, everything),
        (is_right, has_common & (of_truth >= 0)),
        (np.where(has_genera, common.n_genera, 0), has_genera),
    ]
    columns = np.array(shares, np.int32).reshape(2 * len(shares), len(sets))
    alike, groups = np.unique(columns, axis=1, return_inverse=True)

    def ratios(counts: Weights) -> Floats:
        sums = counts @ alike.T
        with np.errstate(invalid="ignore"):
            return np.asarray(sums[..., ::2] / sums[..., 1::2])

    bounds = 0.0, np.array([1.0] * 4 + [np.inf])
    found = bootstrap(ratios, len(sets), resamples, seed, bounds, groups=groups.reshape(-1))
    estimates = (Estimate(*numbers) for numbers in zip(*(ends.tolist() for ends in found), strict=True))
    return dict(zip([column.name for column in TAXON_MEASURES], estimates, strict=True))
