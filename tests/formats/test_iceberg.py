"""Tables of Apache Iceberg, written by pyiceberg with a catalog in memory."""

import shutil
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.errors import VotesError
from plant_aggregate.formats.iceberg import Iceberg
from plant_aggregate.formats.reading import Tables, read_tables
from plant_aggregate.formats.recognition import formats_like

pytest.importorskip("pyiceberg")
pytest.importorskip("sqlalchemy")
pytestmark = [
    pytest.mark.extras,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

START = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("observation_id", pa.int64()),
        ("user_id", pa.string()),
        ("label", pa.string()),
        ("is_author", pa.bool_()),
        ("voted_at", pa.timestamp("us", "UTC")),
    ]
)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Any]:
    from pyiceberg.catalog.memory import InMemoryCatalog

    opened = InMemoryCatalog("tests", warehouse=tmp_path.as_uri())
    opened.create_namespace("crowd")
    yield opened
    opened.close()


def rows(*votes: tuple[Any, Any, Any], schema: pa.Schema = SCHEMA, **columns: Any) -> pa.Table:
    ids, users, labels = zip(*votes, strict=True)
    hours = [START + timedelta(hours=place) for place in range(len(votes))]
    authors = [False] * len(votes)
    given = {
        "observation_id": ids,
        "user_id": users,
        "label": labels,
        "is_author": authors,
        "voted_at": hours,
    } | columns
    return pa.table({name: pa.array(given[name], schema.field(name).type) for name in schema.names}, schema=schema)


def made(catalog: Any, *appended: pa.Table, schema: pa.Schema = SCHEMA) -> Any:
    table = catalog.create_table("crowd.votes", schema=schema)
    for each in appended:
        table.append(each)
    return table


def folder_of(table: Any) -> Path:
    return Path(str(table.location()).removeprefix("file://"))


def votes(found: Tables) -> list[tuple[Any, ...]]:
    listed = found.tables["votes"].to_pylist() if "votes" in found.tables else []
    return sorted((row["observation_id"], row["user_id"], row["label"]) for row in listed)


def fault(*paths: Path, **options: Any) -> str:
    with pytest.raises(VotesError) as caught:
        read_tables(Iceberg(**options), *paths)
    return str(caught.value)


def test_the_rows_of_the_latest_snapshot_are_read_with_their_types(catalog: Any) -> None:
    table = made(catalog, rows((1, "ana", "Acer"), (2, "bo", "NA")), rows((3, "007", "Ilex")))
    found = read_tables(Iceberg(), folder_of(table))
    assert votes(found) == [(1, "ana", "Acer"), (2, "bo", "NA"), (3, "007", "Ilex")]
    assert found.tables["votes"].schema.types == SCHEMA.types
    assert found.tables["votes"].column_names == SCHEMA.names
    assert (found.account.n_read["votes"], found.account.details) == (
        3,
        {"snapshot": str(table.current_snapshot().snapshot_id)},
    )
    file = Path(table.metadata_location.removeprefix("file://"))
    assert votes(read_tables(Iceberg(), file)) == votes(found)


def test_an_earlier_snapshot_can_be_read(catalog: Any) -> None:
    table = made(catalog, rows((1, "ana", "Acer")), rows((2, "bo", "Ilex")))
    first, second = (snapshot.snapshot_id for snapshot in table.metadata.snapshots)
    found = read_tables(Iceberg(snapshot=first), folder_of(table))
    assert (votes(found), found.account.details) == ([(1, "ana", "Acer")], {"snapshot": str(first)})
    assert fault(folder_of(table), snapshot=5) == (f"{folder_of(table)}: has no snapshot 5; it has {first}, {second}")


def test_nights_with_texts_of_all_kinds_are_read(catalog: Any) -> None:
    """pyiceberg's `to_arrow` fails for such a table."""
    night = rows((1, "ana", "Acer"), (2, "bo", "Ilex"))
    others = [
        night.set_column(2, "label", night["label"].dictionary_encode()),
        night.set_column(2, "label", night["label"].cast(pa.large_string())),
        night.set_column(2, "label", night["label"].cast(pa.string_view())),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = made(catalog, night, *others)
    for at, each in enumerate(votes(read_tables(Iceberg(), folder_of(table)))):
        assert each == ((1, "ana", "Acer") if at < 4 else (2, "bo", "Ilex"))
    with pytest.raises(pa.ArrowTypeError):
        table.scan().to_arrow()


def test_deleted_rows_do_not_come_back(catalog: Any) -> None:
    table = made(catalog, rows(*((number, "ana", "Acer") for number in range(10))))
    table.delete("observation_id < 3")
    found = read_tables(Iceberg(), folder_of(table))
    assert [row[0] for row in votes(found)] == list(range(3, 10))
    assert found.account.n_read["votes"] == 7


def test_ids_have_the_type_that_the_table_has_now(catalog: Any) -> None:
    from pyiceberg.types import LongType

    narrow = SCHEMA.set(0, pa.field("observation_id", pa.int32()))
    table = made(catalog, rows((1, "ana", "Acer"), schema=narrow), schema=narrow)
    found = read_tables(Iceberg(), folder_of(table))
    assert found.tables["votes"].schema.field("observation_id").type == pa.int32()
    with table.update_schema() as update:
        update.update_column("observation_id", LongType())
    table.append(rows((2**40, "bo", "Ilex")))
    found = read_tables(Iceberg(), folder_of(table))
    assert votes(found) == [(1, "ana", "Acer"), (2**40, "bo", "Ilex")]
    assert found.tables["votes"].schema.field("observation_id").type == pa.int64()


def test_times_without_a_zone_are_utc_and_said_to_be(catalog: Any) -> None:
    plain = SCHEMA.set(4, pa.field("voted_at", pa.timestamp("us")))
    table = made(catalog, rows((1, "ana", "Acer"), schema=plain, voted_at=[START.replace(tzinfo=None)]), schema=plain)
    found = read_tables(Iceberg(), folder_of(table))
    assert found.tables["votes"]["voted_at"].to_pylist() == [START]
    assert found.account.details["voted_at"] == "without a time zone, read as UTC"


def test_votes_without_times_need_one_vote_of_each_user(catalog: Any) -> None:
    untimed = pa.schema([field for field in SCHEMA if field.name != "voted_at"])
    table = made(catalog, rows((1, "ana", "Acer"), schema=untimed), schema=untimed)
    assert len(votes(read_tables(Iceberg(), folder_of(table)))) == 1
    table.append(rows((1, "ana", "Ilex"), schema=untimed))
    assert "has no column 'voted_at', but user 'ana' has 2 votes on 1" in fault(folder_of(table))


def test_other_names_are_mapped(catalog: Any) -> None:
    schema = pa.schema([field.with_name(field.name.replace("label", "species")) for field in SCHEMA])
    table = made(catalog, rows((1, "ana", "Acer")).rename_columns(schema.names), schema=schema)
    assert votes(read_tables(Iceberg(columns={"label": "species"}), folder_of(table))) == [(1, "ana", "Acer")]


def test_a_table_without_a_snapshot_has_no_rows(catalog: Any) -> None:
    table = made(catalog)
    assert "has no snapshot, so no rows" in fault(folder_of(table))


def test_the_latest_metadata_must_be_known(catalog: Any, tmp_path: Path) -> None:
    table = made(catalog, rows((1, "ana", "Acer")), rows((2, "bo", "Ilex")))
    folder = folder_of(table)
    metadata = folder / "metadata"
    latest = Path(table.metadata_location.removeprefix("file://"))
    orphan = shutil.copy(latest, metadata / f"{latest.name[:5]}-orphan.metadata.json")
    said = fault(folder)
    assert latest.name in said
    assert "-orphan.metadata.json; name the metadata file that the catalog has for the table" in said
    Path(orphan).unlink()
    (metadata / "version-hint.text").write_text(sorted(metadata.glob("00001-*.json"))[0].name)
    assert votes(read_tables(Iceberg(), folder)) == [(1, "ana", "Acer")]
    assert "is no metadata file of Iceberg" in fault(metadata / "version-hint.text")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / "0.json").write_text("{}")
    assert fault(tmp_path) == (
        f"{tmp_path}: is no table of Iceberg: there is no file metadata/*.metadata.json in it; it looks like delta; "
        "name that format instead of iceberg"
    )
    assert "one table is read at a time, not 2" in fault(tmp_path, tmp_path)


def test_a_table_that_was_moved_says_where_its_files_should_be(catalog: Any, tmp_path: Path) -> None:
    table = made(catalog, rows((1, "ana", "Acer")))
    moved = folder_of(table).rename(tmp_path / "elsewhere")
    said = fault(moved)
    assert said.startswith(f"{moved}: cannot be read (")
    assert said.endswith(f"; see that its files are where its metadata says, in {table.location()}")
    latest = sorted((moved / "metadata").glob("*.json"))[-1]
    latest.write_text("{")
    assert fault(moved).startswith(f"{moved}: cannot be read (")


def test_the_folder_is_recognised(catalog: Any) -> None:
    assert formats_like(folder_of(made(catalog, rows((1, "ana", "Acer"))))) == ["iceberg"]


def test_the_files_that_are_read_are_those_of_the_snapshot(catalog: Any) -> None:
    table = made(catalog, rows((1, "ana", "Acer")), rows((2, "bo", "Ilex")))
    first = table.metadata.snapshots[0].snapshot_id
    files = list(Iceberg().files([folder_of(table)]))
    assert [path.suffix for path in files] == [".parquet", ".parquet", ".avro"]
    assert all(path.is_file() for path in files)
    assert len(list(Iceberg(snapshot=first).files([folder_of(table)]))) == 2


def test_a_run_reads_its_votes_again_whatever_was_appended_since(catalog: Any, work: Path) -> None:
    table = made(catalog, rows((1, "ana", "Acer"), (1, "bo", "Acer")))
    run = plant_aggregate.run(folder_of(table), work / "consensus", settings=plant_aggregate.Settings(format="iceberg"))
    table.append(rows((2, "cy", "Ilex")))
    assert run.votes().n_votes == 2
    assert sorted(Path(item.path).suffix for item in run.record.inputs) == [".avro", ".parquet"]
