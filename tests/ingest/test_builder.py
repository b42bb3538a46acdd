"""Which votes stand: every rule of "Votes in", against a loop over rows that keeps a dictionary."""

import re
import warnings
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.errors import AggregateWarning, VotesError
from plant_aggregate.ingest import builder as builder_module
from plant_aggregate.ingest import find_votes, read_found
from plant_aggregate.ingest.builder import RowCounts, VotesBuilder, ticks_of
from plant_aggregate.progress import SILENT
from plant_aggregate.votes import Votes

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    observation: int | None
    user: str | None
    label: str | None
    is_author: bool | None
    voted_at: int | None
    """Days since 1970."""


def none_or(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


ROWS = st.lists(
    st.builds(
        Row,
        none_or(st.integers(-2, 3)),
        none_or(st.sampled_from(["ana", "bo", "éve", ""])),
        none_or(st.sampled_from(["Acer", "Abies", "", " \t"])),
        none_or(st.booleans()),
        none_or(st.integers(-2, 4)),
    ),
    min_size=1,
    max_size=40,
)


def expected(rows: list[Row], timed: bool, as_of: int | None) -> tuple[dict[tuple[int, str], tuple[str, bool]], Any]:
    """(observation, user) -> (label, is author) of the votes that stand, and what became of the rows."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    latest: dict[Any, Row] = {}
    authors = set()
    for row in rows:
        counts["read"] += 1
        if as_of is not None and row.voted_at is not None and row.voted_at > as_of:
            counts["after_as_of"] += 1
        elif row.observation is None:
            reasons["null observation_id"] += 1
        elif not row.user:
            reasons["null user_id" if row.user is None else "blank user_id"] += 1
        elif as_of is not None and row.voted_at is None:
            reasons["null voted_at"] += 1
        else:
            counts["untimed" if row.voted_at is None else "timed"] += 1
            counts["opinion" if (row.label or "").strip() else "no_opinion"] += 1
            key = (row.observation, row.user)
            if row.is_author:
                authors.add(key)
            held = latest.get(key)
            if (
                held is None
                or not timed
                or (-9 if row.voted_at is None else row.voted_at) >= (-9 if held.voted_at is None else held.voted_at)
            ):
                latest[key] = row
    votes = {key: (row.label, key in authors) for key, row in latest.items() if (row.label or "").strip()}
    return votes, RowCounts(
        read=counts["read"],
        used=len(votes),
        superseded=counts["opinion"] - len(votes),
        no_opinion=counts["no_opinion"],
        after_as_of=counts["after_as_of"],
        rejected=dict(sorted(reasons.items())),
        untimed=counts["untimed"] if timed and counts["timed"] else 0,
    )


def standing(votes: Votes) -> dict[tuple[int, str], tuple[str, bool]]:
    found = {}
    observations, users, labels = (
        column.to_pylist() for column in (votes.observation_ids, votes.user_ids, votes.label_names)
    )
    for i, observation in enumerate(observations):
        block = range(votes.offsets[i], votes.offsets[i + 1])
        order = [(votes.labels[j], votes.users[j]) for j in block]
        assert order == sorted(order)
        for j in block:
            found[observation, users[votes.users[j]]] = (labels[votes.labels[j]], bool(votes.is_author[j]))
    assert votes.n_votes == len(found)
    for ids, codes in ((users, votes.users), (labels, votes.labels)):
        assert ids == sorted(set(ids))
        assert set(codes.tolist()) == set(range(len(ids)))
    return found


@pytest.mark.filterwarnings("ignore:.*count as older")
@given(ROWS, st.booleans(), none_or(st.integers(-2, 4)), st.integers(1, 7), st.sampled_from(["s", "ms", "us", "ns"]))
@settings(max_examples=400)
def test_the_votes_that_stand_are_those_of_the_contract(
    rows: list[Row], timed: bool, as_of: int | None, batch_size: int, unit: str
) -> None:
    as_of = as_of if timed else None
    ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit] * 86_400
    columns: dict[str, pa.Array] = {
        "observation_id": pa.array([row.observation for row in rows], pa.int16()),
        "user_id": pa.array([row.user for row in rows], pa.string()),
        "label": pa.array([row.label for row in rows], pa.string()),
        "is_author": pa.array([row.is_author for row in rows], pa.bool_()),
    }
    if timed:
        times = [None if row.voted_at is None else row.voted_at * ticks for row in rows]
        columns["voted_at"] = pa.array(times, pa.timestamp(unit))
    table = pa.table(columns)
    limit = None if as_of is None else EPOCH + timedelta(days=as_of)
    builder = VotesBuilder("votes.parquet", {field.name: field.type for field in table.schema}, limit, len(rows))
    place = 0
    for batch in table.to_batches(max_chunksize=batch_size):
        builder.append(batch, "votes.parquet", place)
        place += batch.num_rows
    votes, counts = expected(rows, timed, as_of)
    rejected = builder.quarantine.to_arrow(builder.types)
    assert Counter(rejected["reason"].to_pylist()) == counts.rejected
    for row in rejected.to_pylist():
        was = rows[row["row"]]
        assert (row["observation_id"], row["user_id"], row["label"]) == (was.observation, was.user, was.label)
    if not votes:
        with pytest.raises(VotesError, match=rf"^votes\.parquet: no usable vote left of {len(rows)} rows; "):
            builder.finish(lambda: ticks_of(table.combine_chunks().to_batches()[0]), SILENT)
        return
    found, found_counts = builder.finish(lambda: ticks_of(table.combine_chunks().to_batches()[0]), SILENT)
    assert standing(found) == votes
    assert found_counts == counts


def test_a_table_in_memory_is_read_as_files_are() -> None:
    rows = {"observation_id": [1, 1, 1], "user_id": [7, 7, 8], "label": ["Acer", "Abies", None], "extra": [1, 2, 3]}
    for table in (pa.table(rows), pd.DataFrame(rows)):
        assert standing(plant_aggregate.votes_from_table(table)) == {(1, 7): ("Abies", False)}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": None}, "column 'label' is missing"),
        ({"user_id": [1.0]}, "column 'user_id' has type double; it must be an integer or a string"),
        ({"user_id": pa.array([None], pa.int8())}, "1 of 1 rows cannot be used"),
        ({"label": [""]}, "no usable vote left of 1 rows"),
    ],
)
def test_a_table_in_memory_is_checked_as_files_are(columns: dict[str, Any], message: str) -> None:
    good = {"observation_id": [1], "user_id": [7], "label": ["Acer"]}
    table = pa.table({name: values for name, values in {**good, **columns}.items() if values is not None})
    with pytest.raises(VotesError, match=message):
        plant_aggregate.votes_from_table(table)


def test_an_empty_table_is_an_error() -> None:
    table = pa.table({name: pa.array([], pa.int32()) for name in ("observation_id", "user_id", "label")})
    with pytest.raises(VotesError, match="no rows"):
        plant_aggregate.votes_from_table(table)


def test_more_rows_than_can_be_numbered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder_module, "MAX_ROWS", 2)
    with pytest.raises(VotesError, match=r"^more than 2 rows; split the log by observation"):
        plant_aggregate.votes_from_table(
            pa.table({"observation_id": [1, 2, 3], "user_id": [1, 2, 3], "label": ["a"] * 3})
        )


# --- Rows without a time among rows that have one ---------------------------------------------------------------------

MONDAY = datetime(2026, 1, 5)


def log(tmp_path: Path, *files: list[datetime | None] | None) -> Path:
    """Files of votes of one user on one observation each, at these times; None for a file without the column."""
    for number, times in enumerate(files):
        n = 2 if times is None else len(times)
        table = pa.table({"observation_id": range(n), "user_id": [1] * n, "label": [f"{number}"] * n})
        if times is not None:
            table = table.append_column("voted_at", pa.array(times, pa.timestamp("us")))
        pq.write_table(table, tmp_path / f"{number}.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("files", "warning", "untimed"),
    [
        ([[MONDAY] * 2, None], r"^2 rows of 1 file without voted_at, .* \(first: .*/1\.parquet\)", 2),
        ([[MONDAY] * 2, None, [None, MONDAY], None], r"^5 rows of 3 files without voted_at, after rows", 5),
        ([[None, MONDAY, None]], r"^1 row of 1 file without voted_at", 2),
        ([[MONDAY, None]], r"^1 row of 1 file without voted_at", 1),
        ([None, [None, MONDAY]], None, 3),
        ([None, [None, None]], None, 0),
        ([[MONDAY, MONDAY]], None, 0),
    ],
)
def test_rows_without_a_time_that_come_later_are_a_warning(
    tmp_path: Path, files: list[Any], warning: str | None, untimed: int
) -> None:
    path = log(tmp_path, *files)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        reading = read_found(find_votes(path))
    assert reading.rows.untimed == untimed
    messages = [str(warning.message) for warning in heard]
    assert len(messages) == (warning is not None)
    if warning is not None:
        assert re.search(warning, messages[0])


def test_they_are_older_than_any(tmp_path: Path) -> None:
    with pytest.warns(AggregateWarning, match="count as older"):
        votes = plant_aggregate.read_votes(log(tmp_path, [MONDAY], None))
    assert votes.label_names.to_pylist() == ["0", "1"]
    assert votes.observation_ids.to_pylist() == [0, 1]
