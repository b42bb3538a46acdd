"""Whatever writer made the Parquet file, the same votes are read from it."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.errors import VotesError
from plant_aggregate.files import parquet
from plant_aggregate.ingest import find_votes, read_found

NAMES = ["Acer", "Abies", None, "", "Acer"]
VOTES = pa.table({"observation_id": [1, 1, 1, 2, 2], "user_id": ["a", "b", "c", "a", "b"], "label": NAMES})


def read(path: Path, **options: Any) -> list[tuple[Any, ...]]:
    votes = plant_aggregate.read_votes(path, **options)
    observations = np.repeat(votes.observation_ids.to_pylist(), np.diff(votes.offsets)).tolist()
    users = votes.user_ids.take(pa.array(votes.users)).to_pylist()
    labels = votes.label_names.take(pa.array(votes.labels)).to_pylist()
    return list(zip(observations, users, labels, strict=True))


EXPECTED = [(1, "b", "Abies"), (1, "a", "Acer"), (2, "b", "Acer")]

LABELS = {
    "string": pa.array(NAMES),
    "large_string": pa.array(NAMES, pa.large_string()),
    "string_view": pa.array(NAMES, pa.string_view()),
    "dictionary": pa.array(NAMES).dictionary_encode(),
    "dictionary<int8>": pa.array(NAMES).cast(pa.dictionary(pa.int8(), pa.string())),
    "dictionary<large_string>": pa.array(NAMES, pa.large_string()).dictionary_encode(),
    "ordered dictionary": pa.DictionaryArray.from_arrays(
        pa.array([2, 1, None, 0, 2], pa.int16()), ["", "Abies", "Acer"], ordered=True
    ),
}


def can_be_written(values: pa.Array) -> bool:
    """Not every pyarrow writes every kind of text."""
    try:
        pq.write_table(pa.table({"x": values}), BytesIO())
    except pa.ArrowNotImplementedError:
        return False
    return True


LABELS = {kind: values for kind, values in LABELS.items() if can_be_written(values)}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_read_from_any_kind_of_text(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "votes.parquet"
    pq.write_table(VOTES.set_column(2, "label", LABELS[kind]), path)
    assert read(path) == EXPECTED


def test_files_with_labels_of_all_kinds_of_text_are_one_log(tmp_path: Path) -> None:
    for number, labels in enumerate(LABELS.values()):
        ids = pa.array([10 * number + i for i in (1, 1, 1, 2, 2)])
        table = VOTES.set_column(2, "label", labels).set_column(0, "observation_id", ids)
        pq.write_table(table, tmp_path / f"{number}.parquet")
    every = [(10 * number + i, user, label) for number in range(len(LABELS)) for i, user, label in EXPECTED]
    assert read(tmp_path) == every


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "none"},
        {"compression": "zstd"},
        {"compression": "gzip"},
        {"use_dictionary": False},
        {"use_dictionary": False, "column_encoding": {"label": "DELTA_BYTE_ARRAY"}},
        {"use_dictionary": False, "column_encoding": {"label": "DELTA_LENGTH_BYTE_ARRAY"}},
        {"data_page_version": "2.0"},
        {"version": "1.0"},
        {"row_group_size": 1},
        {"store_schema": False},
        {"write_statistics": False},
        {"write_page_checksum": True},
    ],
    ids=str,
)
def test_any_layout_of_the_file_is_read(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "votes.parquet"
    pq.write_table(VOTES, path, **options)
    assert read(path) == EXPECTED


def test_rows_are_numbered_through_batches_and_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", 7)
    n = 100
    users = [None if row % 31 == 5 else row for row in range(n)]
    path = tmp_path / "votes.parquet"
    pq.write_table(pa.table({"observation_id": range(n), "user_id": users, "label": range(n)}), path, row_group_size=9)
    reading = read_found(find_votes(path), max_rejected=1)
    assert reading.rejected["row"].to_pylist() == [5, 36, 67, 98]
    assert reading.rows.used == 96


def test_extra_columns_of_any_type_are_ignored_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    table = VOTES.append_column("nested", pa.array([[{"label": "x"}]] * 5))
    table = table.append_column("user", pa.array([{"user_id": 1}] * 5)).append_column("none", pa.nulls(5))
    pq.write_table(table, path)
    assert read(path) == EXPECTED


def test_two_columns_may_come_from_one(tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    pq.write_table(VOTES, path)
    assert read(path, columns={"label": "user_id"}) == [
        (1, "a", "a"),
        (1, "b", "b"),
        (1, "c", "c"),
        (2, "a", "a"),
        (2, "b", "b"),
    ]


def test_a_mapped_column_wins_over_one_that_has_the_name(tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    pq.write_table(VOTES.append_column("final", pa.array(["X", "Y", "Z", "X", "Y"])), path)
    assert {label for *_, label in read(path, columns={"label": "final"})} == {"X", "Y", "Z"}


def test_a_mapped_optional_column_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    pq.write_table(VOTES, path)
    with pytest.raises(VotesError, match=r"column 'mine' \(is_author\) is missing; it has .*--column is_author=NAME$"):
        read(path, columns={"is_author": "mine"})


def test_damage_that_only_the_checksum_of_a_page_shows_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "votes.parquet"
    ids = np.arange(1000) + 123_456_789
    table = pa.table({"observation_id": ids, "user_id": ids, "label": ids})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    place = content.index(int(ids[500]).to_bytes(8, "little"))
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(VotesError, match=r"votes\.parquet: cannot be read as Parquet \(.*(crc|CRC|checksum)"):
        read(path)


def test_a_file_that_changes_after_it_was_streamed_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its fingerprint may have been taken of the new content."""
    path = tmp_path / "votes.parquet"
    pq.write_table(VOTES, path)
    batches = plant_aggregate.ingest.stream_all

    def read_and_change(*arguments: Any) -> Any:
        yield from batches(*arguments)
        pq.write_table(VOTES.slice(1), path)

    monkeypatch.setattr(plant_aggregate.ingest, "stream_all", read_and_change)
    with pytest.raises(VotesError, match=r"votes\.parquet: changed while it was read; run again when it is complete"):
        read(path)


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    pq.write_table(VOTES, tmp_path / "a.parquet")
    pq.write_table(VOTES.drop_columns(["label"]), tmp_path / "b.parquet")
    pq.write_table(VOTES.set_column(0, "observation_id", pa.array(list("abcde"))), tmp_path / "c.parquet")
    with pytest.raises(VotesError) as raised:
        read(tmp_path)
    lines = str(raised.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{tmp_path}/b.parquet", f"{tmp_path}/c.parquet"]
    assert "column 'label' is missing" in lines[0]
    assert lines[1].endswith(
        f"column 'observation_id' has type string, but int64 in {tmp_path}/a.parquet; write both with one type"
    )


def test_an_optional_column_without_a_value_may_have_no_type(tmp_path: Path) -> None:
    """As some writers give a day on which nothing was noted."""
    columns = {"observation_id": [1], "user_id": [2], "label": ["x"], "is_author": [None], "voted_at": [None]}
    pq.write_table(pa.table(columns), tmp_path / "votes.parquet")
    assert not plant_aggregate.read_votes(tmp_path).has_authors
