"""Exports as Label Studio writes them, by https://labelstud.io/guide/task_format and the exports in the tests of
https://github.com/HumanSignal/label-studio-sdk (tests/custom/converter/data), of which all keys are taken.
"""

import json
import random
from pathlib import Path
from typing import Any

SPECIES = ("Acer campestre", "Acer opalus", "Ilex aquifolium", "Quercus robur")


def region(label: str | list[str], control: str = "species", kind: str = "choices", **changes: Any) -> dict[str, Any]:
    chosen = [label] if isinstance(label, str) else label
    answer = {kind: [chosen] if kind == "taxonomy" else chosen}
    return {
        "id": "qd1jIVAq1h",
        "type": kind,
        "value": answer,
        "origin": "manual",
        "to_name": "image",
        "from_name": control,
    } | changes


def annotation(number: int, user: Any, label: str | list[str] | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "completed_by": user,
        "result": [] if label is None else [region(label)],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2024-05-15T12:09:16.789536Z",
        "updated_at": f"2024-05-15T12:{number % 60:02}:16.789563Z",
        "draft_created_at": "2020-01-01T00:00:00Z",
        "lead_time": 1.849,
        "prediction": {},
        "result_count": 0,
        "unique_id": f"de253957-8959-4e6f-9022-{number:012}",
        "last_action": "submitted",
        "task": 1,
        "project": 24,
        "parent_prediction": None,
        "parent_annotation": None,
    } | changes


def prediction(
    label: str, score: float | None = 0.9, version: str | None = "model 1", **changes: Any
) -> dict[str, Any]:
    return {
        "id": 1,
        "model_version": version,
        "created_ago": "6 days, 21 hours",
        "result": [region(label, score=0.23)],
        "score": score,
        "cluster": None,
        "neighbors": None,
        "mislabeling": 0.0,
        "created_at": "2022-10-27T19:40:48.842071Z",
        "task": 1,
    } | changes


def task(number: int, *annotations: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "annotations": list(annotations),
        "file_upload": "de982d35-text_data10.json",
        "drafts": [],
        "predictions": [],
        "agreement": 100.0,
        "data": {"image": f"https://example.org/{number}.jpg", "observation_id": f"obs-{number:04}"},
        "meta": {},
        "created_at": "2024-05-15T12:08:36.422297Z",
        "updated_at": "2024-05-15T12:09:16.934164Z",
        "inner_id": number - 1000,
        "total_annotations": len(annotations),
        "cancelled_annotations": 0,
        "total_predictions": 0,
        "comment_count": 0,
        "project": 24,
        "comment_authors": [],
    } | changes


def write(path: Path, *tasks: dict[str, Any]) -> Path:
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def project(n_tasks: int, seed: int = 0) -> list[dict[str, Any]]:
    """Tasks of all kinds, at random."""
    chance = random.Random(seed)
    kinds = (
        {},
        {},
        {},
        {"was_cancelled": True},
        {"result": None},
        {"result": []},
        {"result": [region("blurred", control="quality", kind="rating")]},
        {"result": [region([])]},
        {"result": [region("Acer opalus"), region("Ilex aquifolium")]},
        {"ground_truth": True},
        {"completed_by": None},
    )
    made = []
    for number in range(1001, 1001 + n_tasks):
        annotations = [
            annotation(number * 10 + place, chance.randrange(1, 9), chance.choice(SPECIES), **chance.choice(kinds))
            for place in range(chance.randrange(6))
        ]
        predictions = [prediction(chance.choice(SPECIES), chance.choice((None, 0.25, 1)))] * chance.randrange(2)
        made.append(task(number, *annotations, predictions=predictions))
    return made
