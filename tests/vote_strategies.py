"""Hypothesis strategies for small vote logs that are hard to aggregate, and for parameters to aggregate them with.

A log is a list of rows in file order. All rows have ``observation_id``, ``user_id`` and ``label``; a log with authors
has ``is_author`` in every row, one with times ``voted_at``. Ids and labels are integers or strings, one type to a
column. At least one vote is left after cleaning.
"""

import datetime
import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]
Votes = dict[tuple[int, int], int]  # the label of an observation and a user, all of them numbers from 0
Authors = dict[int, int]  # the user who took the pictures of an observation

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
    duplicates: bool | None = None,
    missing: bool | None = None,
    authors: bool | None = None,
    times: bool | None = None,
) -> list[Row]:
    """Up to 8 users on 12 observations and 5 labels, so that they meet often: ties, contests, thresholds, cycles.

    ``duplicates`` (several rows of a user on an observation), ``missing`` (rows without label; after a labelled row of
    the pair, a withdrawal), ``authors`` and ``times`` are drawn for each log unless they are given.
    """
    scene = draw(st.sampled_from([_scattered, _confirmed, _rivals, _rivals]))
    votes, author = draw(scene())
    return _log(draw, votes, author, duplicates, missing, authors, times)


@st.composite
def _scattered(draw: st.DrawFn) -> tuple[Votes, Authors]:
    """Votes anywhere, more or less often for the label that is right."""
    n_observations, n_users, n_labels = draw(st.integers(1, 12)), draw(st.integers(1, 8)), draw(st.integers(1, 5))
    truth = draw(_each(n_observations, n_labels))
    author = draw(_each(n_observations, draw(st.integers(1, n_users))))
    observation, user = st.integers(0, n_observations - 1), st.integers(0, n_users - 1)
    right, anything = (
        st.tuples(observation, user, st.none()),
        st.tuples(observation, user, st.integers(0, n_labels - 1)),
    )
    kinds = [right] * draw(st.integers(0, 3)) + [anything]
    cast = draw(st.lists(st.one_of(kinds), min_size=draw(st.sampled_from([1, 8, 25, 45])), max_size=60))
    return {(i, u): truth[i] if label is None else label for i, u, label in cast}, dict(enumerate(author))


@st.composite
def _confirmed(draw: st.DrawFn) -> tuple[Votes, Authors]:
    """A few users take all the pictures, others confirm most of them, and some votes are changed or added."""
    n_observations, n_users, n_labels = draw(st.integers(6, 12)), draw(st.integers(4, 8)), draw(st.integers(3, 5))
    truth = draw(_each(n_observations, n_labels))
    author = draw(_each(n_observations, draw(st.integers(1, 2))))
    confirming = draw(
        st.lists(st.sampled_from([0, *range(2, n_users - 1)]), min_size=n_observations, max_size=n_observations)
    )
    votes = {}
    for i in range(n_observations):
        voters = [author[i], *range(n_users - 1, n_users - 1 - confirming[i], -1)]
        votes.update({(i, u): truth[i] for u in voters})
    return votes | draw(_other_votes(n_observations, n_users, n_labels)), dict(enumerate(author))


@st.composite
def _rivals(draw: st.DrawFn) -> tuple[Votes, Authors]:
    """Two authors dispute each other's pictures.

    What the others confirm makes both heavy, heavy they invalidate each other, light again they do not: under the
    default parameters two others and three species each make a cycle of two.
    """
    n_species, n_others = draw(st.sampled_from([3, 4, 5, 2])), draw(st.sampled_from([2, 2, 3, 4]))
    disputed = draw(st.integers(n_species - 1, n_species))
    votes: Votes = {}
    author: Authors = {}
    for label in range(n_species):
        for taken_by in (0, 1):
            i = len(author)
            author[i] = taken_by
            votes |= {(i, u): label for u in (taken_by, *range(2, 2 + n_others))}
            if label < disputed:
                votes[i, 1 - taken_by] = (label + 1) % n_species
    changed = draw(st.just({}) | _other_votes(len(author), 2 + n_others, n_species))
    return votes | changed, author


def _each(count: int, values: int) -> st.SearchStrategy[list[int]]:
    """A number below ``values`` for each of ``count`` things."""
    return st.lists(st.integers(0, values - 1), min_size=count, max_size=count)


def _other_votes(n_observations: int, n_users: int, n_labels: int) -> st.SearchStrategy[Votes]:
    pairs = st.tuples(st.integers(0, n_observations - 1), st.integers(0, n_users - 1))
    return st.dictionaries(pairs, st.integers(0, n_labels - 1), max_size=10)


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
    votes: Votes = {}
    author: Authors = {}

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
    votes: Votes,
    author: Authors,
    duplicates: bool | None,
    missing: bool | None,
    authors: bool | None,
    times: bool | None,
) -> list[Row]:
    """Rows for votes by number: with names, and with the disorder that is asked for or drawn."""
    seldom = st.sampled_from([False, False, True])
    duplicates, missing, times = (draw(seldom) if asked is None else asked for asked in (duplicates, missing, times))
    authors = not draw(seldom) if authors is None else authors
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
    nothing = [None, "", " \t"] if names_are_text else [None]
    further = [*(labels[:5] if duplicates else []), *(nothing if missing else [])]
    everywhere = [(i, u) for i in range(n_observations) for u in range(n_users)]
    pairs = sorted(votes) if duplicates else [pair for pair in everywhere if pair not in votes]
    if further and pairs:
        rows_to_insert = st.lists(
            st.tuples(st.sampled_from(pairs), st.sampled_from(further), st.integers(0, len(cast))),
            min_size=1,
            max_size=12,
            unique_by=None if duplicates else lambda row: row[0],
        )
        for (i, u), label, place in draw(rows_to_insert):
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
    """The rows; without those that have no label when each pair has one of them and may be withdrawn by it."""
    labelled = [row for row in rows if row["label"] not in (None, "", " \t")]
    pairs = {(row["observation_id"], row["user_id"]) for row in rows}
    unlabelled_pairs = {(row["observation_id"], row["user_id"]) for row in rows if row not in labelled}
    return labelled if pairs == unlabelled_pairs else rows


# --- Parameters -------------------------------------------------------------------------------------------------------


def _hundredths(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda hundredths: hundredths / 100)


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    """Keyword arguments of a Pl@ntNet fit; what is left out keeps its default.

    Thresholds often sit exactly on a share or a weight that small logs reach.
    """
    alpha = draw(st.sampled_from([2.0, 1.0, 0.5]) | _hundredths(10, 200))
    found = {
        "alpha": alpha,
        "beta": draw(st.sampled_from([min(0.2, alpha), min(0.2, alpha), alpha]) | _hundredths(1, round(alpha * 100))),
        "theta_acc": draw(st.sampled_from([0.7, 0.5, 1 / 3, 2 / 3, 0.75, 1.0]) | _hundredths(30, 100)),
        "theta_conf": draw(st.sampled_from([2.0, 2 * GAMMA, 3 * GAMMA, GAMMA]) | _hundredths(50, 600)),
        "max_iter": draw(st.just(30) | st.integers(1, 30)),
        "weight_function": draw(st.sampled_from(WEIGHT_FUNCTIONS)),
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
