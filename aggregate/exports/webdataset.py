"""Tar shards of pictures, their class and metadata, as the package webdataset reads them in sequence.

A sample is what has the same name up to the first dot (https://github.com/webdataset/webdataset), so keys have none.
"""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa

from ..arrow import plain
from ..blocks import Block, count
from ..files.writing import writing
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from .file_names import class_folders, suffix_of, unique_name
from .imagefolder import check_images, check_local, write_classes
from .rows import GROUP
from .samples import WithImages, training_samples
from .training import blocks_of, facts_of, write_facts

TAR, INDEX = "tar", "index"

ROWS = 1 << 12  # of a batch


class Sample(NamedTuple):
    """A picture and what is known of it."""

    key: str
    image: str  # path or URL
    class_index: int
    facts: Mapping[str, Any]  # the further columns


@dataclass(frozen=True)
class WebDataset(WithImages):
    """Tar shards of samples, train-000000.tar and so on: the picture, cls (the class index), and json (the columns).

    train.json lists the shards of a split, in the form of wids. With --how index there are no shards but train.jsonl:
    the key, the picture, its class and columns, and the shard that it belongs to, a line each.
    """

    name: ClassVar[str] = "webdataset"

    how: str = setting(
        TAR,
        "what is written: shards with the pictures, or the list of samples alone",
        choices=(TAR, INDEX),
        group=GROUP,
    )
    shard_size: int = setting(10_000, "pictures in a shard, at most", "at least 1", group=GROUP)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_images(self)

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write the shards or lists of each split, classes.csv and training.json.

        Raises VotesError if the run's votes or too many pictures are gone, or pictures are URLs, which cannot be put
        into shards, or nothing is left to train on.
        """
        data, samples = training_samples(run, self, progress)
        if self.how == TAR:
            check_local(samples, "--how index")
        progress.phase("write", total=samples.n, unit="images")
        n_shards = 0
        with writing(folder, "folder"):
            for name, table in samples.splits.items():
                shards = list(_shards(name, table.num_rows, self.shard_size))
                n_shards += len(shards)
                if self.how == TAR:
                    _write_shards(table, shards, name, folder, progress)
                else:
                    _write_index(table, shards, folder / f"{name}.jsonl", progress)
        write_classes(data.classes, samples.class_names, class_folders(samples.class_names), folder)
        write_facts(facts_of(data), folder / "training.json")
        return [*blocks_of(data), samples.block, Block(content=[count(n_shards, "shard")])]


class Shard(NamedTuple):
    """A shard: its name, and the rows of the split that are in it."""

    name: str
    first: int
    last: int


def _shards(split: str, n: int, size: int) -> Iterator[Shard]:
    for number, first in enumerate(range(0, n, size)):
        yield Shard(f"{split}-{number:06}.tar", first, min(first + size, n))


def _write_shards(table: pa.Table, shards: list[Shard], split: str, folder: Path, progress: Progress) -> None:
    listed = []
    for shard in shards:
        path = folder / shard.name
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for sample in _samples(table.slice(shard.first, shard.last - shard.first)):
                _add(tar, f"{sample.key}{suffix_of(sample.image)}", Path(sample.image).read_bytes())
                _add(tar, f"{sample.key}.cls", str(sample.class_index).encode())
                _add(tar, f"{sample.key}.json", json.dumps(sample.facts, ensure_ascii=False).encode())
                progress.advance()
        listed.append({"url": shard.name, "nsamples": shard.last - shard.first, "filesize": path.stat().st_size})
    index = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "name": split, "shardlist": listed}
    (folder / f"{split}.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file; its header is the same whoever writes it, and when."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _write_index(table: pa.Table, shards: list[Shard], path: Path, progress: Progress) -> None:
    with path.open("w", encoding="utf-8") as file:
        for shard in shards:
            for sample in _samples(table.slice(shard.first, shard.last - shard.first)):
                line = {"__key__": sample.key, "shard": shard.name, "image": sample.image, "cls": sample.class_index}
                file.write(json.dumps({**line, "json": sample.facts}, ensure_ascii=False) + "\n")
                progress.advance()


def _samples(table: pa.Table) -> Iterator[Sample]:
    names = [name for name in table.column_names if name not in ("image", "image_number")]
    for batch in table.to_batches(ROWS):
        columns = {name: plain(batch.column(name)).to_pylist() for name in names}
        columns_of = ("observation_id", "image_number", "image", "class_index")
        heads = zip(*(batch.column(name).to_pylist() for name in columns_of), strict=True)
        for row, (observation, number, image, index) in enumerate(heads):
            facts = {name: values[row] for name, values in columns.items()}
            yield Sample(unique_name(observation, number), image, index, facts)
