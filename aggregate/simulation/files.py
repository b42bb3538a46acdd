"""Converts a simulation to Arrow tables, and streams it to Parquet files."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..arrow import dictionary_of, lists_of, strings, to_arrow
from ..errors import ParameterError, PublishError, reason_of
from ..files.destination import check_folder_name, check_place, keeps_runs
from ..schema import AI_VOTES, SCORE_LISTS, TRAINING_COUNTS, TRUTH, VOTES, Table, arrow_schema
from . import IdKind
from .identifiers import observation_id_array, user_id_array
from .stream import Block, Plan

if TYPE_CHECKING:
    import pyarrow as pa

    from ..arrays import LabelCodes

FILES: dict[str, Table] = {
    "votes.parquet": VOTES,
    "truth.parquet": TRUTH,
    "ai_votes.parquet": AI_VOTES,
    "scores.parquet": tuple(column for column in SCORE_LISTS if not column.optional),
    "training_counts.parquet": TRAINING_COUNTS,
}

MARK = "plant-aggregate.simulation"  # key in the metadata of every simulated file: `overwrite` replaces no others


class Tabulator:
    """Converts blocks to Arrow record batches; labels are dictionaries, so that each name is stored once."""

    def __init__(self, plan: Plan, ids: IdKind) -> None:
        self._plan = plan
        self._user_ids = plan.crowd.ids
        self._names = strings(plan.flora.names)
        self._ids = ids

    def schema(self, file: str) -> "pa.Schema":
        """The schema of the batches of ``file``."""
        import pyarrow as pa

        id_type = pa.int64() if self._ids == "int" else pa.string()
        label = pa.dictionary(pa.int32(), pa.string())
        types = {"observation_id": id_type, "user_id": id_type, "label": label, "labels": pa.list_(label)}
        schema = arrow_schema(FILES[file], **types)
        if file == "scores.parquet":
            schema = schema.set(2, pa.field("probabilities", pa.list_(pa.float32()), nullable=False))
        if file == "votes.parquet":
            place = schema.get_field_index("voted_at")
            schema = schema.set(place, pa.field("voted_at", pa.timestamp("us", tz="UTC")))
        return schema

    def batches(self, block: Block) -> "dict[str, pa.RecordBatch]":
        """The rows of ``block`` for each file."""
        import pyarrow as pa

        log, expert = block.log, block.expert
        columns = {
            "votes.parquet": [
                observation_id_array(log.observation_ids, self._ids),
                user_id_array(self._user_ids[log.users], self._ids),
                self._labels(log.labels),
                to_arrow(log.is_author),
                to_arrow(log.times).cast(pa.timestamp("us", tz="UTC")),
            ],
            "truth.parquet": [
                observation_id_array(block.observation_ids[expert], self._ids),
                self._labels(block.truth[expert]),
            ],
        }
        if block.ai is not None:
            labels, scores = block.ai
            columns["ai_votes.parquet"] = [
                observation_id_array(block.observation_ids, self._ids),
                self._labels(labels),
                to_arrow(scores),
            ]
        if block.lists is not None:
            offsets = block.lists.offsets
            columns["scores.parquet"] = [
                observation_id_array(block.observation_ids, self._ids),
                lists_of(offsets, self._labels(block.lists.labels)),
                lists_of(offsets, to_arrow(block.lists.probabilities)),
            ]
        return {file: pa.record_batch(arrays, schema=self.schema(file)) for file, arrays in columns.items()}

    def training_counts(self) -> "pa.RecordBatch":
        """The species that the classifier knows, with their numbers of images, in the order of their names."""
        import pyarrow as pa

        images = self._plan.classifier.images
        known = np.flatnonzero(images)
        columns = [self._labels(known.astype(np.int32)), to_arrow(images[known])]
        return pa.record_batch(columns, schema=self.schema("training_counts.parquet"))

    def _labels(self, codes: "LabelCodes") -> "pa.Array":
        return dictionary_of(codes, self._names)


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Raise an error if a folder is a file, or has files that must not be overwritten."""
    if folder.exists() and not folder.is_dir():
        raise ParameterError("is a file, not a folder", where=str(folder), remedy="name another folder")
    if keeps_runs(folder):
        raise ParameterError("is an output folder of runs", where=str(folder), remedy="name another folder")
    for name in FILES:
        check_place(folder / name)
    check_folder_name(folder)
    for name in FILES:
        if (folder / name).exists() and not (folder / name).is_file():
            raise ParameterError("is no regular file", where=str(folder / name), remedy="name another folder")
        if not overwrite and (folder / name).exists():
            raise ParameterError(
                "exists already", where=str(folder / name), remedy="name another folder, or overwrite it (--overwrite)"
            )
        if overwrite and (folder / name).exists() and not _is_simulated(folder / name):
            raise ParameterError(
                "has no mark of a simulation, so it is not overwritten",
                where=str(folder / name),
                remedy="name another folder, or remove the file by hand if nobody needs it",
            )


def _is_simulated(path: Path) -> bool:
    """Whether a file is marked as simulated; earlier versions did not mark theirs."""
    import pyarrow as pa
    from pyarrow.parquet import read_metadata

    try:
        with pa.OSFile(os.fsencode(path)) as file:
            return MARK.encode() in (read_metadata(file).metadata or {})
    except (OSError, pa.ArrowException):
        return False


@contextmanager
def parquet_files(
    folder: Path, schemas: "dict[str, pa.Schema]"
) -> "Iterator[dict[str, Callable[[pa.RecordBatch], None]]]":
    """Functions that write a batch to the file of each of ``schemas``; the files get their names once all are complete.

    Files of an earlier simulation that this one does not have are removed: they would not belong to its votes.
    Raises PublishError if they cannot be written.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    targets = {name: Path(os.path.realpath(folder / name)) for name in schemas}  # links are kept
    staged = {name: target.with_name(f".{target.name}.{os.getpid()}.partial") for name, target in targets.items()}
    writers: dict[str, ParquetWriter] = {}
    opened = ExitStack()

    def write(name: str, batch: "pa.RecordBatch") -> None:
        with _writing(folder):
            writers[name].write_batch(batch)

    try:
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for name, schema in schemas.items():
                # Without the Arrow schema in the file, readers see plain strings instead of dictionaries.
                writers[name] = ParquetWriter(
                    opened.enter_context(pa.OSFile(os.fsencode(staged[name]), "wb")),
                    schema,
                    compression="zstd",
                    store_schema=False,
                    write_page_checksum=True,
                    **_encodings(schema),
                )
        yield {name: partial(write, name) for name in schemas}
        with _writing(folder):
            for writer in writers.values():
                writer.add_key_value_metadata({MARK: "1"})
                writer.close()
            opened.close()
            for name in FILES:
                if name in staged:
                    staged[name].replace(targets[name])
                else:
                    (folder / name).unlink(missing_ok=True)
    finally:
        for name in staged:
            with suppress(OSError):  # a full disk was already reported
                if name in writers:
                    writers[name].close()
        with suppress(OSError):
            opened.close()
        for path in staged.values():
            with suppress(OSError):
                path.unlink(missing_ok=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublishError(f"cannot be written ({reason_of(error)})", where=str(folder)) from error


def _encodings(schema: "pa.Schema") -> dict[str, object]:
    """Parquet encodings: deltas for ids and times, which ascend or nearly do; dictionaries for labels."""
    import pyarrow as pa

    ascending = [field.name for field in schema if pa.types.is_int64(field.type) or pa.types.is_timestamp(field.type)]
    return {
        "use_dictionary": ["label", "labels.list.element"],
        "column_encoding": dict.fromkeys(ascending, "DELTA_BINARY_PACKED"),
    }
