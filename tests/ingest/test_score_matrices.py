"""Scores from dense matrices: the likeliest labels of each row, and what is refused."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plant_aggregate import NamedScores, ParameterError, VotesError, scores_from_matrix
from plant_aggregate.classifier_scores import ClassifierScores
from plant_aggregate.ingest import score_matrices
from tests.reference.conformal import likeliest_labels

LABELS = ["Quercus robur", "Acer opalus", "Ilex aquifolium"]


def listed(scores: NamedScores) -> list[list[tuple[str, float]]]:
    rows = scores.to_arrow()
    return [
        list(zip(labels, shares, strict=True))
        for labels, shares in zip(rows["labels"].to_pylist(), rows["probabilities"].to_pylist(), strict=True)
    ]


DECIMALS = st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0])  # few, so that there are ties
LOGITS = st.one_of(st.floats(-40, 40), st.sampled_from([-np.inf, 0.0, 1e300, 700.0]))


@given(st.data(), st.integers(1, 6), st.integers(1, 9), st.sampled_from([1, 2, 3, 8, 100, None]), st.booleans())
def test_lists_are_the_reference_ones(data: Any, n_rows: int, n_labels: int, top: int | None, logits: bool) -> None:
    matrix = data.draw(arrays(np.float64, (n_rows, n_labels), elements=LOGITS if logits else DECIMALS))
    matrix[:, 0] = np.maximum(matrix[:, 0], -1e300)
    names = data.draw(st.permutations([f"label {k}" for k in range(n_labels)]))
    scores = scores_from_matrix(matrix, names, logits=logits, top=top)
    for found, wanted in zip(listed(scores), likeliest_labels(matrix, names, logits, top), strict=True):
        assert [label for label, _ in found] == [label for label, _ in wanted]
        np.testing.assert_allclose([p for _, p in found], [p for _, p in wanted], rtol=1e-12)


@pytest.mark.parametrize("top", [1, 7, 100, 400])
@pytest.mark.parametrize("logits", [False, True])
def test_long_rows_of_all_magnitudes_are_put_in_order(logits: bool, top: int) -> None:
    chance = np.random.default_rng(0)
    matrix = chance.permuted(10.0 ** -chance.uniform(0, 60, (8, 400)), axis=1)
    matrix[1] = np.round(matrix[1], 1)  # ties, most of them 0
    matrix[2] = -0.0
    matrix[3, ::2] = -1e-9
    matrix[4] = 0.25
    names = [f"label {k:03}" for k in chance.permutation(400)]
    given = -100 * matrix if logits else matrix
    found = listed(scores_from_matrix(given, names, logits=logits, top=top))
    wanted = likeliest_labels(given, names, logits, top)
    assert [[label for label, _ in row] for row in found] == [[label for label, _ in row] for row in wanted]


def test_blocks_threads_and_iterators_give_the_same(monkeypatch: pytest.MonkeyPatch, even_small_work: None) -> None:
    matrix = np.random.default_rng(1).random((50, 7)).astype(np.float32)
    at_once = scores_from_matrix(matrix, top=3)
    monkeypatch.setattr(score_matrices, "CELLS", 30)
    assert listed(scores_from_matrix(matrix, top=3)) == listed(at_once)
    assert listed(scores_from_matrix(iter([matrix[:20], matrix[20:20], matrix[20:]]), top=3)) == listed(at_once)


@pytest.mark.parametrize(("given_type", "kept"), [("e", "f"), ("f", "f"), ("d", "d"), ("i", "d")])
def test_probabilities_keep_their_precision(given_type: str, kept: str) -> None:
    scores = scores_from_matrix(np.eye(2, dtype=given_type))
    assert scores.lists.probabilities.dtype == np.dtype(kept)


def test_softmax_of_large_logits_is_finite() -> None:
    (row,) = listed(scores_from_matrix(np.array([[60000.0, 59999.0, -60000.0]], np.float16), LABELS, logits=True))
    assert sum(p for _, p in row) == pytest.approx(1.0)


def test_logits_of_float32_are_summed_in_float64() -> None:
    """A million labels alike: added up in float32, the softmax would be off by a per cent or more."""
    scores = scores_from_matrix(np.zeros((1, 1_000_000), np.float32), logits=True)
    assert scores.lists.probabilities[0] == pytest.approx(1e-6, rel=1e-6)


class Tensor:
    """As PyTorch's: no array while it has its gradient, or is on another device."""

    def __init__(self, values: np.ndarray, on_gpu: bool = True, has_gradient: bool = True) -> None:
        self.values, self.on_gpu, self.has_gradient = values, on_gpu, has_gradient
        self.shape, self.dtype = values.shape, values.dtype

    def __getitem__(self, rows: slice) -> "Tensor":
        return Tensor(self.values[rows], self.on_gpu, self.has_gradient)

    def detach(self) -> "Tensor":
        return Tensor(self.values, self.on_gpu, has_gradient=False)

    def cpu(self) -> "Tensor":
        return Tensor(self.values, False, self.has_gradient)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if self.on_gpu or self.has_gradient:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.values


def test_tensors_are_taken_as_they_are() -> None:
    matrix = np.array([[0.7, 0.2, 0.1]], np.float32)
    assert listed(scores_from_matrix(Tensor(matrix), LABELS)) == listed(scores_from_matrix(matrix, LABELS))
    batches: Iterator[Any] = (Tensor(matrix) for _ in range(2))
    assert len(scores_from_matrix(batches, LABELS)) == 2


def test_a_pandas_frame_names_labels_and_observations() -> None:
    frame = pd.DataFrame([[0.1, 0.9]], index=["photo 1"], columns=["Ilex", "Acer"])
    scores = scores_from_matrix(frame)
    assert scores.observation_ids.to_pylist() == ["photo 1"]
    assert listed(scores) == [[("Acer", 0.9), ("Ilex", 0.1)]]


def test_labels_outside_a_space_come_after_it() -> None:
    scores = scores_from_matrix([[0.2, 0.5, 0.3]], ["Ilex", "Acer", "Abies"])
    coded = scores.coded(pa.array(["Acer", "Buxus", "Ilex"]))
    assert coded.names.to_pylist() == ["Acer", "Buxus", "Ilex", "Abies"]
    assert coded.lists.labels.tolist() == [0, 3, 2]
    assert scores.coded(scores.label_names).lists is scores.lists


def test_no_second_matrix_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are converted in blocks, whatever their type."""
    monkeypatch.setattr(score_matrices, "CELLS", 10_000)
    matrix = np.full((4000, 1000), 0.02, np.float16)
    scores_from_matrix(matrix[:1], top=2)
    tracemalloc.start()
    scores_from_matrix(matrix, top=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < matrix.size  # bytes: a fourth of what it takes as float32


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "nan": ([[0.5, np.nan, 0.5]], {}, r"row 0: the score of 'Acer opalus' is NaN; check what the classifier was fed"),
    "above 1": ([[0, 0, 0.5], [1.7, 0, 0]], {}, r"row 1: the probability of 'Quercus robur' is 1.7, outside"),
    "below 0": ([[0, 0, -0.5]], {}, r"row 0: the probability of 'Ilex aquifolium' is -0.5, outside"),
    "infinite": ([[0, 0, np.inf]], {"logits": True}, "row 0: the logit of 'Ilex aquifolium' is infinite"),
    "no logit": ([[-np.inf] * 3], {"logits": True}, "row 0: all logits are -inf"),
    "labels": ([[0.5, 0.5]], {}, "there are 3 labels, but 2 columns; give one for each"),
    "ids": ([[0.2, 0.5, 0.3]], {"observation_ids": [7, 8]}, "there are 2 observation_ids, but 1 rows"),
    "twice": ([[0.1] * 3] * 2, {"observation_ids": [7, 7]}, "7 occurs 2 times among observation_ids"),
    "blank": ([[0.1] * 3], {"labels": ["Acer", " ", "Ilex"]}, r"labels\[1\] is null or blank"),
    "null": ([[0.1] * 3], {"labels": ["Acer", "Ilex", None]}, r"labels\[2\] is null or blank"),
    "same label": ([[0.1] * 3], {"labels": ["Acer", "Ilex", "Acer"]}, "'Acer' occurs 2 times among labels"),
    "widths": (lambda: iter([np.ones((2, 3)), np.ones((2, 2))]), {}, "the matrix from row 2 on has 2 columns, the one"),
    "no matrix": (lambda: iter([]), {}, "the scores have no row"),
    "no column": (np.ones((2, 0)), {"labels": []}, "the scores have no column"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_a_line(name: str) -> None:
    matrix, options, message = BAD[name]
    with pytest.raises(VotesError, match=message) as refused:
        scores_from_matrix(matrix() if callable(matrix) else matrix, **{"labels": LABELS, **options})
    assert "\n" not in str(refused.value)


def test_what_is_no_matrix_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="of 1 dimension: write one with a row an observation, a column a label"):
        scores_from_matrix(np.array([0.5, 0.5]))
    with pytest.raises(TypeError, match="a matrix of numbers is wanted"):
        scores_from_matrix([["a", "b"]])
    with pytest.raises(TypeError, match="labels are of type double: write texts or integers"):
        scores_from_matrix([[0.5, 0.5]], [0.5, 1.5])
    with pytest.raises(ParameterError, match="top is 0 but must be at least 1"):
        scores_from_matrix([[0.5, 0.5]], top=0)


def test_probabilities_that_rounding_put_outside_are_the_nearer_end() -> None:
    assert listed(scores_from_matrix([[1.0000001, -0.0000001]], ["Acer", "Ilex"])) == [[("Acer", 1.0), ("Ilex", 0.0)]]


def test_a_matrix_of_no_rows_has_no_lists() -> None:
    scores = scores_from_matrix(np.ones((0, 3)), LABELS)
    assert (len(scores), scores.label_names.to_pylist()) == (0, sorted(LABELS))
    assert isinstance(scores.lists, ClassifierScores)
