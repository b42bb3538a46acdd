"""Votes from wide tables: a row an observation, a column a user."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Flags
from ..arrow import fill_null, plain, scalar, to_arrow, to_numpy
from ..errors import VotesError, quoted, reason_of, warn
from ..frames import ALIASES, Frame, is_frame, is_pandas, names_in_words, source_of, to_array, whole_numbers, wrong_type
from ..votes import Votes
from . import votes_from_table

ID = "observation_id"
USER = "user_id"

NO_LABEL = -1  # stands for no vote in the matrices of Snorkel and others


def votes_from_matrix(
    matrix: "Frame | Sequence[Sequence[Any]] | Any",
    *,
    columns: Mapping[str, str] | None = None,
    missing: int | str | None = None,
) -> Votes:
    """Votes from a wide table: a row an observation, a column a user, in each cell a label or none.

    ``matrix`` is an array of any dtype[n_observations, n_users], or a frame. The observations' ids are in the column
    ``observation_id`` or ``task`` (``columns={"observation_id": NAME}`` for another name), else in the index of a
    pandas data frame, else they are the numbers of the rows. The users' are the names of the other columns, or their
    numbers.

    None, NaN and NA are no vote, nor is ``missing`` if it is given: -1 in the matrices of Snorkel, for instance. Floats
    that are whole numbers become integers. Observations and users without a vote are left out. Raises VotesError if the
    labels are neither text nor integers, an observation has several rows, or no vote is left, and TypeError for what is
    no matrix. Warns of labels -1 if ``missing`` is not given.

    >>> votes_from_matrix([[3, None, 3], [4, 5, None]])
    Votes(4 votes of 3 users on 2 observations, 3 labels)
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"ana": ["Acer", "Ilex"], "bo": [None, "Ilex"]}, index=["photo 1", "photo 2"])
    >>> votes_from_matrix(wide).observation_ids.to_pylist()
    ['photo 1', 'photo 2']
    """
    ids, users, labels = _parts(matrix, (columns or {}).get(ID))
    rows = [np.flatnonzero(_holds_label(column, missing)) for column in labels]
    voted = [column.take(to_arrow(places)) for column, places in zip(labels, rows, strict=True)]
    label = _of_one_type({user: values for user, values in zip(users, voted, strict=True) if len(values)})
    if missing is None and pa.types.is_integer(label.type) and _equal(label, NO_LABEL).any():
        warn(f"some cells hold the label {NO_LABEL}: if that is no vote, write missing={NO_LABEL}")
    by_vote = {
        ID: ids.take(to_arrow(np.concatenate([np.empty(0, np.int64), *rows]))),
        USER: to_array(users).take(to_arrow(np.repeat(np.arange(len(users)), [places.size for places in rows]))),
        "label": label,
    }
    return votes_from_table(by_vote)


def _parts(matrix: Any, id_column: str | None) -> tuple[pa.Array, list[Any], list[pa.Array]]:
    """The ids of the observations, those of the users, and the labels of each user. Raises TypeError, VotesError."""
    if is_pandas(matrix, "Series") or not is_frame(matrix):
        cells = np.array(matrix, object) if isinstance(matrix, list | tuple) else np.asarray(matrix)
        if cells.ndim != 2:
            write = "an array of two dimensions, or a frame with a column for each user"
            if cells.size and all(isinstance(row, Mapping) for row in cells.flat):
                write = "a data frame of these rows: pandas.DataFrame(rows)"
            raise wrong_type("a matrix", matrix, write)
        matrix = dict(enumerate(cells.T))
    source = source_of(matrix)
    twice = [name for name in source.names if source.names.count(name) > 1]
    if twice:
        times = source.names.count(twice[0])
        raise VotesError(f"column {quoted(str(twice[0]))} occurs {times} times", remedy="leave one")
    wanted = [ID, ALIASES[ID]] if id_column is None else [id_column]
    of_ids = next((name for name in wanted if name in source.names), None)
    if of_ids is None and id_column is not None:
        have = names_in_words(source.names)
        raise VotesError(f"column {quoted(id_column)} ({ID}) is missing; {source.kind} has {have}")
    if of_ids is not None:
        ids = source.read(of_ids, ID)
    else:
        ids = to_array(matrix.index if is_pandas(matrix, "DataFrame") else np.arange(source.n_rows))
    ids = whole_numbers(plain(ids))
    known = ids.filter(ids.is_valid())
    if len(pc.unique(known)) < len(known):
        first = next(count for count in known.value_counts().to_pylist() if count["counts"] > 1)
        of_votes = "label" in source.names and {USER, ALIASES[USER]}.intersection(source.names)
        remedy = "write read_votes(frame), for a row a vote" if of_votes else "leave one"
        raise VotesError(f"observation {quoted(first['values'])} has {first['counts']:,} rows", remedy=remedy)
    users = [name for name in source.names if of_ids is None or name != of_ids]
    labels = [whole_numbers(plain(source.read(user, str(user)))) for user in users]
    return ids, users if all(isinstance(user, int) for user in users) else list(map(str, users)), labels


def _holds_label(labels: pa.Array, missing: int | str | None) -> Flags:
    """Which cells of a column hold a label, bool[n]."""
    there = ~to_numpy(labels.is_null(nan_is_null=True))
    return there if missing is None else there & ~_equal(labels, missing)


def _equal(labels: pa.Array, label: int | str) -> Flags:
    """Which cells hold this label, bool[n]; none if it is not of their type."""
    try:
        same = pc.equal(labels, scalar(label, labels.type))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return np.zeros(len(labels), np.bool_)
    return to_numpy(fill_null(same, False))


def _of_one_type(labels: Mapping[Any, pa.Array]) -> pa.Array:
    """The labels of all users, one after the other. Raises VotesError if no type holds all of them."""
    if not labels:
        raise VotesError("no cell holds a label")
    users = {"text" if _is_text(values.type) else "numbers": user for user, values in labels.items()}
    if len(users) > 1:
        text, number = (quoted(str(users[kind])) for kind in ("text", "numbers"))
        raise VotesError(
            f"the labels of {text} are text, those of {number} are not",
            remedy="write all of them as text, or votes, a row each, as a data frame of observation_id, user_id, label",
        )
    types = {values.type for values in labels.values()}
    numbers = pa.float64()
    if all(map(pa.types.is_integer, types)):
        numbers = pa.uint64() if pa.uint64() in types else pa.int64()
    common = types.pop() if len(types) == 1 else pa.large_string() if "text" in users else numbers
    try:
        return pa.concat_arrays([values.cast(common) for values in labels.values()])
    except pa.ArrowInvalid as error:
        raise VotesError(
            f"the labels of all users do not fit into one type ({reason_of(error)})", remedy="write them as text"
        ) from error


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
