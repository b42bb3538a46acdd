"""Reads a classifier's training scores from Parquet files, streamed as score lists."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Bytes, Counts, Flags, Indices, LabelCodes, Probabilities
from ..arrow import fill_null, scalar, to_arrow, to_numpy
from ..errors import VotesError, on_one_line
from ..files.parquet import (
    BATCH_ROWS,
    CheckedFile,
    check_files,
    items_per_row,
    open_parquet,
    origin_of,
    readable,
    stream,
)
from ..files.sources import Paths, Source, find_sources, path_list
from ..ids.lookup import IdIndex, LabelIndex
from ..ids.text_faults import NOT_UTF8, TOO_LONG, checked
from ..kernels.scores import ID_NOT_UTF8, LONG_ID, NO_LIST, NULL_EPOCH, NULL_ID, OVERLONG, UNREADABLE, WIDE_EPOCH
from ..schema import SCORE_LISTS, SCORE_ROWS
from ..score_lists import ScoreLists
from .decimals import are_scores, as_decimals, in_range

ITEMS = 1 << 21  # approximate number of labels decoded at a time: bounds memory when the lists are long
SUM_SLACK = 1e-6  # tolerance of a sum of probabilities: float32 rounds by that much, float16 by more

if TYPE_CHECKING:
    from ..taxon_names.cleaner import NameCleaner

MAP_SCORE_NAMES = "map names with --score-column COLUMN=NAME"


@dataclass(frozen=True)
class ScoreFiles:
    """Files of scores in one layout, whose columns were checked."""

    files: tuple[CheckedFile, ...]
    is_long: bool  # whether each label has a row, instead of lists

    @property
    def has_epochs(self) -> bool:
        """Whether the files have a column of epochs; without it all scores are of one epoch."""
        return "epoch" in self.files[0].types

    @property
    def id_type(self) -> pa.DataType:
        """The type of the ids of observations."""
        return self.files[0].types["observation_id"]

    @property
    def label_type(self) -> pa.DataType:
        """The type of the labels."""
        return self.files[0].types["label"] if self.is_long else self.files[0].types["labels"].value_type

    @property
    def rows(self) -> int:
        """Number of rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def origin(self) -> str:
        """A short name for all files, for messages."""
        return origin_of(self.files)


def check_scores(
    paths: Paths,
    ids: pa.DataType | None,
    labels_type: pa.DataType | None,
    renamed: Mapping[str, str],
    others: str = "the votes",
) -> ScoreFiles:
    """Find the files of scores and check their columns, in the layout that the first file has.

    Tables: ``schema.SCORE_LISTS`` and ``SCORE_ROWS``. ``ids`` and ``labels_type``: types in ``others``, None for
    any. Raises VotesError if a file cannot be read, a column is missing or has a wrong type, also if it differs from
    these, or only some files have epochs.
    """
    sources = find_sources(path_list(paths))
    is_long = _is_long(sources, renamed)
    table = SCORE_ROWS if is_long else SCORE_LISTS
    labels = "label" if is_long else "labels"
    known = {column.name for column in table}
    ours = {name: theirs for name, theirs in renamed.items() if name in known}
    files = check_files(sources, table, ours, as_dictionary=(labels,), remedy=MAP_SCORE_NAMES)
    for file in files:
        label_type = file.types[labels] if is_long else file.types[labels].value_type
        for column, theirs, wanted in (
            ("observation_id", file.types["observation_id"], ids),
            (labels, label_type, labels_type),
        ):
            if wanted is not None and pa.types.is_integer(theirs) != pa.types.is_integer(wanted):
                raise VotesError(
                    f"column {ours.get(column, column)!r} holds values of type {theirs}, but {wanted} in {others}",
                    where=file.source.path,
                    remedy=f"write it with the type of {others}",
                )
    _check_epochs(files, renamed.get("epoch", "epoch"))
    return ScoreFiles(tuple(files), is_long)


def _check_epochs(files: Sequence[CheckedFile], name: str) -> None:
    """Raise VotesError if some files have epochs, and others do not."""
    having = [file for file in files if "epoch" in file.types]
    lacking = [file for file in files if "epoch" not in file.types]
    if having and lacking:
        raise VotesError(
            f"column {name!r} is missing, but {on_one_line(having[0].source.path)} has it",
            where=lacking[0].source.path,
            remedy="write it to all files, or, for the scores of one epoch, to none",
        )


def _is_long(sources: Sequence[Source], renamed: Mapping[str, str]) -> bool:
    """Whether files have a row for each label, by the first that has either layout. Raises VotesError if none has."""
    layouts = ((False, ("labels", "probabilities")), (True, ("label", "probability")))
    in_file = [renamed.get(column, column) for _, columns in layouts for column in columns]
    first: list[str] = []
    for source in sources:
        with open_parquet(source, in_file) as file:
            names = file.schema_arrow.names
        for is_long, columns in layouts:
            if any(renamed.get(column, column) in names for column in columns):
                return is_long
        first = first or names
    have = ", ".join(repr(name) for name in sorted(first)[:12])
    raise VotesError(
        f"holds neither lists 'labels' and 'probabilities' nor columns 'label' and 'probability'; it has {have}",
        where=sources[0].path,
        remedy=MAP_SCORE_NAMES,
    )


def score_lists(
    scores: ScoreFiles, observation_ids: pa.Array, label_names: pa.Array, cleaner: "NameCleaner | None" = None
) -> Iterator[ScoreLists]:
    """The score lists of all files, in order, in batches.

    ``cleaner`` cleans labels; the probabilities of those that become the same are added up.
    """
    lists = lists_of_files(scores, IdIndex(observation_ids), LabelNumbers(label_names, cleaner))
    yield from lists if cleaner is None else map(_merged, lists)


class NumbersIds(Protocol):
    """Numbers the ids of observations."""

    def codes_of(self, ids: pa.Array) -> Counts:
        """The number of each id, int32; -1 for one that is not wanted."""


def lists_of_files(scores: ScoreFiles, id_index: NumbersIds, label_index: "LabelNumbers") -> Iterator[ScoreLists]:
    """The score lists of all files, in order, in batches, with numbers for ids and labels."""
    if scores.is_long:
        yield from _from_rows(scores, id_index, label_index)
        return
    for file in scores.files:
        per_row = max(items_per_row(file, column) for column in ("labels", "probabilities"))
        row, n_rows = 0, min(max(ITEMS // max(per_row, 1), 1), BATCH_ROWS)
        for batch in stream(file, [column.name for column in SCORE_LISTS], n_rows):
            with readable(file.source.path):
                yield _from_lists(batch, id_index, label_index, file.source.path, row, scores.has_epochs)
            row += batch.num_rows


def _from_lists(
    batch: pa.RecordBatch, id_index: NumbersIds, label_index: "LabelNumbers", path: str, row: int, has_epochs: bool
) -> ScoreLists:
    """The lists of a batch of one list a row; it begins at ``row`` of the file."""
    names, shares = (as_list(batch.column(name)) for name in ("labels", "probabilities"))
    observations, epochs, faults = _heads(batch, id_index)
    no_list = to_numpy(pc.or_(names.is_null(), shares.is_null()))
    faults[(faults == 0) & no_list] = NO_LIST
    (label_offsets, label_values), (offsets, values) = items_of(names), items_of(shares)
    heads = observations, epochs, faults, label_offsets, label_index.codes_of(label_values), offsets
    rows = np.arange(row, row + batch.num_rows)
    return ScoreLists(*heads, *probabilities_of(values), len(label_index), path, rows, has_epochs)


def _from_rows(scores: ScoreFiles, id_index: NumbersIds, label_index: "LabelNumbers") -> Iterator[ScoreLists]:
    """The lists of files with a row for each label: neighbours of one observation and epoch, also across files."""
    head = ["observation_id", "epoch"] if scores.has_epochs else ["observation_id"]
    grouping = _ListAssembler(head)
    for file in scores.files:
        row = 0
        for batch in stream(file, [column.name for column in SCORE_ROWS]):
            if batch.num_rows == 0:
                continue
            with readable(file.source.path):
                begins = grouping.begins(batch)
                heads = _heads(batch.select(head).filter(to_arrow(begins)), id_index)
                labels = label_index.codes_of(batch.column("label"))
                shares = probabilities_of(batch.column("probability"))
            starts = np.flatnonzero(begins)
            offsets = np.append(starts, begins.size)
            n_labels, path = len(label_index), file.source.path
            rows, has_epochs = starts + row, scores.has_epochs
            lists = ScoreLists(*heads, offsets, labels, offsets, *shares, n_labels, path, rows, has_epochs)
            yield from grouping.complete(lists)
            row += batch.num_rows
    if grouping.unfinished is not None:
        yield grouping.unfinished


class _ListAssembler:
    """Joins the rows of one list, which are equal in the columns ``head``; holds back the last until it is complete."""

    def __init__(self, head: Sequence[str]) -> None:
        self._head = list(head)
        self.unfinished: ScoreLists | None = None
        self._last: pa.RecordBatch | None = None

    def begins(self, batch: pa.RecordBatch) -> Flags:
        """Which rows begin a list: observation or epoch differ from the row before, in this batch or the last."""
        heads = batch.select(self._head)
        before = heads.slice(0, batch.num_rows - 1)
        begins = np.zeros(batch.num_rows, np.bool_)
        for column in self._head:
            begins[1:] |= _differ(heads.column(column).slice(1), before.column(column))
            if self._last is None:
                begins[0] = True
            else:
                begins[0] |= _differ(heads.column(column).slice(0, 1), self._last.column(column))[0]
        self._last = heads.slice(batch.num_rows - 1)
        return begins

    def complete(self, lists: ScoreLists) -> Iterator[ScoreLists]:
        """The lists that are complete, of the one held back and those of the next batch."""
        held = self.unfinished
        together = lists if held is None else _joined(held, lists)
        first, last = 0, len(together) - 1
        self.unfinished = _slice(together, last, last + 1)
        if held is not None and held.path != lists.path:  # a list belongs to the file where it begins
            if last == 0:
                self.unfinished = replace(self.unfinished, path=held.path)
            else:
                first = 1
                yield replace(_slice(together, 0, 1), path=held.path)
        if last > first:
            yield _slice(together, first, last)


def _joined(held: ScoreLists, lists: ScoreLists) -> ScoreLists:
    """One list that is held back and those after it, whose first items belong to it if no list begins at once."""
    size = held.labels.size
    offsets = np.concatenate([[0], (lists.label_offsets + size)])
    names = ("observations", "epochs", "faults", "labels", "probabilities", "rows")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(held, name), getattr(lists, name)]) for name in names}
    slack = max(held.slack, lists.slack)
    return replace(lists, label_offsets=offsets, probability_offsets=offsets, slack=slack, **arrays)


def _slice(lists: ScoreLists, first: int, last: int) -> ScoreLists:
    start, stop = lists.label_offsets[first], lists.label_offsets[last]
    offsets = lists.label_offsets[first : last + 1] - start
    arrays: dict[str, Any] = {
        name: getattr(lists, name)[first:last] for name in ("observations", "epochs", "faults", "rows")
    }
    arrays |= {name: getattr(lists, name)[start:stop] for name in ("labels", "probabilities")}
    return replace(lists, label_offsets=offsets, probability_offsets=offsets, **arrays)


def _differ(values: pa.Array, others: pa.Array) -> Flags:
    """Which values differ; null equals null."""
    different = fill_null(pc.not_equal(values, others), False)
    return to_numpy(pc.or_(different, pc.xor(values.is_null(), others.is_null())))


def _heads(batch: pa.RecordBatch, id_index: NumbersIds) -> tuple[Counts, Indices, Bytes]:
    """Each row's observation code int32, epoch int64 (0 if there are none), and fault uint8."""
    observation_ids = batch.column("observation_id")
    has_epochs = "epoch" in batch.schema.names
    epochs = batch.column("epoch") if has_epochs else to_arrow(np.zeros(batch.num_rows, np.int64))
    faults = np.zeros(batch.num_rows, np.uint8)
    if epochs.type == pa.uint64():
        wide = to_numpy(epochs, null=0) > np.iinfo(np.int64).max
        if wide.any():
            faults[wide] = WIDE_EPOCH
            epochs = pc.if_else(to_arrow(wide), scalar(0, epochs.type), epochs)
    if epochs.null_count:
        faults[to_numpy(epochs.is_null())] = NULL_EPOCH
        epochs = fill_null(epochs, 0)
    sound, of_texts = checked(observation_ids)
    if of_texts is not None:
        faults[of_texts == NOT_UTF8] = ID_NOT_UTF8
        faults[of_texts == TOO_LONG] = LONG_ID
    if observation_ids.null_count:
        faults[to_numpy(observation_ids.is_null())] = NULL_ID
    if pa.types.is_string(observation_ids.type):
        blank = fill_null(pc.equal(pc.binary_length(observation_ids), scalar(0)), False)
        faults[to_numpy(blank)] = NULL_ID
    return id_index.codes_of(sound), to_numpy(epochs.cast(pa.int64())), faults


class LabelNumbers:
    """Numbers labels as :class:`LabelIndex`, after they were checked and perhaps cleaned."""

    def __init__(self, names: pa.Array, cleaner: "NameCleaner | None") -> None:
        self._index = LabelIndex(names)
        self._cleaner = cleaner

    def __len__(self) -> int:
        return len(self._index)

    @property
    def names(self) -> pa.Array:
        """The label of each number."""
        return self._index.names

    def codes_of(self, labels: pa.Array) -> LabelCodes:
        """The number of each label, int32, or its fault: see ``kernels.scores``."""
        sound, faults = checked(labels)
        codes = self._index.codes_of(sound if self._cleaner is None else self._cleaner.clean(sound, keep_refused=True))
        if faults is None:
            return codes
        return np.select([faults == NOT_UTF8, faults == TOO_LONG], [UNREADABLE, OVERLONG], codes).astype(np.int32)


def _merged(lists: ScoreLists) -> ScoreLists:
    """Lists in which each label stands once, with the sum of its probabilities."""
    from ..taxon_names.lists import merged_items

    if not np.array_equal(lists.label_offsets, lists.probability_offsets):
        return lists
    merged = merged_items(lists.label_offsets, lists.labels, lists.probabilities)
    if merged is None:
        return lists
    offsets, labels = merged.offsets, lists.labels[merged.items]
    new: dict[str, Any] = {"labels": labels, "probabilities": merged.probabilities}
    return replace(lists, label_offsets=offsets, probability_offsets=offsets, **new)


def as_list(column: pa.Array) -> pa.Array:
    """Lists of any kind as those with offsets of 32 bits."""
    return column if pa.types.is_list(column.type) else column.cast(pa.list_(column.type.value_type))


def items_of(lists: pa.Array) -> tuple[Indices, pa.Array]:
    """Where the items of each list begin, int64[n + 1], and the items of all; a null list may have some."""
    offsets = to_numpy(lists.offsets).astype(np.int64)
    return offsets - offsets[0], lists.values.slice(offsets[0], offsets[-1] - offsets[0])


def probabilities_of(values: pa.Array) -> tuple[Probabilities, float]:
    """Probabilities as float32 or float64, NaN for null; and the tolerance of their sum.

    Those outside [0, 1] by no more than TOLERANCE are moved to the nearer end.
    """
    slack = SUM_SLACK
    if pa.types.is_float16(values.type):
        probabilities: Probabilities = as_decimals(to_numpy(values, null=np.nan))
        slack = float(np.finfo(np.float16).eps)
    else:
        if values.type not in (pa.float32(), pa.float64()):
            values = values.cast(pa.float64(), safe=False)
        probabilities = to_numpy(values, null=np.nan)
    return (probabilities if are_scores(probabilities).all() else in_range(probabilities)), slack
