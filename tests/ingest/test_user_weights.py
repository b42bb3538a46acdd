"""User weights that an operator wrote by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.errors import VotesError
from plant_aggregate.user_weights import UserWeights

NAN = float("nan")


def as_dict(weights: UserWeights) -> dict[Any, tuple[float, float]]:
    pairs = zip(weights.fixed.tolist(), weights.minimum.tolist(), strict=True)
    return dict(zip(weights.user_ids.to_pylist(), pairs, strict=True))


def test_csv_cells_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "weights.CSV"
    path.write_bytes(b"note,user_id,min_weight,fixed_weight\nna\xefve,ana,NaN,3\n,007, 1.5 ,\n,eve,2e0,0\n")
    found = as_dict(plant_aggregate.read_user_weights(path))
    np.testing.assert_equal(found, {"ana": (3.0, NAN), "007": (NAN, 1.5), "eve": (0.0, 2.0)})


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.string(), pa.large_string()])
@pytest.mark.parametrize("weight_kind", [pa.float32(), pa.float64(), pa.int32()])
def test_parquet_ids_and_weights_may_have_any_type(tmp_path: Path, kind: pa.DataType, weight_kind: pa.DataType) -> None:
    path = tmp_path / "weights.parquet"
    ids = pa.array(["1", "2"]).cast(kind)
    pq.write_table(pa.table({"user_id": ids, "fixed_weight": pa.array([None, 2], weight_kind)}), path)
    found = as_dict(plant_aggregate.read_user_weights(path))
    one, two = ids.to_pylist()
    np.testing.assert_equal(found, {one: (NAN, NAN), two: (2.0, NAN)})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"user_id": ["a", None], "fixed_weight": [1.0, 2.0]},
            "a user_id is null or blank in row 1; give each row the id of a user",
        ),
        ({"user_id": ["a", ""], "fixed_weight": [1.0, 2.0]}, "a user_id is null or blank in row 1; "),
        (
            {"user_id": ["a", "a"], "fixed_weight": [1.0, 2.0]},
            "user 'a' occurs more than once, in rows 0, 1; leave one row",
        ),
        ({"user_id": ["a"], "fixed_weight": [-0.5]}, "not in [0, 1e+09]: -0.5, in row 0; 0"),
        ({"user_id": ["a"], "min_weight": [float("inf")]}, "not in [0, 1e+09]: inf, in row 0"),
        ({"user_id": ["a"], "min_weight": [NAN]}, "'min_weight' holds a weight that is not in [0, 1e+09]"),
        ({"user_id": ["a"], "min_weight": ["1"]}, "column 'min_weight' has type string; it must be a float"),
        ({"user_id": [1.0], "min_weight": [1.0]}, "column 'user_id' has type double; it must be an integer or a str"),
        ({"user_id": ["a"]}, "neither a column 'fixed_weight' nor 'min_weight'; add one of them"),
        ({"fixed_weight": [1.0]}, "column 'user_id' is missing"),
        ({"user_id": pa.array([], pa.string()), "fixed_weight": pa.array([], pa.float64())}, "no rows; "),
    ],
)
def test_parquet_that_cannot_be_used_is_named(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    path = tmp_path / "weights.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(VotesError) as raised:
        plant_aggregate.read_user_weights(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as CSV (Empty CSV file); "),
        (b"user_id,fixed_weight\n", "no rows; add a user, or leave out --user-weights"),
        (b"user_id,fixed_weight\na,1e308\n", "not in [0, 1e+09]"),
        (b"user_id,fixed_weight\na,1\n,2\n", "a user_id is null or blank in line 3; "),
        (b"who,fixed_weight\na,1\n", "column 'user_id' is missing; it has 'who', 'fixed_weight'; "),
        (b"user_id,fixed_weight,fixed_weight\na,1,2\n", "column 'fixed_weight' occurs more than once; "),
        (b"user_id,user_id,min_weight\na,b,2\n", "column 'user_id' occurs more than once; "),
        (b"user_id,fixed_weight\na,1,2\n", "cannot be read as CSV ("),
        (
            b"user_id,min_weight\na,1\nna\xefve,1\n",
            "column 'user_id' holds text that is not UTF-8 in line 3; write it ",
        ),
        (
            b"user_id,min_weight\na,1\nb,\nc,many\nd,x\n",
            "column 'min_weight' holds 'many' in line 4, which is not a num",
        ),
        (
            b"user_id,min_weight\na,1\nb,\xff2\n",
            "column 'min_weight' holds '\\\\xff2' in line 3, which is not a number",
        ),
        (b"user_id,fixed_weight\nb,1\na,inf\n", "not in [0, 1e+09]: inf, in line 3"),
    ],
)
def test_csv_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "weights.csv"
    path.write_bytes(content)
    with pytest.raises(VotesError) as raised:
        plant_aggregate.read_user_weights(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_several_files_and_folders_are_one_list(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": [7], "fixed_weight": [1.0]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"user_id": [8], "min_weight": [2]}), tmp_path / "b.parquet")
    (tmp_path / "c.csv").write_text("user_id,fixed_weight\n9,3\n")
    for given in (tmp_path, tmp_path / "*.parquet", [tmp_path / "a.parquet", tmp_path / "b.parquet"]):
        weights = plant_aggregate.read_user_weights(given)
        assert weights.user_ids == pa.array([7, 8])
        np.testing.assert_equal(weights.fixed, [1, np.nan])
        np.testing.assert_equal(weights.minimum, [np.nan, 2])
    weights = plant_aggregate.read_user_weights([tmp_path, tmp_path / "c.csv"])
    assert dict(zip(weights.user_ids.to_pylist(), weights.fixed.tolist(), strict=True))["9"] == 3
    (tmp_path / "c.csv").write_text("user_id,fixed_weight\n7,3\n")
    with pytest.raises(VotesError, match="user '7' occurs more than once"):
        plant_aggregate.read_user_weights([tmp_path, tmp_path / "c.csv"])


def test_a_file_without_a_user_or_a_weight_does_not_stop_those_that_have_some(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": ["ana"], "fixed_weight": [1.0]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"user_id": pa.nulls(0), "fixed_weight": pa.nulls(0)}), tmp_path / "b.parquet")
    pq.write_table(pa.table({"user_id": ["bo"], "fixed_weight": pa.nulls(1)}), tmp_path / "c.parquet")
    assert plant_aggregate.read_user_weights(tmp_path).user_ids.to_pylist() == ["ana", "bo"]
