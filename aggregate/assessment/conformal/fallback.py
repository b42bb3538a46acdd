"""Sets that fall back on a taxonomy: the smallest taxon that all labels of a set are in, and their number of genera.

A person who is shown five oaks is told "probably an oak" first.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Counts, Flags, LabelCodes
from ...arrow import to_arrow
from ...taxonomy import FAMILY, GENUS, Taxonomy
from .sets import PredictionSets

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
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


class Fallback:
    """A taxonomy for sets of labels, whose taxa are looked up once."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self._names: pa.Array | None = None
        self._taxa: LabelCodes = np.empty(0, np.int32)

    def of(self, sets: PredictionSets, names: "pa.Array") -> CommonTaxa:
        """The common taxa of sets whose labels have ``names``: those of the label space, and then others."""
        from ...kernels.taxa import common_taxa, common_taxon
        from ...kernels.threads import in_blocks

        n, taxa, parents = len(sets), self.taxa_of(names), self.taxonomy.parents
        found = np.empty(n, np.int32)
        of_always = common_taxon(taxa[: sets.n_labels][sets.always], parents)
        in_blocks(common_taxa, n, sets.offsets, sets.labels, taxa, parents, of_always, found)
        return CommonTaxa(self.taxonomy, found, self._counts(sets, names, GENUS), self._counts(sets, names, FAMILY))

    def taxa_of(self, names: "pa.Array") -> LabelCodes:
        """The position in the taxonomy of each label, int32, -1 where there is none."""
        n_known = 0 if self._names is None else len(self._names)
        if self._names is None or not names[:n_known].equals(self._names):
            n_known, self._taxa = 0, np.empty(0, np.int32)
        if n_known < len(names):
            self._taxa = np.append(self._taxa, self.taxonomy.places(names[n_known:]))
        self._names = names
        return self._taxa

    def groups_of(self, names: "pa.Array", rank: str) -> LabelCodes:
        """The taxon of a rank that each label is in, int32, numbered from 0; -1 where it is not known."""
        taxa = self.taxa_of(names)
        found = np.append(self.taxonomy.at_rank(rank), np.int32(-1))[taxa]
        _, groups = np.unique(found, return_inverse=True)
        unknown = int(found.size > 0 and found.min() < 0)
        return np.asarray(groups - unknown, np.int32).reshape(-1)

    def covers(self, sets: PredictionSets, names: "pa.Array", truth: LabelCodes, rank: str) -> "Covered":
        """Which sets have a label in the taxon of a rank, such as the genus, that the true label is in.

        ``truth`` int32[n], positions in ``names``; negative for a label that has none.
        """
        groups = np.append(self.groups_of(names, rank), np.int32(-1))
        of_truth = groups[np.where(truth < 0, -1, truth)]
        rows = np.repeat(np.arange(len(sets)), np.diff(sets.offsets))
        covered = np.zeros(len(sets), np.bool_)
        covered[rows[groups[sets.labels] == of_truth[rows]]] = True
        covered |= np.isin(of_truth, groups[: sets.n_labels][sets.always])
        known = of_truth >= 0
        return Covered(covered & known, known)

    def _counts(self, sets: PredictionSets, names: "pa.Array", rank: str) -> Counts:
        from ...kernels.taxa import count_groups
        from ...kernels.threads import in_blocks

        groups = self.groups_of(names, rank)
        always = groups[: sets.n_labels][sets.always]
        in_always = np.zeros(int(groups.max(initial=-1)) + 1, np.bool_)
        in_always[always[always >= 0]] = True
        of_always = -1 if (always < 0).any() else int(in_always.sum())
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
