"""Evidence on the experts' observations, and users, of a published consensus, for ``open_run`` to hand out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..arrow import scalar, to_arrow
from ..errors import VotesError
from ..evidence import Evidence
from ..files.parquet import batches_of_table, check_file, check_files, readable, stream
from ..frames import Frame, to_table
from ..ids.encoding import check_text
from ..reprs import short_repr
from ..schema import EVIDENCE, USER_AGREEMENT, USERS, Table
from ..truth import Truth, check_kinds, rows_of
from .integrity import REMEDY, exists, sound_table
from .record import UNKNOWN, RunRecord


@dataclass(frozen=True)
class PublishedEvidence:
    """The evidence of a published consensus on the observations that experts know."""

    path: str
    n_observations: int  # number of observations of the whole consensus
    evidence: Evidence  # on those that experts know, sorted by observation id
    record: RunRecord  # the run.json beside the consensus; empty if there is none

    __repr__ = short_repr

    @property
    def manifest(self) -> dict[str, Any] | None:
        """The content of the run.json; :attr:`record` has it with types."""
        return None if self.record == UNKNOWN else self.record.plain()


def evidence_in(file: str, record: RunRecord, truth: Truth) -> PublishedEvidence:
    """The evidence in a file on the observations of ``truth``; see ``PublishedRun.evidence``."""
    source = sound_table(file, record)
    checked = check_file(source, EVIDENCE, {}, as_dictionary=("label",), remedy=REMEDY)
    shown = checked.source.path
    check_kinds(truth, checked.types["observation_id"], checked.types["label"], shown)
    found: list[pa.RecordBatch] = []
    names = [pa.nulls(0, checked.types["label"])]
    for batch in stream(checked, [column.name for column in EVIDENCE]):
        names += [pc.unique(batch.column(name)) for name in ("label", "runner_up") if name in batch.schema.names]
        rows, _ = rows_of(batch.column("observation_id"), truth.observation_ids)
        found.append(batch.take(to_arrow(rows)))
    evidence = _evidence(found, names, checked.types, shown)
    return PublishedEvidence(file, checked.rows, evidence, record)


def evidence_of_frame(frame: Frame, columns: Mapping[str, str] | None = None) -> Evidence:
    """Labels in a frame, and what else it has of the columns of a consensus; see :func:`frames.to_table`.

    Raises TypeError for what is no frame, and VotesError if a column is missing, has a wrong type or values that
    cannot be, or an observation occurs twice.
    """
    types, batches = batches_of_table(to_table(frame, EVIDENCE, columns), EVIDENCE)
    rows = list(batches)
    names = [pa.nulls(0, types["label"]), *(pc.unique(batch.column("label")) for batch in rows)]
    return _evidence(rows, names, types, "labels", "give every row a value, or leave the column out")


def _evidence(
    batches: list[pa.RecordBatch],
    names: list[pa.Array],
    types: Mapping[str, pa.DataType],
    origin: str,
    remedy: str = "name a consensus.parquet as published",
) -> Evidence:
    """The evidence in rows, sorted by observation id; ``names`` are all labels. Raises VotesError."""
    table = _plain(batches, types, origin)
    if "n_votes" not in table.column_names:  # of another program: a row without a label says nothing
        table = table.filter(table.column("label").is_valid())
    _check_rows(table, origin, remedy)
    label_names = pc.unique(pa.chunked_array([_decoded(part) for part in names])).drop_null()
    check_text(label_names, "label", origin)
    with readable(origin, "a consensus"):  # integers that are too large for their column
        return Evidence.from_table(table, label_names)


def users_in(file: str, record: RunRecord) -> pa.Table | None:
    """The users in a file, columns USERS and USER_AGREEMENT; see ``PublishedRun.users``."""
    columns = (*USERS, *USER_AGREEMENT)
    if not exists(file):
        return None
    source = sound_table(file, record)
    with readable(source.path):
        names = set(pq.read_schema(source.local).names)
    if not {column.name for column in columns} <= names:
        return None
    (checked,) = check_files([source], columns, {}, remedy="name a consensus as published")
    table = _table(list(stream(checked, [column.name for column in columns])), checked.types, columns)
    check_text(table.column("user_id"), "user_id", source.path)
    gaps = [column.name for column in columns if not column.nullable and table.column(column.name).null_count]
    if gaps:
        raise VotesError(f"column {gaps[0]!r} holds nulls", where=source.path, remedy="name a consensus as published")
    return table


def _plain(batches: list[pa.RecordBatch], types: Mapping[str, pa.DataType], origin: str) -> pa.Table:
    """The rows as one table without dictionaries, sorted by observation id."""
    table = _table(batches, types, EVIDENCE)
    for name in table.column_names:
        check_text(table.column(name), name, origin)
    return table.take(pc.sort_indices(table.column("observation_id")))


def _table(batches: list[pa.RecordBatch], types: Mapping[str, pa.DataType], columns: Table) -> pa.Table:
    """The rows as one table without dictionaries."""
    schema = pa.schema([(column.name, types[column.name]) for column in columns if column.name in types])
    tables = [
        pa.table([_decoded(column) for column in batch.columns], names=batch.schema.names).select(schema.names)
        for batch in batches
        if batch.num_rows
    ]
    return pa.concat_tables(tables) if tables else pa.Table.from_batches([], schema)


def _check_rows(table: pa.Table, path: str, remedy: str) -> None:
    """Raise VotesError if a value is missing, a confidence no share, or an observation occurs twice."""
    gaps = [name for name in table.column_names if name not in ("runner_up", "label") and table.column(name).null_count]
    if "n_votes" in table.column_names:
        unlabelled = table.column("label").is_null()
        if pc.any(pc.and_(unlabelled, pc.greater(table.column("n_votes"), scalar(0)))).as_py():
            gaps.insert(0, "label")  # only observations without a user's vote may be without one
    if gaps:
        raise VotesError(f"column {gaps[0]!r} holds nulls", where=path, remedy=remedy)
    for name in {"confidence", "probability"} & set(table.column_names):
        inside = pc.and_(pc.greater_equal(table.column(name), scalar(0)), pc.less_equal(table.column(name), scalar(1)))
        if not pc.all(inside).as_py() and table.num_rows:
            raise VotesError(f"column {name!r} holds values outside [0, 1]", where=path, remedy="it must hold shares")
    ids = table.column("observation_id")
    if pc.count_distinct(ids).as_py() < table.num_rows:
        twice = next(row["values"] for row in pc.value_counts(ids).to_pylist() if row["counts"] > 1)
        remedy = "it must have a row each"
        if "status" not in table.column_names:  # not published by a run
            remedy += "; votes become labels by a strategy, such as Wawa().fit_predict(votes)"
        raise VotesError(f"observation {twice!r} occurs more than once", where=path, remedy=remedy)


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
