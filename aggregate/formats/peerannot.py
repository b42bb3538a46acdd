"""Datasets of peerannot: answers.json, with numbers for everything, and the files that may stand beside it.

https://peerannot.github.io/tutorials/add_dataset.html has the layout of a dataset's folder.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from ..arrays import LabelCodes
from ..arrow import strings
from ..errors import VotesError, quoted
from ..files.locations import local_path
from ..files.sources import printable
from ..parameters import check_parameters, parameter
from .base import Account, Part
from .json_records import items, kind_of, outline
from .numbered_votes import (
    Claims,
    ListedNames,
    Names,
    Observations,
    claims_of_lines,
    lines_of,
    listed_names,
    numbered_observations,
    read_names,
    truth_of,
    votes_of,
)
from .opening import find_file
from .recognition import wrong_layout

if TYPE_CHECKING:
    from .recognition import Sample

ANSWERS, METADATA = "answers.json", "metadata.json"
TASKS, WORKERS, CLASSES = (f"converters/{name}.json" for name in ("tasks", "workers", "classes"))
AUTHORS, EXPERTS = "authors.txt", "ground_truth.txt"
BESIDE = (METADATA, TASKS, WORKERS, CLASSES, AUTHORS, EXPERTS)
TASK = re.compile(r"-(\d+)\.[^.]*$")  # as peerannot takes it from the name of an image
_option = partial(parameter, group="Format")


@dataclass(frozen=True)
class Peerannot:
    """A dataset of peerannot: its folder, or its answers.json, {task: {worker: class}}."""

    name: ClassVar[str] = "peerannot"

    label_names: str | None = _option(
        None,
        "names of the classes: JSON with the number of each name, or a list of names, or text with a name in each line",
        is_file=True,
        metavar="FILE",
        unset=f"{CLASSES}, else the numbers are the labels",
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether it is a folder with answers and metadata."""
        return {ANSWERS, METADATA} <= sample.entries

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """The files of a dataset that are read; of images only the names are."""
        found = []
        for path in paths:
            folder = path if path.is_dir() else path.parent
            names = [ANSWERS] if path.is_dir() else []
            found += [find_file(folder, name) for name in (*names, *BESIDE)]
            found += [path] if path.is_file() else []
        return [path for path in found if path is not None]

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """Votes, and the truth by ground_truth.txt or the folders of the training images; see ``Format.read``."""
        if len(paths) != 1:
            remedy = "convert one dataset at a time"
            raise VotesError(f"{len(paths)} paths where one folder or answers.json is expected", remedy=remedy)
        folder = paths[0] if paths[0].is_dir() else paths[0].parent
        answers = find_file(folder, ANSWERS) if paths[0].is_dir() else paths[0]
        if answers is None:
            raise wrong_layout(folder, self.name, f"has no {ANSWERS}", "name the folder of a dataset, or its answers")
        classes = self._names(folder, account)
        workers = find_file(folder, WORKERS)
        users = read_names(workers, "worker") if workers else None
        observations = numbered_observations(find_file(folder, TASKS), find_file(folder, AUTHORS), users)
        yield from votes_of(answers, observations, classes, account, users)
        experts = find_file(folder, EXPERTS)
        if experts:
            yield from truth_of(experts, "line", claims_of_lines(experts), observations, classes, account)
        elif (folder / "train").is_dir():
            yield from _truth_of_images(folder / "train", observations, classes, account)

    def _names(self, folder: Path, account: Account) -> Names:
        given = find_file(folder, CLASSES) if self.label_names is None else Path(local_path(self.label_names))
        if given is not None:
            account.details["names of classes"] = printable(str(given))
            return _read_label_names(given)
        metadata = find_file(folder, METADATA)
        n_classes = outline(metadata).get("n_classes") if metadata else None
        if type(n_classes) is int:
            numbers = {number: str(number) for number in range(n_classes)}
            return listed_names(numbers, f"of a class beyond the {n_classes:,} of metadata.json")
        return _AnyNames()


class _AnyNames:
    """Labels as they stand in the file: numbers from 0, or names."""

    unknown = "of a class that is no number from 0 or name"

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    @property
    def names(self) -> pa.Array:
        """Name of each code."""
        return strings(self._codes)

    def codes_of(self, numbers: Sequence[object]) -> LabelCodes:
        """The codes of labels, -1 for what is none."""
        texts = (str(n) if (type(n) is int and n >= 0) or (type(n) is str and n != "-1") else None for n in numbers)
        codes = self._codes
        return np.array([-1 if text is None else codes.setdefault(text, len(codes)) for text in texts], np.int32)


def _read_label_names(path: Path) -> ListedNames:
    try:
        kind = kind_of(path)
    except VotesError:
        kind = "lines"
    if kind == "object":
        return read_names(path)
    if kind == "list":
        names = [record.value for record in items(path)]
    else:
        names = list(chain.from_iterable(lines_of(path)))
        while names and not names[-1]:
            names.pop()
    for number, name in enumerate(names):
        if not isinstance(name, str) or not name:
            fault = f"class {number} has no name"
            raise VotesError(fault, where=printable(str(path)), remedy="write one name for each class, from class 0 on")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        fault = f"several classes are called {quoted(twice)}"
        raise VotesError(fault, where=printable(str(path)), remedy="give each a name of its own")
    return listed_names(dict(enumerate(names)), f"of a class that {path.name} does not have")


def _truth_of_images(folder: Path, observations: Observations, classes: Names, account: Account) -> Iterator[Part]:
    """The images of the training set are in a folder for each class, and end in the number of a task."""
    names = classes.names.to_pylist()
    images = sorted(path for path in folder.glob("*/*") if path.is_file())
    if not images or not {image.parent.name for image in images} <= set(names):
        account.details["train"] = "folders are no names of classes, so no truth is taken from them"
        return
    account.read(len(images), table="truth")
    numbers = [TASK.search(image.name) for image in images]
    keys = [found[1] if found else "" for found in numbers]
    ids, _ = observations.of(strings(keys))
    by_name = ListedNames(classes.unknown, classes.names, {name: code for code, name in enumerate(names)})
    faults = {"without the number of a task in the name": np.array([not key for key in keys], np.bool_)}
    claims = Claims("truth", folder, "image", lambda row: (row + 1, images[row].name, None))
    labels = [image.parent.name for image in images]
    yield from claims.usable(ids, labels, by_name, {}, faults | observations.faults(ids), account)
