"""What a training script reads: a row an observation, its class, set, weight and soft labels; and the classes."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from ..arrays import Floats, Indices
from ..arrow import plain, strings, table_of, to_arrow
from ..blocks import Block
from ..files.writing import writing
from ..html_blocks import as_html
from ..listeners import ProgressLike, listening
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.open_run import open_named
from ..publishing.run import Run
from ..publishing.tables import write_table
from ..schema import CLASSES, TRAINING, arrow_schema
from ..splits.assignment import Assignment
from ..splits.report import left_out_block, reached_shares, split_block, wanted_shares
from ..splits.units import SPLITS
from ..truth import Truth, codes_among
from .options import with_options
from .rows import GROUP
from .run_splits import (
    RunSplitSettings,
    class_indices,
    declared,
    excluded_rows,
    genera_of_labels,
    labels_of,
    split_names,
    split_run,
)
from .soft_labels import POSTERIORS_FILE, SoftLabels, soft_labels
from .taxa import Taxa

if TYPE_CHECKING:
    import pandas as pd

DATA, CLASSES_FILE, EXCLUDED_FILE, FACTS_FILE = "data", "classes.parquet", "excluded.parquet", "training.json"


@dataclass(frozen=True)
class TrainingSettings(RunSplitSettings):
    """How a run becomes a training table."""

    hard: bool = setting(
        False, "leave out the soft labels: the lists of all labels voted and their shares", group=GROUP
    )
    beta: float = setting(
        0.999, "of the effective number of observations of a class, (1 - beta^n) / (1 - beta)", "in [0, 1)", group=GROUP
    )


@dataclass(frozen=True, eq=False, repr=False)
class TrainingData:
    """The observations of a run that can be trained and tested on."""

    table: pa.Table
    """A row each, sorted by id: the columns TRAINING of ``schema``."""
    classes: pa.Table
    """The columns CLASSES, a row each, by ``class_index``."""
    excluded: pa.Table
    """The observations that are left out: the columns EXCLUDED."""
    assignment: Assignment
    """How the observations were split, and the populations before and after."""
    weight_from: str
    """The column that ``sample_weight`` is: ``probability`` or ``confidence``."""
    soft_from: str | None
    """Where the soft labels are from, in words; None if there are none."""
    no_soft: str | None = None
    """Why there are none, in words."""

    @cached_property
    def splits(self) -> Mapping[str, pa.Table]:
        """The rows of each set, of ``train``, ``validation`` and ``test``; without those that would have no row."""
        found = {}
        for name, n in self.assignment.counts.items():
            if n:
                used = self.assignment.splits[self.assignment.used]
                found[name] = self.table.take(to_arrow(np.flatnonzero(used == SPLITS.index(name))))
        return found

    @property
    def class_names(self) -> list[str]:
        """The names of the classes, by ``class_index``."""
        names: list[str] = self.classes.column("name").to_pylist()
        return names

    def to_pandas(self) -> "pd.DataFrame":
        """The rows as a data frame."""
        return self.table.to_pandas()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows for whatever reads Arrow data, such as ``polars.DataFrame(data)``."""
        return self.table.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        sets = ", ".join(f"{n:,} {name}" for name, n in self.assignment.counts.items())
        return f"TrainingData({sets}; {self.classes.num_rows:,} classes)"

    def _repr_html_(self) -> str:
        return as_html(blocks_of(self))


@dataclass(frozen=True)
class Training(TrainingSettings):
    """What a training script reads: data/train.parquet, data/validation.parquet and data/test.parquet.

    Each has a row an observation: its label, class index, sample weight, flags of ambiguity, and the shares of all
    labels voted. An observation is in the set that the hash of its author falls into, so more observations move none;
    a label is a class if enough observations have it, one of them in the training set. classes.parquet has the classes
    with weights for the long tail, excluded.parquet what was left out and why, training.json what was reached.
    """

    name: ClassVar[str] = "training"

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write data/train.parquet and its siblings, the classes, and what was left out; what was reached, as blocks.

        Raises VotesError if the run's votes are gone, or nothing is left to train on.
        """
        data = _made(run, self, progress)
        progress.phase("write the tables")
        with writing(str(folder), "file"):
            (folder / DATA).mkdir()
        for name, table in data.splits.items():
            write_table(table, folder / DATA / f"{name}.parquet", "file", declared=declared(table))
        write_table(data.classes, folder / CLASSES_FILE, "file")
        write_table(data.excluded, folder / EXCLUDED_FILE, "file", declared=declared(data.excluded))
        write_facts(facts_of(data), folder / FACTS_FILE)
        return blocks_of(data)


def training_table(
    run: Run | str | os.PathLike[str],
    options: TrainingSettings | None = None,
    *,
    progress: ProgressLike = None,
    **chosen: Any,
) -> TrainingData:
    """What the training export writes of a run, as tables: observations with classes and sets, and the classes.

    Args:
        run: a run, or the path or URI of its folder, of its consensus.parquet, or of an output folder.
        options: how, instead of ``chosen``.
        progress: True shows a bar, False does not, by default there is one in notebooks; or a listener.
        chosen: the options of ``plant-aggregate export RUN training``: ``test=0.1``, ``val=0.1``, ``seed=0``,
            ``group="observation"``, ``min_per_class=4``, ``require="all"``, ``n_genera=300``, ``genera_share=0.1``,
            ``votes=PATHS``, ``taxonomy=FILE``, ``hard=True``, ``beta=0.999``.

    Raises VotesError if the run's votes are gone, or nothing is left to train on; ParameterError for wrong options.
    """
    options = with_options(TrainingSettings, "a training table", chosen) if options is None else options
    with listening(progress) as listener:
        return _made(open_named(run, None), options, listener)


def _made(run: Run, options: TrainingSettings, progress: Progress) -> TrainingData:
    needs_votes = not options.hard and POSTERIORS_FILE not in run.files
    found = split_run(run, options, progress, needs_votes=needs_votes)
    assignment = found.assignment
    soft = (
        "left out"
        if options.hard
        else soft_labels(run, found.votes, assignment.observations, _experts_of(found.consensus))
    )
    table, weight_from = _rows(found.consensus, assignment, soft if isinstance(soft, SoftLabels) else None)
    return TrainingData(
        table,
        class_rows(assignment, found.taxa, options.beta),
        excluded_rows(assignment),
        assignment,
        weight_from,
        soft.origin if isinstance(soft, SoftLabels) else None,
        None if isinstance(soft, SoftLabels) else soft,
    )


def _experts_of(consensus: pa.Table) -> Truth | None:
    """The labels that experts gave, of the rows of a consensus; None if there are none."""
    if "by_expert" not in consensus.column_names:
        return None
    rows = consensus.filter(consensus.column("by_expert"))
    return Truth(plain(rows.column("observation_id")), plain(rows.column("label"))) if rows.num_rows else None


def _rows(consensus: pa.Table, assignment: Assignment, soft: SoftLabels | None) -> tuple[pa.Table, str]:
    """The columns TRAINING of the observations that are used, and the column that is their weight."""
    observations = assignment.observations
    rows = np.flatnonzero(assignment.used)
    chosen = consensus.take(to_arrow(rows))
    classes = class_indices(assignment)
    labels = observations.labels[rows]
    weight_from = "probability" if "probability" in chosen.column_names else "confidence"
    columns: dict[str, Any] = {
        "observation_id": observations.ids.take(to_arrow(rows)),
        "label": labels_of(labels, observations.label_names),
        "class_index": classes[labels],
        "genus": genera_of_labels(assignment, labels),
        "split": split_names(assignment, rows),
        "sample_weight": chosen.column(weight_from),
    }
    copied = [column.name for column in TRAINING if column.name in chosen.column_names and column.name not in columns]
    columns |= {name: chosen.column(name) for name in copied}
    if soft is not None:
        here = soft.of(rows)
        items = {
            "soft_labels": labels_of(here.labels, here.names),
            "soft_shares": to_arrow(here.shares),
            "soft_classes": to_arrow(_classes_of_names(here.names, assignment)[here.labels]),
        }
        offsets = to_arrow(here.offsets.astype(np.int32))
        columns |= {name: pa.ListArray.from_arrays(offsets, values) for name, values in items.items()}
    ordered = [column.name for column in TRAINING if column.name in columns]
    arrays = {name: columns[name] for name in ordered}
    return pa.table({n: to_arrow(a) if isinstance(a, np.ndarray) else a for n, a in arrays.items()}), weight_from


def _classes_of_names(names: pa.Array, assignment: Assignment) -> Indices:
    """int64[n]; the class index of each of ``names``, -1 for those that are no class."""
    return class_indices(assignment)[codes_among(assignment.observations.label_names, names)]


def class_rows(assignment: Assignment, taxa: Taxa | None, beta: float) -> pa.Table:
    """The columns CLASSES."""
    observations = assignment.observations
    labels = observations.label_names.take(to_arrow(assignment.classes))
    names = {} if taxa is None else taxa.names
    n_train = assignment.class_counts[:, 0]
    columns = {
        "class_index": np.arange(assignment.classes.size),
        "label": labels,
        "name": strings([names.get(label) or str(label) for label in labels.to_pylist()]),
        "genus": strings([assignment.genera.names[code] for code in assignment.classes]),
        **{f"n_{name}": assignment.class_counts[:, place] for place, name in enumerate(SPLITS)},
        **{name: to_arrow(weights, null=n_train == 0) for name, weights in class_weights(n_train, beta).items()},
    }
    return table_of(columns, arrow_schema(CLASSES, label=labels.type))


def class_weights(n_train: Indices, beta: float = 0.999) -> dict[str, Floats]:
    """Weights of classes for the long tail, from ``n_train`` int64[n_classes], their training observations.

    With N = sum of n, of K classes with a training observation:

    - ``weight_inverse_frequency``: N / (K n), so that all classes weigh the same.
    - ``weight_square_root``: 1 / sqrt(n), between that and no weights [Mahajan et al. 2018, Exploring the limits of
      weakly supervised pretraining, ECCV].
    - ``weight_effective_number``: (1 - beta) / (1 - beta^n) [Cui et al. 2019, Class-balanced loss based on effective
      number of samples, CVPR].
    - ``log_prior``: log(n / N), to add to logits in training, or subtract after it [Menon et al. 2021, Long-tail
      learning via logit adjustment, ICLR].

    The second and third are scaled to a mean of 1 over the classes. NaN for classes without a training observation.

    >>> {name: weights.round(3).tolist() for name, weights in class_weights(np.array([1, 3])).items()}
    {'weight_inverse_frequency': [2.0, 0.667], 'weight_square_root': [1.268, 0.732], \
'weight_effective_number': [1.5, 0.5], 'log_prior': [-1.386, -0.288]}
    """
    trained = n_train > 0
    n = n_train[trained].astype(np.float64)
    total, k = n.sum(), n.size
    weights = {
        "weight_inverse_frequency": total / (k * n) if k else n,
        "weight_square_root": _with_mean_one(n**-0.5),
        "weight_effective_number": _with_mean_one((1 - beta) / (1 - beta**n)),
        "log_prior": np.log(n / total) if k else n,
    }
    of_classes = {name: np.full(n_train.size, np.nan) for name in weights}
    for name, known in weights.items():
        of_classes[name][trained] = known
    return of_classes


def _with_mean_one(weights: Floats) -> Floats:
    scaled: Floats = weights * (weights.size / weights.sum()) if weights.size else weights
    return scaled


def facts_of(data: TrainingData) -> dict[str, Any]:
    """What training.json says: what was reached, and what the columns are from."""
    return {
        "shares_wanted": wanted_shares(data.assignment.settings),
        "shares_reached": reached_shares(data.assignment),
        "sample_weight_from": data.weight_from,
        "soft_labels_from": data.soft_from,
        **data.assignment.report(),
    }


def write_facts(facts: Mapping[str, Any], path: Path) -> None:
    """Write a JSON file. Raises PublishError."""
    with writing(str(path), "file"):
        path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def blocks_of(data: TrainingData) -> list[Block]:
    """The sets with the shares wanted and reached, what was left out, and where the columns are from."""
    notes = [
        f"sample_weight is the {data.weight_from}",
        f"no soft labels: {data.no_soft}" if data.soft_from is None else f"soft labels from {data.soft_from}",
    ]
    return [split_block(data.assignment), left_out_block(data.assignment), Block(content=notes)]
