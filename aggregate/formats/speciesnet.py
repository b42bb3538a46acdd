"""SpeciesNet: the predictions file of ``run_model``, of which there are two layouts.

Up to 5.0.5 a picture has a prediction, from 5.0.6 on each of its boxes (https://pypi.org/project/speciesnet/, "Output
format from run_model"). A score has one of three meanings: of the classifier for the class; a sum over the classes that
were rolled up, or left by the geofence; or of the detector, for the box. Only the first is a probability of a species.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import VotesError, quoted, warn
from ..files.sources import printable
from ..parameters import check_parameters, parameter
from .base import Account, Part
from .camera_trap_answers import FAILED, Box, Pictures, listed, taxon_of, unscored_parameter
from .json_records import Record, items, kind_of, outline
from .observation_files import FileObservations, base_parameter, observations_parameter
from .recognition import wrong_layout

if TYPE_CHECKING:
    from .recognition import Sample

VERSION = "20261015"
WHOLE_PICTURE, ANIMAL = "0", "1"
CLASSIFIER = "classifier"
OLD_KEYS = ("prediction", "classifications")
REGENERATE = "see which version of SpeciesNet wrote it"
_option = partial(parameter, group="Format")


@dataclass(frozen=True)
class SpeciesNet:
    """SpeciesNet: the predictions file of run_model (JSON), of versions up to 5.0.5 and from 5.0.6 on."""

    name: ClassVar[str] = "speciesnet"

    observations: str | None = observations_parameter()
    base_folder: str | None = base_parameter()
    unscored: bool = unscored_parameter()
    score_lists: bool = _option(False, "also write the classifier's probabilities, before the geofence")

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: "Sample") -> bool:
        """Whether a file has predictions of files."""
        return sample.has_paths("predictions.item.filepath")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The AI's votes, and score lists; see ``Format.read``."""
        observations = FileObservations.read(self.observations, self.base_folder)
        pictures = Pictures(observations, account, unscored=self.unscored, score_lists=self.score_lists)
        models: set[str] = set()
        for path in paths:
            yield from _Predictions(path).rows(pictures, models)
        yield from pictures.rest()
        account.details["model"] = ", ".join(sorted(models)) or "unknown"
        if len(models) > 1:
            warn(f"there are {len(models)} model versions ({', '.join(sorted(models))}), whose scores may differ")


class _Predictions:
    """A file, in one of the layouts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if kind_of(path) != "object":
            raise wrong_layout(path, SpeciesNet.name, "is no object with predictions", REGENERATE)
        beside = outline(path, without=["predictions"])
        if "predictions" not in beside:
            raise wrong_layout(path, SpeciesNet.name, "has no predictions", REGENERATE)
        info = beside.get("info")
        self._by_box = info is not None
        self._has_old_answers = self._is_unclear = False
        version = info.get("format_version") if isinstance(info, dict) else None
        if self._by_box and version != VERSION:
            fault = f"has format version {version!r}; this package knows {VERSION}, and files without one"
            raise VotesError(fault, where=printable(str(path)), remedy="update plant-aggregate")

    def rows(self, pictures: Pictures, models: set[str]) -> Iterator[Part]:
        """The rows of all pictures."""
        for record in items(self._path, "predictions"):
            prediction = record.value if isinstance(record.value, dict) else {}
            file = prediction.get("filepath")
            if not isinstance(file, str):
                raise self._wrong(record, "has no filepath")
            if isinstance(prediction.get("model_version"), str):
                models.add(prediction["model_version"])
            boxes = self._boxes(record, prediction)
            fault = FAILED if "failures" in prediction else ""
            yield from pictures.add(self._path, record, file, boxes, fault)
        if not self._by_box and self._is_unclear and not self._has_old_answers:
            fault = "has neither format_version nor any prediction, as of the detector or the classifier alone"
            raise VotesError(fault, where=printable(str(self._path)), remedy="run the whole ensemble")

    def _boxes(self, record: Record, prediction: Mapping[str, Any]) -> list[Box]:
        old = [key for key in OLD_KEYS if key in prediction]
        if self._by_box:
            if old:
                raise self._wrong(record, f"has {quoted(old[0])}, as files without format_version have")
            return [_box(detection) for detection in listed(prediction.get("detections")) if _is_classified(detection)]
        if "prediction" not in prediction:
            self._is_unclear |= "failures" not in prediction
            return []
        self._has_old_answers = True
        answer = {
            "class": prediction["prediction"],
            "score": prediction.get("prediction_score"),
            "source": prediction.get("prediction_source"),
        }
        return [_box({"processed_classification": answer, "raw_classifications": prediction.get("classifications")})]

    def _wrong(self, record: Record, fault: str) -> VotesError:
        where = printable(str(self._path))
        return VotesError(f"record {record.number:,} {fault}", where=where, remedy=REGENERATE)


def _is_classified(detection: Any) -> bool:
    """Whether it is the box of an animal, or the whole picture, that was classified."""
    if not isinstance(detection, dict) or detection.get("category") not in (WHOLE_PICTURE, ANIMAL):
        return False
    return isinstance(detection.get("processed_classification"), dict)


def _box(detection: Mapping[str, Any]) -> Box:
    answer = detection["processed_classification"]
    raw = detection.get("raw_classifications")
    raw = raw if isinstance(raw, dict) else {}
    source = answer.get("source")
    score = answer.get("score") if source == CLASSIFIER else None
    taxa = [taxon_of(each) for each in listed(raw.get("classes"))]
    labels = [taxon.label if taxon else None for taxon in taxa]
    return Box(taxon_of(answer.get("class")), score, str(source or ""), labels, list(listed(raw.get("scores"))))
