"""Exports such as those of Zooniverse.

https://help.zooniverse.org/next-steps/data-exports describes the columns; Panoptes, which writes them, is public:
https://github.com/zooniverse/panoptes/blob/main/lib/formatter/csv/classification.rb (and workflow.rb beside it).
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

COLUMNS = [
    "classification_id",
    "user_name",
    "user_id",
    "user_ip",
    "workflow_id",
    "workflow_name",
    "workflow_version",
    "created_at",
    "gold_standard",
    "expert",
    "metadata",
    "annotations",
    "subject_data",
    "subject_ids",
]

Row = dict[str, str]


def survey(*choices: str, task: str = "T0") -> dict[str, Any]:
    """The annotation of a survey."""
    return {"task": task, "value": [{"choice": choice, "answers": {"HWMN": "1"}, "filters": {}} for choice in choices]}


def question(answer: Any, task: str = "T0") -> dict[str, Any]:
    """The annotation of a question, of one answer or a list of several; None if it was passed over."""
    return {"task": task, "task_label": "What is it?", "value": answer}


def drawing(n_marks: int, task: str = "T0") -> dict[str, Any]:
    """The annotation of a drawing."""
    mark = {"x": 12.5, "y": 99.0, "tool": 0, "frame": 0, "details": [], "tool_label": "Nest"}
    return {"task": task, "task_label": "Mark every nest", "value": [mark] * n_marks}


def classification(
    number: int, subject: str, user: str | None, *annotations: Any, live: bool = True, **values: str
) -> Row:
    """A line of a classification export; ``user`` None was not logged in."""
    row = {
        "classification_id": str(number),
        "user_name": f"volunteer{user}" if user else "not-logged-in-0123456789abcdef0123",
        "user_id": user or "",
        "user_ip": "0123456789abcdef0123",
        "workflow_id": "2030",
        "workflow_name": "What, exactly, is it?",
        "workflow_version": "306.76",
        "created_at": f"2017-09-21 19:29:{number % 60:02} UTC",
        "gold_standard": "",
        "expert": "",
        "metadata": json.dumps({"started_at": "2017-09-21T19:29:43.000Z", "live_project": live}),
        "annotations": json.dumps(list(annotations)),
        "subject_data": json.dumps({subject: {"retired": None, "Filename": 'a "b".jpg'}}),
        "subject_ids": subject,
    }
    return {**row, **values}


def write(path: Path, *rows: Row, columns: list[str] = COLUMNS) -> Path:
    """A classification export."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return path


def workflow(version: str, choices: Mapping[str, str], answers: list[str] | None = None, kind: str = "survey") -> Row:
    """A line of a workflow export: its task T0 has a survey's ``choices`` (id -> words) or a question's ``answers``."""
    major, _, minor = version.partition(".")
    strings = {f"T0.choices.{choice}.label": words for choice, words in choices.items()}
    strings |= {f"T0.answers.{n}.label": words for n, words in enumerate(answers or [])}
    listed = {choice: {"label": f"T0.choices.{choice}.label", "confusions": {}} for choice in choices}
    labels = [{"label": f"T0.answers.{n}.label"} for n in range(len(answers or []))]
    task = {"type": kind, "choices": listed, "choicesOrder": list(listed), "answers": labels}
    return {
        "workflow_id": "2030",
        "display_name": "What, exactly, is it?",
        "version": major,
        "active": "true",
        "primary_language": "en",
        "first_task": "T0",
        "tasks": json.dumps({"T0": task}),
        "strings": json.dumps(strings),
        "minor_version": minor,
    }


def write_workflows(path: Path, *rows: Row) -> Path:
    """A workflow export."""
    return write(path, *rows, columns=list(rows[0]))


def drawn_survey(path: Path, n: int = 150, n_subjects: int = 25, seed: int = 7) -> Path:
    """A classification export of a survey with all that exports have: repeats, choices twice, several, and none."""
    random = Random(seed)
    choices = ["GIRAFFE", "ZEBRA", "ELEPHANT", "NTHNGHR"]
    rows = []
    for number in range(1, n + 1):
        subject = random.randrange(n_subjects)
        usual = choices[subject % len(choices)]
        chosen = [
            usual if random.random() < 0.6 else random.choice(choices) for _ in range(random.choice([1] * 9 + [2, 0]))
        ]
        user = random.choice([None, "1", "2", "3", "4", "5", "6"])
        live, gold = random.random() < 0.9, "true" if random.random() < 0.05 else ""
        rows.append(classification(number, str(100 + subject), user, survey(*chosen), live=live, gold_standard=gold))
    return write(path, *rows)
