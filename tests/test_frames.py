"""Frames in memory: the same votes from every kind of frame, and one line for what is none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import plant_aggregate
from plant_aggregate.errors import ParameterError, VotesError
from plant_aggregate.frames import is_frame, to_table
from plant_aggregate.schema import TRUTH, VOTES

LOG: dict[str, list[Any]] = {
    "observation_id": [7, 7, 9, 9, 12],
    "user_id": ["ana", "bo", "ana", "cy", "bo"],
    "label": ["Acer campestre", "Acer opalus", "Ilex", "Ilex", None],
}


class OnlyInterchange:
    """A frame of a program that has the interchange protocol and nothing else."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._table = pa.table(columns)

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return self._table.__dataframe__(nan_as_null, allow_copy)


class OnlyStream:
    """A frame of a program that exports an Arrow stream and nothing else."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._table = pa.table(columns)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


def polars_frame(columns: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("polars").DataFrame(columns)


def polars_categories(columns: dict[str, list[Any]]) -> Any:
    pl = pytest.importorskip("polars")
    return pl.DataFrame(columns).with_columns(pl.col("label").cast(pl.Categorical))


def duckdb_relation(columns: dict[str, list[Any]]) -> Any:
    return pytest.importorskip("duckdb").from_arrow(pa.table(columns))


def chunks(columns: dict[str, list[Any]]) -> pa.Table:
    table = pa.table(columns)
    return pa.concat_tables([table.slice(0, 1), table.slice(1, 0), table.slice(1)])


def string_views(columns: dict[str, list[Any]]) -> pa.Table:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    views = {
        name: pa.array(values.to_pylist(), pa.string_view()) if pa.types.is_string(values.type) else values
        for name, values in arrays.items()
    }
    return pa.table(views)


FRAMES: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "dict of lists": dict,
    "dict of arrays": lambda columns: {name: np.array(values, object) for name, values in columns.items()},
    "dict of Series": lambda columns: {name: pd.Series(values) for name, values in columns.items()},
    "pandas": pd.DataFrame,
    "pandas, objects": lambda columns: pd.DataFrame(columns, dtype=object),
    "pandas, categories": lambda columns: pd.DataFrame(columns).astype("category"),
    "pandas, nullable": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "Table": pa.table,
    "Table, chunks": chunks,
    "Table, string views": string_views,
    "RecordBatch": pa.RecordBatch.from_pydict,
    "RecordBatchReader": lambda columns: pa.table(columns).to_reader(),
    "interchange": OnlyInterchange,
    "stream": OnlyStream,
}
EXTRAS: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "polars": polars_frame,
    "polars, categories": polars_categories,
    "duckdb": duckdb_relation,
}
KINDS = [*FRAMES, *(pytest.param(name, marks=pytest.mark.extras) for name in EXTRAS)]


def made(kind: str, columns: dict[str, list[Any]]) -> Any:
    return (FRAMES | EXTRAS)[kind](columns)


def plain(votes: plant_aggregate.Votes) -> dict[str, list[Any]]:
    arrays = {name: getattr(votes, name) for name in ARRAYS}
    return {
        name: values.tolist() if isinstance(values, np.ndarray) else values.to_pylist()
        for name, values in arrays.items()
    }


ARRAYS = ("offsets", "users", "labels", "is_author", "observation_ids", "user_ids", "label_names")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_votes_from_every_frame(kind: str) -> None:
    expected = plain(plant_aggregate.votes_from_table(pa.table(LOG)))
    assert is_frame(made(kind, LOG))
    assert plain(plant_aggregate.votes_from_table(made(kind, LOG))) == expected
    as_in_crowd_kit = {name: LOG[ours] for name, ours in zip(("task", "worker", "label"), LOG, strict=True)}
    assert plain(plant_aggregate.votes_from_table(made(kind, as_in_crowd_kit))) == expected
    own = {"obs": LOG["observation_id"], "who": LOG["user_id"], "label": LOG["label"], "page": [1, 2, 3, 4, 5]}
    columns = {"observation_id": "obs", "user_id": "who"}
    assert plain(plant_aggregate.votes_from_table(made(kind, own), columns=columns)) == expected


def test_a_series_is_labels_by_observation() -> None:
    truth = pd.Series(["Ilex", "Acer opalus"], index=pd.Index([9, 7], name="task"), name="true_label")
    assert to_table(truth, TRUTH).to_pydict() == {"observation_id": [9, 7], "label": ["Ilex", "Acer opalus"]}
    votes = plant_aggregate.votes_from_table(LOG)
    consensus = plant_aggregate.Majority().fit(votes)
    of_table = plant_aggregate.evaluate(consensus, truth.rename_axis("observation_id").rename("label").reset_index())
    assert plant_aggregate.evaluate(consensus, truth).to_dict() == of_table.to_dict()  # NaN is not equal to NaN
    compared = plant_aggregate.compare(LOG, truth, {"majority": plant_aggregate.Majority()})
    assert compared.compared[0].evaluation.to_dict() == of_table.to_dict()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([3.0, None, 5.0, 3.0, None], [3, 5]),
        (np.array([3.0, np.nan, 5.0, 3.0, 5.0]), [3, 5]),
        (pd.array([3, None, 5, 3, 5], dtype="Float64"), [3, 5]),
    ],
    ids=["objects", "numpy", "pandas"],
)
def test_integers_that_a_missing_value_made_floats(labels: Any, names: list[int]) -> None:
    for frame in (pd.DataFrame({**LOG, "label": labels}), {**LOG, "label": labels}):
        assert plant_aggregate.votes_from_table(frame).label_names.to_pylist() == names
    with pytest.raises(VotesError, match="column 'label' has type double; it must be an integer or a string"):
        plant_aggregate.votes_from_table({**LOG, "label": [0.5, 1, 2, 3, 4]})


OTHER = pd.DataFrame({"obs": [1], "annotator": ["ana"], "species": ["Ilex"]})


@pytest.mark.parametrize(
    ("frame", "columns", "error", "message"),
    [
        (None, None, TypeError, "a frame is wanted, not None: write a data frame, an Arrow table or a dict of arrays"),
        ("votes.parquet", None, TypeError, "a frame is wanted, not the text 'votes.parquet': write a data frame"),
        ([{"label": "Ilex"}], None, TypeError, "a frame is wanted, not a list"),
        (np.zeros((2, 2)), None, TypeError, "a frame is wanted, not a numpy.ndarray"),
        ({"task": 7}, None, TypeError, "'task' of the dict is an int: write lists or arrays, an item a row"),
        (pa.chunked_array([[1]]), None, TypeError, "a pyarrow.ChunkedArray is no table"),
        (pd.Series(["Ilex"]), None, TypeError, "a pandas.Series has no user_id: write a data frame"),
        (
            OTHER,
            None,
            VotesError,
            "columns 'observation_id', 'user_id', 'label' are missing; a pandas.DataFrame has 'obs', 'annotator', "
            "'species'; write columns=.'observation_id': 'obs', 'user_id': 'annotator', 'label': 'species'.",
        ),
        (
            OTHER.assign(task=[1], worker=["a"]),
            {"label": "taxon"},
            VotesError,
            "column 'taxon' .label. is missing; a pandas.D",
        ),
        (
            {"task": [7], "label": ["Ilex"]},
            None,
            VotesError,
            "it needs a column for each of observation_id, label, user_id",
        ),
        (OTHER, {"obs": "observation_id"}, ParameterError, r"write columns=\{'observation_id': 'obs'\}"),
        (OTHER.set_index("obs"), {"observation_id": "obs"}, VotesError, r"and 'obs' in its index; write .reset_index"),
        ({**LOG, "label": ["Ilex"]}, None, VotesError, "columns have different lengths: 5 of 'observation_id'"),
        ({**LOG, "label": [1, "Ilex", 2, 3, 4]}, None, VotesError, "column 'label' cannot be read"),
        (pd.DataFrame([[1, 1, "a", "b"]], columns=["task", "task", "worker", "label"]), None, VotesError, "occurs 2"),
        (pd.DataFrame(), None, VotesError, "no rows"),
        (pd.DataFrame({"task": [], "worker": [], "label": []}), None, VotesError, "no rows"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_says_what_to_write(
    frame: Any, columns: dict[str, str] | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        plant_aggregate.votes_from_table(frame, columns=columns)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.extras
def test_a_lazy_frame_is_to_be_collected() -> None:
    lazy = pytest.importorskip("polars").DataFrame(LOG).lazy()
    with pytest.raises(TypeError, match=r"a frame is wanted, not a polars.LazyFrame: write .collect\(\) after it"):
        to_table(lazy, VOTES)
