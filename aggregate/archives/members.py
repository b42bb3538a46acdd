"""The files in a folder or a zip file, as streams: nothing is unpacked, and nothing outside is reached."""

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

from ..errors import VotesError, quoted, reason_of
from ..files.sources import printable

SMALL = 16 << 20  # bytes: a descriptor, which is read as a whole, is no larger
BOMB_BYTES = 1 << 28  # a file in a zip file may expand to so many bytes, whatever its ratio
BOMB_RATIO = 500  # deflated text is seldom a hundredth of its size
GZIP = b"\x1f\x8b"  # begins what is compressed by it
CUT = "it is cut or damaged: fetch it again"


class Archive(Protocol):
    """The files of a folder, of a zip file, or of one of its folders."""

    where: str  # names it in messages

    def names(self) -> list[str]:
        """Paths relative to its root, with slashes, sorted."""

    def stream(self, name: str) -> IO[bytes]:
        """A file of it, open for reading. Raises VotesError if there is none, or it cannot be read."""


class Folder:
    """The files of a folder, and of the folders in it."""

    def __init__(self, path: Path) -> None:
        self.where = printable(str(path))
        self._path = path

    def names(self) -> list[str]:
        """Paths relative to the folder, sorted. Hidden files are left out."""
        found = (path.relative_to(self._path) for path in self._path.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))

    def stream(self, name: str) -> IO[bytes]:
        """A file of the folder."""
        path = self._path / name
        try:
            return path.open("rb")
        except OSError as error:
            raise VotesError("cannot be read", where=printable(str(path)), remedy=reason_of(error)) from error


class Zip:
    """The files of a zip file; if all are in one folder, as where a folder was compressed, those of that folder."""

    def __init__(self, path: Path) -> None:
        self.where = printable(str(path))
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            remedy = (
                "it is cut or damaged: fetch it again" if isinstance(error, zipfile.BadZipFile) else reason_of(error)
            )
            raise VotesError("cannot be read as a zip file", where=self.where, remedy=remedy) from error
        members = {
            member.filename: member
            for member in self._zip.infolist()
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        }
        top = {PurePosixPath(name).parts[0] for name in members}
        inside = f"{top.pop()}/" if len(top) == 1 and all("/" in name for name in members) else ""
        self._members = {name.removeprefix(inside): member for name, member in members.items()}

    def names(self) -> list[str]:
        """Paths in the zip file, sorted. Hidden files are left out."""
        return sorted(name for name in self._members if not any(part.startswith(".") for part in name.split("/")))

    def stream(self, name: str) -> IO[bytes]:
        """A file of the zip file. Raises VotesError, too, if it expands as no text does."""
        where = f"{self.where}/{name}"
        member = self._members.get(name)
        if member is None:
            raise VotesError("is not in the zip file", where=where, remedy=f"it has {_listed(self.names())}")
        if member.file_size > max(BOMB_BYTES, BOMB_RATIO * member.compress_size):
            times = member.file_size // max(member.compress_size, 1)
            raise VotesError(
                f"expands to {member.file_size:,} bytes, {times:,} times its size in the zip file, as text does not",
                where=where,
                remedy="if you trust it, unpack it yourself and name the folder",
            )
        try:
            return self._zip.open(member)
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            remedy = str(error).partition(",")[0] if isinstance(error, RuntimeError) else CUT
            raise VotesError("cannot be read", where=where, remedy=remedy) from error


class Single:
    """One file as an archive."""

    def __init__(self, path: Path) -> None:
        self._folder = Folder(path.parent)
        self._name = path.name
        self.where = self._folder.where

    def names(self) -> list[str]:
        """The name of the file."""
        return [self._name]

    def stream(self, name: str) -> IO[bytes]:
        """The file, or one beside it."""
        return self._folder.stream(name)


def open_archive(path: Path) -> Archive:
    """The archive at a path: a folder, a zip file by its first bytes, or any other file. Raises VotesError."""
    if path.is_dir():
        return Folder(path)
    try:
        with path.open("rb") as file:
            is_zip = file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise VotesError("cannot be read", where=printable(str(path)), remedy=reason_of(error)) from error
    if is_zip:
        return Zip(path)
    if _is_tar(path):
        raise VotesError("is a tar archive", where=printable(str(path)), remedy="unpack it, and name the folder")
    return Single(path)


def _is_tar(path: Path) -> bool:
    with suppress(OSError, EOFError, zlib.error):  # of a file that is cut, which is said when it is read
        return tarfile.is_tarfile(path)
    return False


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turns an error in the middle of a file into VotesError."""
    try:
        yield
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        remedy = reason_of(error) if isinstance(error, OSError) and error.errno else CUT
        raise VotesError("cannot be read to its end", where=where, remedy=remedy) from error


def unpacked(file: IO[bytes]) -> IO[bytes]:
    """What a file holds, if it is compressed by gzip; else the file."""
    begins = file.read(len(GZIP))
    file.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if begins == GZIP else file


def read_small(archive: Archive, name: str) -> bytes:
    """A file of an archive as a whole. Raises VotesError, too, if it is too large for a descriptor."""
    where = f"{archive.where}/{name}"
    with archive.stream(name) as file, reading(where):
        data = file.read(SMALL + 1)
    if len(data) > SMALL:
        raise VotesError(f"has more than {SMALL:,} bytes", where=where, remedy="it is no descriptor of an archive")
    return data


def member_of(archive: Archive, location: str, descriptor: str) -> str:
    """The name of a file that a descriptor names, relative to the descriptor. Raises VotesError if it is outside."""
    where = f"{archive.where}/{descriptor}"
    if "://" in location:
        remedy = "fetch it, put it beside the descriptor, and name it there"
        raise VotesError(f"names {quoted(location)}, which is not in the archive", where=where, remedy=remedy)
    parts = [part for part in location.strip().replace("\\", "/").split("/") if part not in ("", ".")]
    if location.strip().startswith(("/", "\\")) or ".." in parts or not parts or ":" in parts[0]:
        raise VotesError(f"names {quoted(location)}, which is outside of the archive", where=where)
    return (PurePosixPath(descriptor).parent / PurePosixPath(*parts)).as_posix()


def _listed(names: list[str], most: int = 8) -> str:
    further = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most]) or 'no file'}{further}"
