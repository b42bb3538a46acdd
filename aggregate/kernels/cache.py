"""The folder in which compiled kernels are cached, and the check that its files may be run.

Numba stores each kernel in two files of pickles and machine code, and runs them. It neither checks nor flushes them, so
that a power cut leaves files that are empty, short or of zeros; and anyone who can write there can have code run. So
the folder must belong to the user, and a listing beside the files has the SHA-256 of all that were saved: files that
are not in it are removed before they are loaded.

The folder's name is a digest of the versions and of the kernels' sources: numba alone would not notice a change in a
function that a kernel calls. One process at a time saves in it (numba gives files of two processes the same names);
reading needs no lock, as each file is replaced in one step.
"""

import hashlib
import os
import shutil
import stat
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

LISTING, LOCK = "saved", ".lock"

OWN_LEVELS = 3  # number of nested folders that belong to the cache
LOCK_PATIENCE = 120.0  # seconds to wait for another process that compiles a kernel, which takes a few seconds
UNUSED = 60 * 86400.0  # seconds without use after which the kernels of a version are removed

DAY = 86400.0

State = Mapping[str, tuple[int, int, int]]  # file -> inode, size in bytes and modification time in nanoseconds


class UntrustedError(Exception):
    """Another user could have written the code in the cache."""


class KernelCache:
    """A folder of compiled kernels. Methods raise OSError as the operating system does."""

    def __init__(self, base: str, versions: tuple[str, ...]) -> None:
        """Make the folder below ``base``. Raises UntrustedError if others can write in it."""
        parent = os.path.join(os.path.abspath(base), "plant-aggregate", "kernels")
        self.path = os.path.join(parent, _digest(versions))
        _make_private(self.path)
        _check_private(self.path)
        self._listing = os.path.join(self.path, LISTING)
        self._note_use(parent)

    def damaged(self) -> list[str]:
        """Names of the files that differ from what was saved."""
        saved = self._saved()
        return [name for name, path in self._files() if not _is_one_of(path, saved.get(name, ()))]

    def remove_damaged(self) -> list[str]:
        """Remove the files that differ from what was saved; returns their names."""
        with self.locked():  # files that another process is about to list are not damaged
            names = self.damaged()
            for name in names:
                _remove(os.path.join(self.path, name))
        return names

    def clear(self) -> None:
        """Remove all kernels."""
        with self.locked():
            for _, path in list(self._files()):
                _remove(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock for saving. Raises TimeoutError."""
        from filelock import FileLock

        with FileLock(os.path.join(self.path, LOCK), timeout=LOCK_PATIENCE):
            yield

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Hold the lock for saving, and list the files saved in the block. Raises TimeoutError."""
        with self.locked():
            before = self._state()
            try:
                yield
            finally:
                self._list(name for name, state in self._state().items() if before.get(name) != state)

    def _files(self) -> Iterator[tuple[str, str]]:
        """Names, as in the listing, and paths of all files of numba."""
        for folder in os.scandir(self.path):
            if folder.is_dir(follow_symlinks=False):
                for file in os.scandir(folder):
                    yield f"{folder.name}/{file.name}", file.path

    def _state(self) -> State:
        found = {name: os.lstat(path) for name, path in self._files()}
        return {name: (now.st_ino, now.st_size, now.st_mtime_ns) for name, now in found.items()}

    def _saved(self) -> Mapping[str, set[str]]:
        """The digests that each file may have: those of all files ever saved under its name."""
        saved: dict[str, set[str]] = defaultdict(set)
        with suppress(FileNotFoundError):
            if _is_own(os.lstat(self._listing)):
                for line in Path(self._listing).read_text(encoding="utf-8", errors="replace").splitlines():
                    digest, _, name = line.partition(" ")
                    saved[name].add(digest)
        return saved

    def _list(self, names: Iterator[str]) -> None:
        """Add files to the listing. Each starts a new line, in case a power cut left an incomplete one."""
        digests = {name: hashlib.sha256(Path(self.path, name).read_bytes()).hexdigest() for name in names}
        lines = "".join(f"\n{digest} {name}" for name, digest in digests.items())
        if lines:
            with open(self._listing, "a", encoding="utf-8") as file:
                file.write(f"{lines}\n")

    def _note_use(self, parent: str) -> None:
        """Once a day, mark these kernels as used, and remove those that have long been unused."""
        now = time.time()
        with suppress(OSError):
            if now - os.stat(self.path).st_mtime < DAY and os.path.exists(self._listing):
                return
            os.utime(self.path)
            for other in os.scandir(parent):
                if other.is_dir(follow_symlinks=False) and now - other.stat().st_mtime > UNUSED:
                    shutil.rmtree(other.path, ignore_errors=True)


def user_cache() -> str:
    """The user's cache folder, by the XDG specification; empty if there is none."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # which the specification says to ignore
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return base if os.path.isabs(base) else ""


def _digest(versions: tuple[str, ...]) -> str:
    """A digest of all that compiled kernels depend on, except the processor, which numba checks."""
    folder = Path(__file__).parent
    digest = hashlib.sha256(repr((sys.implementation.cache_tag, versions, str(folder))).encode())
    for source in sorted(folder.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _make_private(folder: str) -> None:
    """Create a folder, and missing ones above it, accessible to the user alone whatever the umask."""
    if not os.path.isdir(folder):
        _make_private(os.path.dirname(folder))
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)


def _check_private(folder: str) -> None:
    """Raise UntrustedError if a user other than the owner and root could change the files in a folder.

    Others must not be able to write in it or in the two above, which belong to the cache. Farther up they may if the
    folder has the sticky bit, or if a folder above it denies them access.
    """
    path, exposed = Path(os.path.realpath(folder)), ""
    for level, place in enumerate((path, *path.parents)):
        found = place.stat()
        others_write = bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
        if not _is_own(found):
            raise UntrustedError(f"{place} belongs to another user, who could have another program run from there")
        if level >= OWN_LEVELS and not found.st_mode & (stat.S_IXGRP | stat.S_IXOTH):
            exposed = ""
        elif others_write and (level < OWN_LEVELS or not found.st_mode & stat.S_ISVTX):
            exposed = exposed or str(place)
            if level < OWN_LEVELS:
                break
    if exposed:
        raise UntrustedError(f"others may write in {exposed}, and could have another program run from there")


def _is_own(found: os.stat_result) -> bool:
    """Whether a file or folder belongs to this user or to root."""
    return found.st_uid in (0, os.geteuid())


def _is_one_of(path: str, digests: set[str] | tuple[()]) -> bool:
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or not _is_own(found):
            return False
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() in digests
    except OSError:
        return False


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
