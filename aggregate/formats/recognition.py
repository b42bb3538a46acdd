"""Which known format a file looks like, by its beginning: for messages about a file of another format.

A format may have a static method ``recognises(sample)``, which says whether it writes such files. It is never asked
whether a file may be read.
"""

import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..errors import VotesError
from ..files.sources import printable
from .delimited import DELIMITERS
from .opening import opened
from .registry import FORMATS

LENGTH = 1 << 16  # bytes of a file that are looked at
MOST_ENTRIES, MOST_PATHS = 1000, 5000


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, or the names of what is in a folder or archive."""

    name: str
    """Of the file or folder, in lower case, without ``.gz`` or ``.zst``: ``export.csv``."""
    entries: frozenset[str] = frozenset()
    """Of a folder or a ZIP archive: the relative paths of what is in it, such as ``answers/answers.json``."""
    columns: tuple[str, ...] = ()
    """Of text: the fields of the first line, at least two."""
    delimiter: str = ""
    """Of text: what is between them."""
    paths: frozenset[str] = frozenset()
    """Of JSON: where keys are, with ``item`` for what is in a list: ``results.item.identifications``."""
    text: str = ""
    """The beginning itself."""

    @classmethod
    def of(cls, path: Path) -> "Sample":
        """The sample of a file or folder; an empty one if it cannot be read."""
        name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
        try:
            if path.is_dir():
                files = (file.relative_to(path).as_posix() for file in path.rglob("*"))
                return cls(name, frozenset(islice(files, MOST_ENTRIES)))
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    return cls(name, frozenset(archive.namelist()[:MOST_ENTRIES]))
            with opened(path) as file:
                begins = file.read(LENGTH)
        except (VotesError, OSError, zipfile.BadZipFile):
            return cls(name)
        text = begins.decode(errors="replace")
        if text.lstrip()[:1] in ("{", "["):
            return cls(name, paths=_paths_in(begins), text=text)
        delimiter, columns = _columns_of(text)
        return cls(name, columns=columns, delimiter=delimiter, text=text)

    def has_columns(self, *names: str) -> bool:
        """Whether the first line has all of these."""
        return set(names) <= set(self.columns)

    def has_paths(self, *paths: str) -> bool:
        """Whether the JSON has keys at all of these."""
        return set(paths) <= self.paths


def formats_like(path: Path) -> list[str]:
    """The names of the built-in formats that a file or folder looks like."""
    sample = Sample.of(path)
    return [name for name in FORMATS if _recognises(FORMATS[name], sample)]


def wrong_layout(path: Path, wanted: str, fault: str, remedy: str | None = None) -> VotesError:
    """The error for a file that cannot be read as the format ``wanted``, which says what it looks like instead.

    ``remedy``: what to do if it looks like no other format.
    """
    found = formats_like(path)
    if found and wanted not in found:
        fault = f"{fault}; it looks like {' or '.join(found)}"
        remedy = f"name that format instead of {wanted}"
    return VotesError(fault, where=printable(str(path)), remedy=remedy)


def _recognises(layout: type, sample: Sample) -> bool:
    recognises = getattr(layout, "recognises", None)
    return recognises is not None and bool(recognises(sample))


def _columns_of(text: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the fields of the first line; none if there is but one."""
    import csv

    line = next(iter(text.splitlines()), "")
    split = []
    for delimiter in DELIMITERS:
        with suppress(csv.Error):
            split += [(delimiter, tuple(next(csv.reader([line], delimiter=delimiter), ())))]
    delimiter, columns = max(split, key=lambda found: len(found[1]), default=("", ()))
    return (delimiter, columns) if len(columns) > 1 else ("", ())


def _paths_in(begins: bytes) -> frozenset[str]:
    """Where keys are in JSON, up to where it is cut."""
    import ijson

    paths: set[str] = set()
    with suppress(ijson.JSONError):
        for prefix, event, value in ijson.parse(io.BytesIO(begins), multiple_values=True):
            if event == "map_key":
                paths.add(f"{prefix}.{value}" if prefix else value)
                if len(paths) >= MOST_PATHS:
                    break
    return frozenset(paths)
