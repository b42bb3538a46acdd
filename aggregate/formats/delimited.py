"""Comma- and tab-separated text (RFC 4180), read as text: nothing is a number, a date or missing by its looks.

Two readers with the same rules: :func:`chunks` gives Arrow batches, fast, and :func:`records` one record after the
other, for formats that look into each. Both count every record, and reject those that cannot be used, with their lines.

A record ends with its line, unless a field in quotes goes on in the next. Quotes begin a field or are text, as in
``5" tall``; within a field in quotes they are doubled. Where quotes are wrong, the line that the record begins in is
rejected, and reading goes on with the next.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Indices
from ..arrow import strings
from ..errors import VotesError, did_you_mean, quoted
from ..files.sources import printable
from .base import LONGEST, Account, Rejected
from .opening import opened

BLOCK = 1 << 22  # bytes that are read at a time
DELIMITERS = ",\t;"
MOST_BYTES, MOST_LINES = 1 << 24, 10_000  # of a record
ENOUGH = 1 << 16  # bytes in which there is an end of a line
SHOWN = 12  # columns that a message names

NOT_UTF_8 = "not in UTF-8"
NO_END = "with a field in quotes that does not end"
TEXT_AFTER = "with text after a field in quotes"
TOO_LONG = f"longer than {MOST_BYTES >> 20} MiB"
FEWER, MORE = "with fewer fields than the header", "with more fields than the header"

PARQUET = b"PAR1"
KINDS = {PARQUET: "a Parquet file", b"PK\x03\x04": "a ZIP archive or a workbook", b"%PDF": "a PDF document"}
"""What a file is that begins so."""


class Row(NamedTuple):
    """A record as it stands in the file."""

    line: int  # that it begins in, from 1
    fields: list[str]
    text: str
    fault: str = ""  # why it has no fields


class Record(NamedTuple):
    """A record by the names in the header."""

    file: str
    line: int  # that it begins in, from 1
    values: Mapping[str, str]  # of the columns that were asked for; optional ones may be missing
    text: str

    def rejected(
        self,
        reason: str,
        *,
        table: str = "votes",
        observation_id: str | None = None,
        user_id: str | None = None,
        label: str | None = None,
    ) -> Rejected:
        """The record as one that cannot be used."""
        text = self.text[:LONGEST]
        return Rejected(table, self.file, "line", self.line, reason, observation_id, user_id, label, text)


class Chunk(NamedTuple):
    """Records as a batch of texts."""

    file: str
    batch: pa.RecordBatch  # the columns that were asked for, in that order; optional ones may be missing
    lines: Indices  # int64[n], that the records begin in, from 1


def delimiter_of(path: Path, among: str = DELIMITERS) -> str:
    """The character of ``among`` that most fields of the first line are between. Raises VotesError as :func:`header`.

    Not every character can be tried as that of a header: quotes are wrong where fields end elsewhere.
    """

    def n_fields(delimiter: str) -> int:
        with opened(path) as file:
            return len(_Lines(file, path, delimiter).first_row().fields)

    return max(among, key=n_fields)


def header(path: Path, *, delimiter: str = ",") -> list[str]:
    """The names of a file's columns. Raises VotesError if it cannot be read, is empty, or no text."""
    with opened(path) as file:
        return _header(_Lines(file, path, delimiter), path)


def rows(path: Path, *, delimiter: str = ",", quote: str = '"') -> Iterator[Row]:
    """Every record of a file, the header among them, with any number of fields; blank lines are left out.

    ``quote``: empty if quotes are text. Nothing is counted or rejected. Raises VotesError if the file cannot be read,
    is empty, or no text.
    """
    with opened(path) as file:
        lines = _Lines(file, path, delimiter, quote)
        yield lines.first_row()
        while (row := lines.next_row()) is not None:
            yield row


def records(
    path: Path,
    account: Account,
    columns: Sequence[str],
    *,
    optional: Sequence[str] = (),
    table: str = "votes",
    delimiter: str = ",",
    remedy: str | None = None,
) -> Iterator[Record]:
    """The records of a file with a header, one by one.

    ``columns``: those that it must have, ``optional``: those that it may have. ``remedy``: what to do about a missing
    one. Raises VotesError if the file cannot be read, is empty, no text, or lacks a column, or has it twice.
    """
    where = printable(str(path))
    with opened(path) as file:
        lines = _Lines(file, path, delimiter)
        names = _header(lines, path)
        places = _places(names, columns, optional, where, remedy)
        while (row := lines.next_row()) is not None:
            if _is_usable(row, len(names), where, table, account):
                yield Record(where, row.line, {name: row.fields[at] for name, at in places.items()}, row.text)


def chunks(
    path: Path,
    account: Account,
    columns: Sequence[str],
    *,
    optional: Sequence[str] = (),
    table: str = "votes",
    delimiter: str = ",",
    remedy: str | None = None,
) -> Iterator[Chunk]:
    """As :func:`records`, many at a time."""
    where = printable(str(path))
    with opened(path) as file:
        lines = _Lines(file, path, delimiter)
        names = _header(lines, path)
        places = _places(names, columns, optional, where, remedy)
        while (block := lines.next_block()) is not None:
            batch = None if block.lines is None else _parsed(block.data, len(names), places, delimiter)
            if batch is not None and block.lines is not None and batch.num_rows == block.lines.size:
                lines.skip(block)
                account.read(batch.num_rows, table=table)
                yield Chunk(where, batch, block.lines)
                continue
            used = []  # one by one, as some record or other is not as it should be
            while lines.position < block.end and (row := lines.next_row()) is not None:
                if _is_usable(row, len(names), where, table, account):
                    used.append(row)
            if used:
                columns_of = [strings(row.fields[at] for row in used) for at in places.values()]
                batch = pa.record_batch(columns_of, names=list(places))
                yield Chunk(where, batch, np.array([row.line for row in used], np.int64))


def _header(lines: "_Lines", path: Path) -> list[str]:
    first = lines.first_row()
    if first.fault:
        what = f"the header, line {first.line}, is a record {first.fault}"
        raise VotesError(what, where=printable(str(path)), remedy="see that it is text in UTF-8")
    return first.fields


def _places(
    names: Sequence[str], columns: Sequence[str], optional: Sequence[str], where: str, remedy: str | None
) -> dict[str, int]:
    """Column -> its place in a record. Raises VotesError."""
    missing = [name for name in columns if name not in names]
    if missing:
        has = ", ".join(map(quoted, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")
        what = f"column {quoted(missing[0])} is missing; it has {has}"
        question = did_you_mean(missing[0], names) if len(names) > 1 else None
        raise VotesError(what, where=where, remedy="; ".join(filter(None, [question, remedy])) or None)
    wanted = dict.fromkeys(name for name in (*columns, *optional) if name in names)
    for name in wanted:
        if names.count(name) > 1:
            raise VotesError(f"column {quoted(name)} occurs more than once", where=where, remedy="leave one of them")
    return {name: names.index(name) for name in wanted}


def fault_of(row: Row, n_fields: int) -> str:
    """Why a record cannot be used; empty if it can."""
    if row.fault or len(row.fields) == n_fields:
        return row.fault
    return FEWER if len(row.fields) < n_fields else MORE


def _is_usable(row: Row, n_fields: int, where: str, table: str, account: Account) -> bool:
    """Count a record, and reject it if it has a fault, or not as many fields as the header."""
    account.read(table=table)
    fault = fault_of(row, n_fields)
    if fault:
        account.reject(Rejected(table, where, "line", row.line, fault, text=row.text[:LONGEST]))
    return not fault


def _parsed(data: bytes, n_fields: int, places: Mapping[str, int], delimiter: str) -> pa.RecordBatch | None:
    """The columns of whole records; None if one of these cannot be used."""
    from pyarrow import csv

    names = [str(number) for number in range(n_fields)]
    wanted = [str(at) for at in places.values()]
    read = csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1)
    parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(wanted, pa.string()),
        include_columns=wanted,
        null_values=[],
        strings_can_be_null=False,
        quoted_strings_can_be_null=False,
    )
    try:
        table = csv.read_csv(pa.BufferReader(data), read, parse, convert)
    except pa.ArrowInvalid:
        return None
    (batch,) = table.combine_chunks().to_batches() or [None]
    return None if batch is None else pa.record_batch(batch.columns, names=list(places))


class _Block(NamedTuple):
    """Records that are still to be read."""

    data: bytes  # whole records
    lines: Indices | None  # int64[n], that they begin in; None if quotes or ends of lines need a closer look
    end: int  # position in the file after them
    n_lines: int


class _Lines:
    """The records of an open file, of which the first is read before all others."""

    def __init__(self, file: IO[bytes], path: Path, delimiter: str, quote: str = '"') -> None:
        self._file, self._where = file, printable(str(path))
        self._delimiter, self._quote = delimiter, quote
        self._ends_in_cr = False
        self._data, self._at = b"", 0  # what was read last, and how much of it was taken
        self._passed = 0  # bytes of the file before that
        self._is_all = False  # whether there is no more to read
        self._line = 1  # of the next record

    @property
    def position(self) -> int:
        """Of the next record in the file, in bytes."""
        return self._passed + self._at

    def first_row(self) -> Row:
        """The first record. Raises VotesError if there is none, or the file is no text."""
        while not self._is_all and len(self._data) < ENOUGH and b"\n" not in self._data:
            self._read()
        if b"\n" not in self._data and b"\r" in self._data:  # as once on Macintosh
            self._ends_in_cr = True
            self._data = self._data.replace(b"\r", b"\n")
        _check_text(self._data, self._where)
        row = self.next_row()
        if row is None:
            raise VotesError("is empty", where=self._where, remedy="export it again")
        return row

    def next_row(self) -> Row | None:
        """The next record that is no blank line; None if there is none."""
        while True:
            n = self._line_length(0)
            if n == 0:
                return None
            content = self._data[self._at : self._at + (n or LONGEST)].removesuffix(b"\n").removesuffix(b"\r")
            if n is None:
                row = Row(self._line, [], content.decode(errors="replace"), TOO_LONG)
                self._skip_line()
                return row
            if content:
                return self._row(content, n)
            self._take(n, 1)

    def next_block(self) -> _Block | None:
        """The next records, which stay to be read by :meth:`next_row`, or to be skipped; None if there are none."""
        while True:
            self._read()
            data = self._data
            if not data:
                return None
            found = _places_of_records(data, self._delimiter, self._quote, is_all=self._is_all)
            if found is not None and found.ends.size:
                end = int(found.ends[-1])
                return _Block(data[:end], self._line + found.lines, self.position + end, found.n_lines)
            if found is None or self._is_all or len(data) > MOST_BYTES:
                return _Block(b"", None, self.position + len(data), 0)

    def skip(self, block: _Block) -> None:
        """Leave out the records of a block."""
        self._take(len(block.data), block.n_lines)

    def _row(self, content: bytes, n: int) -> Row:
        """The record that begins with a line: its ``content`` is without the end of the line, ``n`` bytes with it."""
        text, is_text = _decoded(content)
        fields, fault = _split(text, self._delimiter, self._quote)
        size, n_lines = n, 1
        while fault == NO_END and n_lines < MOST_LINES and size < MOST_BYTES and (more := self._line_length(size)):
            size, n_lines = size + more, n_lines + 1
            start = self._at + size - more
            if self._data.find(self._quote.encode(), start, start + more) >= 0:
                whole = self._data[self._at : self._at + size].removesuffix(b"\n").removesuffix(b"\r")
                longer, is_longer_text = _decoded(whole)
                fields, fault = _split(longer, self._delimiter, self._quote)
                if not fault:
                    n, text, is_text = size, longer, is_longer_text
        line = self._line
        self._take(n, n_lines if n == size else 1)
        fault = fault or ("" if is_text else NOT_UTF_8)
        return Row(line, [] if fault else fields, text, fault)

    def _line_length(self, start: int) -> int | None:
        """Bytes of a line, its end included, that begins ``start`` bytes after the position.

        0 if there is none, None if they are too many.
        """
        while True:
            end = self._data.find(b"\n", self._at + start) + 1
            n = (end or len(self._data)) - self._at - start
            if n > MOST_BYTES:
                return None
            if end or self._is_all:
                return n
            self._read()

    def _skip_line(self) -> None:
        """Leave out the rest of a line, however long."""
        while (end := self._data.find(b"\n", self._at)) < 0:
            self._take(len(self._data) - self._at, 0)
            if self._is_all:
                return
            self._read()
        self._take(end + 1 - self._at, 1)

    def _take(self, n_bytes: int, n_lines: int) -> None:
        self._at += n_bytes
        self._line += n_lines

    def _read(self) -> None:
        more = b"" if self._is_all else self._file.read(BLOCK)
        self._is_all = not more
        self._passed += self._at
        self._data = self._data[self._at :] + (more.replace(b"\r", b"\n") if self._ends_in_cr else more)
        self._at = 0


class _Places(NamedTuple):
    """Where records are in a block."""

    ends: Indices  # int64[n], bytes up to the end of each
    lines: Indices  # int64[n], lines before each
    n_lines: int  # in all of them


def _places_of_records(data: bytes, delimiter: str, quote: str, *, is_all: bool) -> _Places | None:
    """The whole records at the beginning of ``data``; None if they are not to be found by counting quotes."""
    if data.count(b"\r") != data.count(b"\r\n"):
        return None
    codes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(codes == ord("\n")) + 1
    if is_all and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    line_ends = ends
    if quote and quote.encode() in data:
        quotes = np.flatnonzero(codes == ord(quote))
        n_before = np.searchsorted(quotes, ends)
        ends = ends[n_before % 2 == 0]
        if ends.size == 0:
            return None if is_all else _Places(ends, ends, 0)
        if is_all and ends[-1] < len(data):
            return None  # the last does not end
        quotes = quotes[quotes < ends[-1]]
        around = np.concatenate([[ord("\n")], codes, [ord("\n")]])
        before, after = around[quotes[::2]], around[quotes[1::2] + 2]
        apart = [ord(character) for character in (delimiter, quote, "\n")]
        if not (np.isin(before, apart).all() and np.isin(after, [*apart, ord("\r")]).all()):
            return None
    starts = np.append([0], ends[:-1]) if ends.size else ends
    if ends.size and (ends - starts).max() > MOST_BYTES:
        return None
    return _Places(
        ends, np.searchsorted(line_ends, starts, "right"), int(np.searchsorted(line_ends, ends[-1:], "right").sum())
    )


def _split(text: str, delimiter: str, quote: str) -> tuple[list[str], str]:
    """The fields of a record, and why there are none."""
    if not quote or quote not in text:
        return text.split(delimiter), ""
    fields, at = [], 0
    quoted_field = _in_quotes(quote)
    while True:
        if text.startswith(quote, at):
            found = quoted_field.match(text, at)
            if found is None:
                return [], NO_END
            fields.append(found[1].replace(quote * 2, quote))
            end = found.end()
            if end < len(text) and text[end] != delimiter:
                return [], TEXT_AFTER
        else:
            end = text.find(delimiter, at)
            end = len(text) if end < 0 else end
            fields.append(text[at:end])
        if end == len(text):
            return fields, ""
        at = end + 1


@cache
def _in_quotes(quote: str) -> "re.Pattern[str]":
    mark = re.escape(quote)
    return re.compile(f"{mark}([^{mark}]*+(?:{mark}{mark}[^{mark}]*+)*+){mark}")


def _decoded(content: bytes) -> tuple[str, bool]:
    """The text, and whether it is one."""
    try:
        return content.decode(), True
    except UnicodeDecodeError:
        return content.decode(errors="replace"), False


def _check_text(data: bytes, where: str) -> None:
    """Raise VotesError for a file of another kind."""
    kind = next((kind for magic, kind in KINDS.items() if data.startswith(magic)), None)
    if kind is None and b"\0" in data:
        kind = "no text"
    if kind is not None:
        is_parquet = data.startswith(PARQUET)
        remedy = "run reads it without a format" if is_parquet else "export it as text in UTF-8, such as CSV"
        raise VotesError(f"is {kind}", where=where, remedy=remedy)
