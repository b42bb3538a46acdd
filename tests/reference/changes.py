"""What differs between two consensuses, row by row, as it is described."""

from collections import Counter
from typing import Any

SLACK = 1e-9
REASONS = ("votes", "experts", "ai", "settings", "weights")

Row = dict[str, Any]
"""``label``, ``status``, ``votes`` (a set of what was voted), ``expert`` (the label experts gave, None without one) and
``ai`` (label and score, None if it has no vote)."""


def changes(
    old: dict[Any, Row],
    new: dict[Any, Row],
    *,
    other_settings: bool,
    ai_mode: str | None,
    ai_threshold: float = 0.7,
    tells_votes: bool = True,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of ``changes.parquet`` and the summary, of consensuses by observation id.

    ``ai_mode`` is that of the new one, or of the old one if the new one has no AI votes.
    """
    found = []
    for observation in sorted({*old, *new}):
        before, now = old.get(observation), new.get(observation)
        if before and now and (before["label"], before["status"]) == (now["label"], now["status"]):
            continue
        found.append(
            {
                "observation_id": observation,
                "old_label": before and before["label"],
                "new_label": now and now["label"],
                "old_status": before and before["status"],
                "new_status": now and now["status"],
                "why": why(before, now, other_settings, tells_votes, ai_mode, ai_threshold),
            }
        )
    return found, summary(old, new, found)


def why(
    before: Row | None,
    now: Row | None,
    other_settings: bool,
    tells_votes: bool,
    ai_mode: str | None,
    ai_threshold: float,
) -> str | None:
    """The first reason that there is."""
    nothing = {"votes": frozenset(), "ai": None}
    one, other = before or nothing, now or nothing
    if not tells_votes:
        return None if before and now else "votes"
    if one["votes"] != other["votes"]:
        return "votes"
    if before is None or now is None:
        return "ai"
    if one["expert"] != other["expert"]:
        return "experts"
    if counting(one["ai"], now["label"], ai_mode, ai_threshold) != counting(
        other["ai"], now["label"], ai_mode, ai_threshold
    ):
        return "ai"
    return "settings" if other_settings else "weights"


def counting(ai: tuple[Any, float] | None, label: Any, ai_mode: str | None, ai_threshold: float) -> Any:
    """What of the AI's label and score the consensus of one observation, of the label given, depends on."""
    if ai is None or ai_mode in (None, "ignore", "user"):
        return None
    if ai_mode == "confident" and ai[1] < ai_threshold - SLACK:
        return None
    if ai_mode == "invalidating":
        return "against it" if ai[0] != label else None
    return ai[0]


def summary(old: dict[Any, Row], new: dict[Any, Row], found: list[dict[str, Any]]) -> dict[str, Any]:
    """How many changed how."""
    both = old.keys() & new.keys()
    relabelled = [i for i in both if old[i]["label"] != new[i]["label"]]
    valid_before = {i for i, row in old.items() if row["status"] == "valid"}
    valid_now = {i for i, row in new.items() if row["status"] == "valid"}
    reasons = Counter(row["why"] for row in found)
    return {
        "in_both": len(both),
        "new": len(new.keys() - old.keys()),
        "gone": len(old.keys() - new.keys()),
        "label_changed": len(relabelled),
        "label_changes_share": len(relabelled) / len(both) if both else 0.0,
        "status_changed": sum(old[i]["status"] != new[i]["status"] for i in both),
        "became_valid": len(valid_now - valid_before),
        "no_longer_valid": len(valid_before - valid_now),
        "valid_before": len(valid_before),
        "valid_now": len(valid_now),
        "valid_drop": (len(valid_before) - len(valid_now)) / len(valid_before) if valid_before else 0.0,
        "why": {reason: reasons[reason] for reason in REASONS},
    }
