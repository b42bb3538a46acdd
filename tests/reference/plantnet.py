"""The Pl@ntNet EM, slow and obvious: dictionaries, sets, and sums that are exact (math.fsum).

It shares nothing with the engine, so that the two can only agree by both being right. Votes are dictionaries with
``observation_id``, ``user_id``, ``label`` and ``is_author``.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

SLACK = 1e-9

WEIGHT_FUNCTIONS = {
    "power-difference": lambda n, alpha, beta, gamma: n**alpha - n**beta + gamma,
    "linear": lambda n, alpha, beta, gamma: n + gamma,
    "square-root": lambda n, alpha, beta, gamma: n**0.5 + gamma,
    "three-quarters": lambda n, alpha, beta, gamma: n**0.75 + gamma,
    "square": lambda n, alpha, beta, gamma: n**2 + gamma,
    "logarithm": lambda n, alpha, beta, gamma: (math.log(n) if n > 0 else 0.0) + gamma,
}


def has_label(row: Row) -> bool:
    """Null and blank labels are no opinion."""
    label = row["label"]
    return label is not None and not (isinstance(label, str) and label.strip() == "")


def clean(rows: Sequence[Row]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """One vote per observation and user, and what became of the rows."""
    ballots: dict[tuple[Any, Any], list[Row]] = defaultdict(list)
    for row in rows:
        ballots[row["observation_id"], row["user_id"]].append(row)
    votes = []
    for (observation, user), cast in ballots.items():
        last = cast[0]
        for row in cast[1:]:
            now, then = row.get("voted_at"), last.get("voted_at")
            if then is None or (now is not None and now >= then):
                last = row
        if has_label(last):
            author = any(bool(row.get("is_author")) for row in cast)
            votes.append({"observation_id": observation, "user_id": user, "label": last["label"], "is_author": author})
    labelled = sum(map(has_label, rows))
    counts = {
        "read": len(rows),
        "used": len(votes),
        "superseded": labelled - len(votes),
        "no_opinion": len(rows) - labelled,
    }
    return votes, counts


def by_label(votes: Sequence[Row], weights: Mapping[Any, float]) -> dict[Any, float]:
    """The exact weight of each label voted."""
    return {
        label: math.fsum(weights[vote["user_id"]] for vote in votes if vote["label"] == label)
        for label in {vote["label"] for vote in votes}
    }


def heaviest(votes: Sequence[Row], weights: Mapping[Any, float], held: Any = None, without: Any = None) -> Any:
    """The label with most weight: of those tied the one held, the author's, the most voted, the smallest."""
    candidates = {label: weight for label, weight in by_label(votes, weights).items() if label != without}
    if not candidates:
        return None
    most = max(candidates.values())
    tied = [label for label, weight in candidates.items() if weight >= most * (1 - 1e-9)]
    if held in tied:
        return held
    authors = {vote["label"] for vote in votes if vote["is_author"]} & set(tied)
    tied = sorted(authors or tied)
    n_votes = {label: sum(vote["label"] == label for vote in votes) for label in tied}
    return next(label for label in tied if n_votes[label] == max(n_votes.values()))


def margin(votes: Sequence[Row], weights: Mapping[Any, float], label: Any) -> float:
    """Share of the label less the share of the strongest other; 1 without another, 0 without weight."""
    sums = by_label(votes, weights)
    others = [weight for other, weight in sums.items() if other != label]
    if not others:
        return 1.0
    total = math.fsum(weights[vote["user_id"]] for vote in votes)
    return (sums[label] / total) - (max(others) / total) if total > 0 else 0.0


def support(votes: Sequence[Row], weights: Mapping[Any, float], label: Any) -> tuple[float, float, float]:
    """conf, acc and the total weight."""
    total = math.fsum(weights[vote["user_id"]] for vote in votes)
    conf = by_label(votes, weights)[label]
    if len({vote["label"] for vote in votes}) == 1:
        return conf, 1.0, total
    return conf, conf / total if total > 0 else 0.0, total


def fit(
    votes: Sequence[Row],
    *,
    alpha: float = 0.5,
    beta: float = 0.2,
    gamma: float = math.log(2.1),
    theta_conf: float = 2.0,
    theta_acc: float = 0.7,
    max_iter: int = 100,
    weight_function: str = "power-difference",
    vote_credit: str = "any",
    fixed_weights: Mapping[Any, float] | None = None,
    min_weights: Mapping[Any, float] | None = None,
    ambiguous_below: float | None = None,
) -> dict[str, Any]:
    """The result in the form of the golden cases' ``expected``."""
    fixed, floors = fixed_weights or {}, min_weights or {}
    on: dict[Any, list[Row]] = defaultdict(list)
    for vote in votes:
        on[vote["observation_id"]].append(vote)
    users = sorted({vote["user_id"] for vote in votes})

    def weight(user: Any, n: int) -> float:
        if user in fixed:
            return fixed[user]
        estimated = WEIGHT_FUNCTIONS[weight_function](n, alpha, beta, gamma)
        return max(estimated, floors.get(user, estimated))

    def is_valid(conf: float, acc: float) -> bool:
        return acc >= theta_acc - SLACK and conf >= theta_conf - SLACK

    w = {user: weight(user, 0) for user in users}
    labels = {i: heaviest(cast, w) for i, cast in on.items()}
    species: dict[Any, int] | None = None
    history, trace, seen = [], [], []
    converged, cycle_length = False, 0
    while len(trace) < max_iter:
        history.append(w)
        valid = {i: is_valid(*support(cast, w, labels[i])[:2]) for i, cast in on.items()}
        author: dict[Any, set[Any]] = {user: set() for user in users}
        voted: dict[Any, set[Any]] = {user: set() for user in users}
        for vote in votes:
            i, user, label = vote["observation_id"], vote["user_id"], vote["label"]
            if label == labels[i]:
                if vote["is_author"] and valid[i]:
                    author[user].add(label)
                if not vote["is_author"] and (valid[i] or vote_credit == "any"):
                    voted[user].add(label)
        n = {user: len(author[user]) + (len(voted[user] - author[user]) + 5) // 10 for user in users}
        w = {user: weight(user, n[user]) for user in users}
        new = {i: heaviest(cast, w, held=labels[i]) for i, cast in on.items()}
        changed = len(users) if species is None else sum(n[user] != species[user] for user in users)
        moved = sum(new[i] != labels[i] for i in on)
        trace.append({"labels_changed": moved, "users_changed": changed, "valid": sum(valid.values())})
        still = species is not None and changed == 0 and moved == 0
        species, labels = n, new
        state = (n, new)
        if still:
            converged = True
            break
        if state in seen:
            cycle_length = len(seen) - seen.index(state)
            if cycle_length > 1:
                break
        seen.append(state)

    threshold = 2 * theta_acc - 1 if ambiguous_below is None else ambiguous_below
    observations = []
    for i in sorted(on):
        cast, label = on[i], labels[i]
        conf, acc, total = support(cast, w, label)
        shares = [weight / total for weight in by_label(cast, w).values() if weight > 0]
        n_labels = len({vote["label"] for vote in cast})
        aum = sum(margin(cast, past, label) for past in history) / len(history)
        valid_now = is_valid(conf, acc)
        observations.append(
            {
                "observation_id": i,
                "label": label,
                "weight": conf,
                "agreement": acc,
                "valid": valid_now,
                "confidence": conf / (total + gamma),
                "status": "valid" if valid_now else "contested" if acc < theta_acc - SLACK else "needs_votes",
                "margin": margin(cast, w, label),
                "aum": aum,
                "ambiguous": aum < threshold - SLACK,
                "entropy": math.fsum(-p * math.log(p) for p in shares) if n_labels > 1 else 0.0,
                "n_votes": len(cast),
                "n_labels": n_labels,
                "runner_up": heaviest(cast, w, without=label),
            }
        )
    people = []
    for user in users:
        own = [vote for vote in votes if vote["user_id"] == user]
        people.append(
            {
                "user_id": user,
                "weight": w[user],
                "n_species": n[user],
                "n_species_author": len(author[user]),
                "n_species_vote": len(voted[user] - author[user]),
                "n_votes": len(own),
                "n_authored": sum(vote["is_author"] for vote in own),
                "agreement_rate": sum(vote["label"] == labels[vote["observation_id"]] for vote in own) / len(own),
                "self_validating": w[user] >= theta_conf - SLACK,
            }
        )
    return {
        "observations": observations,
        "users": people,
        "trace": trace,
        "converged": converged,
        "cycle_length": cycle_length,
    }
