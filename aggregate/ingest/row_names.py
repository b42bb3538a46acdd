"""Row numbers and files for error messages."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..arrays import Indices
from ..errors import VotesError
from ..ids.text_faults import LONGEST, NOT_UTF8, checked

SHOWN = 3  # number of rows that a message names


@dataclass(frozen=True)
class RowsOfFiles:
    """Rows of several files, one after the other."""

    paths: list[str]
    starts: Indices  # int64[n_files]; the first row of each file
    unit: str = "row"
    first: int = 0  # the number of a file's first row

    @classmethod
    def of(cls, sizes: Iterable[tuple[str, int]], unit: str = "row", first: int = 0) -> "RowsOfFiles":
        """From the path and the number of rows of each batch, in order."""
        starts: dict[str, int] = {}
        n_rows = 0
        for path, size in sizes:
            starts.setdefault(path, n_rows)
            n_rows += size
        return cls(list(starts), np.array(list(starts.values()), np.int64), unit, first)

    def named(self, rows: Indices) -> str:
        """``row 3``, ``rows 3, 5``, counted from 0; of several files ``row 3 of a.parquet, row 5 of b.parquet``."""
        shown = rows[:SHOWN]
        of = np.searchsorted(self.starts, shown, side="right") - 1
        numbers = [f"{row - self.starts[k] + self.first:,}" for row, k in zip(shown, of, strict=True)]
        if len(self.paths) > 1:
            numbers = [f"{self.unit} {number} of {self.paths[k]}" for number, k in zip(numbers, of, strict=True)]
        few = ", ".join(numbers) + (", ..." if rows.size > SHOWN else "")
        if len(self.paths) > 1:
            return few
        return f"{self.unit} {few}" if rows.size == 1 else f"{self.unit}s {few}"


def refuse_texts(values: pa.Array, column: str, rows: RowsOfFiles, origin: str) -> None:
    """Raise VotesError, naming rows, if texts of a column are not UTF-8 or are too long."""
    _, faults = checked(values)
    if faults is None:
        return
    first = faults[faults > 0][0]
    what, remedy = (
        ("that is not UTF-8", "write it as UTF-8")
        if first == NOT_UTF8
        else (f"longer than {LONGEST:,} bytes", "see what came into the column")
    )
    raise VotesError(
        f"column {column!r} holds text {what} in {rows.named(np.flatnonzero(faults == first))}",
        where=origin,
        remedy=remedy,
    )
