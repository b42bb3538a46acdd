"""A classifier's scores from dense matrices: the probabilities or logits of all labels, a row an observation."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from ..arrays import LabelCodes, Offsets, Probabilities
from ..arrow import fill_null, plain, scalar, to_arrow, to_numpy
from ..classifier_scores import TOLERANCE, ClassifierScores, NamedScores
from ..errors import ParameterError, VotesError, quoted, reason_of
from ..frames import in_words, is_pandas, to_array, whole_numbers, wrong_type

CELLS = 1 << 22  # of a matrix, that are looked at at a time
LONGEST = 100  # labels that are kept of each row

Matrices: TypeAlias = ArrayLike | Iterable[ArrayLike]
"""A matrix, or its rows in several matrices, one after the other."""


def scores_from_matrix(
    matrix: Any,
    labels: Sequence[str] | Sequence[int] | Any = None,
    *,
    observation_ids: Any = None,
    logits: bool = False,
    top: int | None = LONGEST,
) -> NamedScores:
    """A classifier's scores from a matrix: a row an observation, a column a label.

    Args:
        matrix: float16, bfloat16, float32 or float64[n, K] of numpy, or whatever becomes such an array: a tensor of
            PyTorch, of any device and with its gradient or not, or an array of JAX. Or an iterator of such matrices,
            each with further rows, such as ``(model(images) for images in loader)``: then never more than one of
            them is in memory. Or a pandas data frame, whose columns name the labels, and whose index the observations.
        labels: the label of each column, texts or integers. Default: their numbers, from 0.
        observation_ids: the id of each row, texts or integers. Default: their numbers, from 0.
        logits: whether the numbers are logits, of which the softmax is taken, in float64; by default they are
            probabilities, which need not add up to 1.
        top: the labels that are kept of each row, the likeliest ones; a label beyond them has probability 0. None keeps
            all, as the scores ``aps`` and ``raps`` need them. The matrix is never copied as a whole.

    Probabilities outside [0, 1] by no more than 1e-6 are moved to the nearer end. Raises VotesError for NaN, for
    probabilities outside [0, 1], for labels or ids that are null, blank, or occur twice, or are not as many as columns
    or rows; ParameterError if ``top`` is below 1, and TypeError for what is no matrix of numbers.

    >>> import numpy as np
    >>> logits = np.array([[2.0, 1.0, -3.0], [0.0, 0.5, 0.0]])
    >>> scores = scores_from_matrix(logits, ["Quercus robur", "Quercus petraea", "Acer opalus"], logits=True, top=2)
    >>> scores
    NamedScores(2 observations, 3 labels, up to 2 in a list)
    >>> scores.to_arrow()["labels"].to_pylist()
    [['Quercus robur', 'Quercus petraea'], ['Quercus petraea', 'Acer opalus']]
    """
    if top is not None and top < 1:
        raise ParameterError(f"top is {top} but must be at least 1, or None to keep all labels")
    if is_pandas(matrix, "DataFrame"):
        labels = list(matrix.columns) if labels is None else labels
        observation_ids = matrix.index if observation_ids is None else observation_ids
        matrix = matrix.to_numpy()
    blocks = matrix if isinstance(matrix, Iterator) else iter([matrix])
    reader = _Reader(labels, logits, top)
    for block in blocks:
        reader.read(block)
    if reader.names is None:
        raise VotesError("the scores have no row", remedy="check what was predicted")
    offsets, codes, probabilities = reader.lists()
    n = offsets.size - 1
    ids = (
        to_arrow(np.arange(n)) if observation_ids is None else _distinct(observation_ids, "observation_ids", n, "rows")
    )
    return NamedScores(ids, reader.names, ClassifierScores(offsets, codes, probabilities))


class _Part(NamedTuple):
    """The lists of some rows."""

    labels: LabelCodes  # int32[n, top]
    probabilities: Probabilities  # float[n, top]


class _Reader:
    """Keeps the likeliest labels of rows that are read."""

    def __init__(self, labels: Any, logits: bool, top: int | None) -> None:
        self.names: pa.Array | None = None  # in label order, from the first matrix on
        self._labels, self._logits, self._top = labels, logits, top
        self._codes: LabelCodes = np.empty(0, np.int32)  # of each column
        self._parts: list[_Part] = []
        self._n_rows = 0

    def read(self, matrix: Any) -> None:
        """Add the rows of a matrix. Raises VotesError, TypeError."""
        rows_of = matrix if hasattr(matrix, "shape") else np.asarray(matrix)
        if len(rows_of.shape) != 2:
            shown = in_words(matrix)
            if rows_of.shape:
                shown += f" of {len(rows_of.shape)} dimension{'s' * (len(rows_of.shape) != 1)}"
            raise TypeError(f"a matrix is wanted, not {shown}: write one with a row an observation, a column a label")
        n_rows, n_labels = map(int, rows_of.shape)
        self._name_columns(n_labels)
        rows = max(CELLS // max(n_labels, 1), 1)
        for start in range(0, n_rows, rows):
            self._keep(_numbers(rows_of[start : start + rows]))

    def lists(self) -> tuple[Offsets, LabelCodes, Probabilities]:
        """Offsets, labels and probabilities of all rows."""
        labels = np.concatenate([part.labels for part in self._parts] or [np.empty((0, 1), np.int32)])
        probabilities = np.concatenate([part.probabilities for part in self._parts] or [np.empty((0, 1))])
        offsets = np.arange(labels.shape[0] + 1, dtype=np.int64) * labels.shape[1]
        return offsets, labels.reshape(-1), probabilities.reshape(-1)

    def _name_columns(self, n_labels: int) -> None:
        """Put the labels in order, or check that another matrix has as many columns. Raises VotesError."""
        if self.names is not None:
            if n_labels != self._codes.size:
                fault = f"the matrix from row {self._n_rows:,} on has {n_labels:,} columns"
                raise VotesError(f"{fault}, the one before {self._codes.size:,}")
            return
        if n_labels == 0:
            raise VotesError("the scores have no column", remedy="give a matrix with a column for each label")
        given = to_arrow(np.arange(n_labels)) if self._labels is None else self._labels
        names = _distinct(given, "labels", n_labels, "columns")
        order = to_numpy(pc.sort_indices(names)).astype(np.int64)
        self.names = names.take(to_arrow(order))
        self._codes = np.empty(n_labels, np.int32)
        self._codes[order] = np.arange(n_labels, dtype=np.int32)

    def _keep(self, block: Probabilities) -> None:
        """Add the likeliest labels of the rows of a block. Raises VotesError."""
        from ..kernels.label_lists import likeliest
        from ..kernels.threads import kernels_side_by_side, one_part_per_thread

        n_rows, n_labels = block.shape
        top = n_labels if self._top is None else min(self._top, n_labels)
        part = _Part(np.empty((n_rows, top), np.int32), np.empty((n_rows, top), block.dtype))
        faults = np.empty(n_rows, np.uint8)
        arguments = block, self._codes, self._logits, TOLERANCE, *part, faults
        edges = [(a // n_labels, b // n_labels) for a, b in one_part_per_thread(block.size)]
        kernels_side_by_side(*(partial(likeliest, first, last, *arguments) for first, last in edges))
        if faults.any():
            row = int(np.flatnonzero(faults)[0])
            self._refuse(block, row, int(faults[row]))
        self._parts.append(part)
        self._n_rows += n_rows

    def _refuse(self, block: Probabilities, row: int, fault: int) -> None:
        """Raise VotesError for a row that cannot be used."""
        from ..kernels.label_lists import INFINITE, NAN, NOTHING, OUTSIDE

        where, values = f"row {self._n_rows + row:,}", block[row]
        outside = (values < -TOLERANCE) | (values > 1 + TOLERANCE)
        are_bad = {NAN: np.isnan(values), OUTSIDE: outside, INFINITE: np.isinf(values), NOTHING: np.isinf(values)}
        column = int(np.flatnonzero(are_bad[fault])[0])
        assert self.names is not None
        label, value = quoted(self.names[int(self._codes[column])].as_py()), float(values[column])
        what, remedy = {
            NAN: (f"the score of {label} is NaN", "check what the classifier was fed"),
            OUTSIDE: (f"the probability of {label} is {value:g}, outside [0, 1]", "write logits=True if it is a logit"),
            INFINITE: (f"the logit of {label} is infinite", "check what the classifier was fed"),
            NOTHING: ("all logits are -inf", "give at least one label a finite logit"),
        }[fault]
        raise VotesError(what, where=where, remedy=remedy)


def _numbers(matrix: Any) -> Probabilities:
    """Rows of numbers as a contiguous array of float32 or float64. Raises TypeError."""
    for method in ("detach", "cpu"):  # of tensors of PyTorch, which is not imported for it
        if callable(getattr(matrix, method, None)):
            matrix = getattr(matrix, method)()
    if str(getattr(matrix, "dtype", "")) == "torch.bfloat16":
        matrix = matrix.float()
    try:
        values = np.asarray(matrix)
    except (ValueError, TypeError, RuntimeError) as error:
        raise TypeError(f"{in_words(matrix)} cannot be read as a matrix ({reason_of(error)})") from error
    if values.dtype.name == "bfloat16":  # of JAX
        values = values.astype(np.float32)
    if values.dtype.kind not in "fiu":
        raise wrong_type("a matrix of numbers", matrix, "an array of probabilities, or of logits with logits=True")
    if values.dtype in (np.float16, np.float32):
        return np.ascontiguousarray(values, np.float32)
    return np.ascontiguousarray(values, np.float64)


def _distinct(given: Any, name: str, n: int, things: str) -> pa.Array:
    """Names or ids, as integers or strings. Raises VotesError unless there are ``n``, known and distinct."""
    try:
        values = whole_numbers(plain(to_array(given)))
    except (ValueError, TypeError, OverflowError, NotImplementedError) as error:
        raise TypeError(f"{name} cannot be read ({reason_of(error)}): write a list of texts, or of integers") from error
    if pa.types.is_large_string(values.type):
        values = values.cast(pa.string())
    if not (pa.types.is_string(values.type) or pa.types.is_integer(values.type)):
        raise TypeError(f"{name} are of type {values.type}: write texts or integers")
    if len(values) != n:
        raise VotesError(f"there are {len(values):,} {name}, but {n:,} {things}", remedy="give one for each")
    missing = to_numpy(values.is_null())
    if pa.types.is_string(values.type):
        missing = missing | to_numpy(fill_null(pc.equal(pc.utf8_trim_whitespace(values), scalar("")), False))
    if missing.any():
        raise VotesError(f"{name}[{np.flatnonzero(missing)[0]}] is null or blank")
    if pc.count_distinct(values).as_py() < n:
        twice = next(item for item in values.value_counts().to_pylist() if item["counts"] > 1)
        raise VotesError(f"{quoted(twice['values'])} occurs {twice['counts']} times among {name}")
    return values
