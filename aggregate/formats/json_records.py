"""JSON files, read record by record: items of a list, members of an object, or lines.

Integers are exact, however long, and other numbers are floats. What an object says twice is not lost: see
:class:`Record`. Files may be gzipped, and begin with a byte order mark.
"""

import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, NoReturn, TypeAlias

import ijson

from ..errors import VotesError, quoted
from ..files.sources import printable
from .base import LONGEST, Rejected
from .opening import CHUNK, opened

Event: TypeAlias = tuple[str, Any]
"""A token: what it is, in the words of ijson ("start_map", "map_key", "number", ...), and its value."""

CALLED = {
    "start_map": "an object",
    "start_array": "a list",
    "string": "a text",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
NESTED = ("start_map", "start_array")
BATCH = 1 << 12  # records
REASON = re.compile(r"(?:b['\"])?(?:parse|lexical) error: ([^\n\\]+)")  # in the messages of yajl
ESCAPE = re.compile(  # of a character by two surrogates, of one of them alone, or any other
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.?)", re.DOTALL
)
LONGEST_ESCAPE = 12  # bytes
NEWLINE = ord("\n")
MOST_OF_LINE = 1 << 24  # bytes, that tell what a file is
FETCH = "fetch or export it again"


class Record(NamedTuple):
    """An item of a list, a member of an object, or a line."""

    number: int  # which one, from 1; of lines, blank ones included
    key: str | None  # of a member
    value: Any  # of keys that an object has twice, it has the last
    repeated: list[tuple[str, Any]]  # members that are missing in the value, because a later one has the same key
    unit: str = "record"
    fault: str = ""  # why a line has no value
    text: str = ""  # of a line with a fault

    def rejected(
        self,
        path: Path,
        reason: str,
        *,
        table: str = "votes",
        observation_id: object = None,
        user_id: object = None,
        label: object = None,
    ) -> Rejected:
        """The record as one that cannot be used."""
        observation, user, voted = (None if item is None else str(item) for item in (observation_id, user_id, label))
        text = self.text or json.dumps(self.value, ensure_ascii=False)
        where = printable(str(path))
        return Rejected(table, where, self.unit, self.number, reason, observation, user, voted, text[:LONGEST])


def items(path: Path, *keys: str) -> Iterator[Record]:
    """The items of a list: the one that the file is, or the one that ``keys`` lead to, from object to object.

    Raises VotesError if the file is no JSON, cut, or holds something else there: with record, line and column.
    """
    return _contents(path, keys, "start_array")


def members(path: Path, *keys: str) -> Iterator[Record]:
    """The members of an object: the one that the file is, or the one that ``keys`` lead to.

    A key that occurs twice makes two records. Raises VotesError as :func:`items`.
    """
    return _contents(path, keys, "start_map")


def outline(path: Path, without: Collection[str] = ()) -> dict[str, Any]:
    """The object that a file is, without the values of some keys, which are None and may be larger than memory.

    Raises VotesError as :func:`items`, and for a key that occurs twice.
    """
    tokens = _Tokens(path)
    _enter(tokens, (), "start_map")
    found: dict[str, Any] = {}
    for event, key in tokens.events:
        if event == "end_map":
            break
        if key in found:
            _refuse_twice(path, key)
        event, value = next(tokens.events)
        if key in without:
            _skip(tokens.events, event)
            found[key] = None
        else:
            repeated: list[tuple[str, Any]] = []
            try:
                found[key] = _value(tokens.events, event, value, repeated)
            except RecursionError as error:
                tokens.refuse_depth(error)
            if repeated:
                _refuse_twice(path, repeated[0][0])
    tokens.exhaust()
    return found


def columns_of_members(path: Path) -> Iterator[tuple[list[str], list[Any]]]:
    """Keys and values of the object that a file is, some at a time: :func:`members`, faster where values are simple.

    Of keys that a value has twice the last one counts. Raises VotesError as :func:`items`.
    """
    tokens = _Tokens(path)
    keys: list[str] = []
    for found in tokens.chunks:
        events = found
        if not tokens.record and found:
            _expect(tokens, (), "start_map", found[0])
            tokens.record, events = 1, found[1:]
        if any(event in NESTED for event, _ in events):
            tokens.events = chain((("map_key", key) for key in keys), events, tokens.events)
            records = _records(tokens, "end_map")
            while some := list(islice(records, BATCH)):
                yield [record.key or "" for record in some], [record.value for record in some]
            tokens.exhaust()
            return
        keys += [value for event, value in events if event == "map_key"]
        values = [value for event, value in events if event != "map_key" and event != "end_map"]
        yield keys[: len(values)], [float(value) if type(value) is Decimal else value for value in values]
        del keys[: len(values)]
        tokens.record += len(values)


def lines(path: Path) -> Iterator[Record]:
    """The values of a file that has one in each line. A line that is no JSON has a fault; blank ones are left out.

    Raises VotesError if the file cannot be read, or is one document of many lines.
    """
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if line in (b"[", b"{"):
                remedy = "write one value in each line (JSON lines), without a list around them"
                fault = f"line {number} is {line.decode()!r} alone: this is one JSON document, not one in each line"
                raise VotesError(fault, where=printable(str(path)), remedy=remedy)
            if line:
                yield _line(number, line)


def kind_of(path: Path) -> Literal["list", "object", "lines"]:
    """What a JSON file is, by its beginning: a list, an object, or a value in each line.

    A file of a single line is not taken for one of lines. Raises VotesError if it is none of these.
    """
    with opened(path) as file:
        begins = iter(lambda: file.readline(MOST_OF_LINE), b"")  # a document may be one line of any length
        filled = (stripped for line in begins if (stripped := line.strip()))
        first = next(filled, b"")
        if first[:1] == b"[":
            return "list"
        if first[:1] == b"{":
            return "lines" if first != b"{" and not _line(1, first).fault and next(filled, b"") else "object"
    fault = "is empty" if not first else "is no JSON list or object"
    raise VotesError(fault, where=printable(str(path)), remedy="check what it is")


class _Tokens:
    """The events of a JSON file, and which record they are of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = 0
        self.chunks = self._read()  # each list is emptied as the next one is asked for
        self.events = chain.from_iterable(self.chunks)

    def exhaust(self) -> None:
        """Read what is left: a file that is cut after what is wanted of it is cut."""
        for _ in self.events:
            pass

    def _read(self) -> Iterator[list[Event]]:
        found: list[Event] = ijson.sendable_list()
        n_bytes = 0
        with opened(self.path) as file, _parser(found) as parser:
            for chunk in _chunks(file):
                try:
                    parser.send(chunk)
                except Exception as error:  # which ones depends on the backend
                    if isinstance(error, SystemError):
                        del found[-1:]  # without a value: of an integer that is too long for Python
                    yield found
                    self._refuse(error, n_bytes, chunk)
                yield found
                del found[:]
                n_bytes += len(chunk)
            try:
                parser.close()
            except Exception as error:
                yield found
                self._refuse_cut(error, n_bytes)
        yield found

    def _refuse(self, error: Exception, n_before: int, chunk: bytes) -> NoReturn:
        self._refuse_more(error)
        line, column = self._place(n_before, chunk)
        known = REASON.match(str(error))
        reason = f" ({known[1].strip().rstrip('.')})" if known else ""
        fault = f"{self._where()} is not valid JSON near line {line:,}, column {column:,}{reason}"
        raise VotesError(fault, where=printable(str(self.path)), remedy=FETCH) from error

    def _refuse_cut(self, error: Exception, n_bytes: int) -> NoReturn:
        self._refuse_more(error)
        fault = f"ends too early, in {self._where()}" if n_bytes else "is empty"
        raise VotesError(fault, where=printable(str(self.path)), remedy=FETCH) from error

    def _refuse_more(self, error: Exception) -> None:
        if any(words in str(error) for words in ("trailing garbage", "Additional data")):
            remedy = "see that it is one document, and not a value in each line"
            raise VotesError("goes on after its end", where=printable(str(self.path)), remedy=remedy) from error

    def refuse_depth(self, error: RecursionError) -> NoReturn:
        """Say that a value is nested too deeply."""
        fault = f"{self._where()} is nested too deeply"
        raise VotesError(fault, where=printable(str(self.path)), remedy="check what it is") from error

    def _where(self) -> str:
        return f"record {self.record:,}" if self.record else "its beginning"

    def _place(self, n_before: int, chunk: bytes) -> tuple[int, int]:
        """Line and column, from 1, where the parser notices: found by parsing again, and the chunk byte by byte."""
        n_lines, n_columns = 1, 0
        with opened(self.path) as file, _parser(ijson.sendable_list()) as parser:
            for begin in _chunks(file):
                if n_before == 0:
                    break
                parser.send(begin)
                n_before -= len(begin)
                n_lines += begin.count(b"\n")
                newline = begin.rfind(b"\n")
                n_columns = n_columns + len(begin) if newline < 0 else len(begin) - newline - 1
            for place, byte in enumerate(chunk):
                n_columns += 1
                try:
                    parser.send(chunk[place : place + 1])
                except Exception:
                    break
                if byte == NEWLINE:
                    n_lines, n_columns = n_lines + 1, 0
        return n_lines, n_columns


@contextmanager
def _parser(found: Any) -> Iterator[Any]:
    """A parser that appends events to ``found``. One that is left before its end says so as it is closed."""
    parser = ijson.basic_parse_coro(found)
    try:
        yield parser
    finally:
        with suppress(Exception):
            parser.close()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    r"""The bytes of a file, in which half of a pair of surrogates, ``\ud83d``, is the text that it is written as.

    No text can have such a half. A name that was cut in the middle of a character ends in one; parsers make a question
    mark of it, so that different names became one.
    """
    rest = b""
    while chunk := file.read(CHUNK):
        data = rest + chunk
        end = len(data)
        if b"\\" in data[1 - LONGEST_ESCAPE :]:  # an escape may go on in the next chunk
            starts = (found.start() for found in ESCAPE.finditer(data) if found.start() > end - LONGEST_ESCAPE)
            end = next(starts, end)
        if end:  # nothing would be the end of the file to a parser
            yield _without_halves(data[:end])
        rest = data[end:]
    if rest:
        yield _without_halves(rest)


def _without_halves(text: bytes) -> bytes:
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    return ESCAPE.sub(lambda found: found[0] if found[1] is None else b"\\\\" + found[1], text)


def _contents(path: Path, keys: tuple[str, ...], opening: str) -> Iterator[Record]:
    tokens = _Tokens(path)
    _enter(tokens, keys, opening)
    tokens.record = 1
    yield from _records(tokens, "end_map" if opening == "start_map" else "end_array")
    for key in reversed(keys):
        _leave(tokens, key)
    tokens.exhaust()


def _records(tokens: _Tokens, closing: str) -> Iterator[Record]:
    """What is left of an object or list."""
    events = tokens.events
    key = None
    try:
        for event, value in events:
            if event == closing:
                break
            if event == "map_key":
                key = value
                event, value = next(events)
            repeated: list[tuple[str, Any]] = []
            if event in NESTED or type(value) is Decimal:
                value = _value(events, event, value, repeated)
            yield Record(tokens.record, key, value, repeated)
            tokens.record += 1
    except RecursionError as error:
        tokens.refuse_depth(error)


def _enter(tokens: _Tokens, keys: tuple[str, ...], opening: str) -> None:
    """Read up to the beginning of what ``keys`` lead to."""
    for depth, wanted in enumerate(keys):
        _expect(tokens, keys[:depth], "start_map", next(tokens.events))
        seen: list[str] = []
        for event, key in tokens.events:
            if event == "end_map":
                has = f"only {', '.join(map(quoted, seen[:10]))}" if seen else "nothing"
                fault = f"{_named(keys[:depth])} has no {quoted(wanted)}, {has}"
                tokens.exhaust()
                raise VotesError(fault, where=printable(str(tokens.path)), remedy="check that it is this kind of file")
            if key == wanted:
                break
            seen.append(key)
            _skip(tokens.events, next(tokens.events)[0])
    _expect(tokens, keys, opening, next(tokens.events))


def _expect(tokens: _Tokens, keys: tuple[str, ...], opening: str, found: Event) -> None:
    event, _ = found
    if event != opening:
        fault = f"{_named(keys)} is {CALLED[event]} where {CALLED[opening]} is expected"
        raise VotesError(fault, where=printable(str(tokens.path)), remedy="check that it is this kind of file")


def _named(keys: tuple[str, ...]) -> str:
    return quoted(".".join(keys)) if keys else "the document"


def _leave(tokens: _Tokens, entered: str) -> None:
    """Read the rest of the object in whose member the records were."""
    for event, key in tokens.events:
        if event == "end_map":
            return
        if key == entered:
            _refuse_twice(tokens.path, key)
        _skip(tokens.events, next(tokens.events)[0])


def _refuse_twice(path: Path, key: str) -> NoReturn:
    raise VotesError(f"has {quoted(key)} twice", where=printable(str(path)), remedy=FETCH)


def _skip(events: Iterator[Event], event: str) -> None:
    """Read the rest of a value that begins with ``event``."""
    depth = int(event.startswith("start_"))
    while depth:
        event, _ = next(events)
        depth += event.startswith("start_") - event.startswith("end_")


def _value(events: Iterator[Event], event: str, value: Any, repeated: list[tuple[str, Any]]) -> Any:
    """A value that begins with an event, and goes on with ``events``."""
    if event == "start_map":
        found: dict[str, Any] = {}
        for event, key in events:
            if event == "end_map":
                break
            event, value = next(events)
            if event in NESTED or type(value) is Decimal:
                value = _value(events, event, value, repeated)
            if key in found:
                repeated.append((key, found[key]))
            found[key] = value
        return found
    if event == "start_array":
        listed = []
        for event, value in events:
            if event == "end_array":
                break
            listed.append(_value(events, event, value, repeated))
        return listed
    return float(value) if type(value) is Decimal else value


def _line(number: int, line: bytes) -> Record:
    repeated: list[tuple[str, Any]] = []

    def as_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            last = {key: place for place, (key, _) in enumerate(pairs)}
            repeated.extend(pair for place, pair in enumerate(pairs) if last[pair[0]] != place)
        return found

    try:
        value = json.loads(_without_halves(line).decode(), object_pairs_hook=as_dict, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        fault = "not text in UTF-8"
    except json.JSONDecodeError as error:
        fault = f"not valid JSON (column {error.colno:,}: {error.msg[:1].lower()}{error.msg[1:]})"
    except ValueError as error:
        fault = f"not valid JSON ({error})"
    except RecursionError:
        fault = "nested too deeply"
    else:
        return Record(number, None, value, repeated, "line")
    return Record(number, None, None, [], "line", fault, line.decode(errors="backslashreplace")[:LONGEST])


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
