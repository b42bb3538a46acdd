"""Writes an export of a run into a folder of its own, in one step, and what it is into ``export.json``."""

import gzip
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..blocks import Block, count
from ..files.folders import check_new_folder, files_below, folder_in_one_step
from ..files.locations import CHUNK, is_uri, redacted
from ..files.writing import writing
from ..frames import IN_MEMORY, is_frame, wrong_type
from ..html_blocks import as_html
from ..listeners import ProgressLike, listening
from ..progress import Progress
from ..publishing.open_run import open_named
from ..publishing.run import Run
from ..version import VERSION
from .base import Export, fault_of
from .options import with_options
from .registry import EXPORTS

RECORD = "export.json"

TEXT_TABLES = (".csv", ".tsv")  # their first line has the names of the columns
LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, repr=False)
class Exported:
    """An export that was written."""

    folder: Path
    """Where it is."""
    record: Mapping[str, Any]
    """The content of its export.json: run, export, options, and the files with rows, bytes and SHA-256."""
    blocks: Sequence[Block]
    """What was written, as titles, tables and notes."""

    def __repr__(self) -> str:
        files = count(len(self.record["files"]), "file")
        return f"Exported({self.folder}: {self.record['export']}, {files}, of run {self.record['run_id']})"

    def _repr_html_(self) -> str:
        return as_html(self.blocks)


def export(
    run: Run | str | os.PathLike[str],
    format: str | Export,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: ProgressLike = None,
    **options: Any,
) -> Exported:
    """Write what another tool reads of a run into a folder, which is complete once it is there.

    ``run`` is a run, or the path or URI of its folder, of its consensus.parquet, or of an output folder, which stands
    for its published run. ``format`` is the name of an export, ``package.module:Class`` or an object of such a class;
    ``options`` are the parameters of a named one. ``overwrite``: whether an earlier export may be replaced: a folder
    with an export.json that lists all files in it. ``progress``: True shows a bar, False does not, by default there is
    one in notebooks; or a listener.

    Raises VotesError if the run lacks what is needed, ParameterError for an unknown export, or a folder that may not be
    written, and PublishError if writing fails: then the folder is as it was.
    """
    chosen = _made(format, options)
    target = check_output(folder, overwrite=overwrite)
    opened = open_named(run, None)
    with listening(progress) as listener, folder_in_one_step(target) as staged:
        blocks = chosen.write(opened, staged, progress=listener)
        record = _record(opened, chosen, staged, listener)
        with writing(target, "folder"):
            (staged / RECORD).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Exported(target, record, [*blocks, Block(content=[_written(target, record["files"])])])


def check_output(folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """The folder to write an export in. Raises ParameterError if it may not be written, before any work is done."""
    return check_new_folder(folder, RECORD, overwrite=overwrite)


def _made(format: str | Export, options: Mapping[str, Any]) -> Export:
    """The export of a name, with its options; or an object as it is."""
    if isinstance(format, str):
        made: Export = with_options(EXPORTS.find(format), f"export {format}", options)
        return made
    fault = fault_of(format)
    if fault or isinstance(format, type):
        raise wrong_type("an export", format, f"a name such as {next(iter(EXPORTS))!r}, or an object")
    if options:
        raise TypeError(f"options of an export that is an object are given to its class: {', '.join(options)}")
    return format


def _record(run: Run, chosen: Export, folder: Path, progress: Progress) -> dict[str, Any]:
    names = list(files_below(folder))
    progress.phase("hash files", total=len(names), unit="files")
    files = {}
    for name in names:
        files[name] = _facts_of(folder / name)
        progress.advance()
    return {
        "run_id": run.run_id,
        "consensus": redacted(os.fspath(run.consensus)),
        "export": chosen.name,
        "options": {item.name: _plain(getattr(chosen, item.name)) for item in fields(chosen)},  # type: ignore[arg-type]
        "version": VERSION,
        "files": files,
    }


def _plain(value: Any) -> Any:
    """The value of an option as JSON has it, without secrets."""
    if isinstance(value, Mapping) and all(isinstance(each, str) for each in value.values()):
        return dict(value)
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        return redacted(text) if is_uri(text) else text
    if is_frame(value):
        return IN_MEMORY
    return value if isinstance(value, bool | int | float | None) else str(value)


def _facts_of(path: Path) -> dict[str, Any]:
    """The number of rows of a file, if it is a table, its size and SHA-256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"rows": n_rows_of(path), "bytes": path.stat().st_size, "sha256": digest}


def n_rows_of(path: Path) -> int | None:
    """The rows of a Parquet file, of CSV and TSV without the line of names, and of JSON lines; None for other files."""
    suffixes = path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]
    kind = suffixes[0].lower() if suffixes else ""
    if kind == ".parquet":
        import pyarrow as pa
        from pyarrow.parquet import read_metadata

        with pa.OSFile(os.fsencode(path)) as parquet:
            return int(read_metadata(parquet).num_rows)
    if kind not in (*TEXT_TABLES, *LINES):
        return None
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        n_lines = _lines_outside_quotes(file) if kind in TEXT_TABLES else _lines(file)
    return n_lines - (kind in TEXT_TABLES)


def _lines(file: "IO[bytes] | gzip.GzipFile") -> int:
    return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b""))


def _lines_outside_quotes(file: "IO[bytes] | gzip.GzipFile") -> int:
    """The records of a CSV file: a line feed between quotation marks ends none."""
    n_lines, in_quotes = 0, 0
    while chunk := file.read(CHUNK):
        characters = np.frombuffer(chunk, np.uint8)
        ends = characters == ord("\n")
        if in_quotes or b'"' in chunk:
            parity = (np.cumsum(characters == ord('"'), dtype=np.int32) + in_quotes) & 1
            ends &= parity == 0
            in_quotes = int(parity[-1])
        n_lines += int(np.count_nonzero(ends))
    return n_lines


def _written(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> str:
    n_bytes = sum(each["bytes"] for each in files.values())
    size = f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:,.1f} kB"
    return f"written to {folder}: {count(len(files), 'file')} of {size}"
