"""The tree of taxa above labels: from a table of taxa and their parents, or from the genera in names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .arrays import Flags, Indices, LabelCodes
from .arrow import array, strings, to_arrow, to_numpy
from .errors import ParameterError, VotesError, quoted

if TYPE_CHECKING:
    import pyarrow as pa

SPECIES, GENUS, FAMILY = "species", "genus", "family"
SHOWN = 5  # taxa of a cycle that a message names


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """Taxa, each below another or at a root; every taxon comes after those above it."""

    labels: "pa.Array"
    """integers[n] or string[n], distinct; a taxon, as in the votes."""
    names: "pa.Array"
    """string[n]; its scientific name."""
    ranks: "pa.Array"
    """string[n], in lower case; null where it is not known."""
    parents: LabelCodes
    """int32[n]; the position of the taxon above, which is smaller; -1 for a root."""
    origin: str = "taxonomy"
    """Names the source in messages."""

    def __len__(self) -> int:
        return self.parents.size

    def __repr__(self) -> str:
        n_roots = int(np.count_nonzero(self.parents < 0))
        return f"Taxonomy({len(self):,} taxa, {n_roots:,} without one above)"

    @classmethod
    def of_rows(
        cls,
        labels: "pa.Array",
        parents: "pa.Array",
        ranks: "pa.Array",
        names: "pa.Array | None" = None,
        origin: str = "taxonomy",
    ) -> "Taxonomy":
        """A taxonomy from a row for each taxon, in any order.

        A parent that has no row is a taxon without rank at a root. A taxon that is its own parent is at a root. Raises
        VotesError if a taxon has two rows that differ, or is above itself by way of others.

        >>> import pyarrow as pa
        >>> oaks = pa.array(["Quercus robur", "Quercus", "Fagaceae"])
        >>> Taxonomy.of_rows(oaks, pa.array(["Quercus", "Fagaceae", None]), pa.array(["species", "genus", "family"]))
        Taxonomy(3 taxa, 1 without one above)
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        labels, parents = as_labels(labels), as_labels(parents)
        named = as_texts(labels) if names is None else pc.coalesce(as_texts(names), as_texts(labels))
        ranks = pc.utf8_lower(pc.utf8_trim_whitespace(as_texts(ranks)))
        coded = labels.dictionary_encode()
        first = _first_rows(coded, parents, ranks, origin)
        labels, named, ranks, above = coded.dictionary, named.take(first), ranks.take(first), parents.take(first)
        lacking = pc.unique(above.filter(pc.and_(above.is_valid(), pc.invert(pc.is_in(above, labels)))))
        if len(lacking):
            labels, named = pa.concat_arrays([labels, lacking]), pa.concat_arrays([named, as_texts(lacking)])
            ranks = pa.concat_arrays([ranks, pa.nulls(len(lacking), ranks.type)])
            above = pa.concat_arrays([above, pa.nulls(len(lacking), above.type)])
        codes = to_numpy(pc.index_in(above, labels), null=-1).astype(np.int32)
        codes[codes == np.arange(codes.size)] = -1
        order = _from_roots(codes, labels, origin)
        place = np.empty(order.size + 1, np.int32)
        place[order], place[-1] = np.arange(order.size, dtype=np.int32), -1
        rows = to_arrow(order)
        return cls(labels.take(rows), named.take(rows), ranks.take(rows), place[codes[order]], origin)

    @classmethod
    def of_genera(cls, labels: "pa.Array") -> "Taxonomy":
        """The genera and species that are in names themselves; labels of a family or of none are at a root.

        Raises ParameterError if labels are integers.

        >>> import pyarrow as pa
        >>> taxonomy = Taxonomy.of_genera(pa.array(["Quercus robur L.", "Quercus robur subsp. robur", "Poaceae"]))
        >>> dict(zip(taxonomy.names.to_pylist(), taxonomy.ranks.to_pylist(), strict=True))
        {'Quercus': 'genus', 'Poaceae': None, 'Quercus robur L.': 'species', 'Quercus robur subsp. robur': None}
        """
        import pyarrow as pa

        if pa.types.is_integer(labels.type):
            raise ParameterError("labels are integers, in which no genus stands", remedy="name a taxonomy")
        parts = {text: _parts_of(text) for text in labels.to_pylist()}
        species_of: dict[str, str] = {}  # the name of a species -> the first label that is it
        for text, name in parts.items():
            if name.is_species and name.species is not None:
                species_of.setdefault(name.species, text)
        rows: dict[str, tuple[str | None, str | None]] = {}  # taxon -> the one above it, and its rank
        for text, name in parts.items():
            above = name.genus
            if name.species is not None and not name.is_species:
                above = species_of.get(name.species, name.species)
                rows.setdefault(above, (name.genus, SPECIES))
            if name.genus is not None:
                rows[name.genus] = None, GENUS
            if text != name.genus:
                rows[text] = above, SPECIES if name.is_species else None
        columns = (
            strings(rows),
            strings(above for above, _ in rows.values()),
            strings(rank for _, rank in rows.values()),
        )
        return cls.of_rows(*columns, origin="the genera in the labels")

    def places(self, labels: "pa.Array") -> LabelCodes:
        """The position of the taxon of each label, int32; -1 where there is none.

        A label is the taxon of that label, else the one of that name; a text that is neither is read as a scientific
        name without its author, `Quercus robur L.` as `Quercus robur`. A name that several taxa have is none of them.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        from .taxon_names.rules import Name, read_name

        is_text = not pa.types.is_integer(labels.type)
        found = np.full(len(labels), -1, np.int32)
        if is_text != pa.types.is_integer(self.labels.type):
            same = pc.index_in(labels.cast(self.labels.type, safe=False), self.labels)
            found = to_numpy(same, null=-1).astype(np.int32)
        if not is_text:
            return found
        lacking = np.flatnonzero(found < 0)
        found[lacking] = self._by_name(labels.take(to_arrow(lacking)))
        lacking = np.flatnonzero(found < 0)
        readings = [
            read_name(text) if text is not None else None for text in labels.take(to_arrow(lacking)).to_pylist()
        ]
        found[lacking] = self._by_name(
            strings(reading.label if isinstance(reading, Name) else None for reading in readings)
        )
        return found

    def at_rank(self, rank: str) -> LabelCodes:
        """The taxon of a rank that each taxon is or is below, int32[n]; -1 where there is none."""
        import pyarrow.compute as pc

        from .arrow import scalar

        is_rank = to_numpy(pc.equal(self.ranks, scalar(rank)), null=False)
        found = np.where(is_rank, np.arange(len(self), dtype=np.int32), np.int32(-1))
        for first, last in self._levels[1:]:
            level = slice(first, last)
            found[level] = np.where(is_rank[level], found[level], found[self.parents[level]])
        return found

    def has_rank(self, rank: str) -> bool:
        """Whether a taxon is of this rank."""
        return rank in self.ranks.unique().to_pylist()

    @cached_property
    def of_labels(self) -> "TaxaOfLabels":
        """The taxa of labels, each looked up once."""
        return TaxaOfLabels(self)

    @cached_property
    def _levels(self) -> Sequence[tuple[int, int]]:
        """The first taxon at each depth, and the one after the last."""
        edges, first, last = [], 0, int(np.count_nonzero(self.parents < 0))
        while first < last:
            edges.append((first, last))
            first, last = last, int(np.searchsorted(self.parents, last))
        return edges

    @cached_property
    def _unambiguous(self) -> "tuple[pa.Array, Indices]":
        """The names that one taxon has, and its position."""
        coded = self.names.dictionary_encode()
        codes = to_numpy(coded.indices)
        times = np.bincount(codes, minlength=len(coded.dictionary))
        rows = np.flatnonzero(times[codes] == 1)
        return self.names.take(to_arrow(rows)), rows

    def _by_name(self, names: "pa.Array") -> LabelCodes:
        import pyarrow.compute as pc

        known, rows = self._unambiguous
        places = to_numpy(pc.index_in(names.cast(known.type), known), null=-1)
        found: LabelCodes = np.append(rows, -1)[places].astype(np.int32)
        return found


class _Parts(NamedTuple):
    """What a label names, as far as taxa above it are in it."""

    genus: str | None
    species: str | None  # the name of the species that it is, or is below
    is_species: bool


@lru_cache(1 << 17)  # as labels that come batch by batch are read again with all those before
def _parts_of(label: str) -> _Parts:
    from .taxon_names.genera import genus_of
    from .taxon_names.rules import SPECIES as IS_SPECIES
    from .taxon_names.rules import Name, read_name

    name = read_name(label)
    if not isinstance(name, Name):
        return _Parts(genus_of(label), None, False)
    return _Parts(genus_of(label), name.species, name.rank == IS_SPECIES)


class TaxaOfLabels:
    """The taxa of a label space, and of labels outside of it, each looked up once."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._last: tuple[pa.Array | None, int, LabelCodes] = None, 0, np.empty(0, np.int32)
        self._space: pa.Array | None = None
        self._of_space: LabelCodes = np.empty(0, np.int32)
        self._of_others: dict[str | int, int] = {}
        self._groups: dict[str, LabelCodes] = {}  # by rank; of each taxon, and -1 at the end
        self._groups_of_space: dict[str, LabelCodes] = {}

    def taxa(self, names: "pa.Array", n_space: int) -> LabelCodes:
        """The position of each label in the taxonomy, int32, -1 where there is none; the first are the label space."""
        last_names, last_n_space, taxa = self._last
        if names is last_names and n_space == last_n_space:
            return taxa
        space = names[:n_space]
        if self._space is None or not space.equals(self._space):
            self._space, self._of_space, self._groups_of_space = space, self._taxonomy.places(space), {}
        others = names[n_space:].to_pylist()
        new = [name for name in others if name not in self._of_others]
        if new:
            self._of_others |= zip(new, self._taxonomy.places(array(new, names.type)).tolist(), strict=True)
        of_others = np.array([self._of_others[name] for name in others], np.int32)
        taxa = np.append(self._of_space, of_others)
        self._last = names, n_space, taxa
        return taxa

    def groups(self, names: "pa.Array", n_space: int, rank: str) -> LabelCodes:
        """The taxon of a rank that each label is in, int32, numbered from 0; -1 where it is not known."""
        if rank not in self._groups:
            found = np.append(self._taxonomy.at_rank(rank), np.int32(-1))
            _, numbers = np.unique(found, return_inverse=True)
            self._groups[rank] = numbers.reshape(-1).astype(np.int32) - np.int32(1)  # -1 is the first of all
        taxa, groups = self.taxa(names, n_space), self._groups[rank]
        if rank not in self._groups_of_space:
            self._groups_of_space[rank] = groups[taxa[:n_space]]
        of_space = self._groups_of_space[rank]
        return of_space if len(names) == n_space else np.append(of_space, groups[taxa[n_space:]])

    def n_groups(self, rank: str) -> int:
        """One more than the largest number of a group that was asked for."""
        return int(self._groups[rank].max(initial=-1)) + 1


def as_labels(labels: "pa.Array") -> "pa.Array":
    """Labels as strings, or as int64."""
    import pyarrow as pa

    return labels.cast(pa.int64() if pa.types.is_integer(labels.type) else pa.string())


def as_texts(labels: "pa.Array") -> "pa.Array":
    """Labels as texts."""
    import pyarrow as pa

    return labels.cast(pa.string())


def _first_rows(coded: "pa.DictionaryArray", parents: "pa.Array", ranks: "pa.Array", origin: str) -> "pa.Array":
    """The first row of each label. Raises VotesError if another one differs from it."""
    codes = to_numpy(coded.indices)
    first = np.full(len(coded.dictionary), codes.size, np.int64)
    np.minimum.at(first, codes, np.arange(codes.size))
    others = np.flatnonzero(first[codes] != np.arange(codes.size))
    for row in others.tolist():
        before = int(first[codes[row]])
        for what, column in (("parents", parents), ("ranks", ranks)):
            one, other = column[before].as_py(), column[row].as_py()
            if one != other:
                label = quoted(coded.dictionary[int(codes[row])].as_py())
                shown = " and ".join("none" if value is None else quoted(value) for value in (one, other))
                raise VotesError(
                    f"taxon {label} has rows with the {what} {shown}",
                    where=origin,
                    remedy="leave one row of each taxon",
                )
    return to_arrow(first)


def _from_roots(parents: LabelCodes, labels: "pa.Array", origin: str) -> Indices:
    """All taxa, those at a root first, then those below these, and so on, int64[n]; each level by its parents' order.

    Raises VotesError for a cycle.
    """
    by_parent = np.argsort(parents, kind="stable")
    starts = np.searchsorted(parents[by_parent], np.arange(-1, parents.size + 1))
    levels = [by_parent[: starts[1]]]
    while levels[-1].size:
        above = levels[-1]
        counts = starts[above + 2] - starts[above + 1]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        levels.append(by_parent[np.repeat(starts[above + 1], counts) + within])
    order: Indices = np.concatenate(levels).astype(np.int64)
    if order.size < parents.size:
        is_reached: Flags = np.zeros(parents.size, np.bool_)
        is_reached[order] = True
        raise VotesError(
            f"taxa are above themselves: {_cycle(int(np.flatnonzero(~is_reached)[0]), parents, labels)}",
            where=origin,
            remedy="mend the column parent",
        )
    return order


def _cycle(taxon: int, parents: LabelCodes, labels: "pa.Array") -> str:
    """The cycle that the taxa above one end in, in words."""
    seen: dict[int, int] = {}
    while taxon not in seen:
        seen[taxon] = len(seen)
        taxon = int(parents[taxon])
    cycle = [quoted(labels[place].as_py()) for place in list(seen)[seen[taxon] :]]
    shown = cycle if len(cycle) <= SHOWN else [*cycle[:SHOWN], "..."]
    return " below ".join([*shown, cycle[0]])
