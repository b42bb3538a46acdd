"""Damage that pyarrow does not notice, or that is the end of it: an error like any other.

``tests/fuzz`` found all of it, and looks for more.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.errors import VotesError
from plant_aggregate.files import parquet
from plant_aggregate.files.columns import check_indices
from tests.fuzz import layout
from tests.fuzz.layout import File
from tests.fuzz.originals import written
from tests.fuzz.thrift import I64, LIST, STRUCT, Field, List, Struct

N = 8
VOTES = pa.table({"observation_id": range(N), "user_id": list("abcdefgh"), "label": ["Acer", "Abies"] * 4})
AI = VOTES.drop_columns(["user_id"]).append_column("score", pa.array([0.5] * N))
TRUTH = VOTES.drop_columns(["user_id"])

FOOTER_ROWS, GROUP_ROWS, CHUNK_VALUES, SIZE_STATISTICS = 3, 3, 5, 16
"""Fields of the metadata."""

INPUTS: dict[str, tuple[pa.Table, Callable[[Path], Any]]] = {
    "votes": (VOTES, plant_aggregate.read_votes),
    "ai": (AI, plant_aggregate.read_ai_votes),
    "truth": (TRUTH, plant_aggregate.read_truth),
}


def groups_of(file: File) -> list[Struct]:
    return list(file.footer.get(layout.ROW_GROUPS).items)


def claim(file: File, rows: int) -> None:
    """Let the metadata say so, and the pages what is true."""
    file.footer.put(FOOTER_ROWS, rows)
    groups_of(file)[0].put(GROUP_ROWS, rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "votes.parquet"


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("rows", [7, -1, 0, 2**31, 2**62])
def test_row_groups_that_do_not_add_up(path: Path, name: str, rows: int) -> None:
    table, read = INPUTS[name]
    file = File.read(written(table))
    file.footer.put(FOOTER_ROWS, rows)
    path.write_bytes(file.write())
    with pytest.raises(VotesError, match=rf"votes\.parquet: says that it has {rows:,} rows, and 8 in its row groups; "):
        read(path)


def test_row_groups_of_less_than_nothing(path: Path) -> None:
    file = File.read(written(VOTES))
    claim(file, -8)
    path.write_bytes(file.write())
    with pytest.raises(VotesError, match=r"votes\.parquet: says that it has -8 rows"):
        plant_aggregate.read_votes(path)


@pytest.mark.parametrize("name", INPUTS)
def test_fewer_rows_than_it_says(path: Path, name: str) -> None:
    table, read = INPUTS[name]
    file = File.read(written(table))
    claim(file, 1000)
    path.write_bytes(file.write())
    with pytest.raises(VotesError, match=r"votes\.parquet: (holds 8 rows but says that it has 1,000;|cannot be read)"):
        read(path)


@pytest.mark.parametrize("name", INPUTS)
def test_more_rows_than_it_says(path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, read = INPUTS[name]
    path.write_bytes(written(table))
    check = parquet.check_files

    def check_and_lie(*arguments: Any, **options: Any) -> list[parquet.CheckedFile]:
        return [parquet.replace(file, rows=7) for file in check(*arguments, **options)]

    for module in ("plant_aggregate.ingest", "plant_aggregate.ingest.user_weights", "plant_aggregate.files.parquet"):
        monkeypatch.setattr(f"{module}.check_files", check_and_lie)
    with pytest.raises(VotesError, match=r"votes\.parquet: holds at least 8 rows but says that it has 7; see that"):
        read(path)


def test_more_ai_votes_than_can_be_numbered(path: Path) -> None:
    file = File.read(written(AI))
    claim(file, 2**40)
    path.write_bytes(file.write())
    with pytest.raises(VotesError, match=r"votes\.parquet: more than 2,147,483,647 rows; "):
        plant_aggregate.read_ai_votes(path)


@pytest.mark.parametrize("column", ["user_id", "label"])
@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string())])
def test_an_index_that_is_not_in_its_dictionary(path: Path, column: str, kind: pa.DataType) -> None:
    place = VOTES.column_names.index(column)
    many = VOTES.set_column(place, column, pa.array(list("abcdefgh")).cast(kind))
    few = VOTES.set_column(place, column, pa.array(["a"] * N).cast(kind))
    file, other = File.read(written(many)), File.read(written(few))
    file.chunks[place].pages[0] = other.chunks[place].pages[0]
    path.write_bytes(file.write())
    with pytest.raises(VotesError, match=r"votes\.parquet: cannot be read as Parquet \("):
        plant_aggregate.read_votes(path)


def test_indices_in_lists_are_looked_at(path: Path) -> None:
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 5], pa.int32()), ["a"], safe=False)
    with pytest.raises(ValueError, match="not in its dictionary"):
        check_indices(pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), labels))


def test_a_page_that_claims_to_be_large_takes_no_memory(path: Path) -> None:
    file = File.read(written(VOTES, compression="none", use_dictionary=False))
    file.chunks[0].pages[0].header.put(layout.COMPRESSED_SIZE, 2**31 - 1)
    path.write_bytes(file.write())
    with pytest.raises(VotesError, match=r"votes\.parquet: cannot be read as Parquet \(.*2147483647"):
        plant_aggregate.read_votes(path)
    assert pa.default_memory_pool().max_memory() < 2**31 - 1


def spoil_statistics(file: File) -> None:
    """Histograms of levels with a level too many, which pyarrow looks at wherever it looks at a column's metadata."""
    histogram = List(I64, [1] * 9)
    for chunk in file.chunks:
        chunk.meta.fields = [item for item in chunk.meta.fields if item.number != SIZE_STATISTICS]
        chunk.meta.fields.append(Field(SIZE_STATISTICS, STRUCT, Struct([Field(3, LIST, histogram)])))


@pytest.mark.parametrize("name", INPUTS)
def test_metadata_that_makes_pyarrow_give_up_does_not_end_the_process(path: Path, name: str) -> None:
    table, read = INPUTS[name]
    file = File.read(written(table))
    spoil_statistics(file)
    path.write_bytes(file.write())
    try:
        read(path)  # a pyarrow that does not know of the histograms
    except VotesError as error:
        assert "cannot be read as Parquet" in str(error)  # noqa: PT017


def test_nor_does_that_of_lists(path: Path) -> None:
    scores = pa.table({"observation_id": [1], "epoch": [0], "labels": [["Acer"]], "probabilities": [[0.5]]})
    file = File.read(written(scores))
    spoil_statistics(file)
    path.write_bytes(file.write())
    votes = plant_aggregate.votes_from_table(VOTES.append_column("is_author", pa.array([True] * N)))
    try:
        plant_aggregate.ambiguity_of(plant_aggregate.PlantNet().fit(votes), path)
    except VotesError as error:
        assert "cannot be read as Parquet" in str(error)  # noqa: PT017


def test_labels_whose_encoding_changes_within_a_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of writers do that give a dictionary up: what was read as one before is not read twice."""
    monkeypatch.setattr(parquet, "BATCH_ROWS", 3)
    delta = {"use_dictionary": False, "column_encoding": {"label": "DELTA_BYTE_ARRAY"}}
    later = VOTES.set_column(0, "observation_id", pa.array(np.arange(N) + N))
    first, second = File.read(written(VOTES)), File.read(written(later, **delta))
    first.footer.put(FOOTER_ROWS, 2 * N)
    first.footer.get(layout.ROW_GROUPS).items += groups_of(second)
    first.chunks += second.chunks
    path.write_bytes(first.write())
    (file,) = parquet.check_files(parquet.find_sources([path]), plant_aggregate.schema.VOTES, {}, ("label",))
    rows = [row for batch in parquet.stream(file, VOTES.column_names, 3) for row in batch.to_pylist()]
    assert rows == pa.concat_tables([VOTES, later]).to_pylist()
    votes = plant_aggregate.read_votes(path)
    assert votes.n_votes == 2 * N
    assert votes.label_names.to_pylist() == ["Abies", "Acer"]


def not_utf8(texts: list[bytes]) -> pa.Array:
    binary = pa.array(texts, pa.binary())
    return pa.StringArray.from_buffers(len(texts), *binary.buffers()[1:])


def test_user_weights_of_users_that_are_not_utf8(path: Path) -> None:
    pq.write_table(pa.table({"user_id": not_utf8([b"\xff", b"\xff"]), "fixed_weight": [1.0, 2.0]}), path)
    with pytest.raises(
        VotesError, match=r"votes\.parquet: column 'user_id' holds text that is not UTF-8 in rows 0, 1; "
    ):
        plant_aggregate.read_user_weights(path)


def test_integers_that_no_float_holds_are_out_of_range(path: Path) -> None:
    pq.write_table(AI.set_column(2, "score", pa.array([2**63 - 1] * N)), path)
    with pytest.raises(VotesError, match=r"8 score not in \[0, 1\]"):
        plant_aggregate.read_ai_votes(path)
    pq.write_table(pa.table({"user_id": ["a"], "fixed_weight": pa.array([2**63], pa.uint64())}), path)
    with pytest.raises(VotesError, match=r"column 'fixed_weight' holds a weight that is not in \[0, 1e\+09\]"):
        plant_aggregate.read_user_weights(path)


def test_large_row_groups_are_not_held_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is large among small ones, too."""
    opened: list[int] = []
    real = pq.ParquetFile

    def watch(*arguments: Any, buffer_size: int = -1, **options: Any) -> pq.ParquetFile:
        opened.append(buffer_size)
        return real(*arguments, buffer_size=max(0, buffer_size), **options)

    many = pa.table({"observation_id": range(10_000), "user_id": range(10_000), "label": range(10_000)})
    with pq.ParquetWriter(path, many.schema) as writer:
        for table in (many, *(many.slice(row, 1) for row in range(20))):
            writer.write_table(table)
    monkeypatch.setattr(parquet.pq, "ParquetFile", watch)
    for limit, buffer in ((path.stat().st_size, 0), (path.stat().st_size // 2, parquet.BUFFER)):
        monkeypatch.setattr(parquet, "SMALL_GROUP", limit)
        opened.clear()
        plant_aggregate.read_votes(path)
        assert opened == [-1, buffer]
