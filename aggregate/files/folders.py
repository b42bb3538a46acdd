"""Makes a folder in one step, and replaces only folders that the same program made.

Such a folder has a JSON file that lists its files, the *mark*, in which ``files`` is an object whose keys are their
paths. What is not listed there is somebody's own, and is not replaced; links are not listed.
"""

import ctypes
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import ParameterError
from .destination import UNFINISHED, check_folder_name, check_place, keeps_runs
from .locations import check_local
from .writing import flush, removed, writing

WHAT = "folder"

REMEDY = "name another folder"

HERE = -100  # AT_FDCWD
EXCHANGE = 2  # RENAME_EXCHANGE


def check_new_folder(path: str | os.PathLike[str], mark: str, *, overwrite: bool) -> Path:
    """The folder to make. Raises ParameterError if it may not be made: before any work is done.

    A folder that is there must be empty, or, with ``overwrite``, have a ``mark`` that lists all files in it.
    """
    folder = Path(check_local(path))
    if not folder.name and str(folder) != ".":
        raise ParameterError("is no folder to write", where=str(folder), remedy=REMEDY)
    check_place(folder)
    check_folder_name(folder)
    if keeps_runs(folder):
        raise ParameterError("is an output folder of runs", where=str(folder), remedy=REMEDY)
    if not os.path.lexists(folder):
        return folder
    if not folder.is_dir():
        raise ParameterError("is a file, not a folder", where=str(folder), remedy=REMEDY)
    if os.path.ismount(folder) or os.path.realpath(folder) == os.path.realpath(os.curdir):
        kind = "a mount point" if os.path.ismount(folder) else "the current folder"
        raise ParameterError(f"is {kind}, which cannot be replaced", where=str(folder), remedy="name a folder in it")
    names = os.listdir(folder)
    if names and not overwrite:
        remedy = f"{REMEDY}, or overwrite it (--overwrite)" if mark in names else REMEDY
        raise ParameterError("is there, and is not empty", where=str(folder), remedy=remedy)
    if names:
        _check_own(folder, mark)
    return folder


def _check_own(folder: Path, mark: str) -> None:
    """Raise ParameterError if a folder has files that its mark does not list."""
    try:
        content: Any = json.loads((folder / mark).read_text(encoding="utf-8"))
        listed = {mark, *content["files"]}
    except (OSError, ValueError, TypeError, KeyError) as error:
        what = f"has no {mark} that lists its files, so it is not overwritten"
        raise ParameterError(what, where=str(folder), remedy=f"{REMEDY}, or remove it if nobody needs it") from error
    for file in files_below(folder):
        if file not in listed:
            raise ParameterError(
                f"is not listed in {mark}, so its folder is not overwritten",
                where=str(folder / file),
                remedy=f"move it elsewhere, or {REMEDY}",
            )


def files_below(folder: Path) -> Iterator[str]:
    """The paths of all files below a folder, but not of links, relative to it and in the order of their names."""
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(parent, name)
            if not path.is_symlink():
                yield path.relative_to(folder).as_posix()


@contextmanager
def folder_in_one_step(folder: Path) -> Iterator[Path]:
    """A folder to write files in, which becomes ``folder``, or takes its place, when the block ends without an error.

    Its files are flushed to the disk before. Folders above it are made. Raises PublishError.
    """
    target = Path(os.path.realpath(folder))
    staged = target.with_name(f".{target.name}.{os.getpid()}{UNFINISHED}")
    with writing(folder, WHAT):
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear(target)
        staged.mkdir()
    try:
        yield staged
        with writing(folder, WHAT):
            for parent, _, files in os.walk(staged):
                for path in (Path(parent, name) for name in files):
                    if not path.is_symlink():
                        flush(path)
                flush(Path(parent))
            _replace(target, staged)
            flush(target.parent)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _replace(target: Path, staged: Path) -> None:
    """Let ``staged`` take the place of ``target``; what was there is then at ``staged``, to be removed."""
    if not os.path.lexists(target) or not os.listdir(target):
        os.replace(staged, target)
        return
    if _exchange(target, staged):
        return
    before = staged.with_name(f"{staged.name}.before{UNFINISHED}")  # the file system has no exchange: in two steps
    os.rename(target, before)
    try:
        os.rename(staged, target)
    except BaseException:
        os.rename(before, target)
        raise
    os.rename(before, staged)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; whether that worked."""
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):  # a C library without it
        return False
    return bool(renameat2(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)


def _clear(target: Path) -> None:
    """Remove what killed processes left of their attempts to make this folder."""
    for leftover in target.parent.glob(f".{_literal(target.name)}.*{UNFINISHED}"):
        number = leftover.name.removeprefix(f".{target.name}.").partition(".")[0]
        if number.isdigit() and not _is_running(int(number)):
            removed(leftover)


def _literal(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _is_running(process: int) -> bool:
    if process == os.getpid():  # in a container the process before may have had the same number
        return False
    with suppress(ProcessLookupError, OverflowError):
        try:
            os.kill(process, 0)
        except PermissionError:
            return True
        return True
    return False
