"""Answers such as those of iNaturalist's API.

https://api.inaturalist.org/v1/docs describes them: /observations has pages of observations with their identifications,
/identifications pages of identifications with their observation.
"""

import json
from pathlib import Path
from typing import Any

LEVELS = {"kingdom": 70, "family": 30, "genus": 20, "complex": 11, "species": 10, "hybrid": 10, "subspecies": 5}

Json = dict[str, Any]


def taxon(number: int, name: str | None = None, rank: str | None = None, ancestors: tuple[int, ...] = ()) -> Json:
    """A taxon; without a name or a rank it lacks these keys, as some do in answers."""
    found: Json = {"id": number, "is_active": True, "ancestor_ids": [*ancestors, number]}
    if name:
        found |= {"name": name}
    if rank:
        found |= {"rank": rank, "rank_level": LEVELS[rank]}
    if ancestors:
        found |= {"parent_id": ancestors[-1]}
    return found


PLANTS = taxon(1, "Plantae", "kingdom")
ACER = taxon(10, "Acer", "genus", (1,))
OPALUS = taxon(11, "Acer opalus", "species", (1, 10))
CAMPESTRE = taxon(12, "Acer campestre", "species", (1, 10))
OBTUSATUM = taxon(13, "Acer opalus obtusatum", "subspecies", (1, 10, 11))


def identification(number: int, user: int, named: Json, **changes: Any) -> Json:
    """A current identification; None in place of a value drops its key."""
    found = {
        "id": number,
        "uuid": f"88031477-a183-46c6-8de3-{number:012}",
        "user": {"id": user, "login": f"naturalist{user}"},
        "created_at": f"2021-02-18T20:31:{number % 60:02}-06:00",
        "body": None,
        "category": "supporting",
        "current": True,
        "own_observation": False,
        "taxon_change": None,
        "vision": False,
        "disagreement": False,
        "previous_observation_taxon_id": None,
        "spam": False,
        "hidden": False,
        "taxon_id": named["id"],
        "taxon": named,
        **changes,
    }
    return {key: value for key, value in found.items() if key not in changes or value is not DROP}


class Drop:
    """Stands for a key that is not there."""


DROP = Drop()


def observation(number: int, user: int, *identifications: Json, **changes: Any) -> Json:
    """An observation of a user."""
    return {
        "id": number,
        "uuid": f"63e0e70a-6489-49ac-933e-{number:012}",
        "quality_grade": "research",
        "user": {"id": user, "login": f"naturalist{user}"},
        "taxon": None,
        "identifications": list(identifications),
        **changes,
    }


def page(*results: Json, number: int = 1) -> Json:
    """A page of an answer."""
    return {"total_results": len(results), "page": number, "per_page": 30, "results": list(results)}


def write(path: Path, value: Any) -> Path:
    """A file of JSON."""
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return path


def write_lines(path: Path, *values: Any) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path
