"""Expert labels, and their positions among other observations."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from .arrays import Indices, LabelCodes
from .arrow import to_arrow, to_numpy
from .blocks import FIRST, Block, count, first_rows
from .errors import VotesError, on_one_line, quoted, warn
from .html_blocks import as_html
from .names import lookalikes

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Truth:
    """The label experts give to some observations."""

    observation_ids: "pa.Array"
    """Distinct ids, in any order."""
    labels: "pa.Array"
    """The label of each observation, without nulls."""
    origin: str = "truth"
    """Names the source in messages."""
    n_unlabelled: int = 0
    """Rows that were left out because they have no label."""

    def __len__(self) -> int:
        return len(self.observation_ids)

    def at(self, rows: Indices) -> "Truth":
        """The expert labels in some rows, int64[n]."""
        chosen = to_arrow(rows)
        return replace(self, observation_ids=self.observation_ids.take(chosen), labels=self.labels.take(chosen))

    def __repr__(self) -> str:
        return f"Truth({self._in_words})"

    def _repr_html_(self) -> str:
        import pyarrow as pa

        columns = {"observation_id": self.observation_ids[:FIRST], "label": self.labels[:FIRST]}
        return as_html([Block(f"Expert labels of {self._in_words}", first_rows(pa.table(columns), len(self)))])

    @property
    def _in_words(self) -> str:
        return f"{count(len(self), 'observation')}, from {on_one_line(self.origin)}"


class LabelledRows(Protocol):
    """What has distinct observation ids, an item a row, and distinct names of labels: votes, the AI's, evidence."""

    @property
    def observation_ids(self) -> "pa.Array":
        """Distinct ids, an item a row."""

    @property
    def label_names(self) -> "pa.Array":
        """Distinct names of labels."""


class KnownRows(NamedTuple):
    """The rows of a table that experts know."""

    rows: Indices  # int64[n], ascending
    labels: "pa.Array"  # the experts' label of each
    # int32[n]; the positions of these among the table's names of labels, -1 for one that is not there.
    codes: LabelCodes
    truth: Truth  # the same observations in the order of the truth


def known_rows(truth: Truth, source: LabelledRows, place: str) -> KnownRows:
    """The rows of ``source`` that experts know; ``place`` names it in messages.

    Raises VotesError if ids or labels have other types than the experts'.
    """
    check_kinds(truth, source.observation_ids.type, source.label_names.type, place)
    rows, truth_rows = rows_of(source.observation_ids, truth.observation_ids)
    labels = truth.labels.take(to_arrow(truth_rows))
    return KnownRows(rows, labels, codes_among(source.label_names, labels), truth.at(np.sort(truth_rows)))


def check_kinds(truth: Truth, ids: "pa.DataType", labels: "pa.DataType", place: str) -> None:
    """Raise VotesError unless both hold integers, or both strings: observation ids, and labels, of ``place``."""
    import pyarrow as pa

    for column, theirs, ours in (
        ("observation_id", truth.observation_ids.type, ids),
        ("label", truth.labels.type, labels),
    ):
        if pa.types.is_integer(theirs) != pa.types.is_integer(ours):
            raise VotesError(
                f"column {column!r} has type {theirs}, but {ours} in {place}",
                where=truth.origin,
                remedy="write both with the same type",
            )


def check_labels(
    truth: Truth, names: "pa.Array", place: str, *, needed: bool = False, effect: str = "so these count as wrong"
) -> None:
    """Warn of experts' labels that are not among ``names``, the distinct labels of ``place``, but look like one.

    They differ in nothing but case, white space or Unicode form, and yet are others, with the ``effect``. Warn also if
    none is among them; if that is ``needed``, raise VotesError.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    labels = pc.unique(truth.labels)
    unknown = labels.filter(to_arrow(codes_among(names, labels) < 0))
    if len(unknown) == 0:
        return
    alike = [] if pa.types.is_integer(labels.type) else lookalikes(names, unknown)
    faults = []
    if len(unknown) == len(labels) and len(names):
        theirs, ours = alike[0] if alike else (unknown[0].as_py(), names[0].as_py())
        faults.append(
            f"none of the experts' labels ({len(labels):,}) is among those of {place}: the first is "
            f"{quoted(theirs)} with the experts, {quoted(ours)} in {place}"
        )
        if needed:
            raise VotesError(faults[0], where=truth.origin, remedy="see that both write the labels the same way")
    if alike:
        one = "1 label differs" if len(alike) == 1 else f"{len(alike):,} labels differ"
        first = "" if faults else f" (first {quoted(alike[0][0])}, there {quoted(alike[0][1])})"
        faults.append(f"{one} from one of {place} only in case, white space or Unicode form{first}")
    if faults:
        message = f"{on_one_line(truth.origin)}: {'; '.join(faults)}: different labels, {effect}"
        warn(message)


def rows_of(ids: "pa.Array", wanted: "pa.Array") -> tuple[Indices, Indices]:
    """Where ``wanted`` (distinct) occur among ``ids``: rows of ``ids``, ascending, and the row of ``wanted`` for each.

    Integers of different width are equal if their numbers are.
    """
    import pyarrow.compute as pc

    found = pc.index_in(*_of_one_type(ids, wanted))
    rows = np.flatnonzero(to_numpy(found.is_valid()))
    return rows, to_numpy(found.drop_null()).astype(np.int64)


def codes_among(names: "pa.Array", labels: "pa.Array") -> LabelCodes:
    """The positions of ``labels`` among the distinct ``names``: int32, -1 for labels that are not among them."""
    import pyarrow.compute as pc

    labels, names = _of_one_type(labels, names)
    return to_numpy(pc.index_in(labels, names), null=-1)


def _of_one_type(one: "pa.Array", other: "pa.Array") -> "tuple[pa.Array, pa.Array]":
    """Both arrays, as text if their types differ."""
    import pyarrow as pa

    return (one, other) if one.type == other.type else (one.cast(pa.large_string()), other.cast(pa.large_string()))
