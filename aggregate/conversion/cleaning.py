"""What changes labels while votes are converted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from ..arrow import strings, to_numpy
from ..blocks import Block
from ..errors import VotesError

VERBATIM = "verbatim_label"  # column with the label as the source has it
OF_LABELS = ("label", "parent", "labels")  # columns that have labels


class LabelCleaner(Protocol):
    """Says what counts in place of a label: the accepted name of a synonym, one spelling of several, or nothing."""

    def clean(self, labels: Sequence[str]) -> Sequence[str | None]:
        """What counts in place of each label; None if it is no opinion.

        A conversion asks once for each distinct label, for some at a time.
        """

    def facts(self, rows: Mapping[str, int]) -> Mapping[str, Any]:
        """For the record of the conversion, as JSON. ``rows``: label -> rows of all tables that have it."""

    def blocks(self, rows: Mapping[str, int]) -> Sequence[Block]:
        """For the summary."""


class CleanedLabels:
    """Applies a cleaner to batches, and counts the rows that have each label."""

    def __init__(self, cleaner: LabelCleaner) -> None:
        self.cleaner = cleaner
        self.rows: Counter[str] = Counter()
        self._known: dict[str | None, str | None] = {None: None}

    def apply(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch with cleaned labels, and those of the column ``label`` as they were in ``verbatim_label``.

        In lists of labels, those that are no opinion stay: the others' probabilities are theirs.
        """
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name in OF_LABELS:
            if name not in columns:
                continue
            labels = columns[name]
            if pa.types.is_list(labels.type):
                items = self._cleaned(table, name, labels.flatten(), keep=True)
                columns[name] = pa.ListArray.from_arrays(labels.offsets, items, mask=labels.is_null())
            else:
                columns[name] = self._cleaned(table, name, labels, keep=False)
        if "label" in columns:
            columns.setdefault(VERBATIM, batch.column("label"))
        return pa.record_batch(list(columns.values()), names=list(columns))

    def _cleaned(self, table: str, name: str, labels: pa.Array, *, keep: bool) -> pa.Array:
        if not pa.types.is_string(labels.type):
            what = f"the column {name} of {table} is of type {labels.type}"
            raise VotesError(what, remedy="only labels that are texts can be cleaned as names")
        encoded = labels.dictionary_encode()
        distinct: list[str | None] = encoded.dictionary.to_pylist()
        unknown = [label for label in distinct if label is not None and label not in self._known]
        if unknown:
            self._known.update(zip(unknown, self.cleaner.clean(unknown), strict=True))
        if name != "parent":
            counts = np.bincount(to_numpy(encoded.indices.drop_null()), minlength=len(distinct)).tolist()
            self.rows.update({label: n for label, n in zip(distinct, counts, strict=True) if label is not None})
        found = [self._known[label] for label in distinct]
        if keep:
            found = [before if after is None else after for before, after in zip(distinct, found, strict=True)]
        return strings(found).take(encoded.indices)
