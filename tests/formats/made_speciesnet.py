"""Files of SpeciesNet in its two layouts, and in MegaDetector's, from made-up classifications.

The layouts are those of https://pypi.org/project/speciesnet/5.0.6/ and /5.0.5/ ("Output format from run_model") and of
https://lila.science/megadetector-output-format. What the ensemble makes of each classification is what
``ensemble_prediction_combiner`` of speciesnet 5.0.6 made of it, with a geofence that has the African wildcat in Kenya
alone; MegaDetector's layout is what ``wi_taxonomy_utils`` of megadetector 10.0.28 converts the first to.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

LYNX = "11;mammalia;carnivora;felidae;lynx;rufus;bobcat"
CAT = "12;mammalia;carnivora;felidae;felis;catus;domestic cat"
WILDCAT = "13;mammalia;carnivora;felidae;felis;silvestris lybica;african wildcat"
FELIS = "14;mammalia;carnivora;felidae;felis;;felis species"
FELIDAE = "15;mammalia;carnivora;felidae;;;cat family"
DEER = "16;mammalia;cetartiodactyla;cervidae;odocoileus;virginianus;white-tailed deer"
BLANK = "f1856211-cfb7-4a5b-9158-c0f72fd09ee6;;;;;;blank"
ANIMAL = "1f689929-883d-4dae-958c-3d57ab5b6c16;;;;;;animal"
HUMAN = "990ae9dd-7a59-4344-afcb-1b7b21368000;mammalia;primates;hominidae;homo;sapiens;human"
UNKNOWN = "f2efdae9-efb8-48fb-8a91-eccf79ab4ffb;" + ";".join(["no cv result"] * 6)
LABELS = {"1": "animal", "2": "human", "3": "vehicle", "0": "whole_image_classification"}


class MadeBox(NamedTuple):
    """A box, how it was classified, and what the ensemble made of that."""

    category: str
    confidence: float
    raw: Mapping[str, float] = MappingProxyType({})  # class -> score, the largest first
    answer: str = ""
    score: float = 0.0
    source: str = ""


PICTURES = {
    "a/one.jpg": [MadeBox("1", 0.9, {LYNX: 0.91, CAT: 0.05}, LYNX, 0.91, "classifier")],
    "a/rolled.jpg": [MadeBox("1", 0.8, {CAT: 0.4, WILDCAT: 0.35}, FELIS, 0.75, "classifier+rollup_to_genus")],
    "a/fence.jpg": [
        MadeBox("1", 0.8, {WILDCAT: 0.93, CAT: 0.03}, FELIDAE, 0.98, "classifier+geofence+rollup_to_family")
    ],
    "a/two.jpg": [
        MadeBox("1", 0.9, {DEER: 0.85, LYNX: 0.05}, DEER, 0.85, "classifier"),
        MadeBox("1", 0.7, {DEER: 0.95, LYNX: 0.02}, DEER, 0.95, "classifier"),
        MadeBox("1", 0.05),
    ],
    "a/both.jpg": [
        MadeBox("1", 0.9, {DEER: 0.85, LYNX: 0.05}, DEER, 0.85, "classifier"),
        MadeBox("1", 0.7, {LYNX: 0.9, CAT: 0.05}, LYNX, 0.9, "classifier"),
    ],
    "a/person.jpg": [MadeBox("2", 0.95, {HUMAN: 0.9, BLANK: 0.02}, HUMAN, 0.95, "detector")],
    "a/blank.jpg": [MadeBox("1", 0.15, {BLANK: 0.96, CAT: 0.01}, BLANK, 0.96, "classifier")],
    "a/animal.jpg": [MadeBox("1", 0.6, {DEER: 0.3, CAT: 0.1}, ANIMAL, 0.6, "detector")],
    "a/unknown.jpg": [MadeBox("1", 0.3, {DEER: 0.2, CAT: 0.1}, UNKNOWN, 0.2, "classifier")],
    "a/none.jpg": [],
}
BROKEN = {"filepath": "a/broken.jpg", "failures": ["DETECTOR", "CLASSIFIER"], "model_version": "4.0.3a"}


def new_layout() -> dict[str, Any]:
    """From 5.0.6 on: an answer for each box."""
    predictions = []
    for file, boxes in PICTURES.items():
        detections = []
        for box in boxes:
            detection = _detection(box)
            if box.answer:
                detection["raw_classifications"] = _raw(box)
                detection["processed_classification"] = {"class": box.answer, "score": box.score, "source": box.source}
            detections.append(detection)
        predictions.append({"filepath": file, "detections": detections, "model_version": "4.0.3a"})
    return {"info": {"format_version": "20261015"}, "predictions": [*predictions, BROKEN]}


def old_layout() -> dict[str, Any]:
    """Up to 5.0.5: an answer for each picture, here that of its first box."""
    predictions: list[dict[str, Any]] = []
    for file, boxes in PICTURES.items():
        box = boxes[0] if boxes else MadeBox("1", 0.0, {BLANK: 0.99, CAT: 0.01}, BLANK, 0.99, "classifier")
        predictions.append(
            {
                "filepath": file,
                "classifications": _raw(box),
                "detections": [_detection(each) for each in boxes],
                "prediction": box.answer,
                "prediction_score": box.score,
                "prediction_source": box.source,
                "model_version": "4.0.1a",
            }
        )
    return {"predictions": [*predictions, BROKEN | {"model_version": "4.0.1a"}]}


def megadetector_layout(*, raw: bool = True) -> dict[str, Any]:
    """Converted from the new layout."""
    numbers: dict[str, str] = {}

    def number(name: str) -> str:
        return numbers.setdefault(name, str(len(numbers)))

    images: list[dict[str, Any]] = []
    for file, boxes in PICTURES.items():
        detections = []
        for box in boxes:
            detection = {"category": box.category, "conf": box.confidence, "bbox": [0.1, 0.1, 0.2, 0.2]}
            if box.answer:
                detection["classifications"] = [[number(box.answer), box.score]]
                if raw:
                    detection["raw_classifications"] = [[number(name), score] for name, score in box.raw.items()]
            detections.append(detection)
        images.append({"file": file, "detections": detections})
    images.append({"file": "a/broken.jpg", "failure": "['DETECTOR', 'CLASSIFIER']", "detections": None})
    return {
        "info": {"format_version": "1.6", "detector": "converted_from_predictions_json"},
        "detection_categories": {"1": "animal", "2": "person"},
        "classification_categories": {key: name.split(";")[-1] for name, key in numbers.items()},
        "classification_category_descriptions": {key: name for name, key in numbers.items()},
        "images": images,
    }


def _detection(box: MadeBox) -> dict[str, Any]:
    place = [0.1, 0.1, 0.2, 0.2]
    return {"category": box.category, "label": LABELS[box.category], "conf": box.confidence, "bbox": place}


def _raw(box: MadeBox) -> dict[str, Any]:
    return {"classes": list(box.raw), "scores": list(box.raw.values())}
