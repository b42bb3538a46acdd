"""The files that a format reads, found before it does, and their SHA-256."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..errors import VotesError
from ..files.locations import is_uri, local_path, redacted
from ..files.sources import Paths, Source, path_list, printable, source_of
from ..formats.base import Format
from ..parameters import declared


class InputFile(NamedTuple):
    """A file that was read."""

    path: str
    bytes: int
    sha256: str


def find_paths(given: Paths) -> list[Path]:
    """The files and folders that are named, globs expanded. Raises VotesError if there is none of a name."""
    found: list[Path] = []
    for name in (os.fspath(path) for path in path_list(given)):
        if is_uri(name):
            what = "is in an object store, from which only Parquet is read"
            raise VotesError(what, where=redacted(name), remedy="copy it here first")
        path = local_path(name)
        matches = [path] if os.path.lexists(path) or not path else sorted(glob.glob(path, recursive=True))
        if not path or not matches:
            what = "no such file or folder" if path else "a path is empty"
            raise VotesError(what, where=printable(path) or None, remedy="check the path")
        found += map(Path, matches)
    if not found:
        raise VotesError("no paths were given", remedy="name files or folders")
    for place in found:
        if place.exists() and not place.is_file() and not place.is_dir():
            remedy = "write it to a file first: it is read more than once"
            raise VotesError("is neither a file nor a folder", where=printable(str(place)), remedy=remedy)
    return found


def sources_of(layout: Format, paths: Sequence[Path], without: Path | None = None) -> list[Source]:
    """The files that a format reads, each once: ``paths``, what is in folders, and files that its options name.

    ``without``: a folder whose files are none of them, as it is written.
    """
    listed = getattr(layout, "files", None)
    files: Iterable[Path] = _below(paths) if listed is None else listed(paths)
    of_options = [
        Path(local_path(name))
        for option, known in declared(layout).items()
        if known.names_files and (given := getattr(layout, option)) is not None
        for name in (os.fspath(path) for path in path_list(given))
        if name not in known.words
    ]
    places = {os.path.realpath(path): str(path) for path in (*files, *of_options) if path.is_file()}
    if without is not None:
        own = os.path.join(os.path.realpath(without), "")
        places = {place: path for place, path in places.items() if not place.startswith(own)}
    return [source_of(path, place) for place, path in places.items()]


def _below(paths: Iterable[Path]) -> Iterator[Path]:
    """Files, and those in folders whose names do not begin with a dot."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for parent, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


@contextmanager
def fingerprinted(sources: Sequence[Source]) -> "Iterator[Fingerprints]":
    """Computes the SHA-256 of files on a thread, while they are read in the block."""
    with ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as aside:
        try:
            yield Fingerprints(sources, [aside.submit(source.fingerprint) for source in sources])
        except BaseException:
            aside.shutdown(cancel_futures=True)
            raise


class Fingerprints:
    """The SHA-256 of files that are being read."""

    def __init__(self, sources: Sequence[Source], digests: "Sequence[Future[str]]") -> None:
        self._sources, self._digests = sources, digests

    def files(self) -> tuple[InputFile, ...]:
        """The files, once they were read. Raises VotesError if one has changed meanwhile."""
        digests = [digest.result() for digest in self._digests]
        for source in self._sources:
            source.check_unchanged()
        return tuple(InputFile(s.path, s.bytes, digest) for s, digest in zip(self._sources, digests, strict=True))
