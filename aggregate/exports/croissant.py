"""Croissant 1.0 metadata beside the tables that it describes (https://docs.mlcommons.org/croissant/docs/croissant-spec.html).

Ids are text: mlcroissant 1.1.1 reads a column of integers with a null as floats, which have not all large integers.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from ..arrow import strings
from ..blocks import Block
from ..files.writing import writing
from ..parameters import setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..schema import CLASSES, IMAGES, TRAINING
from ..version import VERSION
from .rows import GROUP
from .run_splits import declared
from .samples import WithImages, training_samples
from .training import CLASSES_FILE, DATA, blocks_of, facts_of, write_facts

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of version 1.0, as its specification has it."""

MEANINGS = {column.name: column.meaning for table in (IMAGES, CLASSES, TRAINING) for column in table} | {
    "image": "path or URL of a picture of the observation",
    "image_number": "which picture of the observation, from 0",
}
CITATION = "https://arxiv.org/abs/2406.03356"


@dataclass(frozen=True)
class Croissant(WithImages):
    """Croissant 1.0 metadata, croissant.json, beside the Parquet files that it describes, with their SHA-256.

    Each split is a record set, and the classes are one; observation ids are text.
    """

    name: ClassVar[str] = "croissant"

    title: str | None = setting(None, "of the dataset", group=GROUP, metavar="TEXT")
    license: str | None = setting(
        None, "of the dataset: a URL, or an SPDX identifier such as CC-BY-4.0", group=GROUP, metavar="TEXT"
    )
    url: str | None = setting(None, "where the dataset is described or published", group=GROUP, metavar="URL")

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write data/train.parquet and its siblings, classes.parquet, croissant.json and training.json.

        Raises VotesError if the run's votes or too many pictures are gone, or nothing is left to train on.
        """
        data, samples = training_samples(run, self, progress)
        progress.phase("write", total=samples.n, unit="images" if samples.has_images else "observations")
        described = {}
        with writing(folder, "folder"):
            (folder / DATA).mkdir()
            for name, table in samples.splits.items():
                table = table.cast(declared(table))
                ids = strings(map(str, table.column("observation_id").to_pylist()))
                described[name] = table.set_column(0, "observation_id", ids)
            described["classes"] = data.classes.set_column(
                data.classes.column_names.index("name"), "name", strings(samples.class_names)
            )
            files = {name: f"{DATA}/{name}.parquet" if name != "classes" else CLASSES_FILE for name in described}
            for name, table in described.items():
                with pa.OSFile(os.fsencode(folder / files[name]), "wb") as file:
                    pq.write_table(table, file, compression="zstd")
                progress.advance(table.num_rows if name != "classes" else 0)
            content = {
                **_head(self, run, data.weight_from),
                "distribution": [_file(name, folder, files[name]) for name in described],
                "recordSet": [_record_set(name, table) for name, table in described.items()],
            }
            text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            (folder / "croissant.json").write_text(text, encoding="utf-8")
        write_facts(facts_of(data), folder / "training.json")
        return [*blocks_of(data), *([samples.block] if samples.has_images else [])]


def _head(options: Croissant, run: Run, weight_from: str) -> dict[str, Any]:
    strategy = run.record.strategy or "unknown"
    description = (
        f"Species labels from the votes of a crowd: run {run.run_id or 'without an id'} of plant-aggregate {VERSION}, "
        f"strategy {strategy}; sample_weight is the {weight_from} of the label."
    )
    title = options.title or "Species labels from the votes of a crowd"
    head = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": title,
        "description": description,
        "version": "1.0.0",
        "citeAs": CITATION,
    }
    if run.run_id:
        head["datePublished"] = f"{run.run_id[:4]}-{run.run_id[4:6]}-{run.run_id[6:8]}"
    given = {"license": options.license, "url": options.url}
    return head | {name: value for name, value in given.items() if value}


def _file(name: str, folder: Path, path: str) -> dict[str, Any]:
    with (folder / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": f"{name}.parquet",
        "name": f"{name}.parquet",
        "contentUrl": path,
        "contentSize": f"{(folder / path).stat().st_size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": digest,
    }


def _record_set(name: str, table: pa.Table) -> dict[str, Any]:
    found: dict[str, Any] = {"@type": "cr:RecordSet", "@id": name, "name": name}
    if name == "classes":
        found["key"] = {"@id": "classes/class_index"}
    found["field"] = [_field(name, field) for field in table.schema]
    return found


def _field(record_set: str, field: pa.Field) -> dict[str, Any]:
    kind = field.type
    found = {
        "@type": "cr:Field",
        "@id": f"{record_set}/{field.name}",
        "name": field.name,
        "description": MEANINGS.get(field.name, field.name),
        "dataType": _data_type(kind.value_type if pa.types.is_list(kind) else kind),
        "source": {"fileObject": {"@id": f"{record_set}.parquet"}, "extract": {"column": field.name}},
    }
    if pa.types.is_list(kind):
        found["repeated"] = True
    if field.name == "class_index" and record_set != "classes":
        found["references"] = {"field": {"@id": "classes/class_index"}}
    return found


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
