"""Values of other types are read without loss, or refused in one line; a column without a value goes with any type."""

import uuid
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.errors import VotesError
from plant_aggregate.files.footers import without_logical_types
from plant_aggregate.ingest import find_votes, read_found
from tests.fuzz.layout import File, footer_place
from tests.fuzz.originals import written
from tests.fuzz.thrift import BYTE, STRUCT, Field, Struct

IDS = [uuid.UUID(int=9), uuid.UUID(int=2**127 + 5), uuid.UUID(int=9)]


def write(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in columns.items()}
    pq.write_table(pa.table(plain), path)
    return path


def votes(path: Path, **columns: Any) -> Path:
    return write(path, **{"observation_id": [1, 2], "user_id": ["a", "b"], "label": ["Acer", "Ilex"], **columns})


def label_of(path: Path, **options: Any) -> dict[Any, str]:
    """The label of each observation that has one vote."""
    read = plant_aggregate.read_votes(path, **options)
    assert read.n_votes == read.n_observations
    return dict(
        zip(read.observation_ids.to_pylist(), (read.label_names[code].as_py() for code in read.labels), strict=True)
    )


# --- Columns without a value ------------------------------------------------------------------------------------------

WITHOUT_VALUE = {
    "null": pa.nulls(2),
    "double": pa.nulls(2, pa.float64()),
    "NaN": pa.array([float("nan")] * 2),
    "string": pa.nulls(2, pa.string()),
    "int32": pa.nulls(2, pa.int32()),
    "list": pa.nulls(2, pa.list_(pa.int64())),
}


@pytest.mark.parametrize("kind", WITHOUT_VALUE)
@pytest.mark.parametrize("first", [True, False])
def test_a_night_of_withdrawals_only(tmp_path: Path, kind: str, first: bool) -> None:
    votes(tmp_path / "b.parquet", voted_at=[datetime(2026, 1, 1)] * 2)
    name = "a.parquet" if first else "c.parquet"
    day = [datetime(2026, 1, 2)] * 2
    votes(tmp_path / name, observation_id=[2, 3], user_id=["b", "b"], label=WITHOUT_VALUE[kind], voted_at=day)
    assert label_of(tmp_path) == {1: "Acer"}


@pytest.mark.parametrize("kind", WITHOUT_VALUE)
@pytest.mark.parametrize("column", ["observation_id", "user_id"])
def test_a_night_of_null_ids_is_rejected_and_no_more(tmp_path: Path, kind: str, column: str) -> None:
    votes(tmp_path / "a.parquet")
    votes(tmp_path / "b.parquet", **{column: WITHOUT_VALUE[kind]})
    with pytest.raises(VotesError, match=rf"2 of 4 rows cannot be used \(2 null {column}"):
        plant_aggregate.read_votes(tmp_path)
    assert label_of(tmp_path, max_rejected=0.5) == {1: "Acer", 2: "Ilex"}


@pytest.mark.filterwarnings("ignore:.*count as older")
@pytest.mark.parametrize("kind", ["null", "double", "list"])
def test_optional_columns_without_a_value_in_some_files(tmp_path: Path, kind: str) -> None:
    votes(tmp_path / "a.parquet", is_author=[True, False], voted_at=[datetime(2026, 1, 1)] * 2)
    nothing = WITHOUT_VALUE[kind]
    votes(tmp_path / "b.parquet", observation_id=[3, 4], is_author=nothing, voted_at=nothing)
    assert len(label_of(tmp_path)) == 4
    assert plant_aggregate.read_votes(tmp_path, as_of=datetime(2026, 1, 2), max_rejected=0.5).n_votes == 2


@pytest.mark.parametrize(
    "empty",
    [
        pd.DataFrame({"observation_id": [], "user_id": [], "label": []}),
        pd.DataFrame({"observation_id": [], "user_id": [], "label": []}, dtype=object),
        pd.DataFrame({"observation_id": [], "user_id": [], "label": []}, dtype=float),
        pd.DataFrame(),
    ],
    ids=["as it comes", "objects", "doubles", "no columns"],
)
@pytest.mark.parametrize("name", ["a.parquet", "c.parquet"])
def test_a_night_without_a_row(tmp_path: Path, empty: pd.DataFrame, name: str) -> None:
    votes(tmp_path / "b.parquet", voted_at=[datetime(2026, 1, 1)] * 2)
    empty.to_parquet(tmp_path / name, index=False)
    assert label_of(tmp_path) == {1: "Acer", 2: "Ilex"}
    assert label_of(tmp_path, as_of=datetime(2026, 1, 2)) == {1: "Acer", 2: "Ilex"}


def test_a_log_without_any_value_is_one_line(tmp_path: Path) -> None:
    votes(tmp_path / "a.parquet", label=[None, None])
    with pytest.raises(VotesError, match=r"a\.parquet: no usable vote left of 2 rows"):
        plant_aggregate.read_votes(tmp_path)
    votes(tmp_path / "a.parquet", observation_id=pa.nulls(2))
    with pytest.raises(VotesError, match=r"2 of 2 rows cannot be used \(2 null observation_id"):
        plant_aggregate.read_votes(tmp_path)
    pd.DataFrame({"observation_id": [], "user_id": [], "label": []}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(VotesError, match=r"a\.parquet: no rows"):
        plant_aggregate.read_votes(tmp_path)


def test_a_column_of_another_type_with_a_single_value_is_refused(tmp_path: Path) -> None:
    votes(tmp_path / "a.parquet")
    votes(tmp_path / "b.parquet", label=pa.array([None, 1.5]))
    with pytest.raises(VotesError, match=r"b\.parquet: column 'label' has type double; it must be an integer or a str"):
        plant_aggregate.read_votes(tmp_path)


def test_tables_in_memory_without_a_label() -> None:
    frame = pd.DataFrame({"observation_id": [1], "user_id": [2], "label": [None]})
    with pytest.raises(VotesError, match="no usable vote left"):
        plant_aggregate.votes_from_table(frame)


# --- Ids and labels ---------------------------------------------------------------------------------------------------


def uuids() -> dict[str, pa.Array]:
    stored = pa.array([item.bytes for item in IDS], pa.binary(16))
    known = {"text": pa.array([str(item) for item in IDS])}
    if hasattr(pa, "uuid"):
        known["uuid"] = pa.ExtensionArray.from_storage(pa.uuid(), stored)
    return known


@pytest.mark.parametrize("kind", uuids())
def test_uuids_are_their_text(tmp_path: Path, kind: str) -> None:
    path = votes(tmp_path / "a.parquet", observation_id=uuids()[kind], user_id=[1, 2, 3], label=["x", None, "x"])
    assert plant_aggregate.read_votes(path).observation_ids.to_pylist() == [str(IDS[0])]


def test_a_null_uuid_is_a_null_id(tmp_path: Path) -> None:
    if not hasattr(pa, "uuid"):
        pytest.skip("this pyarrow writes no UUIDs")
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([IDS[0].bytes, None], pa.binary(16)))
    path = votes(tmp_path / "a.parquet", user_id=ids)
    reading = read_found(find_votes(path), max_rejected=0.5)
    assert reading.votes.user_ids.to_pylist() == [str(IDS[0])]
    assert reading.rows.rejected == {"null user_id": 1}


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_text_that_is_not_said_to_be_text(tmp_path: Path, kind: pa.DataType) -> None:
    votes(tmp_path / "a.parquet")
    labels = pa.array([b"Acer", "Érable".encode()], kind)
    votes(tmp_path / "b.parquet", observation_id=[3, 4], user_id=pa.array([b"a", b"c"], kind), label=labels)
    assert label_of(tmp_path) == {1: "Acer", 2: "Ilex", 3: "Acer", 4: "Érable"}
    assert plant_aggregate.read_votes(tmp_path).user_ids.to_pylist() == ["a", "b", "c"]


@pytest.mark.parametrize("kind", [pa.decimal128(38, 0), pa.decimal128(5, 0), pa.decimal256(60, 0)])
def test_decimals_without_places_are_integers(tmp_path: Path, kind: pa.DataType) -> None:
    ids = pa.array([Decimal(7), Decimal(1)], kind)
    votes(tmp_path / "a.parquet")
    votes(tmp_path / "b.parquet", observation_id=pa.array([Decimal(3), Decimal(4)], kind))
    assert list(label_of(tmp_path)) == [1, 2, 3, 4]
    read = plant_aggregate.read_votes(votes(tmp_path / "c.parquet", observation_id=ids, user_id=ids, label=ids))
    assert read.observation_ids.to_pylist() == read.label_names.to_pylist() == [1, 7]
    assert read.observation_ids.type == read.label_names.type == pa.int64()


@pytest.mark.parametrize(
    ("column", "values", "saying"),
    [
        ("user_id", pa.array([Decimal(10**30), None], pa.decimal128(38, 0)), "holds a value that no int64 holds; cast"),
        (
            "user_id",
            pa.array([Decimal("1.5")] * 2),
            "decimal128(2, 1); it must be an integer or a string: cast it (SQL",
        ),
        ("user_id", pa.array([b"0123456789abcdef"] * 2, pa.binary(16)), "it must be an integer or a string: write its"),
        (
            "user_id",
            [1.0, 2.0],
            "it must be an integer or a string: cast it (pandas: .astype('Int64'); SQL: CAST(... AS BIGINT))",
        ),
        ("user_id", [date(2026, 1, 1)] * 2, "has type date32[day]; it must be an integer or a string"),
        ("voted_at", ["2026-01-01"] * 2, "has type string; it must be a timestamp: parse it (pandas.to_datetime)"),
        ("voted_at", [1, 2], "has type int64; it must be a timestamp: cast it (pandas.to_datetime, with the unit)"),
        ("is_author", ["true", "false"], "has type string; it must be a bool: compare it (pandas: == 'true')"),
        ("is_author", [0, 2], "column 'is_author' holds 2, which is neither 0 nor 1; cast it"),
        ("is_author", [0.0, 0.5], "column 'is_author' holds 0.5, which is neither 0 nor 1; cast it"),
        ("is_author", [Decimal(0), Decimal(2)], "column 'is_author' holds 2.0, which is neither 0 nor 1; cast it"),
    ],
)
def test_what_would_be_lost_is_refused_in_one_line(tmp_path: Path, column: str, values: Any, saying: str) -> None:
    path = votes(tmp_path / "votes.parquet", **{column: values})
    with pytest.raises(VotesError) as raised:
        plant_aggregate.read_votes(path)
    assert str(raised.value).startswith(f"{path}: column {column!r} ")
    assert saying in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_integers_of_two_widths_are_refused_with_what_to_do(tmp_path: Path) -> None:
    votes(tmp_path / "a.parquet")
    votes(tmp_path / "b.parquet", observation_id=pa.array([3, 4], pa.int32()))
    with pytest.raises(VotesError, match=r"has type int32, but int64 in .*a\.parquet; write both with one type"):
        plant_aggregate.read_votes(tmp_path)


@pytest.mark.parametrize(
    "flags",
    [
        [1, 0],
        [1.0, None],
        [1.0, float("nan")],
        [True, None],
        [Decimal(1), Decimal(0)],
        pa.array([1, 0], pa.uint8()),
        pa.array(np.array([1, 0], np.float16)),
    ],
)
def test_ones_and_zeros_say_who_is_the_author(tmp_path: Path, flags: Any) -> None:
    path = votes(tmp_path / "votes.parquet", is_author=flags)
    assert plant_aggregate.read_votes(path).is_author.tolist() == [True, False]


# --- Times ------------------------------------------------------------------------------------------------------------


def latest(tmp_path: Path, *times: pa.Array, **options: Any) -> str:
    """The label that stands of "0", "1", ... given at these times by one user, each in a file of its own."""
    for number, time in enumerate(times):
        labels = [f"{number}"] * len(time)
        write(tmp_path / f"{number}.parquet", observation_id=[1] * len(time), user_id=[1] * len(time), label=labels,
              voted_at=time)  # fmt: skip
    return label_of(tmp_path, **options)[1]


UNITS = ["s", "ms", "us", "ns"]
NOON = datetime(2026, 1, 1, 12)


@pytest.mark.parametrize("one", UNITS)
@pytest.mark.parametrize("other", UNITS)
def test_times_of_different_units_are_one_order(tmp_path: Path, one: str, other: str) -> None:
    late, early = pa.array([NOON], pa.timestamp(one)), pa.array([datetime(2026, 1, 1, 11)], pa.timestamp(other))
    assert latest(tmp_path, late, early) == "0"
    assert latest(tmp_path, late, early, as_of=datetime(2026, 1, 1, 11, 30)) == "1"


@pytest.mark.parametrize("zone", ["Europe/Paris", "+02:00", "UTC"])
def test_times_of_different_zones_are_instants_and_those_without_are_utc(tmp_path: Path, zone: str) -> None:
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    zoned = pa.array([moment], pa.timestamp("us", zone))
    assert latest(tmp_path, zoned, pa.array([datetime(2026, 7, 1, 11, 59)], pa.timestamp("s"))) == "0"
    assert latest(tmp_path, pa.array([datetime(2026, 7, 1, 12, 1)], pa.timestamp("ms")), zoned) == "0"


def test_a_date_is_its_midnight(tmp_path: Path) -> None:
    days = pa.array([date(2026, 1, 2)])
    assert latest(tmp_path, days, pa.array([datetime(2026, 1, 1, 23)])) == "0"
    assert latest(tmp_path, pa.array([datetime(2026, 1, 2, 1)]), days) == "0"
    assert latest(tmp_path, days, pa.array([date(2026, 1, 1)], pa.date64())) == "0"


def test_nanoseconds_beside_times_that_these_do_not_reach_are_one_line(tmp_path: Path) -> None:
    far, near = pa.array([datetime(9999, 12, 31)], pa.timestamp("us")), pa.array([NOON], pa.timestamp("ns"))
    with pytest.raises(
        VotesError, match=r"0\.parquet: column 'voted_at' .* holds a value that no timestamp\[ns\] hold"
    ):
        latest(tmp_path, far, near)


@pytest.mark.parametrize("year", [1, 1676, 1969, 2263, 9999])
@pytest.mark.parametrize("store_schema", [True, False])
def test_int96_times_of_all_years(tmp_path: Path, year: int, store_schema: bool) -> None:
    """As nanoseconds they would wrap."""
    times = pa.array([datetime(year, 12, 31), NOON], pa.timestamp("us"))
    table = pa.table({"observation_id": [1, 1], "user_id": [1, 1], "label": ["odd", "noon"], "voted_at": times})
    path = tmp_path / "votes.parquet"
    pq.write_table(table, path, use_deprecated_int96_timestamps=True, store_schema=store_schema)
    assert label_of(path) == {1: "odd" if year > 2026 else "noon"}
    assert label_of(path, as_of=datetime(2026, 6, 1)) == {1: "noon"}
    if year < 2026:
        assert label_of(path, as_of=datetime(2025, 6, 1)) == {1: "odd"}


# --- Columns that pyarrow does not know -------------------------------------------------------------------------------


OF_128_BITS = Field(10, STRUCT, Struct([Field(10, STRUCT, Struct([Field(1, BYTE, 128), Field(2, 1, 1)]))]))
"""A logical type for which pyarrow refuses a whole file."""


def with_unknown(path: Path, table: pa.Table, column: str) -> Path:
    """The table in a file, with 16 bytes of a column, or of a struct's field, as integers of 128 bits."""
    file = File.read(written(table))
    (element,) = (item for item in file.footer.get(2).items if item.get(4) == column.encode())
    element.fields.append(OF_128_BITS)
    path.write_bytes(file.write())
    with pytest.raises((pa.ArrowException, OSError)):
        pq.ParquetFile(path)
    return path


WIDE = pa.array([b"0123456789abcdef"] * 2, pa.binary(16))
NESTED = {
    "wide": WIDE,
    "in a struct": pa.StructArray.from_arrays([WIDE, pa.array([1, 2])], ["wide", "label"]),
    "in a list": pa.ListArray.from_arrays(pa.array([0, 1, 2]), pa.StructArray.from_arrays([WIDE], ["wide"])),
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_further_column_that_pyarrow_does_not_know_stops_nothing(tmp_path: Path, kind: str, place: int) -> None:
    table = pa.table({"observation_id": [1, 2], "user_id": ["a", "b"], "label": ["Acer", "Ilex"]})
    path = with_unknown(tmp_path / "votes.parquet", table.add_column(place, kind, NESTED[kind]), "wide")
    assert label_of(path) == {1: "Acer", 2: "Ilex"}
    assert plant_aggregate.read_truth(path).labels.to_pylist() == ["Acer", "Ilex"]


@pytest.mark.extras
def test_nor_does_one_of_a_type_that_only_the_writer_knows(tmp_path: Path) -> None:
    """Polars names the type in the schema of Arrow's own."""
    pl = pytest.importorskip("polars")
    path = tmp_path / "votes.parquet"
    extra = pl.Series([1], dtype=pl.Int128)
    pl.DataFrame({"observation_id": [1], "user_id": [1], "label": ["A"], "extra": extra}).write_parquet(path)
    with pytest.raises(pa.ArrowException):
        pq.ParquetFile(path)
    assert label_of(path) == {1: "A"}


def test_one_that_is_needed_is_one_line(tmp_path: Path) -> None:
    table = pa.table({"observation_id": WIDE, "user_id": ["a", "b"], "label": ["Acer", "Ilex"]})
    path = with_unknown(tmp_path / "votes.parquet", table, "observation_id")
    with pytest.raises(VotesError, match=r"votes\.parquet: cannot be read as Parquet \("):
        plant_aggregate.read_votes(path)


@pytest.mark.parametrize("cut", range(12))
def test_metadata_that_cannot_be_understood_is_an_error(tmp_path: Path, cut: int) -> None:
    """Whatever is cut away: that is all it may be."""
    metadata = written(pa.table({"a": [1], "b": ["x"]}))
    metadata = metadata[footer_place(metadata) : -8]
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        without_logical_types(metadata[: cut * len(metadata) // 12], ["a"])


def test_any_byte_of_metadata_may_be_another() -> None:
    """It is understood, or a ValueError: no other error, and no loop over as many items as a number says."""
    metadata = written(pa.table({"a": [1], "b": ["x"]}))
    metadata = metadata[footer_place(metadata) : -8]
    understood = 0
    for place in range(len(metadata)):
        for flip in (1, 4, 16, 128, 255):
            changed = bytearray(metadata)
            changed[place] ^= flip
            with suppress(ValueError):
                without_logical_types(bytes(changed), ["a"])
                understood += 1
    assert 0 < understood < 5 * len(metadata)
