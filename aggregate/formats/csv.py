"""CSV and TSV with a header, and a row for each vote, expert label or vote of the AI."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from ..errors import ParameterError
from ..parameters import check_parameters, parameter
from .base import Account, Part
from .delimited import chunks, header
from .recognition import Sample
from .typed import Texts, columns_of, typed

FORMAT = "Format"  # group of options
ROWS = ("votes", "truth", "ai_votes")

_option = partial(parameter, group=FORMAT, changes_result=False)


def columns_option() -> "Mapping[str, str] | None":
    """The files' own names of our columns."""
    option: Mapping[str, str] | None = _option(
        None,
        "the files' own name of a column, such as observation_id=obs",
        option="--column",
        metavar="COLUMN=NAME",
        columns_of=("VOTES", "AI_VOTES"),
    )
    return option


def table_option() -> str:
    """What the rows are."""
    option: str = _option("votes", "what the rows are: users' votes, expert labels, or the AI's votes", choices=ROWS)
    return option


@dataclass(frozen=True)
class Csv:
    """Comma-separated text with a header, and a row for each vote.

    Columns are observation_id, user_id, label, and if there are any is_author (true, false, 1 or 0) and voted_at
    (ISO 8601; UTC without a zone); with --table truth observation_id and label, with --table ai_votes also score. Other
    columns are left out.
    """

    name: ClassVar[str] = "csv"

    columns: Mapping[str, str] | None = columns_option()
    table: str = table_option()
    delimiter: str = _option(",", "the character between fields, such as ';'", metavar="CHARACTER")

    def __post_init__(self) -> None:
        check_parameters(self)
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '"\r\n':
            raise ParameterError(f"delimiter is {self.delimiter!r} but must be one ASCII character")

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a header has the names of our columns."""
        return sample.delimiter == "," and sample.has_columns("observation_id", "label")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The rows of each file."""
        return read_rows(paths, account, self.table, self.columns or {}, self.delimiter)


@dataclass(frozen=True)
class Tsv:
    """As csv, with a tabulator between fields."""

    name: ClassVar[str] = "tsv"

    columns: Mapping[str, str] | None = columns_option()
    table: str = table_option()

    def __post_init__(self) -> None:
        check_parameters(self)

    @staticmethod
    def recognises(sample: Sample) -> bool:
        """Whether a header has the names of our columns."""
        return sample.delimiter == "\t" and sample.has_columns("observation_id", "label")

    def read(self, paths: Sequence[Path], account: Account) -> Iterator[Part]:
        """The rows of each file."""
        return read_rows(paths, account, self.table, self.columns or {}, "\t")


def read_rows(
    paths: Sequence[Path],
    account: Account,
    table: str,
    columns: Mapping[str, str],
    delimiter: str,
    *,
    with_optional: bool = True,
) -> Iterator[Part]:
    """The rows of a table in delimited files.

    ``columns``: our names -> theirs, where these are others. ``with_optional``: whether to read optional columns.
    """
    required, optional = columns_of(table, columns)
    optional = optional if with_optional else []
    theirs = {ours: columns.get(ours, ours) for ours in (*required, *optional)}
    headers = [header(path, delimiter=delimiter) for path in paths]
    there = [ours for ours in theirs if ours in required or any(theirs[ours] in names for names in headers)]
    for path in paths:
        found = chunks(
            path,
            account,
            [theirs[ours] for ours in required],
            optional=[theirs[ours] for ours in optional],
            table=table,
            delimiter=delimiter,
            remedy="map names with --column COLUMN=NAME" + (", or name the --delimiter" if delimiter != "\t" else ""),
        )
        for file, batch, lines in found:
            names = batch.schema.names
            columns_there = [
                batch.column(theirs[ours]) if theirs[ours] in names else pa.nulls(batch.num_rows, pa.string())
                for ours in there
            ]
            yield typed(Texts(file, pa.record_batch(columns_there, names=there), lines), account, table)
