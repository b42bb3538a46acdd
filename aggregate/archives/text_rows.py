"""Rows of delimited text with any terminators, enclosure and encoding, line by line.

The standard library's ``csv`` and pyarrow's reader end a row at any line break and take one character as a delimiter;
a Darwin Core archive names its own.
"""

import codecs
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, NamedTuple

from ..errors import VotesError, quoted
from .members import reading, unpacked

BLOCK = 1 << 20  # bytes that are read at once
LONGEST_LINE = 1 << 24  # characters
LONGEST_FIELD, MOST_LINES = 1 << 20, 10_000  # characters and lines of an enclosed field
NO_END = "with an enclosed field that does not end"
TEXT_AFTER = "with text after an enclosed field"
NEWLINES = {"\r\n": "CR LF", "\n": "LF", "\r": "CR"}


@dataclass(frozen=True)
class Dialect:
    """How a table is written as text; the defaults are those of the Darwin Core text guide."""

    delimiter: str = ","
    enclosure: str = '"'  # "": none
    terminator: str = "\n"
    encoding: str = "UTF-8"
    header_lines: int = 0  # lines before the first row
    unescapes: bool = False  # whether a backslash stands before t, n, r and itself in place of these characters


class Row(NamedTuple):
    """A row: its fields, none of them trimmed, and the line where it begins, from 1."""

    line: int
    fields: list[str]


class Fault(NamedTuple):
    """A row that is not written as it should be."""

    line: int
    reason: str
    text: str


def read_rows(
    file: IO[bytes], dialect: Dialect, where: str, notes: Counter[str], faulty: Callable[[Fault], None]
) -> Iterator[Row]:
    """The rows of a file, which may be compressed by gzip, after its header lines, in bounded memory.

    Blank lines are skipped and counted in ``notes``. Another line break than the declared one ends a row if the file
    has no other, as programs change them; and CR before LF. A field is enclosed if it begins with the enclosure; in it,
    two stand for one. Where that is wrong, the line that the row begins in goes to ``faulty``, and reading goes on with
    the next. Raises VotesError with the line if the text is cut, in another encoding, or a line does not end.
    """
    lines = _Lines(file, dialect, where, notes)
    for _ in range(dialect.header_lines):
        next(lines, None)
    delimiter, enclosure = dialect.delimiter, dialect.enclosure
    for number, line in lines:
        if enclosure and enclosure in line:
            yield from _enclosed_row(number, line, lines, dialect, faulty)
            continue
        if lines.may_have_cr:
            line = line.removesuffix("\r")
        if not line:
            notes["blank lines, which were skipped"] += 1
        elif dialect.unescapes and "\\" in line:
            yield Row(number, [_unescaped(field) for field in line.split(delimiter)])
        else:
            yield Row(number, line.split(delimiter))


def _enclosed_row(
    first: int, line: str, lines: "_Lines", dialect: Dialect, faulty: Callable[[Fault], None]
) -> Iterator[Row]:
    """The row that begins in a line which has an enclosure somewhere; it may go on in the lines that follow."""
    delimiter, enclosure = dialect.delimiter, dialect.enclosure
    fields: list[str] = []
    position = 0
    following: list[tuple[int, str]] = []
    fault, text = "", line
    while not fault:
        if line.startswith(enclosure, position):
            value, line, end = _enclosed_field(line, position, lines, following, enclosure)
            fields.append(value)
            if end < 0:
                fault = NO_END
            elif end == len(line) or (lines.may_have_cr and line[end:] == "\r"):
                break
            elif not line.startswith(delimiter, end):
                fault = TEXT_AFTER
        else:
            end = line.find(delimiter, position)
            if end < 0:
                fields.append(line[position:].removesuffix("\r") if lines.may_have_cr else line[position:])
                break
            fields.append(line[position:end])
        position = end + len(delimiter)
    if fault:
        lines.put_back(following)
        faulty(Fault(first, fault, text))
    else:
        yield Row(first, fields)


def _enclosed_field(
    line: str, position: int, lines: "_Lines", following: list[tuple[int, str]], enclosure: str
) -> tuple[str, str, int]:
    """The value of the field that is opened at a position, the line that it ends in, and the position there.

    The position is -1 if it does not end. Lines that were read for it are appended to ``following``.
    """
    parts: list[str] = []
    size = 0
    begin = position + len(enclosure)
    while True:
        end = line.find(enclosure, begin)
        while end >= 0 and line.startswith(enclosure, end + len(enclosure)):
            end = line.find(enclosure, end + 2 * len(enclosure))
        if end >= 0:
            parts.append(line[begin:end])
            value = lines.terminator.join(parts)
            return value.replace(2 * enclosure, enclosure), line, end + len(enclosure)
        parts.append(line[begin:])
        size += len(line) - begin
        further = next(lines, None) if size <= LONGEST_FIELD and len(following) < MOST_LINES else None
        if further is None:
            return "", line, -1
        following.append(further)
        line, begin = further[1], 0


class _Lines:
    """The lines of a file with their numbers, from 1, without their terminators."""

    def __init__(self, file: IO[bytes], dialect: Dialect, where: str, notes: Counter[str]) -> None:
        self.where = where
        self.terminator = dialect.terminator
        self._file = file
        self._encoding = dialect.encoding
        self._enclosure = dialect.enclosure
        self._notes = notes
        self._number = 0
        self._again: deque[tuple[int, str]] = deque()
        self._lines = self._iterate()

    @property
    def may_have_cr(self) -> bool:
        """Whether a CR at the end of a line is a part of its end."""
        return self.terminator == "\n"

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return self

    def __next__(self) -> tuple[int, str]:
        return self._again.popleft() if self._again else next(self._lines)

    def put_back(self, lines: Sequence[tuple[int, str]]) -> None:
        """Let lines come again."""
        self._again.extendleft(reversed(lines))

    def _iterate(self) -> Iterator[tuple[int, str]]:
        rest, is_known = "", False
        for text in self._texts():
            if not is_known:
                self._find_terminator(text)
                is_known = True
            *lines, rest = (rest + text if rest else text).split(self.terminator)
            for line in lines:
                self._number += 1
                yield self._number, line
            if len(rest) > LONGEST_LINE:
                remedy = f"do lines end with {_named(self.terminator)}?"
                what = f"line {self._number + 1:,} has more than {LONGEST_LINE:,} characters"
                raise VotesError(what, where=self.where, remedy=remedy)
        if rest:
            self._number += 1
            yield self._number, rest

    def _texts(self) -> Iterator[str]:
        """The text, part by part, without a byte order mark."""
        decoder = _decoder_of(self._encoding, self.where)
        is_first = True
        with reading(self.where):
            file = unpacked(self._file)
            while True:
                block = file.read(BLOCK)
                try:
                    text = decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    what = f"is not {self._encoding}: bytes after line {self._number:,} ({error.reason})"
                    raise VotesError(what, where=self.where, remedy="write it in that encoding") from error
                if "\0" in text:
                    what = f"has NUL characters after line {self._number:,}"
                    remedy = f"it is no text, or not in {self._encoding}"
                    raise VotesError(what, where=self.where, remedy=remedy)
                if is_first and text:
                    text = text.removeprefix("\ufeff")
                    is_first = False
                if text:
                    yield text
                if not block:
                    return

    def _find_terminator(self, text: str) -> None:
        """Where another line break than the declared one ends all lines in the first part of a file, take that."""
        declared = self.terminator
        if declared not in NEWLINES or (declared in text and not (declared == "\r" and "\r\n" in text)):
            return
        if self._enclosure:
            quote = re.escape(self._enclosure)
            text = re.sub(f"{quote}[^{quote}]*({quote}|$)", "", text)
        self.terminator = next((newline for newline in NEWLINES if newline in text), declared)
        if self.terminator != declared:
            self._notes[f"files whose lines end with {_named(self.terminator)}, not with {_named(declared)}"] += 1


def _decoder_of(encoding: str, where: str) -> codecs.IncrementalDecoder:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        if isinstance(decoder.decode(b""), str):
            return decoder
    except (LookupError, TypeError, AttributeError):
        pass
    remedy = "name one such as UTF-8, UTF-16, ISO-8859-1 or Windows-1252"
    raise VotesError(f"has the unknown encoding {quoted(encoding)}", where=where, remedy=remedy)


def _named(terminator: str) -> str:
    return NEWLINES.get(terminator, quoted(terminator))


def _unescaped(field: str) -> str:
    if "\\" not in field:
        return field
    parts = field.split("\\\\")
    for escaped, character in (("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")):
        parts = [part.replace(escaped, character) for part in parts]
    return "\\".join(parts)
