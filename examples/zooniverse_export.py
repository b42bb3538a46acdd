"""Writes exports such as Zooniverse makes of a project, with made-up volunteers, to try what reads them.

    python examples/zooniverse_export.py wildlife

writes wildlife/classifications.csv and wildlife/workflows.csv: a survey of animals (task T0) and a question (T1), with
what real exports have: volunteers who were not logged in, who classified a subject again, or named several animals;
classifications from before the project was live, and of the gold standard; and choices that had other ids in an old
version of the workflow. The columns are those of https://help.zooniverse.org/next-steps/data-exports.
"""

import argparse
import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

ANIMALS = ["Giraffe", "Zebra", "Elephant", "Impala", "Gazelle", "Warthog", "Kudu", "Eland", "Hyena", "Jackal"]
NOTHING = "Nothing here"
CONFUSED = {
    "Impala": "Gazelle",
    "Gazelle": "Impala",
    "Kudu": "Eland",
    "Eland": "Kudu",
    "Hyena": "Jackal",
    "Jackal": "Hyena",
}
SUBJECTS, SHOWN, VOLUNTEERS, ADDRESSES = 400, 7, 60, 15  # SHOWN: classifications of each subject
OLD, NEW = "28.36", "306.76"  # versions of the workflow
BEGIN = datetime(2024, 3, 1, 8, tzinfo=UTC)


class Volunteer(NamedTuple):
    """Who classifies."""

    name: str
    id: str  # empty if not logged in
    skill: float  # how often the animal is named right
    zeal: float  # how much is classified


def choice_id(animal: str, version: str) -> str:
    """The id of a choice: in old versions without vowels."""
    letters = [letter for letter in animal.upper() if letter.isalpha()]
    return "".join(letter for letter in letters if version == NEW or letter not in "AEIOUY")


def volunteers(random: Random) -> list[Volunteer]:
    """Some who know the animals and classify much, and many others."""
    logged_in = [
        Volunteer(f"volunteer{n}", str(1_000_000 + 137 * n), random.betavariate(5, 2.5), random.paretovariate(1.2))
        for n in range(VOLUNTEERS)
    ]
    addresses = [f"{random.getrandbits(80):020x}" for _ in range(ADDRESSES)]
    return [*logged_in, *(Volunteer(f"not-logged-in-{each}", "", random.betavariate(3, 2), 1.5) for each in addresses)]


def named(animal: str, skill: float, random: Random) -> str:
    """What a volunteer of some skill calls an animal."""
    if random.random() < skill:
        return animal
    return CONFUSED.get(animal, NOTHING) if random.random() < 0.7 else random.choice([*ANIMALS, NOTHING])


def classifications(random: Random) -> list[dict[str, str]]:
    """The lines of the export, in the order in which they were made."""
    crowd = volunteers(random)
    animals = {str(5_000_000 + n): random.choice([NOTHING, *ANIMALS]) for n in range(SUBJECTS)}
    shown = [subject for subject in animals for _ in range(SHOWN)]
    random.shuffle(shown)
    rows, seen = [], set()
    for number, subject in enumerate(shown):
        (who,) = random.choices(crowd, [each.zeal for each in crowd])
        while (who, subject) in seen and random.random() > 0.1:  # few see a subject again
            (who,) = random.choices(crowd, [each.zeal for each in crowd])
        seen.add((who, subject))
        version, is_live = (OLD, False) if number < 100 else (OLD, True) if number < 700 else (NEW, True)
        chosen = [named(animals[subject], who.skill, random)]
        if random.random() < 0.02 and NOTHING not in chosen:
            chosen.append(random.choice(ANIMALS))
        rows.append(line(number, subject, who, version, chosen, is_live=is_live))
    expert = Volunteer("ranger", "77", 1, 1)
    for number, subject in enumerate(random.sample(list(animals), 80), len(shown)):
        rows.append(
            {**line(number, subject, expert, NEW, [animals[subject]]), "gold_standard": "true", "expert": "expert"}
        )
    return rows


def line(
    number: int, subject: str, who: Volunteer, version: str, chosen: list[str], *, is_live: bool = True
) -> dict[str, str]:
    """A classification as the export has it."""
    time = BEGIN + timedelta(minutes=7 * number)
    survey = [{"choice": choice_id(each, version), "answers": {"HWMN": "1"}, "filters": {}} for each in chosen]
    annotations = [
        {"task": "T0", "value": survey},
        {"task": "T1", "task_label": "Is it day or night?", "value": "Day" if number % 3 else None},
    ]
    return {
        "classification_id": str(300_000_000 + 11 * number),
        "user_name": who.name,
        "user_id": who.id,
        "user_ip": f"{number * 7919:020x}",
        "workflow_id": "2030",
        "workflow_name": "What animals do you see?",
        "workflow_version": version,
        "created_at": f"{time:%Y-%m-%d %H:%M:%S} UTC",
        "gold_standard": "",
        "expert": "",
        "metadata": json.dumps({"started_at": time.isoformat(), "live_project": is_live, "user_language": "en"}),
        "annotations": json.dumps(annotations),
        "subject_data": json.dumps({subject: {"retired": None, "Filename": f"camera-{subject}.jpg"}}),
        "subject_ids": subject,
    }


def workflow(version: str) -> dict[str, str]:
    """A version of the workflow as the workflow export has it."""
    ids = {choice_id(animal, version): animal for animal in [*ANIMALS, NOTHING]}
    choices = {each: {"label": f"T0.choices.{each}.label"} for each in ids}
    major, minor = version.split(".")
    question = {
        "type": "single",
        "question": "T1.question",
        "answers": [{"label": f"T1.answers.{n}.label"} for n in (0, 1)],
    }
    return {
        "workflow_id": "2030",
        "display_name": "What animals do you see?",
        "version": major,
        "active": "true",
        "first_task": "T0",
        "tasks": json.dumps({"T0": {"type": "survey", "choices": choices, "choicesOrder": list(ids)}, "T1": question}),
        "strings": json.dumps(
            {
                **{f"T0.choices.{each}.label": animal for each, animal in ids.items()},
                "T1.question": "Is it day or night?",
                "T1.answers.0.label": "Day",
                "T1.answers.1.label": "Night",
            }
        ),
        "minor_version": minor,
    }


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write lines as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)


def main() -> None:
    """Write both exports into a folder."""
    parser = argparse.ArgumentParser(
        description="Exports such as Zooniverse makes of a project, to try what reads them."
    )
    parser.add_argument("folder", type=Path, help="where to write; it may be there")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "classifications.csv", classifications(Random(5)))
    write(folder / "workflows.csv", [workflow(version) for version in (OLD, NEW)])


if __name__ == "__main__":
    main()
