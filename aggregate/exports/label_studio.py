"""Tasks for Label Studio, in which people review the consensus.

The consensus is a prediction, never an annotation: annotations count as those of a person. Tasks are described in
https://labelstud.io/guide/predictions, the interface in https://labelstud.io/tags/.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import scalar, to_arrow
from ..blocks import Block, count
from ..errors import ParameterError, VotesError, quoted
from ..files.locations import is_uri
from ..files.writing import writing
from ..parameters import check_parameters, setting
from ..progress import SILENT, Progress
from ..publishing.run import Run
from ..taxon_names.genera import genus_of
from .images import images_parameter, max_missing_parameter, read_images, without_missing
from .rows import ALL, GROUP, consensus_table
from .taxa import Taxa, read_taxa

CONFIG, TASKS = "label_config.xml", "tasks{}.json"
MOST_TASKS = 100_000  # of a file: a request takes 250,000 and 200 MB, and a project is best kept at 100,000
IMAGE, IMAGES, OBSERVATION = "image", "images", "observation_id"  # members of a task's data
RESERVED = (IMAGE, IMAGES, OBSERVATION, *("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"))
"""What a control must not be called: exports of Label Studio have its answers beside the task's data and these."""
NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LOCAL_FILES = "/data/local-files/?d="
CHOICES, TAXONOMY = "choices", "taxonomy"


@dataclass(frozen=True)
class LabelStudio:
    """Tasks in which people review the consensus in Label Studio: pictures, and the label as a prediction.

    label_config.xml is the labelling interface of the project, with all labels of the run and the strongest others.
    Annotations come back with `convert label-studio --observation observation_id`.
    """

    name: ClassVar[str] = "label-studio"

    images: str | None = images_parameter()
    max_missing: float = max_missing_parameter()
    local_root: str | None = setting(
        None,
        "pictures that are files lie in this folder, which Label Studio has as LOCAL_FILES_DOCUMENT_ROOT",
        group=GROUP,
        metavar="FOLDER",
    )
    only: str = setting(
        ALL,
        "which observations: all, or those with this status",
        choices=(ALL, "valid", "contested", "needs_votes"),
        group=GROUP,
    )
    kind: str = setting(
        CHOICES,
        "how labels are chosen: from a list, or from a tree of genera",
        choices=(CHOICES, TAXONOMY),
        group=GROUP,
    )
    control: str = setting("species", "the name of the control of the labels", group=GROUP, metavar="NAME")
    taxonomy: str | None = setting(
        None,
        "Parquet file of the labels' names and genera: columns label, and name, genus, rank or parent",
        group=GROUP,
        is_file=True,
        metavar="FILE",
    )

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.images is None:
            raise ParameterError(f"export {self.name} needs images", remedy="name the table of pictures with --images")
        if not NAME.fullmatch(self.control) or self.control.lower() in RESERVED:
            taken = f"is none of {', '.join(RESERVED)}, and has letters, digits, _ and - alone"
            raise ParameterError(f"control is {quoted(self.control)}", remedy=f"choose a name that {taken}")

    def write(self, run: Run, folder: Path, *, progress: Progress = SILENT) -> list[Block]:
        """Write label_config.xml and tasks.json.

        Raises VotesError if no picture is of an observation to review, if one is a file and no ``local_root`` is given,
        or if a label has characters that XML cannot hold.
        """
        assert self.images is not None
        table = consensus_table(run, ALL, ["observation_id", "label", "confidence", "status", "runner_up"])
        labels = _Labels(_labels_in(table), self._taxa(table.schema.field("label").type))
        if self.only != ALL:
            table = table.filter(pc.equal(table["status"], scalar(self.only)))
        ids = table["observation_id"].combine_chunks()
        images = without_missing(read_images(self.images, run, ids), self.max_missing)
        rows, n_of = np.unique(images.rows, return_counts=True)
        has_several = bool((n_of > 1).any())
        urls = iter(self._urls(images.places.to_pylist()))
        tasks = (
            self._task(row, [next(urls) for _ in range(n)], labels, run.run_id or "consensus", has_several)
            for row, n in zip(_dicts(table.take(to_arrow(rows))), n_of.tolist(), strict=True)
        )
        progress.phase("write", total=rows.size, unit="tasks")
        with writing(folder / CONFIG, "file"):
            (folder / CONFIG).write_text(self._config(labels, has_several=has_several), encoding="utf-8")
        firsts = range(0, rows.size, MOST_TASKS)
        names = [_write(tasks, min(rows.size - first, MOST_TASKS), folder, first, progress) for first in firsts]
        how = f"create the project with {CONFIG} as its labelling interface, then import {' and '.join(names)}"
        return [Block(f"{count(rows.size, 'task')} with {count(len(labels.paths), 'label')}", [how, *images.notes])]

    def _taxa(self, label_type: pa.DataType) -> Taxa:
        return Taxa({}, {}) if self.taxonomy is None else read_taxa(self.taxonomy, label_type)

    def _urls(self, places: Sequence[str]) -> Iterator[str]:
        """What Label Studio loads the pictures from: URLs as they are, files below ``local_root``."""
        for place in places:
            if is_uri(place):
                yield place
                continue
            if self.local_root is None:
                raise VotesError(
                    f"image {quoted(place)} is a file, which a browser cannot load",
                    where=str(self.images),
                    remedy="give URLs, or the folder that Label Studio serves with --local-root",
                )
            below = os.path.relpath(place, os.path.abspath(self.local_root))
            if below.startswith(os.pardir):
                what = f"image {quoted(place)} is not below {self.local_root}"
                raise VotesError(what, where=str(self.images), remedy="name a folder above all pictures: --local-root")
            yield LOCAL_FILES + quote(below)

    def _task(
        self, row: Mapping[str, Any], urls: list[str], labels: "_Labels", version: str, has_several: bool
    ) -> dict[str, Any]:
        """A task, as it is imported."""
        path = labels.paths[row["label"]]
        value = {CHOICES: [path[-1]]} if self.kind == CHOICES else {TAXONOMY: [path]}
        region = {"from_name": self.control, "to_name": IMAGE, "type": self.kind, "value": value}
        is_score = row["confidence"] is not None and 0 <= row["confidence"] <= 1
        score = {"score": row["confidence"]} if is_score else {}
        prediction = {"model_version": version, **score, "result": [region]}
        pictures = {IMAGES: urls} if has_several else {IMAGE: urls[0]}
        return {"data": {**pictures, OBSERVATION: str(row["observation_id"])}, "predictions": [prediction]}

    def _config(self, labels: "_Labels", *, has_several: bool) -> str:
        """The labelling interface."""
        source = f'valueList="${IMAGES}"' if has_several else f'value="${IMAGE}"'
        tag, attributes = ("Choices", ' choice="single" layout="select"') if self.kind == CHOICES else ("Taxonomy", "")
        lines = [
            "<View>",
            f'  <Header value="${OBSERVATION}"/>',
            f'  <Image name="{IMAGE}" {source}/>',
            f'  <{tag} name="{self.control}" toName="{IMAGE}"{attributes}>',
            *(labels.as_list() if self.kind == CHOICES else labels.as_tree()),
            f"  </{tag}>",
            "</View>",
        ]
        return "\n".join(lines) + "\n"


class _Labels:
    """The labels that can be chosen, and where they are in a tree of genera."""

    def __init__(self, labels: Sequence[Any], taxa: Taxa) -> None:
        for label in labels:
            if NO_XML.search(f"{label}{taxa.names.get(label, '')}"):
                fault = f"label {quoted(label)} has a character that XML cannot hold, as the labelling interface is"
                raise VotesError(fault, remedy="mend the label in the votes, and run again")
        self._names = {str(label): taxa.names.get(label, str(label)) for label in labels}
        self.paths = {label: [*_genus_above(label, taxa), str(label)] for label in labels}

    def as_list(self) -> list[str]:
        """The lines of the interface that have the labels, in the order of their names."""
        return [f"    {self._choice(label)}/>" for label in sorted(self._names, key=lambda label: self._names[label])]

    def as_tree(self) -> list[str]:
        """The same, below their genera."""
        below: dict[str, list[str]] = {}
        for path in self.paths.values():
            below.setdefault(path[0], []).extend(path[1:])
        lines = []
        for genus in sorted(below, key=self._name):
            species = [f"      {self._choice(label)}/>" for label in sorted(below[genus], key=self._name)]
            lines += (
                [f"    {self._choice(genus)}>", *species, "    </Choice>"]
                if species
                else [f"    {self._choice(genus)}/>"]
            )
        return lines

    def _name(self, label: str) -> str:
        return self._names.get(label, label)

    def _choice(self, label: str) -> str:
        """The beginning of a choice: what is shown, and what stands in results if that is something else."""
        shown = self._name(label)
        alias = "" if shown == label else f" alias={quoteattr(label)}"
        return f"<Choice value={quoteattr(shown)}{alias}"


def _genus_above(label: Any, taxa: Taxa) -> list[str]:
    """The genus that a label is below in the tree, in a list that is empty if it has none or is one."""
    genus = taxa.genera.get(label)
    if genus is None and isinstance(label, str) and len(label.split()) > 1:
        genus = genus_of(label)
    return [] if genus in (None, str(label)) else [str(genus)]


def _labels_in(consensus: pa.Table) -> list[Any]:
    """The labels of all observations, and the strongest other ones, sorted."""
    return sorted(
        {label for name in ("label", "runner_up") for label in pc.unique(consensus[name]).to_pylist()} - {None}
    )


def _dicts(table: pa.Table) -> Iterator[Mapping[str, Any]]:
    for batch in table.to_batches(max_chunksize=1 << 14):
        yield from batch.to_pylist()


def _write(tasks: Iterator[dict[str, Any]], n: int, folder: Path, first: int, progress: Progress) -> str:
    """Write the next ``n`` tasks into a file, whose name is returned."""
    name = TASKS.format(f"-{first // MOST_TASKS + 1}" if first else "")
    with writing(folder / name, "file"), (folder / name).open("w", encoding="utf-8") as file:
        for number in range(n):
            file.write("[\n" if number == 0 else ",\n")
            json.dump(next(tasks), file, ensure_ascii=False)
            progress.advance()
        file.write("\n]\n")
    return name
