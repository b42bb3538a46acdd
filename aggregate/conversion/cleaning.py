"""Cleans labels as scientific names while votes are converted."""

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Indices
from ..arrow import to_arrow, to_numpy
from ..errors import VotesError, quoted, warn
from ..files.sources import printable
from ..taxon_names.cleaner import NameCleaner
from ..taxon_names.files import fingerprint_of
from ..taxon_names.lists import merged_items
from ..taxon_names.report import LabelCounts, label_counts, label_table, warning_of
from ..taxon_names.settings import NameSettings

VERBATIM = "verbatim_label"  # column with the label as the source has it


class CleanedLabels:
    """Cleans the labels of all tables, and counts the rows that have each.

    Experts may name species that are not in the checklist, and a taxonomy has taxa above species, as have votes that
    stand apart because of these: what is refused in votes stays there.
    """

    def __init__(self, settings: NameSettings) -> None:
        self.settings = settings
        self._cleaner = NameCleaner(settings)
        self._of_experts = NameCleaner(replace(settings, checklist=None, parser=None))
        self._of_taxa = NameCleaner(
            replace(settings, checklist=None, parser=None, to_species=False, higher_taxa=settings.names)
        )
        self._truth: Counter[str] = Counter()
        self._taxa: set[str] = set()  # labels of the taxonomy so far
        self._files = {
            name: {"path": printable(str(path)), "sha256": fingerprint_of(path)}
            for name in ("synonyms", "checklist")
            if (path := getattr(settings, name)) is not None
        }

    def apply(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch with cleaned labels; those of the column ``label`` as they were are in ``verbatim_label``."""
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for name in {"label", "labels", "parent"} & set(columns):
            _check_texts(table, name, columns[name].type)
        if table == "scores":
            columns["labels"], columns["probabilities"] = self._lists(columns["labels"], columns["probabilities"])
            return pa.record_batch(list(columns.values()), names=list(columns))
        columns.setdefault(VERBATIM, columns["label"])
        if table == "taxonomy":
            return self._taxonomy(pa.record_batch(list(columns.values()), names=list(columns)))
        columns["label"] = self._cleaned(table, columns["label"])
        return pa.record_batch(list(columns.values()), names=list(columns))

    def facts(self) -> dict[str, Any]:
        """For the record of the conversion."""
        settings = {name: value for name, value in vars(self.settings).items() if name not in self._files}
        return {**settings, **self._files, "labels": asdict(self.counts)}

    @property
    def counts(self) -> LabelCounts:
        """Numbers of labels and rows."""
        return label_counts(self._cleaner)

    @property
    def table(self) -> pa.Table:
        """The labels that are not as they stand in the source."""
        return label_table(self._cleaner, self._truth, self._of_experts)

    def _cleaned(self, table: str, labels: pa.Array) -> pa.Array:
        if table == "coarse_votes":
            return self._of_taxa.clean(labels)
        if table == "truth":
            cleaned, plain = self._cleaner.clean(labels, self._truth), self._of_experts.clean(labels)
            return pc.if_else(cleaned.is_valid(), cleaned, plain)
        return self._cleaner.clean(labels, self._cleaner.votes if table == "votes" else self._cleaner.ai_votes)

    def _taxonomy(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Taxa, of those with the same label the first."""
        for name in ("label", "parent"):
            place = batch.schema.get_field_index(name)
            cleaned = self._of_taxa.clean(batch.column(place), keep_refused=True)
            batch = batch.set_column(place, batch.schema.field(place), cleaned)
        is_first = []
        for label in batch.column("label").to_pylist():
            is_first.append(label not in self._taxa)
            self._taxa.add(label)
        return batch.filter(pa.array(is_first, pa.bool_()))

    def _lists(self, labels: pa.Array, probabilities: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Lists of labels and their probabilities; those of labels that become the same are added up."""
        items = self._cleaner.clean(labels.flatten(), keep_refused=True)
        offsets = _offsets(labels)
        if np.array_equal(offsets, _offsets(probabilities)):
            coded = items.dictionary_encode()
            shares = probabilities.flatten()
            merged = merged_items(offsets, to_numpy(coded.indices, null=-1), to_numpy(shares, null=np.nan))
            if merged is not None:
                shares = to_arrow(merged.probabilities, null=np.isnan(merged.probabilities)).cast(shares.type)
                items, offsets = items.take(to_arrow(merged.items)), merged.offsets
                probabilities = _lists_of(offsets, shares, probabilities)
        return _lists_of(offsets, items, labels), probabilities

    def warn(self) -> None:
        """Warn if many votes count as no opinion, or labels of experts count as the same."""
        warning = warning_of(self.counts)
        if warning is not None:
            warn(warning)
        by_label: dict[str | None, list[str]] = {}
        for verbatim, decision in zip(self._truth, self._of_experts.decide(self._truth), strict=True):
            by_label.setdefault(decision.label, []).append(verbatim)
        same = [several for label, several in by_label.items() if label is not None and len(several) > 1]
        if same:
            n, (one, other, *_) = sum(map(len, same)), same[0]
            warn(f"{n:,} labels of experts count as the same as another (first {quoted(one)} and {quoted(other)})")


def _offsets(lists: pa.Array) -> Indices:
    """Where the items of each list begin among those of all, int64[n + 1]."""
    lengths = to_numpy(pc.list_value_length(lists).cast(pa.int64()), null=0)
    return np.append(0, np.cumsum(lengths))


def _lists_of(offsets: Indices, items: pa.Array, like: pa.Array) -> pa.Array:
    """Lists of items, null where those of ``like`` are, and of its type."""
    lists = pa.ListArray.from_arrays(to_arrow(offsets.astype(np.int32)), items, mask=like.is_null())
    return lists.cast(like.type)


def _check_texts(table: str, name: str, kind: pa.DataType) -> None:
    if pa.types.is_list(kind):
        kind = kind.value_type
    if not pa.types.is_string(kind):
        remedy = "leave out --names, --synonyms and --checklist, or have names as labels"
        raise VotesError(f"column {name!r} of {table} has type {kind}: numbers are not cleaned as names", remedy=remedy)
