"""A folder that ``datasets.load_dataset`` reads: Parquet files whose labels have names, and a dataset card.

Of datasets 5.2 (https://huggingface.co/docs/datasets): the class names of the first split are those of all, so every
file has the same list; a ClassLabel needs int64; a split without rows breaks all, so there is none; and only files
named train, validation and test are taken for what they are.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from ..arrow import binaries, strings
from ..blocks import Block, count
from ..files.locations import is_uri
from ..files.writing import writing
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from .card import card
from .rows import GROUP
from .run_splits import declared
from .samples import Samples, WithImages, training_samples
from .training import DATA, blocks_of, facts_of, write_facts

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # as datasets stores one

ROWS_AT_A_TIME, IMAGES_AT_A_TIME = 1 << 16, 100  # rows of a row group; embedded pictures take much memory

KINDS = {pa.string(): "string", pa.bool_(): "bool", pa.int64(): "int64", pa.int32(): "int32", pa.float64(): "float64"}


@dataclass(frozen=True)
class HuggingFace(WithImages):
    """A folder for datasets.load_dataset: data/train.parquet and its siblings, and a dataset card, README.md.

    The label is a ClassLabel; with --images each row is a picture, in the column image.
    """

    name: ClassVar[str] = "huggingface"

    embed: bool = setting(
        False, "write the pictures into the Parquet files, not their paths; URLs stay URLs", group=GROUP, needs="images"
    )
    title: str | None = setting(None, "of the dataset, for its card", group=GROUP, metavar="TEXT")
    license: str | None = setting(None, "of the dataset, such as cc-by-4.0, for its card", group=GROUP, metavar="TEXT")

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write data/train.parquet and its siblings, README.md and training.json.

        Raises VotesError if the run's votes or too many pictures are gone, or nothing is left to train on.
        """
        data, samples = training_samples(run, self, progress)
        if self.embed and (n_urls := sum(map(_n_urls, samples.splits.values()))):
            samples.notes.append(f"{count(n_urls, 'URL')} kept as such: only files are embedded")
        progress.phase("write", total=samples.n, unit="images" if samples.has_images else "observations")
        with writing(folder, "folder"):
            (folder / DATA).mkdir()
            for name, table in samples.splits.items():
                self._write_split(table, samples, folder / DATA / f"{name}.parquet", progress)
            digest = _digest_of([folder / DATA / f"{name}.parquet" for name in samples.splits])
            (folder / "README.md").write_text(card(run, self, data, samples, digest), encoding="utf-8")
        write_facts(facts_of(data), folder / "training.json")
        return [*blocks_of(data), *([samples.block] if samples.has_images else [])]

    def _write_split(self, table: pa.Table, samples: Samples, path: Path, progress: Progress) -> None:
        schema = _schema(table, samples.class_names)
        at_a_time = IMAGES_AT_A_TIME if self.embed else ROWS_AT_A_TIME
        with pa.OSFile(os.fsencode(path), "wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for first in range(0, table.num_rows, at_a_time):
                part = table.slice(first, at_a_time)
                columns = {name: part.column(name) for name in part.column_names}
                columns["label"] = columns.pop("class_index")
                if samples.has_images:
                    columns["image"] = _stored(part.column("image").combine_chunks(), embed=self.embed)
                writer.write_table(pa.table([columns[name] for name in schema.names], schema.names).cast(schema))
                progress.advance(part.num_rows)


def _digest_of(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _schema(table: pa.Table, class_names: list[str]) -> pa.Schema:
    """The schema of a file, with the features as datasets writes them into its metadata."""
    types = {field.name: field.type for field in declared(table) if field.name != "class_index"}
    order = ["observation_id", *(["image"] if "image" in types else []), "label"]
    names = [*order, *(name for name in types if name not in order)]
    types |= {"label": pa.int64()} | ({"image": IMAGE} if "image" in types else {})
    features: dict[str, Any] = {name: _feature(types[name]) for name in names}
    features["label"] = {"names": class_names, "_type": "ClassLabel"}
    if "image" in types:
        features["image"] = {"_type": "Image"}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([(name, types[name]) for name in names], metadata)


def _feature(kind: pa.DataType) -> Any:
    """A type as datasets names it; lists in the form that its earlier versions read, too."""
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    return {"dtype": str(kind) if kind not in KINDS else KINDS[kind], "_type": "Value"}


def _n_urls(table: pa.Table) -> int:
    """How many pictures are not files."""
    return sum(map(is_uri, table.column("image").to_pylist()))


def _stored(places: pa.Array, *, embed: bool) -> pa.Array:
    """Pictures by their paths or URLs, or with ``embed`` the content of local files under their names."""
    names = places.to_pylist()
    if not embed:
        return pa.StructArray.from_arrays([pa.nulls(len(names), pa.binary()), places], fields=list(IMAGE))
    contents = binaries(map(_content, names))
    kept = strings(name if is_uri(name) else os.path.basename(name) for name in names)
    return pa.StructArray.from_arrays([contents, kept], fields=list(IMAGE))


def _content(name: str) -> bytes | None:
    return None if is_uri(name) else Path(name).read_bytes()
