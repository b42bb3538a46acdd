"""Reads a classifier's label lists from Parquet files, each with the id of its observation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Counts, Indices
from ..arrow import plain, to_arrow, to_numpy
from ..classifier_scores import ClassifierScores, NamedScores
from ..conversion.inputs import InputFile, fingerprinted
from ..errors import VotesError, quoted
from ..files.prefetch import prefetched
from ..files.sources import Paths
from ..frames import IN_MEMORY
from ..score_lists import FAULTS, ScoreLists
from ..truth import Truth, check_kinds
from .score_lists import LabelNumbers, ScoreFiles, check_scores, lists_of_files

NO_NUMBER = "a probability is null or NaN"

AHEAD = 2  # batches of lists read ahead


@dataclass(eq=False)
class ScoreReader:
    """Streams the label lists of files, whose layout was checked; labels are numbered from given names on.

    Labels that are not among these names get the numbers after theirs, in the order in which they appear. A list that
    cannot be used, and an observation that has two, is an error.
    """

    files: ScoreFiles
    names: pa.Array
    """Names of labels in label order; may be empty."""
    _ids: list[pa.Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._labels = LabelNumbers(self.names, None)
        self._last_seen: Indices = np.zeros(len(self.names), np.int64)
        self._serial = 0

    @classmethod
    def of(cls, paths: Paths, names: pa.Array | None = None, columns: Mapping[str, str] | None = None) -> "ScoreReader":
        """Find the files of scores and check their columns. Raises VotesError."""
        files = check_scores(paths, None, None if names is None else names.type, columns or {}, "the model")
        return cls(files, pa.array([], files.label_type) if names is None else names)

    @property
    def label_names(self) -> pa.Array:
        """The names of all numbers so far."""
        return self._labels.names

    def batches(self) -> Iterator["ScoreBatch"]:
        """The label lists of all files, in order; some are read ahead. Raises VotesError."""
        with prefetched(self._with_ids(), AHEAD) as read:
            for lists, ids in read:
                yield self._checked(lists, ids)
        for file in self.files.files:
            file.source.check_unchanged()
        self._check_distinct()

    def _with_ids(self) -> Iterator[tuple[ScoreLists, pa.Array]]:
        ids = _RowNumbers()
        for lists in lists_of_files(self.files, ids, self._labels):
            if len(lists):
                yield lists, ids.taken(lists.observations)

    def _checked(self, lists: ScoreLists, ids: pa.Array) -> "ScoreBatch":
        """The lists, after each was found usable. Raises VotesError."""
        from ..kernels import scores as kernels

        if lists.n_labels > self._last_seen.size:
            self._last_seen = np.append(self._last_seen, np.zeros(lists.n_labels - self._last_seen.size, np.int64))
        faults = lists.faults.copy()
        arrays = lists.label_offsets, lists.labels, lists.probability_offsets, lists.probabilities
        checked = kernels.Lists(lists.observations, faults, *arrays, np.empty(len(lists)))
        self._serial = kernels.validate_lists(checked, self._last_seen, self._serial, False)
        if faults.any():
            place = int(np.flatnonzero(faults)[0])
            row, fault = int(lists.rows[place]), FAULTS[int(faults[place])]
            fault = NO_NUMBER if fault == FAULTS[kernels.NULL_PROBABILITY] else fault
            of = "" if ids[place].as_py() in (None, "") else f" of observation {quoted(ids[place].as_py())}"
            raise VotesError(
                f"the list{of}, in row {row:,}, cannot be used: {fault}",
                where=lists.path,
                remedy="leave such rows out, or write them anew",
            )
        first = lists.label_offsets[0]
        offsets = lists.label_offsets - first
        items = slice(first, lists.label_offsets[-1])
        of_probabilities = slice(lists.probability_offsets[0], lists.probability_offsets[-1])
        self._ids.append(ids)
        scores = ClassifierScores(offsets, lists.labels[items], lists.probabilities[of_probabilities])
        return ScoreBatch(ids, scores, lists.n_labels)

    def _check_distinct(self) -> None:
        """Raise VotesError if an observation has two lists."""
        ids = pa.chunked_array(self._ids, self.files.id_type)
        if pc.count_distinct(ids).as_py() == len(ids):
            return
        twice = next(item["values"] for item in ids.value_counts().to_pylist() if item["counts"] > 1)
        remedy = "leave one row of each observation"
        if self.files.has_epochs:
            remedy += ", that of the last epoch"
        raise VotesError(f"observation {quoted(twice)} has more than one list", where=self.files.origin, remedy=remedy)


@dataclass(frozen=True, eq=False)
class ScoreBatch:
    """Some label lists and the ids of their observations."""

    observation_ids: pa.Array
    scores: ClassifierScores
    n_labels: int  # upper bound of the numbers of labels so far, exclusive


@dataclass(frozen=True, eq=False)
class KnownScores:
    """The label lists of observations whose true label is known."""

    scores: NamedScores
    """``label_names`` are all labels that any list of the files has, and all true labels."""
    truth: Counts
    """int32[n]; the position of each true label in these names."""
    rows: Indices
    """int64[n]; which row of the truth each is of."""
    n_lists: int
    """Lists that were read, of any observation."""
    never_listed: pa.Array
    """True labels that no list has, of any observation."""
    origin: str
    """Names the lists' source in messages."""
    truth_origin: str
    """Names that of the truth."""
    inputs: tuple[InputFile, ...] = ()
    """The files that were read; none for lists in memory."""

    def __len__(self) -> int:
        return len(self.scores)

    def coded(self, names: pa.Array) -> "KnownScores":
        """The same with other names of labels, which have all of these."""
        if names.equals(self.scores.label_names):
            return self
        codes = to_numpy(pc.index_in(self.scores.label_names, value_set=names)).astype(np.int32)
        lists = self.scores.lists
        coded = ClassifierScores(lists.offsets, codes[lists.labels], lists.probabilities)
        return replace(self, scores=NamedScores(self.scores.observation_ids, names, coded), truth=codes[self.truth])


def scores_with_truth(
    paths: Paths, truth: Truth, *, columns: Mapping[str, str] | None = None, names: pa.Array | None = None
) -> KnownScores:
    """Read the label lists of the observations whose true label is known.

    ``names``: names of labels, in label order, which come first in ``label_names`` if they are given: those of a model.
    Otherwise all names are in label order. Raises VotesError if a file or list cannot be used, ids or labels are of
    other types than in the truth, or no observation of the truth has a list.
    """
    files = check_scores(paths, truth.observation_ids.type, truth.labels.type, columns or {}, truth.origin)
    _check_model(names, files.label_type, files.origin)
    reader = ScoreReader(files, pa.array([], files.label_type) if names is None else names.cast(files.label_type))
    joined = _Joined(truth)
    with fingerprinted([file.source for file in files.files]) as fingerprints:
        for batch in reader.batches():
            joined.add(batch.observation_ids, batch.scores)
        inputs = fingerprints.files()
    return replace(joined.known(reader.label_names.cast(files.label_type), names, files.origin), inputs=inputs)


def scores_in_memory(scores: NamedScores, truth: Truth, names: pa.Array | None = None) -> KnownScores:
    """As :func:`scores_with_truth`, of label lists in memory."""
    check_kinds(truth, scores.observation_ids.type, scores.label_names.type, "the scores")
    _check_model(names, scores.label_names.type, IN_MEMORY)
    joined = _Joined(truth)
    joined.add(scores.observation_ids, scores.lists)
    return joined.known(scores.label_names, names, IN_MEMORY)


def _check_model(names: pa.Array | None, labels: pa.DataType, origin: str) -> None:
    """Raise VotesError unless the labels of a model, if there is one, and those of scores are texts, or integers."""
    if names is not None and pa.types.is_integer(names.type) != pa.types.is_integer(labels):
        what = f"labels are of type {labels}, but {names.type} in the model of prediction sets"
        raise VotesError(what, where=origin, remedy="fit a model on scores with such labels")


class _Joined:
    """The label lists of the observations of a truth."""

    def __init__(self, truth: Truth) -> None:
        from ..ids.lookup import IdIndex

        self._truth = truth
        self._order = to_numpy(pc.sort_indices(truth.observation_ids)).astype(np.int64)
        self._index = IdIndex(truth.observation_ids.take(to_arrow(self._order)))
        self._ids: list[pa.Array] = []
        self._parts: list[ClassifierScores] = []
        self._rows: list[Indices] = []
        self._n_lists = 0

    def add(self, ids: pa.Array, lists: ClassifierScores) -> None:
        """Keep those of the lists whose observation is in the truth."""
        places = self._index.codes_of(ids)
        known = places >= 0
        self._n_lists += len(lists)
        if known.any():
            self._ids.append(ids.filter(to_arrow(known)))
            self._parts.append(lists.only(known))
            self._rows.append(self._order[places[known]])

    def known(self, listed: pa.Array, first: pa.Array | None, origin: str) -> KnownScores:
        """The lists that were kept; ``listed`` are the names of their labels. Raises VotesError if there are none."""
        truth = self._truth
        if not self._parts:
            raise VotesError(
                f"has none of the {len(truth):,} observations of {truth.origin}",
                where=origin,
                remedy="see that both use the same ids",
            )
        rows = np.concatenate(self._rows)
        labels = truth.labels.take(to_arrow(rows)).cast(listed.type)
        names, codes = _in_label_order(listed, labels, first)
        parts, self._parts = self._parts, []
        scores = NamedScores(plain(pa.chunked_array(self._ids)), names, _one_after_the_other(parts, codes))
        distinct = pc.unique(labels)
        never = distinct.filter(pc.invert(pc.is_in(distinct, value_set=listed)))
        position = to_numpy(pc.index_in(labels, value_set=names)).astype(np.int32)
        return KnownScores(scores, position, rows, self._n_lists, never, origin, truth.origin)


def _in_label_order(listed: pa.Array, labels: pa.Array, first: pa.Array | None) -> tuple[pa.Array, Counts]:
    """The names of all labels, and the position among these of each of ``listed``: int32.

    Names of ``first`` come first, the others in label order.
    """
    known = pa.array([], listed.type) if first is None else first.cast(listed.type)
    every = pc.unique(pa.chunked_array([listed, labels]))
    others = every.filter(pc.invert(pc.is_in(every, value_set=known)))
    others = others.take(pc.sort_indices(others))
    names = pa.concat_arrays([known, others])
    return names, to_numpy(pc.index_in(listed, value_set=names)).astype(np.int32)


def _one_after_the_other(parts: list[ClassifierScores], codes: Counts) -> ClassifierScores:
    """Lists one after the other, with ``codes`` for their labels; empties ``parts``, to take memory for one copy."""
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    labels = np.empty(offsets[-1], np.int32)
    probabilities = np.empty(offsets[-1], np.result_type(*{part.probabilities.dtype for part in parts}))
    end = labels.size
    while parts:
        part = parts.pop()
        start = end - part.labels.size
        labels[start:end], probabilities[start:end] = codes[part.labels], part.probabilities
        end = start
    return ClassifierScores(offsets, labels, probabilities)


class _RowNumbers:
    """Numbers rows instead of looking their ids up, and keeps the ids for :meth:`taken`."""

    def __init__(self) -> None:
        self._kept: list[pa.Array] = []
        self._first = self._next = 0

    def codes_of(self, ids: pa.Array) -> Counts:
        """The numbers of some rows, int32."""
        self._kept.append(plain(ids))
        self._next += len(ids)
        return np.arange(self._next - len(ids), self._next, dtype=np.int32)

    def taken(self, numbers: Counts) -> pa.Array:
        """The ids of rows, in order; those of rows before are forgotten."""
        if not numbers.size:
            return self._kept[0].slice(0, 0)
        ids = self._kept[0] if len(self._kept) == 1 else pa.concat_arrays(self._kept)
        start = int(numbers[0]) - self._first
        stop = int(numbers[-1]) + 1
        self._kept, taken = [ids.slice(stop - self._first)], ids.slice(start, numbers.size)
        self._first = stop
        return taken
