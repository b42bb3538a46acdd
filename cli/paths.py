"""The files and folders that a configuration names, and whether they are there, for ``plant-aggregate config``."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from plant_aggregate.blocks import Block, Place, Table, count
from plant_aggregate.errors import AggregateError, on_one_line
from plant_aggregate.files.destination import check_folder_name, check_place
from plant_aggregate.files.locations import is_uri, local_path, redacted
from plant_aggregate.files.sources import files_of, printable
from plant_aggregate.publishing.stores.folder import RunFolder

from .config_file import Configuration, key_of, known
from .layouts import completed
from .outputs import InputPath, LocalPath, NamedFileType, OutputFolder

IN_STORE = "in an object store: not looked at"


class Found(NamedTuple):
    """What is at a path: words, the number of files that are read there, and what is wrong."""

    state: str
    files: int | None = None
    fault: str | None = None


class NamedPath(NamedTuple):
    """A path that a setting of a command names."""

    command: str
    key: str
    path: str  # absolute, without secrets
    line: int | None  # of the configuration; None for a default
    found: Found


def named_paths(configuration: Configuration, group: click.Group, context: click.Context) -> list[NamedPath]:
    """All paths that the tables of a configuration name, and the output of [run], in the order of the tables."""
    paths = []
    for name in configuration.tables:
        command = group.get_command(context, name)
        assert command is not None
        table = configuration.tables[name]
        command = completed(command, table)
        for parameter in known(command):
            if parameter.name in table:
                values, line = table[parameter.name], configuration.line(name, parameter.name)
            elif name == "run" and isinstance(parameter.type, OutputFolder):
                values, line = parameter.get_default(context), None
            else:
                continue
            for value in values if isinstance(values, list) else [values]:
                found = _found(parameter.type, value)
                if found is not None:
                    path = value.partition("=")[2] if isinstance(parameter.type, NamedFileType) else value
                    paths.append(NamedPath(name, key_of(parameter), _absolute(path), line, found))
    return paths


def path_rows(configuration: Configuration, paths: list[NamedPath]) -> list[dict[str, Any]]:
    """The paths with the columns of ``schema.PATHS``."""
    return [
        {
            "command": each.command,
            "setting": each.key,
            "path": each.path,
            "file": None if each.line is None else os.path.abspath(configuration.path),
            "line": each.line,
            "state": each.found.fault or each.found.state,
            "files": each.found.files,
            "usable": each.found.fault is None,
        }
        for each in paths
    ]


def path_blocks(paths: list[NamedPath]) -> list[Block]:
    """The same as a table."""
    several = len({each.command for each in paths}) > 1
    rows = [
        (
            f"[{each.command}] {each.key}" if several else each.key,
            Place(each.path),
            "default" if each.line is None else f"line {each.line}",
            each.found.fault or each.found.state,
        )
        for each in paths
    ]
    table = Table(header=("setting", "path", "from", "what is there"), rows=rows, left=(0, 1, 2, 3), least=(2,))
    return [Block(content=[table])] if rows else []


def faults(paths: list[NamedPath]) -> Iterator[tuple[int | None, str]]:
    """The line and what is wrong of every path that cannot be used."""
    for each in paths:
        if each.found.fault is not None:
            yield each.line, f"[{each.command}] {each.key}: {on_one_line(each.path)}: {each.found.fault}"


def _found(kind: Any, value: str) -> Found | None:
    """What is there; None if the setting names no path."""
    if isinstance(kind, InputPath):
        return None if value in kind.words else _input(value)
    if isinstance(kind, NamedFileType):
        return _input(value.partition("=")[2])
    if isinstance(kind, OutputFolder):
        return _output(value)
    return _written(kind, value) if isinstance(kind, LocalPath) else None


def _input(path: str) -> Found:
    if is_uri(path):
        return Found(IN_STORE)
    try:
        n_files = len(files_of(path))
    except AggregateError as error:
        return Found("", 0, error.what)
    except OSError as error:
        return Found("", 0, error.strerror)
    is_one = os.path.isfile(local_path(path))
    return Found("a file" if is_one else count(n_files, "file"), n_files)


def _output(path: str) -> Found:
    if is_uri(path):
        return Found(IN_STORE)
    try:
        store = RunFolder(local_path(path))
        check_place(store.path)
        check_folder_name(store.path)
        n_runs, n_held = len(store.run_ids), len(store.held_ids)
    except AggregateError as error:
        return Found("", fault=error.what)
    held = f", {n_held} held back" if n_held else ""
    return Found(f"{count(n_runs, 'run')}{held}" if store.exists else "made by the first run")


def _written(kind: LocalPath, path: str) -> Found:
    folder = os.path.dirname(os.path.abspath(path))
    if kind.is_file(path) and not os.path.isdir(folder):
        return Found("", fault=f"there is no folder {folder!r}")
    return Found("replaced" if os.path.lexists(path) else "written")


def _absolute(path: str) -> str:
    return printable(redacted(path) if is_uri(path) else os.path.abspath(local_path(path)))
