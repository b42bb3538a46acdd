"""The genus of a label, and the sampling of genera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ..ids.hashing import limit_of, u
from ..reprs import short_repr
from ..shares import exact
from ..taxon_names.genera import genus_of
from .settings import SplitSettings


@dataclass(frozen=True, repr=False)
class Genera:
    """The genus of each label."""

    names: Sequence[str | None]
    """By the position of the label; None for one that has none."""
    needed: bool = True
    """Whether a label without a genus is left out; not where no label can have one."""

    __repr__ = short_repr


def genera_of(labels: pa.Array, table: Mapping[str | int, str] | None = None) -> Genera:
    """The genus of each of the ``labels``: that of ``table``, label -> genus, if given, else the one in its name.

    Integers have a genus only in a table.
    """
    if table is not None:
        return Genera([table.get(label) for label in labels.to_pylist()])
    if pa.types.is_integer(labels.type):
        return Genera([None] * len(labels), needed=False)
    return Genera([genus_of(label) for label in labels.to_pylist()])


def sample(frame: Sequence[str], settings: SplitSettings) -> list[str]:
    """The genera of a sorted ``frame`` that are kept: all, a share, or the ones with the smallest numbers."""
    numbers = {genus: u(f"genus|{settings.seed}|{genus}") for genus in frame}
    if settings.genera_share is not None:
        limit = limit_of(exact(settings.genera_share))
        return [genus for genus in frame if numbers[genus] < limit]
    return sorted(sorted(frame, key=lambda genus: (numbers[genus], genus))[: settings.n_genera])
