"""Votes from wide tables, against the same votes row by row."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plant_aggregate
from plant_aggregate.errors import AggregateWarning, VotesError
from plant_aggregate.votes import Votes

Matrix = list[list[Any]]

LABELS = {"integers": st.integers(0, 4), "text": st.sampled_from(["Acer", "Ilex", "é"])}


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    """Labels of one type, None here and there, and at least one label."""
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    label = LABELS[draw(st.sampled_from(sorted(LABELS)))]
    rows = draw(st.lists(st.lists(st.one_of(label, st.none()), min_size=m, max_size=m), min_size=n, max_size=n))
    rows[-1][-1] = draw(label)
    return rows


def parts(votes: Votes) -> list[Any]:
    arrays = [votes.offsets, votes.users, votes.labels]
    return [array.tolist() for array in arrays] + [
        ids.to_pylist() for ids in (votes.observation_ids, votes.user_ids, votes.label_names)
    ]


def by_rows(matrix: Matrix, ids: list[Any], users: list[Any]) -> list[Any]:
    """The votes of a matrix, a row each."""
    rows = [
        (observation, user, label)
        for observation, labels in zip(ids, matrix, strict=True)
        for user, label in zip(users, labels, strict=True)
        if label is not None
    ]
    columns = dict(zip(("observation_id", "user_id", "label"), map(list, zip(*rows, strict=True)), strict=True))
    return parts(plant_aggregate.votes_from_table(columns))


def polars_frame(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("polars").DataFrame(columns)


def duckdb_relation(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("duckdb").from_arrow(pa.table(columns))


WIDE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dict": dict,
    "pandas": pd.DataFrame,
    "pandas, index": lambda columns: pd.DataFrame(columns).set_index("observation_id"),
    "pandas, nullable": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "pandas, categories": lambda columns: pd.DataFrame(columns).astype("category"),
    "Table": pa.table,
    "polars": polars_frame,
    "duckdb": duckdb_relation,
}
EXTRAS = ("polars", "duckdb")


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.extras) if kind in EXTRAS else kind for kind in WIDE]
)
@settings(max_examples=40)
@given(matrix=matrices())
def test_frames_against_rows(kind: str, matrix: Matrix) -> None:
    ids = [f"photo {i}" for i in range(len(matrix))]
    users = [f"user {u}" for u in range(len(matrix[0]))]
    columns = {"observation_id": ids, **dict(zip(users, map(list, zip(*matrix, strict=True)), strict=True))}
    frame = WIDE[kind](columns)
    assert parts(plant_aggregate.votes_from_matrix(frame)) == by_rows(matrix, ids, users)


@settings(max_examples=60)
@given(matrix=matrices())
def test_arrays_against_rows(matrix: Matrix) -> None:
    """Rows and columns are numbered."""
    expected = by_rows(matrix, list(range(len(matrix))), list(range(len(matrix[0]))))
    arrays: list[Any] = [matrix, np.array(matrix, object), pd.DataFrame(matrix)]
    if not any(isinstance(label, str) for labels in matrix for label in labels):
        arrays.append(np.array(matrix, np.float64))
    for array in arrays:
        assert parts(plant_aggregate.votes_from_matrix(array)) == expected
    filler = "none" if len(arrays) == 3 else -1
    filled = np.array([[filler if label is None else label for label in labels] for labels in matrix])
    assert parts(plant_aggregate.votes_from_matrix(filled, missing=filler)) == expected


def test_the_column_of_ids_may_have_another_name() -> None:
    wide = pd.DataFrame({"photo": ["x", "y"], "ana": [1, 2], "bo": [np.nan, 2.0]})
    for frame, columns in (
        (wide, {"observation_id": "photo"}),
        (wide.rename(columns={"photo": "task"}), None),
        (wide.set_index("photo"), None),
    ):
        votes = plant_aggregate.votes_from_matrix(frame, columns=columns)
        assert (votes.observation_ids.to_pylist(), votes.user_ids.to_pylist()) == (["x", "y"], ["ana", "bo"])
        assert votes.label_names.type == pa.int64()
    with pytest.raises(
        VotesError, match=r"column 'image' \(observation_id\) is missing; a pandas.DataFrame has 'photo'"
    ):
        plant_aggregate.votes_from_matrix(wide, columns={"observation_id": "image"})


def test_minus_one_is_a_label_unless_it_is_said_to_be_none() -> None:
    matrix = np.array([[0, -1, 1], [-1, -1, 2]])
    with pytest.warns(AggregateWarning, match="some cells hold the label -1: if that is no vote, write missing=-1"):
        assert plant_aggregate.votes_from_matrix(matrix).n_votes == 6
    assert plant_aggregate.votes_from_matrix(matrix, missing=-1).n_votes == 3


def test_labels_of_any_width_are_kept() -> None:
    largest = np.array([[2**64 - 1, 7]], np.uint64)
    assert plant_aggregate.votes_from_matrix(largest).label_names.to_pylist() == [7, 2**64 - 1]
    columns = {"ana": np.array([2**64 - 1], np.uint64), "bo": np.array([7]), "cy": np.array([7], np.int8)}
    assert plant_aggregate.votes_from_matrix(columns).label_names.to_pylist() == [7, 2**64 - 1]
    assert plant_aggregate.votes_from_matrix(np.array([[1, 2]], np.uint8), missing=-1).n_votes == 2


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        (
            {"ana": np.array([2**64 - 1], np.uint64), "bo": np.array([-2])},
            VotesError,
            "the labels of all users do not fit into one type",
        ),
        (None, TypeError, "a matrix is wanted, not None: write an array of two dimensions, or a frame with a column"),
        ("wide.csv", TypeError, "a matrix is wanted, not the text 'wide.csv'"),
        ([1, 2], TypeError, "a matrix is wanted, not a list"),
        ([[1], [1, 2]], TypeError, "a matrix is wanted, not a list"),
        (np.zeros((2, 2, 2)), TypeError, "a matrix is wanted, not a numpy.ndarray"),
        (pd.Series([1]), TypeError, "a matrix is wanted, not a pandas.Series"),
        ([["x", 1]], VotesError, "the labels of '0' are text, those of '1' are not; write all of them as text"),
        ([["x"], [1]], VotesError, "column '0' cannot be read"),
        ([[0.5, 1.0]], VotesError, "column 'label' has type double; it must be an integer or a string"),
        (pd.DataFrame({"ana": [1, 1]}, index=[7, 7]), VotesError, "observation 7 has 2 rows; leave one"),
        (pd.DataFrame({"ana": [1]}, index=[None]), VotesError, "1 of 1 rows cannot be used .1 null observation_id"),
        (
            {"task": [7, 7], "worker": ["ana", "bo"], "label": ["Acer", "Ilex"]},
            VotesError,
            "observation 7 has 2 rows; write read_votes.frame., for a row a vote",
        ),
        ([{"task": 7, "label": "Acer"}], TypeError, "write a data frame of these rows: pandas.DataFrame.rows.$"),
        ([(7, "ana", "Acer")], VotesError, "or votes, a row each, as a data frame of observation_id, user_id, label"),
        (pd.DataFrame([[1, 2]], columns=["ana", "ana"]), VotesError, "column 'ana' occurs 2 times; leave one"),
        ({"ana": [1, 2], "bo": [1]}, VotesError, "the columns have different lengths: 2 in 'ana', 1 in 'bo'"),
        (np.full((2, 2), np.nan), VotesError, "no cell holds a label"),
        (np.empty((0, 2)), VotesError, "no cell holds a label"),
    ],
)
def test_what_is_no_matrix_of_labels_is_one_line(matrix: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        plant_aggregate.votes_from_matrix(matrix)
    assert len(str(raised.value).splitlines()) == 1
