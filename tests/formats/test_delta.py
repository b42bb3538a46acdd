"""Tables of Delta Lake, written by deltalake."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.cli.main import run_command
from plant_aggregate.errors import VotesError
from plant_aggregate.formats.delta import Delta
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import formats_like

from ..command_line import Capture
from .made_deletion_vectors import delete

START = datetime(2026, 1, 1, tzinfo=UTC)

deltalake = pytest.importorskip("deltalake")
pytestmark = pytest.mark.extras


def table(*rows: tuple[Any, Any, Any], times: bool = True, **columns: Any) -> pa.Table:
    ids, users, labels = zip(*rows, strict=True)
    hours = [START + timedelta(hours=place) for place in range(len(rows))]
    given = {"observation_id": ids, "user_id": users, "label": labels, "voted_at": hours if times else None} | columns
    return pa.table({name: pa.array(values) for name, values in given.items() if values is not None})


def append(folder: Path, rows: pa.Table, **options: Any) -> Path:
    deltalake.write_deltalake(folder, rows, mode="append", **options)
    return folder


def votes(found: Tables) -> list[tuple[Any, ...]]:
    rows = found.tables["votes"].to_pylist() if "votes" in found.tables else []
    return sorted((row["observation_id"], row["user_id"], row["label"]) for row in rows)


def fault(*paths: Path, **options: Any) -> str:
    with pytest.raises(VotesError) as caught:
        read_tables(Delta(**options), *paths)
    return str(caught.value)


def test_the_rows_of_all_commits_are_read_with_their_types(tmp_path: Path) -> None:
    append(tmp_path, table((1, "ana", "Acer"), (2, "bo", "NA"), is_author=[True, None]))
    append(tmp_path, table((3, "007", "Ilex"), is_author=[False]))
    found = read_tables(Delta(), tmp_path)
    assert votes(found) == [(1, "ana", "Acer"), (2, "bo", "NA"), (3, "007", "Ilex")]
    schema = found.tables["votes"].schema
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        "observation_id": pa.int64(),
        "user_id": pa.string(),
        "label": pa.string(),
        "is_author": pa.bool_(),
        "voted_at": pa.timestamp("us", "UTC"),
    }
    assert found.tables["votes"]["voted_at"].to_pylist().count(START) == 2
    assert (found.account.n_read["votes"], found.account.details) == (3, {"version": "1"})


def test_an_earlier_version_can_be_read(tmp_path: Path) -> None:
    append(append(tmp_path, table((1, "ana", "Acer"))), table((2, "bo", "Ilex")))
    found = read_tables(Delta(version=0), tmp_path)
    assert (votes(found), found.account.details) == ([(1, "ana", "Acer")], {"version": "0"})
    assert fault(tmp_path, version=7) == (f"{tmp_path}: has no version 7, the latest is 1; name an earlier one, 0 to 1")


def test_deleted_and_replaced_rows_do_not_come_back(tmp_path: Path) -> None:
    append(tmp_path, table(*((number, "ana", "Acer") for number in range(10))))
    deltalake.DeltaTable(tmp_path).delete("observation_id < 3")
    deltalake.DeltaTable(tmp_path).update(predicate="observation_id = 3", new_values={"label": "Ilex"})
    found = read_tables(Delta(), tmp_path)
    assert votes(found) == [(n, "ana", "Ilex" if n == 3 else "Acer") for n in range(3, 10)]
    assert found.account.n_read["votes"] == 7
    assert len(list(tmp_path.glob("*.parquet"))) == 3


def test_deletion_vectors_are_applied(tmp_path: Path) -> None:
    append(tmp_path, table(*((number, "ana", "Acer") for number in range(10))))
    append(tmp_path, table(*((number, "bo", "Acer") for number in range(4))))
    delete(tmp_path, 0, [1, 2, 9])
    found = read_tables(Delta(), tmp_path)
    assert len(votes(found)) == found.account.n_read["votes"] == 11
    assert [row[0] for row in votes(found) if row[1] == "ana"] == [0, 3, 4, 5, 6, 7, 8]
    assert deltalake.DeltaTable(tmp_path).count() == 14  # which counts deleted rows
    assert len(votes(read_tables(Delta(version=1), tmp_path))) == 14


def test_a_column_without_a_type_is_absent(tmp_path: Path) -> None:
    append(tmp_path, table((1, "ana", "Acer"), is_author=pa.nulls(1), voted_at=pa.nulls(1)))
    found = read_tables(Delta(), tmp_path)
    assert found.tables["votes"].column_names == ["observation_id", "user_id", "label"]


def test_times_without_a_zone_are_utc_and_said_to_be(tmp_path: Path) -> None:
    append(tmp_path, table((1, "ana", "Acer"), voted_at=[START.replace(tzinfo=None)]))
    found = read_tables(Delta(), tmp_path)
    assert found.tables["votes"]["voted_at"].to_pylist() == [START]
    assert found.account.details["voted_at"] == "without a time zone, read as UTC"


def test_a_date_is_a_time_at_midnight(tmp_path: Path) -> None:
    append(tmp_path, table((1, "ana", "Acer"), voted_at=[START.date()]))
    assert read_tables(Delta(), tmp_path).tables["votes"]["voted_at"].to_pylist() == [START]


def test_other_names_are_mapped(tmp_path: Path) -> None:
    rows = table((1, "ana", "Acer")).rename_columns(["obs", "user_id", "species", "at"])
    append(tmp_path, rows)
    columns = {"observation_id": "obs", "label": "species", "voted_at": "at"}
    assert votes(read_tables(Delta(columns=columns), tmp_path)) == [(1, "ana", "Acer")]
    said = fault(tmp_path)
    assert said == (
        f"{tmp_path}: column 'observation_id' is missing; it has 'obs', 'user_id', 'species', 'at'; name it: "
        f"--column observation_id=NAME\n{tmp_path}: column 'label' is missing; it has 'obs', 'user_id', 'species', "
        "'at'; name it: --column label=NAME"
    )
    assert "votes have no column 'obs'" in fault(tmp_path, columns={"obs": "observation_id"})


def test_a_partitioned_table_has_its_columns(tmp_path: Path) -> None:
    append(tmp_path, table((1, "ana", "Acer"), (2, "bo", "Ilex")), partition_by=["label"])
    assert votes(read_tables(Delta(), tmp_path)) == [(1, "ana", "Acer"), (2, "bo", "Ilex")]


def test_a_column_of_a_wrong_type_is_an_error(tmp_path: Path) -> None:
    append(tmp_path, table((1.5, "ana", "Acer")))
    assert "column 'observation_id' has type double; it must be an integer or a string" in fault(tmp_path)


def test_votes_without_times_need_one_vote_of_each_user(tmp_path: Path) -> None:
    append(tmp_path, table((1, "ana", "Acer"), (1, "bo", "Acer"), times=False))
    assert len(votes(read_tables(Delta(), tmp_path))) == 2
    append(tmp_path, table((1, "ana", "Ilex"), times=False))
    assert fault(tmp_path) == (
        f"{tmp_path}: has no column 'voted_at', but user 'ana' has 2 votes on 1, and the rows of such a table have no "
        "order, so which of them counts must follow from times; name the column of the times: --column voted_at=NAME"
    )


def test_the_last_in_the_order_of_the_rows_would_be_the_oldest(tmp_path: Path) -> None:
    """Why votes without times are refused."""
    for label in ("first", "second", "third"):
        append(tmp_path, table((1, "ana", label), times=False))
    order = pa.RecordBatchReader.from_stream(deltalake.DeltaTable(tmp_path).scan()).read_all()["label"].to_pylist()
    assert order == ["third", "second", "first"]
    fault(tmp_path)


def test_some_votes_without_times_are_refused_alike(tmp_path: Path) -> None:
    times = [None, START, None]
    rows = table((1, "ana", "Acer"), (1, "ana", "Ilex"), (2, "ana", "Ilex"), voted_at=times)
    append(tmp_path, rows)
    assert len(votes(read_tables(Delta(), tmp_path))) == 3
    append(tmp_path, table((1, "ana", "Quercus"), voted_at=pa.array([None], pa.timestamp("us", "UTC"))))
    assert "user 'ana' has 2 votes on 1 without a voted_at" in fault(tmp_path)


def test_votes_that_no_time_tells_apart_are_rejected(tmp_path: Path) -> None:
    """Unless they agree."""
    rows = [(1, "ana", "Acer"), (1, "ana", "Ilex"), (1, "bo", "Acer"), (2, "ana", "Acer"), (2, "ana", "Acer")]
    append(tmp_path, table(*rows, voted_at=[START] * 5))
    append(tmp_path, table((1, "ana", None), (3, "cy", None), voted_at=[START] * 2))
    found = read_tables(Delta(), tmp_path)
    rows = found.tables["votes"].to_pylist()
    kept = sorted((row["observation_id"], row["user_id"], row["label"] or "") for row in rows)
    assert kept == [(1, "bo", "Acer"), (2, "ana", "Acer"), (2, "ana", "Acer"), (3, "cy", "")]
    reason = "another vote of the user on the observation has the same time"
    assert found.account.n_rejected == {"votes": {reason: 3}}
    assert {(item.observation_id, item.user_id) for item in found.account.rejected} == {("1", "ana")}
    assert {item.unit for item in found.account.rejected} == {"row"}
    assert found.account.n_used() == 4


def test_votes_without_ids_are_rejected(tmp_path: Path) -> None:
    append(tmp_path, table((None, "ana", "Acer"), (1, None, "Acer"), (None, None, "Acer"), (2, "bo", None)))
    found = read_tables(Delta(), tmp_path)
    assert found.account.n_rejected["votes"] == {"without an id of the observation": 2, "without an id of the user": 1}
    assert found.account.n_used() == found.tables["votes"].num_rows == 1


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path) == (
        f"{tmp_path}: is no table of Delta Lake: there is no folder _delta_log in it; name the folder that is the table"
    )
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "00000-a.metadata.json").write_text("{}")
    assert "it looks like iceberg; name that format instead of delta" in fault(tmp_path)
    assert "one table is read at a time, not 2" in fault(tmp_path, tmp_path)


def test_a_damaged_table_is_a_line(tmp_path: Path) -> None:
    append(tmp_path, table((1, "ana", "Acer")))
    whole = shutil.copytree(tmp_path, tmp_path / "copy")
    for file in whole.glob("*.parquet"):
        file.unlink()
    said = fault(whole)
    assert said.startswith(f"{whole}: cannot be read (")
    assert said.endswith("; see that the table is whole: its files may have been vacuumed")
    assert "\n" not in said
    (tmp_path / "_delta_log" / f"{0:020}.json").write_text("{")
    assert fault(tmp_path).startswith(f"{tmp_path}: cannot be read (")


def test_the_folder_is_recognised(tmp_path: Path) -> None:
    assert formats_like(append(tmp_path, table((1, "ana", "Acer")))) == ["delta"]


def test_the_files_that_are_read_are_those_of_the_version(tmp_path: Path) -> None:
    append(tmp_path, table((1, "ana", "Acer"), (2, "ana", "Acer")))
    first = {path.name for path in Delta().files([tmp_path])}
    deltalake.DeltaTable(tmp_path).delete("observation_id = 1")
    second = {path.name for path in Delta().files([tmp_path])}
    assert {len(first), len(second), len(first | second)} == {2, 4}
    assert {path.name for path in Delta(version=0).files([tmp_path])} == first
    assert all(path.is_file() for path in Delta().files([tmp_path]))
    assert f"{1:020}.json" in second


def test_a_conversion_says_which_version_it_read(work: Path) -> None:
    append(work / "lake", table((1, "ana", "Acer"), (2, "bo", "Ilex")))
    append(work / "lake", table((3, "cy", "Ilex")))
    done = plant_aggregate.convert("delta", work / "lake", work / "converted", version=0)
    assert done.record["details"] == {"version": "0"}
    assert done.record["options"] == {"version": 0}
    assert {Path(item["path"]).suffix for item in done.record["inputs"]} == {".json", ".parquet"}
    assert len(done.record["inputs"]) == 2
    assert plant_aggregate.read_votes(work / "converted" / "votes.parquet").n_votes == 2
    with pytest.raises(VotesError, match="lake: is a Delta table"):
        plant_aggregate.read_votes(work / "lake")


def test_a_run_reads_its_votes_again_whatever_was_appended_since(work: Path) -> None:
    append(work / "lake", table((1, "ana", "Acer"), (1, "bo", "Acer"), (2, "bo", "Ilex")))
    run = plant_aggregate.run("lake", work / "consensus", settings=plant_aggregate.Settings(format="delta"))
    assert run.record.conversion is not None
    assert run.record.conversion.details == {"version": "0"}
    append(work / "lake", table((3, "cy", "Ilex")))
    assert run.votes().n_votes == 3
    assert (
        plant_aggregate.run("lake", work / "consensus", settings=plant_aggregate.Settings(format="delta"))
        .votes()
        .n_votes
        == 4
    )
    assert plant_aggregate.open_run(work / "consensus", "previous").votes().n_votes == 3
    deltalake.DeltaTable(work / "lake").delete("observation_id = 1")
    deltalake.DeltaTable(work / "lake").vacuum(0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(VotesError, match=r"votes of run .*; name the files of the votes"):
        run.votes()


def test_run_takes_a_table_directly(work: Path, capfd: Capture) -> None:
    names = ["obs", "user_id", "label", "voted_at"]
    append(work / "lake", table((1, "ana", "Acer"), (1, "bo", "Acer")).rename_columns(names))
    assert run_command(["run", "lake"]) == 1
    assert "; read votes with --from delta " in capfd.readouterr().err
    assert run_command(["run", "lake", "--from", "delta"]) == 1
    assert "name it: --column observation_id=NAME" in capfd.readouterr().err
    options = ["--from", "delta", "--column", "observation_id=obs", "--from-option", "version=0"]
    assert run_command(["run", "lake", *options, "-q"]) == 0
    assert "2 records of delta, 2 rows of votes" in capfd.readouterr().out
