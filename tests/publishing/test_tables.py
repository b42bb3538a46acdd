"""The files of a run hold what the consensus holds, in the types of the schema, the same bytes every time."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.consensus import Consensus
from plant_aggregate.files.writing import in_one_step
from plant_aggregate.publishing import tables
from plant_aggregate.publishing.digests import Digests
from plant_aggregate.publishing.record import RunRecord, write_record
from plant_aggregate.publishing.tables import write_consensus, write_table
from plant_aggregate.schema import CONSENSUS, DIGEST, USERS
from tests.records import record_of
from tests.schemas import as_read

MakeConsensus = Callable[..., Consensus]


@pytest.fixture
def consensus() -> MakeConsensus:
    """A consensus of 1,000 votes with ids of a type."""

    def make(kind: pa.DataType) -> Consensus:
        chance = np.random.default_rng(0)
        columns = {
            "observation_id": pa.array(chance.integers(0, 120, 1000)).cast(kind),
            "user_id": pa.array(chance.integers(0, 50, 1000)).cast(kind),
            "label": pa.array(chance.integers(0, 9, 1000)).cast(kind),
            "is_author": pa.array(chance.random(1000) < 0.3),
        }
        return plant_aggregate.PlantNet().fit(plant_aggregate.votes_from_table(pa.table(columns)))

    return make


@pytest.mark.parametrize("kind", [pa.string(), pa.int8(), pa.uint64()], ids=str)
@pytest.mark.parametrize("row_group", [1, 7, 119, 1 << 20])
def test_a_table_in_many_pieces_is_the_table(
    consensus: MakeConsensus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: pa.DataType, row_group: int
) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", row_group)
    result = consensus(kind)
    written = write_consensus(result, tmp_path, [Digests(result.votes)])
    found = pq.read_table(tmp_path / "consensus.parquet")
    assert found.schema.names[-1] == DIGEST[0].name
    found = found.drop_columns([DIGEST[0].name])
    assert found.schema.remove_metadata() == as_read(result.to_arrow().schema)
    assert found.to_pylist() == result.to_arrow().to_pylist()
    assert found["observation_id"].to_pylist() == sorted(found["observation_id"].to_pylist())
    assert written.rows == found.num_rows == result.n_observations
    assert pq.read_metadata(tmp_path / "consensus.parquet").num_row_groups == -(-written.rows // row_group)


@pytest.mark.parametrize("table", [CONSENSUS, USERS], ids=["consensus", "users"])
def test_columns_that_are_never_null_say_so(consensus: MakeConsensus, tmp_path: Path, table: Any) -> None:
    result = consensus(pa.int64())
    write_table(result.to_arrow() if table is CONSENSUS else result.users_to_arrow(), tmp_path / "t.parquet")
    schema = pq.read_schema(tmp_path / "t.parquet")
    assert [(field.name, field.nullable) for field in schema] == [(column.name, column.nullable) for column in table]


def test_what_is_said_of_a_file_is_true_and_the_bytes_are_the_same_again(
    consensus: MakeConsensus, tmp_path: Path
) -> None:
    one = write_consensus(consensus(pa.string()), tmp_path)
    content = (tmp_path / "consensus.parquet").read_bytes()
    assert (one.name, one.bytes) == ("consensus.parquet", len(content))
    assert one.sha256 == hashlib.sha256(content).hexdigest()
    assert write_consensus(consensus(pa.string()), tmp_path) == one


def test_a_failure_of_the_writer_is_not_lost(
    consensus: MakeConsensus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are written on another thread: what it raises must come back, from the last piece as from the first."""
    monkeypatch.setattr(tables, "ROW_GROUP", 50)
    write = pq.ParquetWriter.write_table
    for fatal in (1, 2, 3):
        calls: list[int] = []

        def write_or_fail(
            writer: Any, *arguments: Any, calls: list[int] = calls, fatal: int = fatal, **more: Any
        ) -> None:
            calls.append(1)
            if len(calls) == fatal:
                raise OSError(28, "No space left on device")
            write(writer, *arguments, **more)

        monkeypatch.setattr(pq.ParquetWriter, "write_table", write_or_fail)
        with pytest.raises(plant_aggregate.PublishError, match=r"cannot be written \(no space left on device\); make"):
            write_consensus(consensus(pa.int32()), tmp_path)
        assert len(calls) == fatal


def test_what_fails_while_rows_are_derived_is_not_said_of_the_writing(
    consensus: MakeConsensus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = consensus(pa.int32())
    encode = Consensus.encoded

    def fail(self: Consensus, first: int, last: int) -> pa.Table:
        if last > 0:
            raise OSError(5, "Input/output error")
        return encode(self, first, last)

    monkeypatch.setattr(Consensus, "encoded", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_consensus(found, tmp_path)
    with pytest.raises(OSError, match="Input/output error"), in_one_step(tmp_path / "file"):
        raise OSError(5, "Input/output error")
    assert not (tmp_path / "file").exists()


def test_run_json_keeps_any_text(tmp_path: Path) -> None:
    contents = {"inputs": [{"path": "é/😀\n\"'\0.parquet"}], "number": 0.1, "outputs": {}}
    write_record(RunRecord.from_plain(contents), tmp_path)
    assert record_of(tmp_path) == contents


@pytest.mark.parametrize("kind", [pa.int64(), pa.string()])
def test_only_encodings_that_readers_have_long_known_are_written(
    consensus: MakeConsensus, tmp_path: Path, kind: pa.DataType
) -> None:
    known = {"PLAIN", "RLE", "RLE_DICTIONARY", "DELTA_BINARY_PACKED", "DELTA_BYTE_ARRAY"}
    found = consensus(kind)
    write_consensus(found, tmp_path)
    write_table(found.users_to_arrow(), tmp_path / "users.parquet")
    for name in ("consensus.parquet", "users.parquet"):
        group = pq.read_metadata(tmp_path / name).row_group(0)
        assert {code for column in range(group.num_columns) for code in group.column(column).encodings} <= known
