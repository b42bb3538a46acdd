"""Camera trap data packages, made by https://camtrap-dp.tdwg.org/data/#observations (version 1.0.2).

Their datapackage.json is that of https://specs.frictionlessdata.io/data-package/, with what is needed to read them.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLUMNS = (
    *("observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel"),
    *("observationType", "cameraSetupType", "scientificName", "count", "lifeStage", "sex", "behavior", "individualID"),
    *("individualPositionRadius", "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth"),
    *("bboxHeight", "classificationMethod", "classifiedBy", "classificationTimestamp", "classificationProbability"),
    *("observationTags", "observationComments"),
)


def row(media: str, name: str = "", by: str = "Ann", **more: str) -> dict[str, str]:
    """A classification of a picture by a person."""
    return {
        "deploymentID": "d1",
        "mediaID": media,
        "eventID": f"e{media}",
        "eventStart": "2020-05-30T02:57:37Z",
        "eventEnd": "2020-05-30T02:57:44Z",
        "observationLevel": "media",
        "observationType": "animal" if name else "blank",
        "scientificName": name,
        "classificationMethod": "human",
        "classifiedBy": by,
        **more,
    }


def machine(media: str, name: str, probability: str, by: str = "model 1", **more: str) -> dict[str, str]:
    """A classification of a picture by a machine."""
    return row(media, name, by, classificationMethod="machine", classificationProbability=probability, **more)


def table(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS, **layout: Any) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore", **layout)
    writer.writeheader()
    for number, item in enumerate(rows, start=1):
        writer.writerow({"observationID": f"o{number}", **item})
    return text.getvalue()


def make_package(folder: Path, rows: Sequence[Mapping[str, str]], **resource: Any) -> Path:
    """A package as a folder; ``resource``: further properties of its observations."""
    folder.mkdir(parents=True, exist_ok=True)
    described = {"name": "observations", "path": "observations.csv", "profile": "tabular-data-resource", **resource}
    package = {"profile": "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2/camtrap-dp-profile.json"}
    resources = [{"name": "deployments", "path": "deployments.csv"}, described]
    (folder / "datapackage.json").write_text(json.dumps({**package, "resources": resources}))
    (folder / "observations.csv").write_text(table(rows))
    return folder
