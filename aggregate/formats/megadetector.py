"""MegaDetector's layout of results, which SpeciesNet and other classifiers are converted to, too.

https://lila.science/megadetector-output-format describes it. It does not say where the score of a class comes from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import VotesError
from ..files.sources import printable
from ..parameters import check_parameters, parameter
from .base import Account, Part
from .camera_trap_answers import FAILED, Box, Pictures, Taxon, listed, taxon_of, unscored_parameter
from .json_records import items, kind_of, outline
from .observation_files import FileObservations, base_parameter, observations_parameter
from .recognition import wrong_layout

if TYPE_CHECKING:
    from .recognition import Sample

ANIMALS = ("animal", "whole_image_classification", "unknown")  # the last where a whole picture was classified
NOTHING = ("animal", "blank", "empty", "human", "no cv result", "person", "unknown", "vehicle")
CATEGORIES, CLASSES, DESCRIPTIONS = (
    "detection_categories",
    "classification_categories",
    "classification_category_descriptions",
)
SOURCE = "classifier"  # as SpeciesNet says it
_option = partial(parameter, group="Format")


@dataclass(frozen=True)
class MegaDetector:
    """Results in MegaDetector's layout (JSON), with the classes of a classifier."""

    name: ClassVar[str] = "megadetector"

    observations: str | None = observations_parameter()
    base_folder: str | None = base_parameter()
    labels: str = _option(
        "taxonomy",
        "what a class is called: the species in its description, of seven fields, or the name of its category",
        choices=("taxonomy", "name"),
    )
    unscored: bool = unscored_parameter()
    score_lists: bool = _option(False, "also write the classifier's probabilities")

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether a file has images and detection categories."""
        return sample.has_paths("images.item.file", CATEGORIES) or sample.has_paths("images", CATEGORIES, "info")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The AI's votes, and score lists; see ``Format.read``."""
        observations = FileObservations.read(self.observations, self.base_folder)
        pictures = Pictures(observations, account, unscored=self.unscored, score_lists=self.score_lists)
        n_without_source = 0
        for path in paths:
            results = _Results(path, by_name=self.labels == "name")
            for record in items(path, "images"):
                image = record.value if isinstance(record.value, dict) else {}
                file, detections = image.get("file"), image.get("detections")
                if not isinstance(file, str):
                    fault = f"record {record.number:,} has no file"
                    raise VotesError(fault, where=printable(str(path)), remedy="validate it with MegaDetector's tools")
                boxes = [results.box(detection) for detection in listed(detections) if results.is_classified(detection)]
                n_without_source += any(not box.source for box in boxes)
                fault = FAILED if image.get("failure") or detections is None else ""
                yield from pictures.add(path, record, file, boxes, fault)
        yield from pictures.rest()
        account.note("pictures whose scores have no source: some may be sums of several classes", n_without_source)


class _Results:
    """The categories of a file."""

    def __init__(self, path: Path, *, by_name: bool) -> None:
        if kind_of(path) != "object":
            raise wrong_layout(path, MegaDetector.name, "is no object with images", "check what wrote it")
        beside = outline(path, without=["images"])
        for key in ("images", CATEGORIES):
            if key not in beside:
                raise wrong_layout(path, MegaDetector.name, f"has no {key}", "check what wrote it")
        if not by_name and beside.get(CLASSES) and not beside.get(DESCRIPTIONS):
            remedy = "take the names of the categories: --labels name"
            raise VotesError(f"has no {DESCRIPTIONS}", where=printable(str(path)), remedy=remedy)
        self._categories = _texts(beside[CATEGORIES])
        texts = _texts(beside.get(CLASSES if by_name else DESCRIPTIONS))
        self._taxa = {number: _named(text) if by_name else taxon_of(text) for number, text in texts.items()}

    def is_classified(self, detection: Any) -> bool:
        """Whether it is the box of an animal that was classified."""
        if not isinstance(detection, dict) or not listed(detection.get("classifications")):
            return False
        return self._categories.get(detection.get("category", "")) in ANIMALS

    def box(self, detection: Mapping[str, Any]) -> Box:
        """What is said of a box. Where there are raw classifications, only their best class has a score of its own."""
        answers, raw = (_pairs(detection.get(key)) for key in ("classifications", "raw_classifications"))
        number, score = answers[0]
        if raw and raw[0][0] != number:
            score = None
        listed_scores = raw or (answers if len(answers) > 1 else [])  # one alone may be of what was made of several
        taxa = [self._taxa.get(each) for each, _ in listed_scores]
        labels = [taxon.label if taxon else None for taxon in taxa]
        return Box(self._taxa.get(number), score, SOURCE if raw else "", labels, [each for _, each in listed_scores])


def _pairs(value: Any) -> list[tuple[str, Any]]:
    """Categories and scores."""
    pairs = [pair if isinstance(pair, list) and len(pair) == 2 else ["", None] for pair in listed(value)]
    return [(str(number), score) for number, score in pairs]


def _named(name: str) -> Taxon:
    return Taxon("nothing", name, "") if name.lower() in NOTHING else Taxon("species", name, "species")


def _texts(value: Any) -> dict[str, str]:
    return {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
