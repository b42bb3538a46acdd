"""The AI's vote [L25, section "Integrating model predictions"] in plain Python, by what it means for each observation.

[L25] Lefort et al. 2025, Cooperative learning of Pl@ntNet's AI algorithm: how does it work and how can we improve it?,
Methods in Ecology and Evolution (arXiv 2406.03356).
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tests.reference import plantnet
from tests.reference.plantnet import SLACK, Label, Observation, Row, Tally, heaviest, tally

AiVotes = Mapping[Observation, tuple[Label, float]]


def fit(
    votes: Iterable[Row],
    ai: AiVotes,
    *,
    ai_mode: str,
    ai_weight: float = 1.7,
    ai_threshold: float = 0.7,
    **parameters: Any,
) -> dict[str, Any]:
    """The consensus of cleaned votes and the AI's label and score of some observations."""
    votes = list(votes)
    without = plantnet.fit(votes, **parameters)
    if ai_mode == "user":
        found = with_the_ai_as_user(votes, ai, **parameters)
    elif ai_mode == "fixed":
        found = with_a_fixed_weight(votes, ai, ai_weight, **parameters)
    elif ai_mode == "confident":
        counted = {i: (k, p) for i, (k, p) in ai.items() if p >= ai_threshold - SLACK}
        found = with_a_fixed_weight(votes, counted, ai_weight, **parameters) if counted else without
    elif ai_mode == "invalidating":
        found = with_objections(votes, ai, ai_weight, without, **parameters)
    else:
        found = without
    rows = {row["observation_id"]: row for row in found["observations"]}
    before = {row["observation_id"]: row for row in without["observations"]}
    found["observations"] = []
    for i in sorted({*rows, *ai}):
        row = rows.get(i, unlabelled(i))
        label, score = ai.get(i, (None, None))
        effect = effect_on(row, before.get(i, unlabelled(i)), label)
        found["observations"].append({**row, "ai_label": label, "ai_score": score, "ai_effect": effect})
    return found


def unlabelled(i: Observation) -> dict[str, Any]:
    """An observation that nobody has spoken on."""
    numbers = ("weight", "agreement", "confidence", "margin", "aum", "entropy")
    return {
        "observation_id": i,
        "label": None,
        "valid": False,
        "status": "needs_votes",
        "ambiguous": False,
        **dict.fromkeys(numbers, 0.0),
        "n_votes": 0,
        "n_labels": 0,
        "runner_up": None,
    }


def effect_on(row: Mapping[str, Any], before: Mapping[str, Any], ai_label: Label | None) -> str:
    """What would differ without the AI."""
    if row["label"] != before["label"]:
        return "relabelled"
    if row["valid"] != before["valid"]:
        return "validated" if row["valid"] else "invalidated"
    return "agreed" if ai_label is not None and ai_label == row["label"] else "none"


def with_the_ai_as_user(votes: list[Row], ai: AiVotes, **parameters: Any) -> dict[str, Any]:
    """The AI is one more user."""
    return plantnet.fit([*votes, *own_votes(votes, ai)], **parameters)


def own_votes(votes: list[Row], ai: AiVotes) -> list[Row]:
    """The AI's votes under a name that no user has."""
    name = "AI" if isinstance(votes[0]["user_id"], str) else -1
    return [{"observation_id": i, "user_id": name, "label": k} for i, (k, _) in ai.items()]


def with_a_fixed_weight(votes: list[Row], ai: AiVotes, ai_weight: float, **parameters: Any) -> dict[str, Any]:
    """The AI's votes have one weight; where votes and labels are counted for what is published they are left out."""
    own = own_votes(votes, ai)
    found = plantnet.fit([*votes, *own], voices={vote["user_id"]: ai_weight for vote in own}, **parameters)
    voted: dict[Observation, list[Label]] = {}
    for vote in votes:
        voted.setdefault(vote["observation_id"], []).append(vote["label"])
    for row in found["observations"]:
        ballots = voted.get(row["observation_id"], [])
        row["n_votes"], row["n_labels"] = len(ballots), len(set(ballots))
    return found


def with_objections(
    votes: list[Row], ai: AiVotes, ai_weight: float, without: dict[str, Any], **parameters: Any
) -> dict[str, Any]:
    """The AI's weight counts against labels that are not its own, once labels and weights stand."""
    gamma, experts = parameters.get("gamma", math.log(2.1)), parameters.get("experts", {})
    theta_acc, theta_conf = parameters.get("theta_acc", 0.7), parameters.get("theta_conf", 2.0)
    ambiguous_below = parameters.get("ambiguous_below")
    ambiguous_below = 2 * theta_acc - 1 if ambiguous_below is None else ambiguous_below
    y, authors = plantnet.arrange(votes)
    y |= {i: {} for i in experts if i not in y}
    w = {row["user_id"]: row["weight"] for row in without["users"]}

    def objected(i: Observation, weights: Mapping[Any, float]) -> Tally:
        return tally({**y[i], None: ai[i][0]}, {**weights, None: ai_weight})

    rows = []
    for row in without["observations"]:
        i, label = row["observation_id"], row["label"]
        if i not in ai or ai[i][0] == label:
            rows.append(row)
            continue
        opposed = objected(i, w)
        if i in experts:
            ballots = {**y[i], None: ai[i][0]}
            row_now = plantnet.labelled_by_expert(i, label, ballots, authors.get(i, set()), opposed, ambiguous_below)
            rows.append({**row_now, "n_votes": row["n_votes"], "n_labels": row["n_labels"]})
            continue
        conf, acc = opposed.weight[label], opposed.share(label)
        valid = acc >= theta_acc - SLACK and conf >= theta_conf - SLACK
        margins = [objected(i, w_t).margin(label) for w_t in without["started_from"]]
        aum = math.fsum(margins) / len(margins)
        others = {k: weight for k, weight in opposed.weight.items() if k != label}
        rows.append(
            {
                **row,
                "weight": conf,
                "agreement": acc,
                "valid": valid,
                "confidence": conf / (opposed.total + gamma),
                "status": "valid" if valid else "contested" if acc < theta_acc - SLACK else "needs_votes",
                "margin": opposed.margin(label),
                "aum": aum,
                "ambiguous": aum < ambiguous_below - SLACK,
                "entropy": opposed.entropy(),
                "runner_up": heaviest(others, {**y[i], None: ai[i][0]}, authors[i]),
            }
        )
    return {**without, "observations": rows}
