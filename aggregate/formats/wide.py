"""Matrices of labels: a row for each observation and a column for each annotator, or the other way round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import scalar, strings, to_arrow, to_numpy
from ..errors import ParameterError, VotesError, quoted
from ..files.sources import printable
from ..parameters import check_parameters, setting
from .base import Account, Part, Rejected
from .csv import FORMAT
from .delimited import Chunk, chunks, delimiter_of, header
from .recognition import formats_like, wrong_layout
from .typed import Texts, typed

LIKE_MISSING = ("NA", "N/A", "NaN", "nan", "None", "null", "NULL", "-1", ".", "?")
"""Labels that may be meant for none."""

_option = partial(setting, group=FORMAT)


@dataclass
class _Lines(Account):
    """Counts cells instead of lines: those of a line once they are known, and a line that has none as one."""

    cells: Account = field(default_factory=Account)

    def read(self, n: int = 1, *, table: str = "votes") -> None:
        """Count nothing."""

    def reject(self, rejected: Rejected) -> None:
        """Count and keep a line."""
        self.cells.read()
        self.cells.reject(rejected)


@dataclass(frozen=True)
class Wide:
    """A matrix of labels as CSV or TSV: a row for each observation, and a column for each annotator.

    The first line has the annotators, the first column the observations. An empty cell is no vote.
    """

    name: ClassVar[str] = "wide"

    key: str | None = _option(
        None,
        "the column of the observations, or with --transposed of the annotators  [default: the first]",
        metavar="NAME",
    )
    transposed: bool = _option(False, "rows are annotators, and columns observations")
    truth: str | None = _option(None, "the column, or with --transposed the row, of expert labels", metavar="NAME")
    ignore: Sequence[str] = _option((), "a column that is neither", metavar="NAME", several=True)
    blank: Sequence[str] = _option((), "a text that means no vote, such as NA", metavar="TEXT", several=True)

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.truth is not None and self.truth in (self.key, *self.ignore):
            raise ParameterError(f"truth is {self.truth!r}, which is also named otherwise")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The cells of each file."""
        for path in paths:
            delimiter = delimiter_of(path)
            key, names = self._columns_of(path, delimiter)
            for chunk in chunks(path, _Lines(cells=account), [key, *names], delimiter=delimiter):
                yield from self._cells(chunk, names, account)

    def _columns_of(self, path: Path, delimiter: str) -> tuple[str, list[str]]:
        """The column of the keys, and those of the labels. Raises VotesError."""
        where = printable(str(path))
        names = header(path, delimiter=delimiter)
        if self.key is self.truth is None and not self.ignore and formats_like(path):
            raise wrong_layout(path, self.name, "is no matrix of labels")
        key = names[0] if self.key is None else self.key
        named = [*([] if self.key is None else [self.key]), *self.ignore]
        missing = [name for name in [*named, *([] if self.transposed else [self.truth])] if name not in (*names, None)]
        if missing:
            raise VotesError(f"column {quoted(str(missing[0]))} is missing", where=where, remedy="check its name")
        others = [name for name in names if name != key and name not in self.ignore]
        if not others:
            remedy = "it must have commas, tabulators or semicolons between columns" if len(names) == 1 else None
            raise VotesError("has no column of labels", where=where, remedy=remedy)
        if "" in others:
            what = f"column {names.index('', 1) + 1} has no name"
            raise VotesError(what, where=where, remedy="name it in the first line")
        return key, others

    def _cells(self, chunk: Chunk, names: Sequence[str], account: Account) -> Iterator[Part]:
        """The cells of some rows, column by column."""
        n_rows = chunk.batch.num_rows
        keys = pa.concat_arrays([chunk.batch.column(0)] * len(names))
        labels = pa.concat_arrays([chunk.batch.column(place) for place in range(1, len(names) + 1)])
        of_columns = strings(names).take(to_arrow(np.repeat(np.arange(len(names)), n_rows)))
        lines = np.tile(chunk.lines, len(names))
        observations, users = (of_columns, keys) if self.transposed else (keys, of_columns)
        is_vote = ~to_numpy(pc.is_in(labels, value_set=strings(["", *self.blank])))
        is_truth = np.zeros(len(labels), np.bool_)
        if self.truth is not None:
            is_truth = to_numpy(pc.equal(users, scalar(self.truth)))
        for table, wanted in (("votes", ~is_truth), ("truth", is_truth)):
            n, n_given = np.count_nonzero(wanted), np.count_nonzero(wanted & is_vote)
            if not n:
                continue
            account.read(int(n), table=table)
            account.leave_out("empty cells", int(n - n_given), table=table)
            chosen = np.flatnonzero(wanted & is_vote)
            columns = {"observation_id": observations, "user_id": users, "label": labels}
            if table == "truth":
                del columns["user_id"]
            batch = pa.record_batch(list(columns.values()), names=list(columns)).take(to_arrow(chosen))
            yield typed(Texts(chunk.file, batch, lines[chosen]), account, table)
        for count in pc.value_counts(labels.filter(pc.is_in(labels, value_set=strings(LIKE_MISSING)))).to_pylist():
            if count["values"] not in self.blank:
                account.note(f"with the label {count['values']}, which --blank makes empty cells", count["counts"])
