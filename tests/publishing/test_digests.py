"""Digests tell whether the votes on an observation are others, and nothing else moves them."""

import itertools
import string
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.add_ons import extended
from plant_aggregate.publishing.digests import Digests
from tests.reference import digests as reference
from tests.rows import votes_of, without_repeats
from tests.vote_strategies import prolific_vote_rows, vote_rows

Rows = list[dict[str, Any]]

LOGS = st.one_of(vote_rows(), prolific_vote_rows()).map(without_repeats)


def digests(rows: Rows, first: int = 0) -> dict[Any, int]:
    """By observation id, from the ``first`` observation on."""
    votes = votes_of(rows)
    ids = votes.observation_ids.slice(first)
    found = extended(pa.table({"observation_id": ids}), first, [Digests(votes)])
    return {row["observation_id"]: row["votes_digest"] for row in found.to_pylist()}


def votes_by_observation(rows: Rows) -> dict[Any, list[tuple[Any, Any, bool]]]:
    found: dict[Any, list[tuple[Any, Any, bool]]] = {}
    for row in rows:
        vote = row["user_id"], row["label"], bool(row.get("is_author"))
        found.setdefault(row["observation_id"], []).append(vote)
    return found


@given(LOGS)
def test_digests_are_as_described(rows: Rows) -> None:
    expected = {i: reference.digest(votes) for i, votes in votes_by_observation(rows).items()}
    assert digests(rows) == expected
    middle = len(expected) // 2
    assert digests(rows, middle) == {i: expected[i] for i in sorted(expected)[middle:]}


@given(LOGS, st.randoms())
def test_order_does_not_matter(rows: Rows, chance: Any) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert digests(shuffled) == digests(rows)


@given(LOGS, st.data())
def test_what_is_voted_elsewhere_does_not_matter(rows: Rows, data: st.DataObject) -> None:
    """Codes of users and labels are others where some are gone; digests are not."""
    gone = data.draw(st.sets(st.sampled_from(sorted({row["observation_id"] for row in rows}))))
    left = [row for row in rows if row["observation_id"] not in gone]
    assume(left)
    before = digests(rows)
    assert digests(left) == {i: digest for i, digest in before.items() if i not in gone}


@given(LOGS, st.data())
def test_any_other_vote_is_another_digest(rows: Rows, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    row = rows[place]
    what = data.draw(st.sampled_from(["label", "user_id", "is_author", "gone"]))
    if what == "is_author":
        assume("is_author" in row)
        others: Rows = [{**row, "is_author": not row["is_author"]}]
    elif what == "gone":
        others = []
    else:
        others = [{**row, what: "somewhat else" if isinstance(row[what], str) else -12345}]
    changed = [*rows[:place], *others, *rows[place + 1 :]]
    assume(changed)
    before, now = digests(rows), digests(changed)
    different = {i for i in before if before[i] != now.get(i)}
    assert different == {row["observation_id"]}


@pytest.mark.parametrize(
    ("kinds", "same"),
    [
        ((pa.int8(), pa.int64()), True),
        ((pa.uint8(), pa.int32()), True),
        ((pa.int64(), pa.uint64()), True),
        ((pa.int64(), pa.string()), False),
    ],
    ids=str,
)
def test_wider_integers_are_the_same_ids_and_texts_are_others(
    kinds: tuple[pa.DataType, pa.DataType], same: bool
) -> None:
    found = []
    for kind in kinds:
        columns = {"observation_id": [1, 1], "user_id": pa.array([3, 7]).cast(kind), "label": pa.array([1, 2])}
        votes = plant_aggregate.votes_from_table(pa.table({**columns, "label": columns["label"].cast(kind)}))
        found.append(extended(pa.table({"observation_id": [1]}), 0, [Digests(votes)])["votes_digest"].to_pylist())
    assert (found[0] == found[1]) == same


def as_rows(votes: Iterable[tuple[Any, Any, bool]]) -> Rows:
    """Of one observation."""
    return [
        {"observation_id": 1, "user_id": user, "label": label, "is_author": author} for user, label, author in votes
    ]


SMALL = {
    "integers": (range(-8, 56), range(-8, 56)),
    "texts": ([*string.ascii_lowercase, "aa", "ab", "ba"], string.ascii_letters + string.digits),
}


@pytest.mark.parametrize("kind", SMALL)
def test_every_vote_of_small_ids_and_labels_has_a_digest_of_its_own(kind: str) -> None:
    """Lone votes, and each beside one that stands: no two digests are the same, and none is that of no vote."""
    users, labels = SMALL[kind]
    cast = list(itertools.product(users, labels, (False, True)))
    alone = [{**row, "observation_id": i} for i, row in enumerate(as_rows(cast))]
    beside = as_rows([("somebody", "else", False) if kind == "texts" else (1000, 1000, False)])[0]
    both = [*alone, *({**beside, "observation_id": i} for i in range(len(cast)))]
    for rows in (alone, both):
        found = list(digests(rows).values())
        assert len(set(found)) == len(cast)
        assert 0 not in found


SMALL_VOTES = st.dictionaries(
    st.integers(-2, 5), st.tuples(st.integers(-2, 5), st.booleans()), min_size=1, max_size=6
).map(lambda cast: [(user, *said) for user, said in cast.items()])


@given(SMALL_VOTES, SMALL_VOTES)
def test_votes_of_small_ids_are_the_same_where_their_digests_are(votes: Any, others: Any) -> None:
    assert (digests(as_rows(votes)) == digests(as_rows(others))) == (set(votes) == set(others))


@given(SMALL_VOTES, st.data())
def test_a_vote_more_or_less_is_another_digest(votes: Any, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(votes) - 1))
    left = [*votes[:place], *votes[place + 1 :]]
    assume(left)
    assert digests(as_rows(votes)) != digests(as_rows(left))
