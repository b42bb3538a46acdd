"""Prediction sets with the names of their labels and the ids of the observations."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Probabilities
from ...arrow import dictionary_of, lists_of, table_of, to_arrow
from ...blocks import FIRST, Block, Cell, Label, Table, count, mean_text
from ...classifier_scores import ClassifierScores
from ...frames import check_type, to_polars
from ...html_blocks import as_html
from ...schema import COMMON_TAXA, PREDICTION_SETS, arrow_schema
from ...taxonomy import Taxonomy
from .fallback import CommonTaxa, common_taxa
from .order import Alpha
from .sets import PredictionSets

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

LABELS_SHOWN = 3  # labels of a set that a first look shows


@dataclass(frozen=True, eq=False)
class NamedSets:
    """Prediction sets with the names of their labels and the ids of the observations.

    Their table has the columns of ``schema.PREDICTION_SETS``, and of ``COMMON_TAXA`` after :meth:`with_taxa`.
    """

    observation_ids: "pa.Array"
    """integers[n] or string[n]."""
    label_names: "pa.Array"
    """The labels of the label space, in label order, and then those that are only in lists."""
    sets: PredictionSets
    """Labels are positions in ``label_names``."""
    lists: ClassifierScores
    """What the classifier says, likewise."""
    alpha: Alpha
    """The share of observations whose true label may be outside of its set."""
    common: CommonTaxa | None = None
    """What labels of a set have in common, if a taxonomy was given."""

    def __len__(self) -> int:
        return len(self.sets)

    def with_taxa(self, taxonomy: Taxonomy | None = None) -> "NamedSets":
        """The same sets with their smallest common taxa; without a taxonomy, with the genera that names begin with."""
        check_type("a taxonomy", taxonomy, (Taxonomy, type(None)), "with_taxa(read_taxonomy(path))")
        taxonomy = Taxonomy.of_genera(self.label_names) if taxonomy is None else taxonomy
        return replace(self, common=common_taxa(self.sets, self.label_names, taxonomy))

    @cached_property
    def probabilities(self) -> Probabilities:
        """The classifier's probability of each label of ``sets``, float32 or float64."""
        from ...kernels.prediction_sets import listed_probabilities
        from ...kernels.threads import in_blocks

        lists, sets = self.lists, self.sets
        found = np.empty(sets.labels.size, lists.probabilities.dtype)
        items = lists.offsets, lists.labels, lists.probabilities, sets.offsets, sets.labels
        in_blocks(listed_probabilities, len(self), *items, found)
        return found

    def to_arrow(self) -> "pa.Table":
        """The sets as an Arrow table, a row each."""
        return self._table(self.label_names.take(to_arrow(self.sets.labels)))

    def encoded(self) -> "pa.Table":
        """As :meth:`to_arrow`, but with names of labels as a dictionary, which is faster to make and to write."""
        import pyarrow as pa

        if not pa.types.is_string(self.label_names.type):
            return self.to_arrow()
        occurs = np.zeros(len(self.label_names), np.bool_)
        occurs[self.sets.labels] = True
        places = np.cumsum(occurs, dtype=np.int32) - 1
        return self._table(dictionary_of(places[self.sets.labels], self.label_names.filter(to_arrow(occurs))))

    def _table(self, labels: "pa.Array") -> "pa.Table":
        sets, common = self.sets, self.common
        columns = {
            "observation_id": self.observation_ids,
            "labels": lists_of(sets.offsets, labels),
            "probabilities": lists_of(sets.offsets, to_arrow(self.probabilities.astype(np.float64, copy=False))),
            "scores": lists_of(sets.offsets, to_arrow(sets.scores)),
            "size": sets.sizes,
            "whole_space": sets.whole_space,
            "empty": sets.empty,
        }
        table, given = PREDICTION_SETS, {name: columns[name].type for name in ("observation_id", "labels")}
        if common is not None:
            table, columns = PREDICTION_SETS + COMMON_TAXA, columns | common.columns()
            given["common_taxon"] = common.taxonomy.labels.type
        return table_of(columns, arrow_schema(table, **given))

    def records(self) -> list[dict[str, Any]]:
        """The sets as plain values, which ``json.dumps`` takes: what a page shows of each observation.

        A score that is infinite is None. The labels of a set of the whole label space are those that the classifier
        lists.
        """
        ids, names = self.observation_ids.to_pylist(), self.label_names.take(to_arrow(self.sets.labels)).to_pylist()
        sets, columns = self.sets, {} if self.common is None else self.common.columns()
        bounds, sizes = sets.offsets.tolist(), sets.sizes.tolist()
        empty, whole_space = sets.empty.tolist(), sets.whole_space.tolist()
        taxa = {name: column.to_pylist() for name, column in columns.items()}
        shares, scores = self.probabilities.tolist(), sets.scores.tolist()
        labels = [
            {"label": name, "probability": share, "score": score if isfinite(score) else None}
            for name, share, score in zip(names, shares, scores, strict=True)
        ]
        return [
            {
                "observation_id": ids[i],
                "alpha": float(self.alpha),
                "size": sizes[i],
                "empty": empty[i],
                "whole_space": whole_space[i],
                "labels": labels[bounds[i] : bounds[i + 1]],
                **{name: values[i] for name, values in taxa.items()},
            }
            for i in range(len(self))
        ]

    def to_pandas(self) -> "pd.DataFrame":
        """The sets as a data frame, a row each."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> "pl.DataFrame":
        """The sets as a data frame of Polars, a row each. Raises ParameterError if that is not installed."""
        return to_polars(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The sets for whatever reads Arrow data, such as ``polars.DataFrame(sets)``."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"NamedSets({count(len(self), 'observation')} at alpha {self.alpha}: {self._in_words})"

    def _repr_html_(self) -> str:
        n = len(self)
        title = f"Prediction sets of {count(n, 'observation')} at alpha {self.alpha}: {self._in_words}"
        return as_html([Block(title, [self._first_rows(), *([f"and {n - FIRST:,} more"] if n > FIRST else [])])])

    def _first_rows(self) -> Table:
        """The first sets, with the first labels of each."""
        sets = self.sets
        rows: list[list[Cell]] = []
        taxa = [] if self.common is None else self.common.columns()["common_name"][:FIRST].to_pylist()
        for i in range(min(FIRST, len(self))):
            labels = sets.labels[sets.offsets[i] : sets.offsets[i + 1]]
            shown = [str(self.label_names[k].as_py()) for k in labels[:LABELS_SHOWN].tolist()]
            more = "" if sets.sizes[i] <= LABELS_SHOWN else ", ..."
            names = "all labels" if sets.whole_space[i] else ", ".join(shown) + more
            rows.append(
                [Label(self.observation_ids[i].as_py()), int(sets.sizes[i]), Label(names), *map(Label, taxa[i : i + 1])]
            )
        header = ("observation_id", "size", "labels", *["common taxon"] * bool(taxa))
        return Table(header=header, rows=rows, formats=("", ","), left=(0, 2, 3))

    @property
    def _in_words(self) -> str:
        """Mean size, and how many sets are empty, or say nothing."""
        sets = self.sets
        if len(self) == 0:
            return "none"
        said = [f"mean size {mean_text(sets.sizes.mean())}"]
        counts = {"empty": sets.empty.sum(), "of all labels": sets.whole_space.sum()}
        said += [f"{n:,} {what}" for what, n in counts.items() if n]
        return ", ".join(said)
