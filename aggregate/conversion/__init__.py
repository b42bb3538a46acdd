"""Converts what platforms and tools publish into tables of ours; see ``formats/`` for the layouts."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..blocks import Block
from ..errors import VotesError
from ..files.folders import check_new_folder, files_below, folder_in_one_step
from ..files.sources import Paths, Source, printable
from ..files.writing import writing
from ..formats.base import TABLES, Account, Format, Rejected
from ..formats.options import format_of, name_of, plain_options
from ..frames import check_type
from ..listeners import ProgressLike, listening
from ..progress import SILENT, Progress
from ..taxon_names.report import report_blocks
from ..taxon_names.settings import NameSettings
from ..version import VERSION
from .cleaning import CleanedLabels
from .files import TemporaryTable, facts_of, in_temporary_folder, rejected_table, write_table, write_tables
from .inputs import InputFile, find_paths, fingerprinted, sources_of
from .parts import Reader, check_ids, check_share
from .result import Conversion, conversion_blocks, table_facts, written_to

__all__ = ["Conversion", "ConvertedVotes", "check_output", "convert", "convert_votes"]

RECORD = "conversion.json"
REJECTED = "rejected.parquet"
LABELS = "labels.parquet"


def convert(
    format: str | Format,
    paths: Paths,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    ids: str | None = None,
    max_rejected: float = 0.01,
    names: NameSettings | None = None,
    progress: ProgressLike = None,
    **options: Any,
) -> Conversion:
    """Write the votes in files of a format, and what else these hold, as Parquet into a folder, in one step.

    ``format`` is a name, such as ``zooniverse``, or ``package.module:Class``, with its ``options``, or an object of
    such a class. ``paths`` are files, folders or globs. The folder gets votes.parquet, truth.parquet, ai_votes.parquet,
    scores.parquet and taxonomy.parquet, those that have rows; rejected.parquet with the records that cannot be used;
    and conversion.json with the counts of what was left out. ``overwrite``: whether an earlier conversion may be
    replaced: a folder with a conversion.json that lists all files in it.

    ``ids`` are "integer" or "text", by default those that the format gives. ``max_rejected``: the share of the records
    of each table that may be unusable. ``names``: how labels are cleaned as scientific names; those of the source are
    then in ``verbatim_label``, and labels.parquet lists those that differ. ``progress``: True shows a bar, False does
    not, by default there is one in notebooks; or a listener.

    Raises VotesError if the files cannot be read, hold nothing, or are not of that format, ParameterError for an
    unknown format, a wrong option, or a folder that may not be written, and PublishError if writing fails: then the
    folder is as it was.
    """
    layout = format_of(format, options)
    check_ids(ids)
    check_share(max_rejected)
    check_type("names", names, (NameSettings, type(None)), "NameSettings(names=True)")
    target = check_output(folder, overwrite=overwrite)
    with listening(progress) as listener:
        labels = None if names is None or not names.cleans_labels else CleanedLabels(names)
        reading = _Reading(layout, find_paths(paths), ids, labels, listener)
        with folder_in_one_step(target) as staged, writing(target, "folder"):
            rows = reading.write(lambda table: staged / f"{table}.parquet", max_rejected, target)
            write_table(rejected_table(reading.account.rejected), staged / REJECTED)
            if labels is not None:
                write_table(labels.table, staged / LABELS)
                labels.warn()
            record = {**reading.record(rows), "files": {name: facts_of(staged / name) for name in files_below(staged)}}
            (staged / RECORD).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Conversion(target, record, [*conversion_blocks(record), *_of_labels(labels), written_to(target, record)])


def _of_labels(labels: CleanedLabels | None) -> list[Block]:
    return [] if labels is None else report_blocks(labels.counts)


def check_output(folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """The folder to write into. Raises ParameterError if it may not be written, before any work is done."""
    return check_new_folder(folder, RECORD, overwrite=overwrite)


@dataclass(frozen=True)
class ConvertedVotes:
    """Votes of files in a format, in a temporary file that is there as long as this object is."""

    source: Source
    inputs: tuple[InputFile, ...]
    record: Mapping[str, Any]  # as in conversion.json, without files
    rejected: tuple[Rejected, ...]


def convert_votes(
    layout: Format, paths: Paths, *, ids: str | None = None, max_rejected: float = 0.01, progress: Progress = SILENT
) -> ConvertedVotes:
    """The votes in files of a format, as a Parquet file. Raises VotesError as :func:`convert`, or if there are none."""
    reading = _Reading(layout, find_paths(paths), ids, None, progress)
    file = TemporaryTable()
    with in_temporary_folder():
        rows = reading.write(lambda table: file.path if table == "votes" else None, max_rejected)
    if "votes" not in rows:
        others = [table for table in TABLES if table != "votes" and reading.account.n_used(table)]
        has = f", but {' and '.join(others)}" if others else ""
        remedy = f"write that with plant-aggregate convert {layout.name}" if others else "check what it is"
        raise VotesError(f"holds no votes{has} (format {layout.name})", where=reading.where, remedy=remedy)
    source = file.source(f"votes of {reading.where}")
    rejected = tuple(item for item in reading.account.rejected if item.table == "votes")
    return ConvertedVotes(source, reading.inputs, reading.record(rows), rejected)


class _Reading:
    """Reads files in a format once, and keeps account of their records."""

    def __init__(
        self, layout: Format, paths: Sequence[Path], ids: str | None, labels: CleanedLabels | None, progress: Progress
    ) -> None:
        self.layout, self.paths, self.ids = layout, paths, ids
        self.account = Account(progress)
        self.labels = labels
        self.inputs: tuple[InputFile, ...] = ()

    @property
    def where(self) -> str:
        """Names the files in messages."""
        first = printable(str(self.paths[0]))
        return first if len(self.paths) == 1 else f"{first} and {len(self.paths) - 1} more"

    def write(
        self, place_of: Callable[[str], Path | str | None], max_rejected: float, folder: Path | None = None
    ) -> dict[str, int]:
        """Write the tables that have a place, and check what was rejected; the rows of each. Raises VotesError.

        ``folder``: the one that is written, if there is one.
        """
        self.account.progress.phase(f"read {self.layout.name}", unit="records")
        reader = Reader(self.layout, self.paths, self.account, self.ids, self.labels)
        with fingerprinted(sources_of(self.layout, self.paths, folder)) as fingerprints:
            rows = write_tables(reader.parts(), place_of)
            reader.check(max_rejected, place_of)
            self.inputs = fingerprints.files()
        if not rows and not any(self.account.n_used(table) for table in self.account.n_read):
            what = f"holds nothing that format {self.layout.name} reads"
            raise reader.with_hint(VotesError(what, where=self.where, remedy="check what it is"))
        return rows

    def record(self, rows: Mapping[str, int]) -> dict[str, Any]:
        """For conversion.json, without files."""
        names = {} if self.labels is None else {"names": self.labels.facts()}
        return {
            "format": name_of(self.layout),
            "options": plain_options(self.layout),
            "ids": self.ids,
            "version": VERSION,
            "paths": [printable(str(path)) for path in self.paths],
            "inputs": [file._asdict() for file in self.inputs],
            "tables": table_facts(self.account, rows),
            "notes": dict(self.account.facts),
            "details": dict(self.account.details),
            **names,
        }
