"""Hypothesis strategies for small vote logs that are hard to aggregate, and for parameters to aggregate them with.

A log is a list of rows in file order. All rows have ``observation_id``, ``user_id`` and ``label``; a log with authors
has ``is_author`` in every row, one with times ``voted_at``. Ids and labels are all integers or all strings, and at least
one vote is left after cleaning.
"""

import datetime
import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]

GAMMA = math.log(2.1)
TEXT_LABELS = (
    "b",
    "a",
    "10",
    "9",
    "B",
    "é",
    "Ulex europaeus L.",
    " a",
    "\uff21",
    "\U0001f33f",
    "c",
    "d",
    "e",
    "f",
    "g",
)
INTEGER_LABELS = (10, 9, 0, -1, 100, 2**53 + 1, 2**53, 7, 8, 1, 2, 3, 4, 5, 6)
TEXT_IDS = ("u9", "u10", "U1", "é", "u", "a b", "-1", "0", "\U0001f33f", "\uff21", "x", "xx", "yy")
INTEGER_IDS = (9, 10, -3, 2**53, 2**53 + 1, 0, 1, 2, 1000, 4, 5, 6, 7)
TIMES = (None, *(datetime.datetime(2024, 5, 1, 12, 0, second) for second in (0, 1, 1, 2)))
WEIGHT_FUNCTIONS = ("power-difference", "linear", "square-root", "three-quarters", "square", "logarithm")


# --- Logs -------------------------------------------------------------------------------------------------------------


@st.composite
def vote_rows(
    draw: st.DrawFn,
    *,
    max_observations: int = 12,
    max_users: int = 8,
    max_labels: int = 5,
    duplicates: bool | None = None,
    missing: bool | None = None,
    authors: bool | None = None,
    times: bool | None = None,
) -> list[Row]:
    """Few users on few observations and labels, so that they meet often: ties, contests, thresholds, cycles.

    ``duplicates`` (several rows of a user on an observation), ``missing`` (rows without label; after a labelled row of
    the pair, a withdrawal), ``authors`` and ``times`` are drawn for each log unless they are given.
    """
    n_observations = draw(st.integers(1, max_observations))
    n_users = draw(st.integers(1, max_users))
    n_labels = draw(st.integers(1, max_labels))
    truth = draw(st.lists(st.integers(0, n_labels - 1), min_size=n_observations, max_size=n_observations))
    n_authors = draw(st.integers(1, n_users))
    author = draw(st.lists(st.integers(0, n_authors - 1), min_size=n_observations, max_size=n_observations))
    doubt = draw(st.sampled_from([1, 2, 4]))

    truthful = st.tuples(st.integers(0, n_observations - 1), st.integers(0, n_users - 1), st.none())
    wayward = st.tuples(st.integers(0, n_observations - 1), st.integers(0, n_users - 1), st.integers(0, n_labels - 1))
    at_least = draw(st.sampled_from([1, 8, 25, 45]))
    cast = draw(st.lists(st.one_of([wayward] * doubt + [truthful] * 3), min_size=at_least, max_size=60))
    own_pictures = draw(st.booleans())
    if own_pictures:
        cast = [(i, author[i], None) for i in range(n_observations)] + cast
    votes = {(i, u): truth[i] if label is None else label for i, u, label in cast}
    return _log(draw, votes, dict(enumerate(author)), duplicates, missing, authors, times)


@st.composite
def prolific_vote_rows(
    draw: st.DrawFn,
    *,
    duplicates: bool | None = None,
    missing: bool | None = None,
    authors: bool | None = True,
    times: bool | None = None,
) -> list[Row]:
    """One or two users author about eight species that others confirm, so weights move under the default parameters.

    Around them are the observations on which that weight tells: lone ones, ones against the crowd, ones of others that
    only they confirm, and ones on which two of them differ.
    """
    n_experts = draw(st.integers(1, 2))
    crowd = range(n_experts, n_experts + draw(st.integers(3, 5)))
    votes: dict[tuple[int, int], int] = {}
    author: dict[int, int] = {}

    def observe(taken_by: int, cast: dict[int, int]) -> None:
        i = len(author)
        author[i] = taken_by
        votes.update({(i, u): label for u, label in cast.items()})

    for expert in range(n_experts):
        first = draw(st.integers(0, 5))
        for label in range(first, first + draw(st.integers(6, 10))):
            confirming = draw(st.sampled_from([2, 2, 2, 3, len(crowd), 1]))
            observe(expert, dict.fromkeys([expert, *crowd[:confirming]], label))

    some_expert = st.integers(0, n_experts - 1)
    some_label = st.integers(0, len(TEXT_LABELS) - 1)
    somebody = st.sampled_from(crowd)
    scenes = st.sampled_from(["alone", "against the crowd", "of another", "between experts", "crowd only"])
    for scene in draw(st.lists(scenes, min_size=2, max_size=10)):
        expert, label, other = draw(some_expert), draw(some_label), draw(some_label)
        if scene == "alone":
            observe(draw(st.sampled_from([expert, crowd[0]])), {expert: label})
        elif scene == "against the crowd":
            voices = draw(st.integers(1, len(crowd)))
            observe(draw(st.sampled_from([expert, crowd[0]])), {expert: label} | dict.fromkeys(crowd[:voices], other))
        elif scene == "of another":
            taken_by = draw(somebody)
            observe(taken_by, {expert: label, taken_by: draw(st.sampled_from([label, label, other]))})
        elif scene == "between experts":
            observe(expert, {u: label + u for u in range(n_experts)} | {draw(somebody): draw(some_label)})
        else:
            observe(draw(somebody), {u: draw(st.sampled_from([label, label, other])) for u in crowd})

    votes = {pair: label % len(TEXT_LABELS) for pair, label in votes.items()}
    return _log(draw, votes, author, duplicates, missing, authors, times)


def _log(
    draw: st.DrawFn,
    votes: dict[tuple[int, int], int],
    author: dict[int, int],
    duplicates: bool | None,
    missing: bool | None,
    authors: bool | None,
    times: bool | None,
) -> list[Row]:
    """Rows for votes by number: with names, and with the disorder that is asked for or drawn."""
    duplicates, missing, authors, times = (
        draw(st.booleans()) if asked is None else asked for asked in (duplicates, missing, authors, times)
    )
    n_observations, n_users = 1 + max(i for i, _ in votes), 1 + max(u for _, u in votes)
    names_are_text = draw(st.booleans())
    labels: Sequence[Any] = TEXT_LABELS if names_are_text else INTEGER_LABELS
    first_id = draw(st.sampled_from([0, -3, 2**53, 8]))
    observations: list[Any] = [first_id + i for i in range(n_observations)]
    if draw(st.booleans()):
        observations = [f"o{i}" for i in observations]
    users = draw(st.permutations(TEXT_IDS if draw(st.booleans()) else INTEGER_IDS))[:n_users]

    cast: list[tuple[int, int, Any]] = [(i, u, labels[label]) for (i, u), label in votes.items()]
    if draw(st.booleans()):
        cast.reverse()
    if duplicates or missing:
        extra = (None,) if missing and not duplicates else tuple(labels[:5])
        if missing:
            nothing = (None, "", " \t") if names_are_text else (None,)
            extra = (*extra, *nothing)
        pairs = sorted(votes)
        if missing and not duplicates:
            pairs = [(i, u) for i in range(n_observations) for u in range(n_users) if (i, u) not in votes] or pairs
        again = st.tuples(st.sampled_from(pairs), st.sampled_from(extra), st.integers(0, len(cast)))
        for (i, u), label, place in draw(st.lists(again, min_size=1, max_size=12)):
            cast.insert(place, (i, u, label))

    rows = [{"observation_id": observations[i], "user_id": users[u], "label": label} for i, u, label in cast]
    if authors:
        odd = draw(st.dictionaries(st.integers(0, len(rows) - 1), st.sampled_from([None, True, False]), max_size=4))
        for place, (row, (i, u, _)) in enumerate(zip(rows, cast, strict=True)):
            row["is_author"] = odd.get(place, author[i] == u)
    if times:
        sparse = draw(st.dictionaries(st.integers(0, len(rows) - 1), st.sampled_from(TIMES), max_size=12))
        usual = draw(st.sampled_from(TIMES))
        for place, row in enumerate(rows):
            row["voted_at"] = sparse.get(place, usual)
    return _with_a_vote(rows)


def _with_a_vote(rows: list[Row]) -> list[Row]:
    """The rows, and when the last word of every pair may be a withdrawal, those with a label only."""
    withdrawn = {(row["observation_id"], row["user_id"]) for row in rows if row["label"] in (None, "", " \t")}
    if all((row["observation_id"], row["user_id"]) in withdrawn for row in rows):
        return [row for row in rows if row["label"] not in (None, "", " \t")]
    return rows


# --- Parameters -------------------------------------------------------------------------------------------------------


def _hundredths(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda hundredths: hundredths / 100)


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    """Keyword arguments of a Pl@ntNet fit; what is left out keeps its default.

    Thresholds often sit exactly on a share or a weight that small logs reach.
    """
    steep = st.sampled_from([0.5, 1.0, 2.0])
    alpha = draw(steep | _hundredths(10, 200))
    found = {
        "alpha": alpha,
        "beta": draw(st.sampled_from([min(0.2, alpha), alpha]) | _hundredths(1, round(alpha * 100))),
        "theta_acc": draw(st.sampled_from([0.7, 0.5, 1 / 3, 2 / 3, 0.75, 1.0]) | _hundredths(30, 100)),
        "theta_conf": draw(st.sampled_from([2.0, GAMMA, 2 * GAMMA, 3 * GAMMA]) | _hundredths(50, 600)),
        "max_iter": draw(st.just(30) | st.integers(1, 30)),
        "weight_function": draw(st.just("power-difference") | st.sampled_from(WEIGHT_FUNCTIONS)),
        "vote_credit": draw(st.sampled_from(["any", "validated"])),
    }
    kept = draw(st.sets(st.sampled_from(sorted(found)))) if draw(st.booleans()) else set(found)
    if "beta" in kept:
        kept.add("alpha")
    elif found["alpha"] < 0.2:
        kept.discard("alpha")
    return {name: value for name, value in found.items() if name in kept}


@st.composite
def weight_overrides(draw: st.DrawFn, rows: list[Row]) -> dict[str, dict[Any, float]]:
    """``fixed_weights`` and ``min_weights`` for some users of a log; no user is in both, and there may be none."""
    users = sorted({row["user_id"] for row in rows})
    weights = st.sampled_from([0.0, 0.0, 0.5, GAMMA, 1.7, 2.0, 10.0])
    given = draw(st.dictionaries(st.sampled_from(users), st.tuples(st.booleans(), weights)))
    return {
        "fixed_weights": {u: weight for u, (fixed, weight) in given.items() if fixed},
        "min_weights": {u: weight for u, (fixed, weight) in given.items() if not fixed},
    }
