"""The rows that a model is trained on: those of the training table, or one for each picture of its observations."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Indices
from ..arrow import to_arrow, to_numpy
from ..blocks import Block, Table, count
from ..progress import Progress
from ..publishing.run import Run
from ..splits.units import SPLITS
from .images import check_table, images_parameter, max_missing_parameter, read_images, without_missing
from .training import TrainingData, TrainingSettings, training_table


@dataclass(frozen=True)
class WithImages(TrainingSettings):
    """How a run becomes samples with pictures."""

    images: str | None = images_parameter()
    max_missing: float = max_missing_parameter()


class Samples(NamedTuple):
    """Rows to train and test on."""

    splits: Mapping[str, pa.Table]  # of `train`, `validation` and `test` those that have rows
    class_names: list[str]  # distinct, by class index
    notes: list[str]
    has_images: bool

    @property
    def n(self) -> int:
        """How many there are in all."""
        return sum(table.num_rows for table in self.splits.values())

    @property
    def n_classes(self) -> int:
        """How many classes have any: those without a picture have none."""
        return np.unique(np.concatenate([to_numpy(table.column("class_index")) for table in self.splits.values()])).size

    @property
    def block(self) -> Block:
        """How many pictures there are in each split, and what is to be known of them."""
        rows = [(name, table.num_rows) for name, table in self.splits.items()]
        return Block(count(self.n, "image"), [Table(rows=rows, formats=("", ",")), *self.notes])


def training_samples(run: Run, options: WithImages, progress: Progress) -> tuple[TrainingData, Samples]:
    """The training table of a run, and its samples. Raises VotesError; for a wrong table of pictures at once."""
    if options.images is not None:
        check_table(options.images)
    data = training_table(run, options, progress=progress)
    return data, samples_of(run, data, options)


def samples_of(run: Run, data: TrainingData, options: WithImages) -> Samples:
    """The samples of a training table: a row an observation, or with ``images`` a row a picture.

    The columns are those of the training table without the label; and ``class_index``, ``label``, and with pictures
    ``image`` (an absolute path or URL) and ``image_number`` (of the observation, from 0). Raises VotesError.
    """
    names = distinct_names(data)
    if options.images is None:
        return Samples({name: table.drop_columns(["split"]) for name, table in data.splits.items()}, names, [], False)
    ids = data.table.column("observation_id").combine_chunks()
    images = without_missing(read_images(options.images, run, ids), options.max_missing)
    table = data.table.take(to_arrow(images.rows))
    table = table.append_column("image", images.places).append_column("image_number", to_arrow(_numbers(images.rows)))
    splits = _codes_of_splits(data.table)[images.rows]
    found = {}
    for place, name in enumerate(SPLITS):
        rows = np.flatnonzero(splits == place)
        if rows.size:
            found[name] = table.take(to_arrow(rows)).drop_columns(["split"])
    notes = images.notes
    for name in data.splits.keys() - found.keys():
        notes.append(f"no {name} split: none of its observations has an image")
    if "train" in found:
        trained = np.unique(to_numpy(found["train"].column("class_index")))
        n_without = len(names) - trained.size
        notes += [f"{n_without:,} classes have no training image"] if n_without else []
    return Samples(found, names, notes, True)


def distinct_names(data: TrainingData) -> list[str]:
    """The names of the classes by their index; of those that share one, with their labels."""
    times = Counter(data.class_names)
    labels = data.classes.column("label").to_pylist()
    pairs = zip(data.class_names, labels, strict=True)
    return [name if times[name] == 1 else f"{name} ({label})" for name, label in pairs]


def _numbers(rows: Indices) -> Indices:
    """int64[n]; the position of each of sorted ``rows`` among its equals."""
    starts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])) if rows.size else rows
    return np.arange(rows.size) - np.repeat(starts, np.diff(np.append(starts, rows.size)))


def _codes_of_splits(table: pa.Table) -> Indices:
    """The place in SPLITS of each row."""
    column: Any = table.column("split").combine_chunks()
    places = {name: place for place, name in enumerate(SPLITS)}
    of_names = np.array([places[name] for name in column.dictionary.to_pylist()], np.int64)
    codes: Indices = of_names[to_numpy(column.indices)]
    return codes
