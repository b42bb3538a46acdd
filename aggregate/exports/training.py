"""What a training script reads: a row an observation, its class, set, weight and soft labels; and the classes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from ..arrays import Floats, Indices
from ..arrow import dictionary_of, strings, table_of, to_arrow, to_numpy
from ..blocks import Block
from ..errors import VotesError
from ..files.locations import redacted
from ..files.writing import writing
from ..frames import is_frame
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..publishing.tables import write_table
from ..schema import CLASSES, TRAINING, arrow_schema
from ..splits.assignment import REASONS, Assignment, assign
from ..splits.genera import genera_of
from ..splits.settings import SplitSettings
from ..splits.units import SPLITS
from ..truth import codes_among
from ..version import VERSION
from ..votes import Votes
from .observations import read_labelled
from .soft_labels import POSTERIORS_FILE, SoftLabels, soft_labels
from .taxa import Taxa, read_taxa

if TYPE_CHECKING:
    from ..files.sources import Paths
    from ..frames import Frame

DATA, CLASSES_FILE, EXCLUDED_FILE, FACTS_FILE = "data", "classes.parquet", "excluded.parquet", "training.json"

NO_VOTES = "name the files of the votes as they are now with --votes, or split by observation (--group observation)"


@dataclass(frozen=True)
class TrainingSettings(SplitSettings):
    """How a run becomes a training table."""

    votes: "Paths | Frame | None" = setting(
        None,
        "Parquet files, folders or globs of the votes of the run, if they are not where it read them",
        group="Votes",
        is_table=True,
        or_frame=True,
        several=True,
        metavar="VOTES",
    )
    taxonomy: "Paths | None" = setting(
        None,
        "Parquet file of label and genus, or of label, parent, rank and name: where labels are no scientific names",
        group="Splits",
        is_table=True,
        several=True,
        metavar="FILE",
    )
    hard: bool = setting(
        False, "leave out the soft labels: the lists of all labels voted and their shares", group="Splits"
    )
    beta: float = setting(
        0.999,
        "of the effective number of observations of a class, (1 - beta^n) / (1 - beta)",
        "in [0, 1)",
        group="Splits",
    )


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True)
class Training(TrainingSettings):
    """Tables for training scripts."""

    name: ClassVar[str] = "training"

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write data/train.parquet and its siblings, the classes, and what was left out; what was reached, as blocks.

        Raises VotesError if the run's votes are gone, or nothing is left to train on.
        """
        from .report import training_blocks

        data = training_table(run, self, progress=progress)
        progress.phase("write the tables")
        with writing(str(folder), "file"):
            (folder / DATA).mkdir()
        for name, table in data.splits.items():
            write_table(table, folder / DATA / f"{name}.parquet", "file", declared=declared(table))
        write_table(data.classes, folder / CLASSES_FILE, "file")
        write_table(data.excluded, folder / EXCLUDED_FILE, "file", declared=declared(data.excluded))
        write_facts(facts_of(run, self, data), folder / FACTS_FILE)
        return training_blocks(data)


def training_table(run: Run, options: TrainingSettings, *, progress: Progress = SILENT) -> TrainingData:
    """The observations of a run with their classes, sets, weights and soft labels; and the classes.

    Raises VotesError if the run's votes are gone, or nothing is left to train on.
    """
    votes = votes_of(run, options, progress)
    progress.phase("read the consensus")
    consensus, observations = read_labelled(run, votes)
    progress.phase("split the observations")
    names = observations.label_names
    taxa = None if options.taxonomy is None else read_taxa(options.taxonomy, names.type)
    genera = genera_of(names, None if taxa is None else taxa.genera)
    if (options.genera or options.genera_share) and not genera.needed:
        raise VotesError(
            "labels are integers, so their genera are not known",
            where=redacted(run.consensus),
            remedy="name a table of label and genus with --taxonomy",
        )
    assignment = assign(observations, options, genera)
    if not assignment.used.any():
        raise _nothing_left(run, assignment)
    soft = None if options.hard else soft_labels(run, votes, observations.ids)
    table, weight_from = _rows(consensus, assignment, soft)
    return TrainingData(
        table,
        _classes(assignment, options, taxa),
        _excluded(assignment),
        assignment,
        weight_from,
        None if soft is None else soft.origin,
    )


def votes_of(run: Run, options: TrainingSettings, progress: Progress) -> Votes | None:
    """The votes of a run, for its authors and soft labels; None where neither need them and they are not named.

    Raises VotesError if they are gone and the split is by author.
    """
    by_observation = options.group == "observation"
    if options.votes is not None:
        return run.votes(paths=options.votes, progress=progress)
    if by_observation and (options.hard or POSTERIORS_FILE in run.files):
        return None
    try:
        return run.votes(progress=progress)
    except VotesError as error:
        if by_observation:
            return None
        raise VotesError(error.what, where=error.where, remedy=NO_VOTES) from error


def _nothing_left(run: Run, assignment: Assignment) -> VotesError:
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in assignment.left_out.items() if n)
    return VotesError(
        f"nothing is left to train on ({reasons or 'no observations'})",
        where=redacted(run.consensus),
        remedy="lower --min-per-class, or keep more genera",
    )


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
        "label": _named(labels, observations.label_names),
        "class_index": classes[labels],
        "genus": _genera(assignment, labels),
        "split": dictionary_of(assignment.splits[rows], strings(SPLITS)),
        "sample_weight": chosen.column(weight_from),
    }
    copied = [column.name for column in TRAINING if column.name in chosen.column_names and column.name not in columns]
    columns |= {name: chosen.column(name) for name in copied}
    if soft is not None:
        here = soft.of(rows)
        items = {
            "soft_labels": _named(here.labels, here.names),
            "soft_shares": to_arrow(here.shares),
            "soft_classes": to_arrow(_classes_of_names(here.names, assignment)[here.labels]),
        }
        offsets = to_arrow(here.offsets.astype(np.int32))
        columns |= {name: pa.ListArray.from_arrays(offsets, values) for name, values in items.items()}
    ordered = [column.name for column in TRAINING if column.name in columns]
    arrays = {name: columns[name] for name in ordered}
    return pa.table({n: to_arrow(a) if isinstance(a, np.ndarray) else a for n, a in arrays.items()}), weight_from


def class_indices(assignment: Assignment) -> Indices:
    """int64[n_labels + 1]; the class index of each label, -1 for one that is no class, and for none at the end."""
    indices = np.full(assignment.observations.n_labels + 1, -1, np.int64)
    indices[assignment.classes] = np.arange(assignment.classes.size)
    return indices


def _classes_of_names(names: pa.Array, assignment: Assignment) -> Indices:
    """int64[n]; the class index of each of ``names``, -1 for those that are no class."""
    return class_indices(assignment)[codes_among(assignment.observations.label_names, names)]


def _named(codes: np.ndarray, names: pa.Array) -> pa.Array:
    """Labels by their codes: integers, or a dictionary."""
    if pa.types.is_integer(names.type):
        return names.take(to_arrow(codes, null=codes < 0))
    return dictionary_of(codes, names)


def _genera(assignment: Assignment, labels: np.ndarray) -> pa.Array:
    """The genus of each label, null where it is not known."""
    known = sorted({genus for genus in assignment.genera.names if genus is not None})
    places = {genus: place for place, genus in enumerate(known)}
    codes = np.array([-1 if genus is None else places[genus] for genus in assignment.genera.names], np.int32)
    return dictionary_of(codes[labels], strings(known))


def _excluded(assignment: Assignment) -> pa.Table:
    observations = assignment.observations
    rows = np.flatnonzero(~assignment.used)
    columns = {
        "observation_id": observations.ids.take(to_arrow(rows)),
        "label": _named(observations.labels[rows], observations.label_names),
        "reason": dictionary_of(assignment.reasons[rows], strings(REASONS)),
    }
    return pa.table(columns)


def _classes(assignment: Assignment, options: TrainingSettings, taxa: Taxa | None) -> pa.Table:
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
        **class_weights(n_train, options.beta),
    }
    missing = to_arrow(n_train == 0)
    arrays = {
        column.name: to_arrow(values, null=to_numpy(missing)) if column.type == "float64" else values
        for column, values in ((column, columns[column.name]) for column in CLASSES)
    }
    return table_of(arrays, arrow_schema(CLASSES, label=labels.type))


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
'weight_effective_number': [1.499, 0.501], 'log_prior': [-1.386, -0.288]}
    """
    n = np.where(n_train > 0, n_train, np.nan)
    total, k = float(np.nansum(n)), int(np.count_nonzero(n_train))
    effective = (1 - beta) / (1 - beta**n)
    return {
        "weight_inverse_frequency": total / (k * n),
        "weight_square_root": _with_mean_one(n**-0.5),
        "weight_effective_number": _with_mean_one(effective),
        "log_prior": np.log(n / total),
    }


def _with_mean_one(weights: Floats) -> Floats:
    scaled: Floats = weights / np.nanmean(weights)
    return scaled


def declared(table: pa.Table) -> pa.Schema:
    """The types that readers see: strings instead of dictionaries."""

    def plain_type(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(kind):
            return kind.value_type
        return pa.list_(plain_type(kind.value_type)) if pa.types.is_list(kind) else kind

    return pa.schema([pa.field(field.name, plain_type(field.type), field.nullable) for field in table.schema])


def facts_of(run: Run, options: TrainingSettings, data: TrainingData) -> dict[str, Any]:
    """What training.json says: the run, the options, what was reached, and what the columns are from."""
    return {
        "version": VERSION,
        "run_id": run.run_id,
        "strategy": run.record.strategy,
        "options": {item.name: _plain(getattr(options, item.name)) for item in fields(options)},
        "shares_wanted": wanted_shares(options),
        "shares_reached": reached_shares(data.assignment),
        "sample_weight_from": data.weight_from,
        "soft_labels_from": data.soft_from,
        **data.assignment.report(),
    }


def wanted_shares(options: SplitSettings) -> dict[str, float]:
    """The share of each set, of the authors or of the observations."""
    from ..shares import exact

    test, val = exact(options.test), exact(options.val)
    return dict(zip(SPLITS, (float(1 - test - val), float(val), float(test)), strict=True))


def reached_shares(assignment: Assignment) -> dict[str, float]:
    """The share of the observations in each set."""
    total = sum(assignment.counts.values())
    return {name: n / total for name, n in assignment.counts.items()}


def write_facts(facts: Mapping[str, Any], path: Path) -> None:
    """Write a JSON file. Raises PublishError."""
    with writing(str(path), "file"):
        path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """A setting for JSON: paths as text, a table by what it is."""
    if is_frame(value):
        return "a table in memory"
    if isinstance(value, list | tuple):
        return [redacted(str(item)) for item in value]
    return value if isinstance(value, bool | int | float | None) else redacted(str(value))
