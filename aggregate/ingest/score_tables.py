"""A classifier's scores from tables in memory: a row for each observation with lists, or a row for each label."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Flags, LabelCodes, Offsets, Probabilities
from ..arrow import fill_null, plain, scalar, to_arrow, to_numpy
from ..classifier_scores import ClassifierScores, NamedScores
from ..errors import VotesError, quoted
from ..files.parquet import batches_of_table
from ..frames import IN_MEMORY, Frame, check_columns, is_frame, to_table, wrong_type
from ..schema import SCORE_LISTS, SCORE_ROWS, Table
from .decimals import are_scores
from .score_lists import as_list, items_of, probabilities_of

LISTS: Table = tuple(column for column in SCORE_LISTS if not column.optional)
ROWS: Table = tuple(column for column in SCORE_ROWS if not column.optional)


class _Items(NamedTuple):
    """Labels and probabilities of all lists, one list after the other."""

    ids: pa.Array  # the observation of each list
    offsets: Offsets
    labels: pa.Array
    probabilities: pa.Array

    def refuse(self, faulty: Flags, what: str) -> None:
        """Raise VotesError, naming the first observation, if an item is ``faulty``, bool[items]."""
        if faulty.any():
            row = int(np.searchsorted(self.offsets, np.flatnonzero(faulty)[0], side="right")) - 1
            raise VotesError(f"{what} of observation {quoted(self.ids[row].as_py())}", where=IN_MEMORY)


def scores_from_table(table: Frame, *, columns: Mapping[str, str] | None = None) -> NamedScores:
    """A classifier's scores from a table in memory.

    The table has a row for each observation, with the columns ``observation_id``, ``labels`` and ``probabilities``,
    both lists; or a row for each label, with ``observation_id``, ``label`` and ``probability``, in any order.
    ``columns`` maps these to its own names. Lists may be truncated: labels beyond have probability 0. Probabilities
    need not add up to 1; those outside [0, 1] by no more than 1e-6 are moved to the nearer end.

    Raises VotesError for an id, label or probability that is null, lists of different lengths, a probability that is
    NaN or outside [0, 1], a label that a list has twice, or an observation with two lists; TypeError for what is no
    frame.

    >>> rows = {"observation_id": [7, 7, 9], "label": ["Acer", "Ilex", "Acer"], "probability": [0.7, 0.2, 0.9]}
    >>> scores_from_table(rows)
    NamedScores(2 observations, 2 labels, up to 2 in a list)
    """
    check_columns(columns)
    if not is_frame(table):
        raise wrong_type(
            "a frame", table, "a data frame with lists of labels and probabilities, or a row for each label"
        )
    given = columns or {}
    whole = to_table(table)
    layouts = [
        {given.get(name, name) for name in names} for names in (("labels", "probabilities"), ("label", "probability"))
    ]
    has_lists, has_rows = (not names.isdisjoint(whole.column_names) for names in layouts)
    wanted = ROWS if has_rows and not has_lists else LISTS
    names_of = {column.name: given[column.name] for column in wanted if column.name in given}
    _, batches = batches_of_table(to_table(whole, wanted, names_of), wanted)
    parts = pa.Table.from_batches(list(batches))
    _refuse_rows(_blank(plain(parts["observation_id"])), "observation_id is null or blank")
    items = _from_rows(parts) if wanted is ROWS else _from_lists(parts)
    names, codes = _encoded(items)
    lists = ClassifierScores(items.offsets, codes, _probabilities(items))
    _refuse_repeated(lists, names, items.ids)
    return NamedScores(items.ids, names, lists)


def _from_lists(parts: pa.Table) -> _Items:
    ids = plain(parts["observation_id"])
    labels, shares = (as_list(plain(parts[name])) for name in ("labels", "probabilities"))
    for name, lists in (("labels", labels), ("probabilities", shares)):
        _refuse_rows(to_numpy(lists.is_null()), f"the list of {name} is null")
    counts = pc.value_counts(ids)
    times = to_numpy(counts.field("counts"))
    if (times > 1).any():
        first = int(np.flatnonzero(times > 1)[0])
        raise VotesError(
            f"observation {quoted(counts.field('values')[first].as_py())} has {times[first]:,} rows",
            where=IN_MEMORY,
            remedy="leave one list of each observation, such as that of the last epoch",
        )
    (offsets, names), (of_shares, values) = items_of(labels), items_of(shares)
    _refuse_rows(np.diff(offsets) != np.diff(of_shares), "the lists of labels and probabilities differ in length")
    return _Items(ids, offsets, names, values)


def _from_rows(parts: pa.Table) -> _Items:
    """Observations in the order in which they come first; the rows of one need not stand together."""
    coded = plain(parts["observation_id"]).dictionary_encode()
    codes = to_numpy(coded.indices)
    rows = to_arrow(np.argsort(codes, kind="stable"))
    offsets = np.append(0, np.cumsum(np.bincount(codes, minlength=len(coded.dictionary)))).astype(np.int64)
    labels, shares = (plain(parts[name]).take(rows) for name in ("label", "probability"))
    return _Items(coded.dictionary, offsets, labels, shares)


def _encoded(items: _Items) -> tuple[pa.Array, LabelCodes]:
    """The labels in label order, and the position of each item's among them. Raises VotesError."""
    items.refuse(_blank(items.labels), "a label is null or blank in the list")
    coded = items.labels.dictionary_encode()
    order = to_numpy(pc.sort_indices(coded.dictionary)).astype(np.int64)
    place = np.empty(order.size, np.int32)
    place[order] = np.arange(order.size, dtype=np.int32)
    return coded.dictionary.take(to_arrow(order)), place[to_numpy(coded.indices)]


def _probabilities(items: _Items) -> Probabilities:
    """Probabilities as float32 or float64. Raises VotesError."""
    found, _ = probabilities_of(items.probabilities)
    items.refuse(np.isnan(found), "a probability is null or NaN in the list")
    wrong = ~are_scores(found)
    if wrong.any():
        items.refuse(wrong, f"a probability is {found[np.flatnonzero(wrong)[0]]:g}, outside [0, 1], in the list")
    return found


def _refuse_repeated(lists: ClassifierScores, names: pa.Array, ids: pa.Array) -> None:
    """Raise VotesError if a list has a label twice."""
    from ..kernels.label_lists import first_repeated

    item = int(first_repeated(lists.offsets, lists.labels, len(names)))
    if item >= 0:
        row = int(np.searchsorted(lists.offsets, item, side="right")) - 1
        label = quoted(names[int(lists.labels[item])].as_py())
        raise VotesError(
            f"observation {quoted(ids[row].as_py())} has the label {label} twice",
            where=IN_MEMORY,
            remedy="leave one of them, or add up their probabilities",
        )


def _refuse_rows(faulty: Flags, what: str) -> None:
    """Raise VotesError, naming the first row, if a row is ``faulty``."""
    if faulty.any():
        raise VotesError(f"{what} in row {np.flatnonzero(faulty)[0]:,}", where=IN_MEMORY)


def _blank(values: pa.Array) -> Flags:
    """Which items are null, or text of white space alone."""
    missing: Flags = to_numpy(values.is_null())
    if pa.types.is_string(values.type):
        missing = missing | to_numpy(fill_null(pc.equal(pc.utf8_trim_whitespace(values), scalar("")), False))
    return missing
