"""Responses of a pool as Toloka writes them, by https://toloka.ai/docs/guide/result-of-eval (the columns),
https://toloka.ai/docs/guide/accept (``ACCEPT:verdict``) and https://toloka.ai/docs/guide/pool_csv (quotes).
"""

import csv
from collections.abc import Sequence
from pathlib import Path


def response(image: str, worker: str, label: str, **changes: str) -> dict[str, str]:
    row = {
        "INPUT:image": image,
        "OUTPUT:result": label,
        "GOLDEN:result": "",
        "HINT:text": "",
        "ASSIGNMENT:link": "https://platform.toloka.ai/task/1/0000000001",
        "ASSIGNMENT:assignment_id": "0000000001--5f6",
        "ASSIGNMENT:worker_id": worker,
        "ASSIGNMENT:status": "APPROVED",
        "ASSIGNMENT:started": "2021-03-01T12:34:56.789",
    }
    names = {
        "golden": "GOLDEN:result",
        "hint": "HINT:text",
        "status": "ASSIGNMENT:status",
        "started": "ASSIGNMENT:started",
    }
    others = {
        "submitted": "ASSIGNMENT:submitted",
        "verdict": "ACCEPT:verdict",
        "sure": "OUTPUT:sure",
        "note": "INPUT:note",
    }
    return row | {(names | others)[name]: value for name, value in changes.items()}


def write(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)
    return path
