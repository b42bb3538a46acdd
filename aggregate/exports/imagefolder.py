"""A folder of pictures by split and class, as torchvision's ImageFolder, Keras, timm and datasets read."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from ..arrow import plain, strings, to_numpy
from ..blocks import Block
from ..errors import ParameterError, VotesError
from ..files.locations import is_uri
from ..files.writing import writing
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..publishing.tables import write_table
from .file_names import class_folders, suffix_of, unique_name
from .rows import GROUP
from .samples import Samples, WithImages, training_samples
from .text_tables import write_text_table
from .training import blocks_of, facts_of, write_facts

INDEX = "index"

METADATA = "metadata.parquet"
"""Its types are the same in all splits: datasets infers those of a metadata.csv for each split by itself."""

ROWS = 1 << 14  # of a batch


def _hard_link(source: str, target: Path) -> None:
    os.link(os.path.realpath(source), target)


PLACERS: dict[str, Callable[[str, Path], Any]] = {
    "link": lambda source, target: target.symlink_to(source),
    "hardlink": _hard_link,
    "copy": shutil.copyfile,
}
"""How a picture gets to its place."""


@dataclass(frozen=True)
class ImageFolder(WithImages):
    """Pictures in train/CLASS/, validation/CLASS/ and test/CLASS/, with a metadata.parquet in each split.

    The folders of classes begin with the index of the class, so that they sort by it: a split that lacks classes is
    numbered from the names, not from their order. classes.csv has the label and folder of each.
    """

    name: ClassVar[str] = "imagefolder"

    how: str = setting(
        "link",
        "how pictures get there: symbolic links, hard links, copies; or not at all: their list alone",
        choices=(*PLACERS, INDEX),
        group=GROUP,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_images(self)

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write a folder a split, classes.csv and training.json.

        Raises VotesError if the run's votes or too many pictures are gone, or pictures are URLs, which cannot be
        linked or copied, or nothing is left to train on.
        """
        data, samples = training_samples(run, self, progress)
        if self.how != INDEX:
            check_local(samples, "--how index")
        folders = class_folders(samples.class_names)
        progress.phase("write", total=samples.n, unit="images")
        for name, table in samples.splits.items():
            with writing(folder, "folder"):
                (folder / name).mkdir()
                for used in {*to_numpy(table.column("class_index")).tolist()} if self.how != INDEX else ():
                    (folder / name / folders[used]).mkdir()
            table = pa.Table.from_batches(self._placed(table, folders, folder / name, progress))
            write_table(table, folder / name / METADATA, "file")
        write_classes(data.classes, samples.class_names, folders, folder)
        write_facts(facts_of(data), folder / "training.json")
        return [*blocks_of(data), samples.block]

    def _placed(
        self, table: pa.Table, folders: list[str], folder: Path, progress: Progress
    ) -> Iterator[pa.RecordBatch]:
        """The rows of metadata.parquet, once the pictures of each batch are in their places."""
        for batch in table.to_batches(ROWS):
            places = batch.column("image").to_pylist()
            if self.how == INDEX:
                names = places
            else:
                of_classes = (folders[place] for place in to_numpy(batch.column("class_index")).tolist())
                names = [f"{of}/{name}" for of, name in zip(of_classes, file_names(batch), strict=True)]
                place = PLACERS[self.how]
                with writing(folder, "folder"):
                    for source, name in zip(places, names, strict=True):
                        place(source, folder / name)
            columns = {"file_name": strings(names), **scalars(batch)}
            yield pa.record_batch(list(columns.values()), names=list(columns))
            progress.advance(batch.num_rows)


def check_images(export: Any) -> None:
    """Raise ParameterError if an export of pictures has no table of them."""
    if export.images is None:
        raise ParameterError(f"export {export.name} needs images", remedy="name the table of pictures with --images")


def check_local(samples: Samples, otherwise: str) -> None:
    """Raise VotesError if pictures are URLs."""
    remote = [
        place for table in samples.splits.values() for place in table.column("image").to_pylist() if is_uri(place)
    ]
    if remote:
        raise VotesError(
            f"{len(remote):,} images are URLs, the first is {remote[0]!r}",
            remedy=f"fetch them and name their files, or write no pictures ({otherwise})",
        )


def file_names(batch: pa.RecordBatch) -> list[str]:
    """The name of each picture, another one for each."""
    columns = (batch.column(name).to_pylist() for name in ("observation_id", "image_number", "image"))
    return [f"{unique_name(of, number)}{suffix_of(place)}" for of, number, place in zip(*columns, strict=True)]


def scalars(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """The columns of samples that are no lists, without the place of the picture and its number."""
    kept = [
        field.name
        for field in batch.schema
        if not pa.types.is_list(field.type) and field.name not in ("image", "image_number")
    ]
    return {name: plain(batch.column(name)) for name in kept}


def write_classes(classes: pa.Table, names: list[str], folders: list[str], folder: Path) -> None:
    """Write classes.csv: index, label, name and genus of each class, and its folder. Raises PublishError."""
    columns = {name: plain(classes.column(name)) for name in ("class_index", "label", "genus")}
    columns = {**columns, "name": strings(names), "folder": strings(folders)}
    write_text_table([pa.record_batch(list(columns.values()), names=list(columns))], folder / "classes.csv")
