"""Columns that the names of folders say, as Hive partitions a table."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.errors import VotesError
from plant_aggregate.files.parquet import check_file
from plant_aggregate.files.sources import find_sources
from plant_aggregate.ingest import find_votes, read_found
from plant_aggregate.schema import EVIDENCE

NULL = "__HIVE_DEFAULT_PARTITION__"


def write(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def rows_of(path: Path | str, **options: Any) -> list[tuple[Any, ...]]:
    votes = plant_aggregate.read_votes(path, **options)
    ids = [votes.observation_ids[i].as_py() for i in range(votes.n_observations)]
    return sorted(
        (ids[i], votes.user_ids[int(votes.users[k])].as_py(), votes.label_names[int(votes.labels[k])].as_py())
        for i in range(votes.n_observations)
        for k in range(votes.offsets[i], votes.offsets[i + 1])
    )


def test_a_table_that_pandas_partitioned_is_the_table(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "observation_id": [1, 1, 2, 3],
            "user_id": ["a", "b", "a/b", "Zoë %"],
            "label": ["Acer opalus", "Ilex", "Acer opalus", None],
            "is_author": [True, False, True, False],
        }
    )
    frame.to_parquet(tmp_path / "plain.parquet", index=False)
    plain = plant_aggregate.read_votes(tmp_path / "plain.parquet")
    for columns in (["is_author"], ["label", "is_author"], ["user_id"], ["observation_id"], ["user_id", "label"]):
        folder = tmp_path / "-".join(columns)
        frame.to_parquet(folder, partition_cols=columns, index=False)
        votes = plant_aggregate.read_votes(folder)
        assert rows_of(folder) == rows_of(tmp_path / "plain.parquet")
        assert votes.observation_ids.type == plain.observation_ids.type
        assert votes.is_author.sum() == 2


@pytest.mark.parametrize("spelling", ["true", "True", "TRUE", "1"])
def test_whether_the_voter_is_the_author(tmp_path: Path, spelling: str) -> None:
    for number, flag in enumerate((spelling, "false", "0", NULL)):
        write(tmp_path / f"is_author={flag}" / "0.parquet", observation_id=[number], user_id=[1], label=["A"])
    assert plant_aggregate.read_votes(tmp_path).is_author.tolist() == [True, False, False, False]


def test_ids_are_integers_if_all_of_them_are_written_so(tmp_path: Path) -> None:
    for user in ("7", "-12"):
        write(tmp_path / f"user_id={user}" / "0.parquet", observation_id=[1], label=["A"])
    assert plant_aggregate.read_votes(tmp_path).user_ids == pa.array([-12, 7])
    for text in ("007", "9223372036854775808"):
        write(tmp_path / f"user_id={text}" / "0.parquet", observation_id=[2], label=["A"])
    assert plant_aggregate.read_votes(tmp_path).user_ids.to_pylist() == ["-12", "007", "7", "9223372036854775808"]


def test_the_type_of_a_column_in_other_files_decides(tmp_path: Path) -> None:
    write(tmp_path / "label=7" / "0.parquet", observation_id=[1], user_id=[1])
    write(tmp_path / "0.parquet", observation_id=[2], user_id=[1], label=["x"])
    assert plant_aggregate.read_votes(tmp_path).label_names.to_pylist() == ["7", "x"]
    write(tmp_path / "0.parquet", observation_id=[2], user_id=[1], label=pa.array([5], pa.int16()))
    assert plant_aggregate.read_votes(tmp_path).label_names == pa.array([5, 7], pa.int16())
    write(tmp_path / "label=70000" / "0.parquet", observation_id=[1], user_id=[1])
    with pytest.raises(
        VotesError, match=r"'label=70000' must name a value of type int16, as the column is in .*/0\.parquet"
    ):
        plant_aggregate.read_votes(tmp_path)


@pytest.mark.filterwarnings("ignore:.*count as older")
def test_times_from_folders(tmp_path: Path) -> None:
    for label, time in (("late", "2026-01-02 00%3A00%3A00"), ("early", "2026-01-01"), ("none", NULL)):
        write(tmp_path / f"voted_at={time}" / "0.parquet", observation_id=[1], user_id=[1], label=[label])
    assert rows_of(tmp_path) == [(1, 1, "late")]
    assert rows_of(tmp_path, as_of=datetime(2026, 1, 1, 12), max_rejected=0.5) == [(1, 1, "early")]
    write(tmp_path / "0.parquet", observation_id=[1], user_id=[1], label=["latest"],
          voted_at=pa.array([datetime(2026, 1, 3)], pa.timestamp("ns")))  # fmt: skip
    assert rows_of(tmp_path) == [(1, 1, "latest")]
    write(tmp_path / "voted_at=9999-12-31" / "0.parquet", observation_id=[1], user_id=[1], label=["far"])
    with pytest.raises(VotesError, match=r"the folder 'voted_at=9999-12-31' must name a value of type timestamp\[ns\]"):
        plant_aggregate.read_votes(tmp_path)


@pytest.mark.parametrize(
    ("folder", "words"),
    [("is_author=yes", "a bool"), ("voted_at=yesterday", "a timestamp"), ("label=%FF", "an integer or a string")],
)
def test_a_folder_that_says_nothing_of_the_kind_is_named(tmp_path: Path, folder: str, words: str) -> None:
    path = write(tmp_path / folder / "0.parquet", observation_id=[1], user_id=[1], **(
        {} if folder.startswith("label") else {"label": ["A"]}))  # fmt: skip
    with pytest.raises(VotesError) as raised:
        plant_aggregate.read_votes(path)
    assert str(raised.value).startswith(f"{path}: the folder '{folder.partition('=')[0]}=")
    assert str(raised.value).endswith(f"must name {words}")


def test_a_column_of_the_file_wins_over_the_folder(tmp_path: Path) -> None:
    """Unless it has no value."""
    path = write(tmp_path / "label=old" / "0.parquet", observation_id=[1], user_id=[1], label=["new"])
    assert rows_of(path) == [(1, 1, "new")]
    write(path, observation_id=[1], user_id=[1], label=pa.nulls(1))
    assert rows_of(path) == [(1, 1, "old")]


def test_folders_above_and_other_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file below folders that say something may be named alone; of two that say the same thing the inner one counts.

    Keys that are no column count for nothing, nor do folders above the path as it is spelled.
    """
    path = write(
        tmp_path / "label=x" / "date=2026-01-01" / "label=y" / "=" / "0.parquet", observation_id=[1], user_id=[1]
    )
    for given in (path, tmp_path / "label=x", f"{tmp_path}/*/*/**/*.parquet"):
        assert rows_of(given) == [(1, 1, "y")]
    monkeypatch.chdir(path.parent)
    with pytest.raises(VotesError, match=r"column 'label' is missing"):
        plant_aggregate.read_votes("0.parquet")


def test_keys_are_the_names_that_the_files_use(tmp_path: Path) -> None:
    write(tmp_path / "species=Acer" / "0.parquet", observation_id=[1], user_id=[1])
    assert rows_of(tmp_path, columns={"label": "species"}) == [(1, 1, "Acer")]


def test_all_columns_may_be_folders(tmp_path: Path) -> None:
    path = tmp_path / "observation_id=5" / "user_id=6" / "label=7" / "0.parquet"
    write(path, other=[1, 2, 3])
    reading = read_found(find_votes(tmp_path))
    assert rows_of(tmp_path) == [(5, 6, 7)]
    assert reading.rows.read == 3


def test_what_a_folder_says_is_known_of_each_source(tmp_path: Path) -> None:
    write(tmp_path / "a%20b=c%3Dd" / "0.parquet", x=[1])
    (source,) = find_sources([tmp_path])
    assert source.partition == {"a b": "c=d"}


def test_a_published_consensus_is_what_it_is(tmp_path: Path) -> None:
    """Whatever the folder is called that it lies in."""
    path = write(tmp_path / "runner_up=x" / "probability=0.5" / "consensus.parquet", label=["A"])
    table = tuple(column for column in EVIDENCE if column.name in ("label", "runner_up", "probability"))
    assert check_file(path, table, {}).types == {"label": pa.string()}
