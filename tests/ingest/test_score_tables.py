"""Scores from frames: lists, or a row for each label; what is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant_aggregate import NamedScores, VotesError, scores_from_matrix, scores_from_table

LISTS: dict[str, Any] = {
    "observation_id": [7, 9, 8],
    "labels": [["Ilex aquifolium", "Acer opalus"], ["Acer opalus"], []],
    "probabilities": [[0.6, 0.3], [1.0], []],
}
ROWS: dict[str, Any] = {
    "observation_id": [7, 9, 7],
    "label": ["Ilex aquifolium", "Acer opalus", "Acer opalus"],
    "probability": [0.6, 1.0, 0.3],
}


def listed(scores: NamedScores) -> dict[Any, dict[Any, float]]:
    table = scores.to_arrow().to_pylist()
    return {row["observation_id"]: dict(zip(row["labels"], row["probabilities"], strict=True)) for row in table}


WANTED = {7: {"Ilex aquifolium": 0.6, "Acer opalus": 0.3}, 9: {"Acer opalus": 1.0}, 8: {}}


def large(table: pa.Table) -> pa.Table:
    kinds = {"labels": pa.large_list(pa.large_string()), "probabilities": pa.large_list(pa.float64())}
    return table.cast(
        pa.schema([(name, kinds.get(name, table.schema.field(name).type)) for name in table.column_names])
    )


FRAMES: dict[str, Any] = {
    "dict": lambda rows: rows,
    "arrow": pa.table,
    "pandas": pd.DataFrame,
    "large lists": lambda rows: large(pa.table(rows)),
    "a slice": lambda rows: pa.concat_tables([pa.table(rows)] * 2).slice(3),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_lists_of_any_frame(kind: str) -> None:
    scores = scores_from_table(FRAMES[kind](LISTS))
    assert listed(scores) == WANTED
    assert scores.label_names.to_pylist() == ["Acer opalus", "Ilex aquifolium"]


@pytest.mark.extras
def test_lists_of_polars() -> None:
    polars = pytest.importorskip("polars")
    assert listed(scores_from_table(polars.DataFrame(LISTS))) == WANTED
    assert listed(scores_from_table(polars.DataFrame(ROWS))) == {7: WANTED[7], 9: WANTED[9]}


def test_lists_of_numpy_arrays_in_pandas() -> None:
    frame = pd.DataFrame(LISTS)
    frame["probabilities"] = [np.array(values, np.float32) for values in LISTS["probabilities"]]
    scores = scores_from_table(frame)
    assert scores.lists.probabilities.dtype == np.float32
    assert listed(scores)[9] == {"Acer opalus": 1.0}


def test_a_row_for_each_label_in_any_order() -> None:
    assert listed(scores_from_table(ROWS)) == {7: WANTED[7], 9: WANTED[9]}
    assert scores_from_table(ROWS).observation_ids.to_pylist() == [7, 9]


def test_columns_have_other_names() -> None:
    renamed = {"obs": ROWS["observation_id"], "species": ROWS["label"], "p": ROWS["probability"], "label": [0, 0, 0]}
    columns = {"observation_id": "obs", "label": "species", "probability": "p"}
    assert listed(scores_from_table(renamed, columns=columns)) == {7: WANTED[7], 9: WANTED[9]}


def test_integer_labels_of_pandas() -> None:
    frame = pd.DataFrame({"observation_id": ["a"], "labels": [[5, 3]], "probabilities": [[0.5, 0.25]]})
    assert listed(scores_from_table(frame)) == {"a": {5: 0.5, 3: 0.25}}


@given(st.data(), st.integers(1, 6), st.integers(1, 5))
def test_tables_give_back_the_scores_that_made_them(data: Any, n_rows: int, n_labels: int) -> None:
    shares = st.lists(st.floats(0, 1, width=32), min_size=n_labels, max_size=n_labels)
    matrix = np.array(data.draw(st.lists(shares, min_size=n_rows, max_size=n_rows)), np.float32)
    scores = scores_from_matrix(matrix, [f"label {k}" for k in range(n_labels)], top=data.draw(st.integers(1, 5)))
    again = scores_from_table(scores)
    assert again.to_arrow().equals(scores.to_arrow())
    cells = [(i, k, p) for i, each in listed(scores).items() for k, p in each.items()]
    cells = data.draw(st.permutations(cells))
    long = {
        name: [cell[place] for cell in cells] for place, name in enumerate(("observation_id", "label", "probability"))
    }
    assert listed(scores_from_table(long)) == listed(scores)


def lists(**columns: Any) -> dict[str, Any]:
    return {**LISTS, **columns}


def rows(**columns: Any) -> dict[str, Any]:
    return {**ROWS, **columns}


IN_LIST = "in the list of observation 7"

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "nan": (lists(probabilities=[[0.6, np.nan], [1.0], []]), f"a probability is null or NaN {IN_LIST}"),
    "outside": (lists(probabilities=[[1.7, 0.3], [1.0], []]), rf"a probability is 1\.7, outside \[0, 1\], {IN_LIST}"),
    "lengths": (lists(probabilities=[[0.6], [1.0], []]), "lists of labels and probabilities differ in length in row 0"),
    "null list": (lists(labels=[LISTS["labels"][0], None, []]), "the list of labels is null in row 1"),
    "null label": (lists(labels=[["Acer", None], ["Acer"], []]), f"a label is null or blank {IN_LIST}"),
    "blank label": (rows(label=["Acer", "Acer", " "]), f"a label is null or blank {IN_LIST}"),
    "label twice": (rows(label=["Acer"] * 3), "observation 7 has the label 'Acer' twice; leave one of them, or add"),
    "two lists": (lists(observation_id=[7, 9, 7]), "observation 7 has 2 rows; leave one list of each observation"),
    "null id": (rows(observation_id=[7, None, 7]), "observation_id is null or blank in row 1"),
    "no columns": ({"observation_id": [7], "score": [0.5]}, "columns 'labels', 'probabilities' are missing; "),
    "logits": (rows(probability=[-3.0, 0.5, 2.0]), rf"a probability is -3, outside \[0, 1\], {IN_LIST}"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_refused_in_a_line(name: str) -> None:
    table, message = BAD[name]
    with pytest.raises(VotesError, match=message) as refused:
        scores_from_table(table)
    assert "\n" not in str(refused.value)


def test_a_probability_beside_the_ends_is_moved_to_them() -> None:
    assert listed(scores_from_table({**ROWS, "probability": [1.0000001, 1.0, -0.0000001]}))[7]["Ilex aquifolium"] == 1.0
