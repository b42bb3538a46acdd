"""The Pl@ntNet EM [L25, algorithm 1] in plain Python, to be read beside the paper.

[L25] Lefort et al. 2025, Cooperative learning of Pl@ntNet's AI algorithm: how does it work and how can we improve it?,
Methods in Ecology and Evolution (arXiv 2406.03356).

Names follow the paper: ``y[i][u]`` is the label that user u gave observation i, ``w[u]`` a user's weight, ``n[u]`` the
number of species that the weight comes from, ``yhat[i]`` the consensus label, ``s[i]`` its validity. Every sum of
weights is exact before its one rounding (``math.fsum``), so no result depends on the order of the votes.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Observation = Any
User = Any
Label = Any
Votes = dict[Observation, dict[User, Label]]
Authors = dict[Observation, set[User]]

SLACK = 1e-9


# --- One vote per (observation, user) ---------------------------------------------------------------------------------


def clean(rows: Iterable[Row]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """One vote per (observation, user), sorted by both, and what became of all rows.

    The row with the latest ``voted_at`` speaks for the pair, among equals the last one; a row without a time is older
    than any row with one. When that row has no label, the pair has no vote. The user is an author of the observation
    when any row of the pair says so.
    """
    rows_of = defaultdict(list)
    for row in rows:
        rows_of[row["observation_id"], row["user_id"]].append(row)

    votes = []
    counts = {"read": 0, "used": 0, "superseded": 0, "no_opinion": 0}
    for (i, u), of_the_pair in sorted(rows_of.items(), key=lambda item: item[0]):
        last = sorted(of_the_pair, key=when)[-1]
        labelled = sum(has_label(row) for row in of_the_pair)
        counts["read"] += len(of_the_pair)
        counts["no_opinion"] += len(of_the_pair) - labelled
        counts["superseded"] += labelled
        if has_label(last):
            counts["used"] += 1
            counts["superseded"] -= 1
            is_author = any(row.get("is_author") is True for row in of_the_pair)
            votes.append({"observation_id": i, "user_id": u, "label": last["label"], "is_author": is_author})
    return votes, counts


def when(row: Row) -> tuple[Any, ...]:
    """The row's place in time; Python's sort keeps rows of the same time in file order."""
    time = row.get("voted_at")
    return (0,) if time is None else (1, time)


def has_label(row: Row) -> bool:
    """A null label, or one of spaces only, is no opinion."""
    label = row["label"]
    return label is not None and not (isinstance(label, str) and label.strip() == "")


# --- Weight functions [L25, table of weight functions] ----------------------------------------------------------------


def weight_of_species(weight_function: str, alpha: float, beta: float, gamma: float) -> Callable[[int], float]:
    """The function f that turns a number of species into a weight; f(0) = gamma for each of them."""
    functions: dict[str, Callable[[int], float]] = {
        "power-difference": lambda n: n**alpha - n**beta + gamma,
        "linear": lambda n: n + gamma,
        "square-root": lambda n: n**0.5 + gamma,
        "three-quarters": lambda n: n**0.75 + gamma,
        "square": lambda n: n**2 + gamma,
        "logarithm": lambda n: (math.log(n) if n > 0 else 0.0) + gamma,
    }
    return functions[weight_function]


# --- One observation --------------------------------------------------------------------------------------------------


class Tally(NamedTuple):
    """The votes on one observation, weighed."""

    weight: dict[Label, float]
    total: float

    def share(self, label: Label) -> float:
        """The label's share of the weight: 1 when nobody says otherwise, 0 when the votes on a disagreement weigh 0."""
        if len(self.weight) == 1:
            return 1.0
        return self.weight[label] / self.total if self.total > 0 else 0.0

    def margin(self, label: Label) -> float:
        """The label's share minus that of the strongest other label; 1 when there is no other."""
        if len(self.weight) == 1:
            return 1.0
        return self.share(label) - max(self.share(k) for k in self.weight if k != label)

    def entropy(self) -> float:
        """Shannon entropy of the shares, in nats."""
        shares = [self.share(k) for k in self.weight]
        return math.fsum(p * math.log(1 / p) for p in shares if p > 0)


def tally(votes: dict[User, Label], w: Mapping[User, float]) -> Tally:
    """Weigh the votes on one observation."""
    weight = {k: math.fsum(w[u] for u, voted in votes.items() if voted == k) for k in set(votes.values())}
    return Tally(weight, math.fsum(w[u] for u in votes))


def heaviest(
    weight: Mapping[Label, float], votes: dict[User, Label], authors: set[User], held: Label | None = None
) -> Label:
    """The label of most weight; of those tied the one held before, an author's, the most voted, the smallest."""
    top = max(weight.values())
    tied = {k for k, weight_of_k in weight.items() if weight_of_k >= top * (1 - SLACK)}
    if held in tied:
        return held
    authors_labels = {votes[u] for u in authors}
    tied = tied & authors_labels or tied
    n_votes = Counter(votes.values())
    most = max(n_votes[k] for k in tied)
    return min(k for k in tied if n_votes[k] == most)


# --- The algorithm ----------------------------------------------------------------------------------------------------


def fit(
    votes: Iterable[Row],
    *,
    alpha: float = 0.5,
    beta: float = 0.2,
    gamma: float = math.log(2.1),
    theta_conf: float = 2.0,
    theta_acc: float = 0.7,
    max_iter: int = 100,
    weight_function: str = "power-difference",
    vote_credit: str = "any",
    fixed_weights: Mapping[User, float] | None = None,
    min_weights: Mapping[User, float] | None = None,
    ambiguous_below: float | None = None,
    voices: Mapping[User, float] | None = None,
    experts: Mapping[Observation, Label] | None = None,
) -> dict[str, Any]:
    """The consensus of cleaned votes, as plain lists and dicts.

    ``voices`` vote with the weight given here, and are no users: they identify no species. Labels of ``experts`` are
    right, and valid, whatever is voted; their observations are in the consensus even if nobody voted on them.

    >>> votes = [{"observation_id": 1, "user_id": u, "label": "Ulex europaeus"} for u in ("ann", "bob", "eve")]
    >>> result = fit(votes)
    >>> result["observations"][0]["status"], result["converged"]
    ('valid', True)
    """
    y, authors = arrange(votes)
    voices = {} if voices is None else voices
    experts = {} if experts is None else experts
    for i in experts:
        y.setdefault(i, {})
        authors.setdefault(i, set())
    users = sorted({u for ballots in y.values() for u in ballots if u not in voices})
    f = weight_of_species(weight_function, alpha, beta, gamma)

    def weight_of(u: User, n_species: int) -> float:
        if fixed_weights is not None and u in fixed_weights:
            return fixed_weights[u]
        floor = -math.inf if min_weights is None else min_weights.get(u, -math.inf)
        return max(f(n_species), floor)

    def label_of(i: Observation, held: Label | None = None) -> Label:
        return experts[i] if i in experts else heaviest(tally(y[i], w).weight, y[i], authors[i], held)

    def is_valid(i: Observation, label: Label) -> bool:
        if i in experts:
            return True
        tallied = tally(y[i], w)
        conf, acc = tallied.weight[label], tallied.share(label)
        return acc >= theta_acc - SLACK and conf >= theta_conf - SLACK

    n: dict[User, int | None] = dict.fromkeys(users)
    w = {**{u: weight_of(u, 0) for u in users}, **voices}
    yhat = {i: label_of(i) for i in y}

    trace: list[dict[str, int]] = []
    states: list[tuple[Any, ...]] = []
    started_from: list[dict[User, float]] = []
    converged, cycle_length = False, 0

    while len(trace) < max_iter and not converged and cycle_length == 0:
        n_before, yhat_before = n, yhat
        started_from.append(w)

        s = {i: is_valid(i, yhat[i]) for i in y}
        author_species: dict[User, set[Label]] = {u: set() for u in users}
        vote_species: dict[User, set[Label]] = {u: set() for u in users}
        for i, ballots in y.items():
            for u, k in ballots.items():
                if k != yhat[i] or u in voices:
                    continue
                if u in authors[i]:
                    if s[i]:
                        author_species[u].add(k)
                elif s[i] or vote_credit == "any":
                    vote_species[u].add(k)
        for u in users:
            vote_species[u] -= author_species[u]

        n = {u: len(author_species[u]) + (len(vote_species[u]) + 5) // 10 for u in users}
        w = {**{u: weight_of(u, n[u]) for u in users}, **voices}
        yhat = {i: label_of(i, yhat_before[i]) for i in y}

        labels_changed = sum(yhat[i] != yhat_before[i] for i in y)
        users_changed = sum(n[u] != n_before[u] for u in users)
        trace.append({"labels_changed": labels_changed, "users_changed": users_changed, "valid": sum(s.values())})

        state = (n, yhat)
        if labels_changed == 0 and users_changed == 0:
            converged = True
        elif state in states:
            cycle_length = len(states) - states.index(state)
        states.append(state)

    ambiguous_below = 2 * theta_acc - 1 if ambiguous_below is None else ambiguous_below
    observations = []
    for i in sorted(y):
        label = yhat[i]
        tallied = tally(y[i], w)
        if i in experts:
            observations.append(labelled_by_expert(i, label, y[i], authors[i], tallied, ambiguous_below))
            continue
        conf, acc, valid = tallied.weight[label], tallied.share(label), is_valid(i, label)
        aum = math.fsum(tally(y[i], w_t).margin(label) for w_t in started_from) / len(started_from)
        others = {k: weight for k, weight in tallied.weight.items() if k != label}
        observations.append(
            {
                "observation_id": i,
                "label": label,
                "weight": conf,
                "agreement": acc,
                "valid": valid,
                "confidence": conf / (tallied.total + gamma),
                "status": "valid" if valid else "contested" if acc < theta_acc - SLACK else "needs_votes",
                "margin": tallied.margin(label),
                "aum": aum,
                "ambiguous": aum < ambiguous_below - SLACK,
                "entropy": tallied.entropy(),
                "n_votes": len(y[i]),
                "n_labels": len(tallied.weight),
                "runner_up": heaviest(others, y[i], authors[i]) if others else None,
            }
        )
    of_user = {u: [i for i in y if u in y[i]] for u in users}
    return {
        "observations": observations,
        "users": [
            {
                "user_id": u,
                "weight": w[u],
                "n_species": n[u],
                "n_species_author": len(author_species[u]),
                "n_species_vote": len(vote_species[u]),
                "n_votes": len(of_user[u]),
                "n_authored": sum(u in authors[i] for i in of_user[u]),
                "agreement_rate": sum(y[i][u] == yhat[i] for i in of_user[u]) / len(of_user[u]),
                "self_validating": w[u] >= theta_conf - SLACK,
            }
            for u in users
        ],
        "trace": trace,
        "converged": converged,
        "cycle_length": cycle_length,
        "started_from": started_from,
    }


def labelled_by_expert(
    i: Observation, label: Label, ballots: dict[User, Label], authors: set[User], tallied: Tally, ambiguous_below: float
) -> dict[str, Any]:
    """The row of an observation that an expert labelled: nobody else has a share."""
    others = {k: weight for k, weight in tallied.weight.items() if k != label}
    return {
        "observation_id": i,
        "label": label,
        "weight": tallied.weight.get(label, 0.0),
        "agreement": 1.0,
        "valid": True,
        "confidence": 0.999999,
        "status": "valid",
        "margin": 1.0,
        "aum": 1.0,
        "ambiguous": ambiguous_below - SLACK > 1,
        "entropy": 0.0,
        "n_votes": len(ballots),
        "n_labels": len(tallied.weight),
        "runner_up": heaviest(others, ballots, authors) if others else None,
        "by_expert": True,
    }


def arrange(votes: Iterable[Row]) -> tuple[Votes, Authors]:
    """The votes as ``y[i][u]``, and for each observation those of its voters who took its pictures."""
    y: Votes = defaultdict(dict)
    authors: Authors = defaultdict(set)
    for vote in votes:
        i, u = vote["observation_id"], vote["user_id"]
        if u in y[i]:
            raise ValueError(f"user {u!r} has two votes on observation {i!r}: clean the rows first")
        y[i][u] = vote["label"]
        if vote.get("is_author") is True:
            authors[i].add(u)
    if not y:
        raise ValueError("there are no votes")
    return dict(y), {i: authors[i] for i in y}
