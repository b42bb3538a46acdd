"""Responses of the Pl@ntNet API (v2) as https://my.plantnet.org/doc/api/identify describes them."""

from typing import Any

VERSION, PROJECT = "2025-01-17 (7.3)", "k-world-flora"


def response(
    scores: dict[str, float], observation: object = None, *, version: str = VERSION, project: str = PROJECT
) -> dict[str, Any]:
    """A response with a result for each name with its author; ids of GBIF and POWO are made of the names."""
    made = {
        "query": {
            "project": project,
            "images": ["cc2ddeff6a93628781a8638435b05e4d"],
            "organs": ["auto"],
            "includeRelatedImages": False,
            "noReject": False,
            "type": None,
        },
        "predictedOrgans": [],
        "language": "en",
        "preferedReferential": "k-world-flora",
        "bestMatch": next(iter(scores), ""),
        "results": [result(name, score) for name, score in scores.items()],
        "version": version,
        "remainingIdentificationRequests": 499,
    }
    return made if observation is None else made | {"observation_id": observation}


def result(name: str, score: float) -> dict[str, Any]:
    """One of the species; the author is the last word of its name."""
    plain, _, author = name.rpartition(" ")
    genus = {"scientificNameWithoutAuthor": plain.split()[0], "scientificNameAuthorship": ""}
    return {
        "score": score,
        "species": {
            "scientificNameWithoutAuthor": plain,
            "scientificNameAuthorship": author,
            "genus": genus,
            "family": {"scientificNameWithoutAuthor": "Sapindaceae", "scientificNameAuthorship": ""},
            "commonNames": [],
            "scientificName": name,
        },
        "gbif": {"id": str(sum(plain.encode()))},
        "powo": {"id": f"{sum(plain.encode())}-1"},
    }


NOT_FOUND = {"statusCode": 404, "error": "Not Found", "message": "Species not found"}
