from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.ingest import find_table, read_found
from plant_aggregate.ingest.times import vote_times

from ..command_line import Write


def times_of(rows: dict[str, Any], **reading: Any) -> dict[tuple[Any, Any], datetime | None]:
    """Observation and user -> when the vote was cast."""
    found = find_table(rows, **reading)
    votes = read_found(found, identify=False).votes
    times = vote_times(found, votes).to_pylist()
    columns = votes.to_arrow().select(["observation_id", "user_id"]).to_pydict()
    return dict(zip(zip(*columns.values(), strict=True), times, strict=True))


def day(n: int) -> datetime:
    return datetime(2020, 5, n, tzinfo=UTC)


def test_the_time_is_that_of_the_vote_that_counts() -> None:
    rows = {
        "observation_id": ["b", "a", "a", "a", "b"],
        "user_id": [1, 1, 1, 2, 2],
        "label": ["x", "x", "y", "x", None],
        "voted_at": [None, day(3), day(2), day(9), day(1)],
    }
    assert times_of(rows) == {("a", 1): day(3), ("a", 2): day(9), ("b", 1): None}


def test_votes_after_the_time_limit_are_not_seen() -> None:
    rows = {"observation_id": [1, 1], "user_id": [1, 1], "label": ["x", "x"], "voted_at": [day(1), day(5)]}
    assert times_of(rows, as_of=datetime(2020, 5, 3)) == {(1, 1): day(1)}


def test_without_times_they_are_all_unknown() -> None:
    assert times_of({"observation_id": [1], "user_id": [1], "label": ["x"]}) == {(1, 1): None}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "+02:00"])
def test_times_are_in_utc_and_microseconds(unit: str, zone: str | None) -> None:
    time = pa.array([1_589_000_000]).cast(pa.timestamp("s", zone)).cast(pa.timestamp(unit, zone))
    table = pa.table({"observation_id": [1], "user_id": [1], "label": ["x"], "voted_at": time})
    assert times_of(table) == {(1, 1): datetime.fromtimestamp(1_589_000_000, UTC)}  # type: ignore[arg-type]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from("uv"), st.sampled_from(["x", "y", None]), st.integers(1, 9) | st.none()
    ),
    min_size=1,
    max_size=12,
).filter(lambda rows: any(label for _, _, label, _ in rows))


@given(ROWS)
def test_as_a_slow_reading_says(rows: list[tuple[int, str, str | None, int | None]]) -> None:
    expected = {}
    for observation, user in {row[:2] for row in rows}:
        own = [(n or 0, place, label) for place, (o, u, label, n) in enumerate(rows) if (o, u) == (observation, user)]
        n, _, label = max(own, key=lambda row: row[:2])
        if label is not None:
            expected[observation, user] = day(n) if n else None
    if not expected:
        return
    columns = ("observation_id", "user_id", "label", "voted_at")
    values = [[*values] for values in zip(*rows, strict=True)]
    values[3] = pa.array([None if n is None else day(n) for n in values[3]], pa.timestamp("us", "UTC"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("plant_aggregate.ingest.builder.warn", lambda message: None)
        assert times_of(pa.table(dict(zip(columns, values, strict=True)))) == expected  # type: ignore[arg-type]


def test_a_run_reads_the_times_of_its_votes_again(write: Write, work: Path) -> None:
    path = write(voted_at=pa.array([day(n % 28 + 1) for n in range(4)], pa.timestamp("us", "UTC")))
    run = plant_aggregate.run(path, work / "out", "majority")
    votes = run.votes()
    times = run.vote_times(votes)
    assert times.type == pa.timestamp("us", "UTC")
    assert len(times) == votes.n_votes
    assert times.null_count == 0


def test_a_run_that_cleaned_labels_has_the_times_of_its_votes(write: Write, work: Path) -> None:
    labels = ["acer campestre", "Acer  campestre L.", "Abies alba", "Abies alba"]
    path = write(label=labels, voted_at=pa.array([day(n + 1) for n in range(4)], pa.timestamp("us", "UTC")))
    run = plant_aggregate.run(path, work / "out", "majority", settings=plant_aggregate.Settings(names=True))
    votes = run.votes()
    assert votes.label_names.to_pylist() == ["Abies alba", "Acer campestre"]
    assert sorted(run.vote_times(votes).to_pylist()) == [day(n + 1) for n in range(4)]
