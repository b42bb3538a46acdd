"""Records as Argilla exports them.

https://docs.argilla.io/latest/how_to_guides/import_export/; the keys, and that missing ones are null, are those of
``GenericIO.to_list`` and ``JsonIO.to_json`` in
https://github.com/argilla-io/argilla/tree/main/argilla/src/argilla/records/_io.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

USERS = tuple(f"00000000-0000-0000-0000-00000000000{n}" for n in range(10))

Response = tuple[Any, Any, Any]
"""Value, number of the user, status."""


def flat(
    number: str, *responses: Response, suggestion: tuple[Any, Any, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    values, users, states = (list(column) for column in zip(*responses, strict=True)) if responses else ([], [], [])
    value, score, agent = suggestion or (None, None, None)
    return {
        "id": number,
        "status": "completed",
        "_server_id": "b7c5",
        "image": f"https://example.org/{number}.jpg",
        "species.responses": values or None,
        "species.responses.users": [USERS[user] for user in users] or None,
        "species.responses.status": states or None,
        "species.suggestion": value,
        "species.suggestion.score": score,
        "species.suggestion.agent": agent,
    } | changes


def nested(number: str, *responses: tuple[Any, int], suggestion: tuple[Any, Any, Any] | None = None) -> dict[str, Any]:
    suggestions = (
        {} if suggestion is None else {"species": dict(zip(("value", "score", "agent"), suggestion, strict=True))}
    )
    given = [{"value": value, "user_id": USERS[user]} for value, user in responses]
    return {
        "id": number,
        "fields": {"image": f"https://example.org/{number}.jpg"},
        "metadata": {"observation": f"obs-{number}"},
        "suggestions": suggestions,
        "responses": {"species": given} if given else {},
        "vectors": {},
        "status": "completed",
        "_server_id": "b7c5",
    }


def write(path: Path, records: Sequence[dict[str, Any]], *, as_lines: bool = False) -> Path:
    text = "\n".join(map(json.dumps, records)) if as_lines else json.dumps(records)
    path.write_text(text, encoding="utf-8")
    return path
