"""Errors and warnings, whose messages say what is wrong, where, and what to do."""

import inspect
import os
import unicodedata
import warnings
from collections.abc import Iterable
from typing import Any

LONGEST = 60  # characters of a name that a message quotes
CLOSE = 0.65  # similarity, in [0, 1], from which on a name may be a misspelt one: that of `rum` and `run` is 2 / 3


class AggregateError(Exception):
    """An error that the user can correct: the message says what is wrong, where, and what to do.

    ``what``, ``where`` and ``remedy`` are available as attributes. Only ``what`` may have several lines, one for each
    fault: names in it must be quoted.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        message = f"{on_one_line(where)}: {what}" if where else what
        super().__init__(f"{message}; {on_one_line(remedy)}" if remedy else message)


class VotesError(AggregateError):
    """The votes (or another input table) cannot be used."""


class ParameterError(AggregateError):
    """A parameter is out of its range."""


class StrategyError(AggregateError):
    """A strategy of another package failed, or returned no consensus on the votes that it was given."""


class PublishError(AggregateError):
    """The result cannot be written or published; what was published before is untouched."""


class LockedError(AggregateError):
    """Another process is writing in the output folder."""


class HeldError(AggregateError):
    """The run is complete but was not published: it differs too much from the one published before.

    ``run`` is the run, an ``plant_aggregate.Run`` in the folder ``held``.
    """

    def __init__(self, what: str, *, where: str, remedy: str, run: Any) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.run = run


class AggregateWarning(UserWarning):
    """The result is correct, but its user should know something about it."""


def warn(message: str) -> None:
    """Issue an :class:`AggregateWarning` at the line that called into this package."""
    package = __name__.partition(".")[0]
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, AggregateWarning, stacklevel=level + 1)


def reason_of(error: Exception) -> str:
    """The message of an error in a line; for an OSError, the operating system's message.

    >>> reason_of(FileNotFoundError(2, "No such file or directory", "votes.parquet"))
    'no such file or directory'
    """
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return (str(error).splitlines() or [type(error).__name__])[0]


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """The question whether a wrong name is another spelling of one of ``names``; None if it is like none of them.

    >>> did_you_mean("dawid_skene", ["wawa", "dawid-skene"])
    "did you mean 'dawid-skene'?"
    """
    close = closest(name, names)
    return None if close is None else f"did you mean {close!r}?"


def closest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that a wrong name is most likely another spelling of; None if it is like none of them."""
    from difflib import get_close_matches

    wanted = _plain_spelling(name)
    spellings = {_plain_spelling(known): known for known in names}
    close = get_close_matches(wanted, spellings, n=1, cutoff=CLOSE) or [s for s in spellings if s.startswith(wanted)]
    return spellings[close[0]] if close and wanted else None


def _plain_spelling(name: str) -> str:
    return name.lower().replace("_", "-")


def on_one_line(text: str) -> str:
    r"""A text from outside, safe to print in one line: line breaks and control characters are escaped.

    >>> print(on_one_line("votes\x1b[31m\n.parquet"))
    votes\x1b[31m\n.parquet
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def quoted(name: str | int) -> str:
    r"""A name in quotes, with invisible characters escaped, and all but ASCII if its Unicode form is ambiguous.

    >>> print(quoted("Acer\xa0opalus "))
    'Acer\xa0opalus '
    """
    if isinstance(name, int):
        return str(name)
    short = name if len(name) <= LONGEST else f"{name[:LONGEST]}..."
    is_composed = unicodedata.is_normalized("NFKC", short) and not any(map(unicodedata.combining, short))
    return on_one_line(repr(short) if is_composed else ascii(short))


def _escaped(character: str) -> str:
    byte = ord(character) - 0xDC00
    if 0x80 <= byte <= 0xFF:  # a byte of a file name that is not UTF-8
        return f"\\x{byte:02x}"
    return character.encode("unicode_escape").decode()
