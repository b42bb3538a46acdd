"""Differences between two runs, observation by observation, and their reasons."""

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..ai_votes import AI_MODES, counted_labels
from ..arrays import Counts, Flags, Indices
from ..arrow import bytes_of, dictionary_of, strings, to_arrow, to_numpy
from ..blocks import FIRST, count
from ..consensus import STATUSES, result_parameters
from ..errors import VotesError
from ..files.locations import redacted
from ..files.parquet import CheckedFile, check_file, readable, stream
from ..files.sources import Source
from ..html_blocks import as_html
from ..ids.encoding import check_text
from ..ids.lookup import IdIndex, LabelIndex
from ..kernels.texts import places_among_sorted
from ..parameters import declared
from ..schema import CHANGES, SNAPSHOT, arrow_schema
from ..settings import Settings
from .open_run import open_named
from .record import UNKNOWN, ChangeCounts, RunChanges, RunRecord
from .run import Run

REASONS = ("votes", "experts", "ai", "settings", "weights")
VALID = STATUSES.index("valid")

Codes: TypeAlias = Mapping[str, Any]  # columns of SNAPSHOT as arrays of numbers: a row for each observation

_NOTHING: Codes = {
    name: np.asarray(value, dtype)
    for name, value, dtype in (
        ("label", -1, np.int32),
        ("status", -1, np.int8),
        ("votes_digest", 0, np.uint32),
        ("ai_label", -1, np.int32),
        ("ai_score", 0.0, np.float64),
        ("by_expert", False, np.bool_),
    )
}
"""Values in the place of an observation, or a column, that is not there."""

REMEDY = "name a consensus.parquet as published"


class Incomparable(Exception):  # noqa: N818 - no error to those who compare
    """Two runs cannot be compared; the message says why."""


@dataclass(frozen=True, eq=False)
class Changes:
    """The observations that differ (columns CHANGES, by observation id), and their numbers by kind."""

    encoded: pa.Table
    """The rows; string labels are dictionaries that the old and the new labels share, as names may be long."""
    found: RunChanges | None
    """None if there is no run before."""

    @property
    def summary(self) -> dict[str, Any] | None:
        """Numbers of observations that differ, as in run.json; :attr:`found` has them with types."""
        return None if self.found is None else self.found.plain()

    @cached_property
    def table(self) -> pa.Table:
        """The observations, with the types of CHANGES."""
        return self.encoded.cast(self.schema)

    @property
    def schema(self) -> pa.Schema:
        """The schema of :attr:`table`."""
        id_type, label_type = (self.encoded.schema.field(name).type for name in ("observation_id", "old_label"))
        return _schema(id_type, label_type.value_type if pa.types.is_dictionary(label_type) else label_type)

    def first(self, n: int) -> pa.Table:
        """The first ``n`` rows: those with another label, then those with another status, then new and gone ones."""
        rank = np.select([self._differ("label"), self._differ("status")], [0, 1], 2)
        return self.encoded.take(to_arrow(np.argsort(rank, kind="stable")[:n]))

    def most_frequent(self, n: int) -> pa.Table:
        """The ``n`` changes of one label to another that occur most: old_label, new_label, and observations int64."""
        relabelled = self.encoded.filter(to_arrow(self._differ("label")))
        old, new = (relabelled[name].combine_chunks() for name in ("old_label", "new_label"))
        names, old_codes, new_codes = _coded_alike(old, new)
        pairs, times = np.unique(old_codes * len(names) + new_codes, return_counts=True)
        most = np.lexsort((pairs, -times))[:n]
        old_codes, new_codes = np.divmod(pairs[most], max(len(names), 1))
        columns = [names.take(to_arrow(old_codes)), names.take(to_arrow(new_codes)), to_arrow(times[most])]
        return pa.table(columns, names=["old_label", "new_label", "observations"])

    def __repr__(self) -> str:
        if self.found is None:
            return "Changes(none: there is no run before)"
        counts, before = self.found.counts, self.found.against or "the other run"
        if counts is None:
            return f"Changes(since {before}: not known)"
        return (
            f"Changes(since {before}: {count(counts.label_changed, 'label')} changed, "
            f"{counts.became_valid:,} became valid, {counts.no_longer_valid:,} no longer are)"
        )

    def _repr_html_(self) -> str:
        from .report.changes import changes_blocks

        before = None if self.found is None else self.found.against
        return as_html(changes_blocks(self, FIRST, f"since {before or 'the other run'}"))

    def _differ(self, name: str) -> Flags:
        """Where the old and the new label or status both exist, and differ: bool[n]."""
        old, new = (self.encoded[f"{side}_{name}"].combine_chunks() for side in ("old", "new"))
        both = to_numpy(pc.and_(old.is_valid(), new.is_valid()))
        if pa.types.is_dictionary(old.type):
            old, new = old.indices, new.indices
        different: Flags = (to_numpy(old, null=0) != to_numpy(new, null=0)) & both
        return different


def _coded_alike(old: pa.Array, new: pa.Array) -> tuple[pa.Array, Indices, Indices]:
    """The sorted names in two columns without nulls, and the positions of each column's names among them, int64."""
    is_dictionary = pa.types.is_dictionary(old.type)
    names = old.dictionary if is_dictionary else pc.unique(pa.chunked_array([old, new]))
    order = pc.sort_indices(names)
    rank = np.empty(len(names), np.int64)
    rank[to_numpy(order)] = np.arange(len(names))
    codes = [column.indices if is_dictionary else pc.index_in(column, names) for column in (old, new)]
    return names.take(order), rank[to_numpy(codes[0])], rank[to_numpy(codes[1])]


def find_changes(old: str | Source, new: str | Source, old_record: RunRecord, new_record: RunRecord) -> Changes:
    """Compare the consensus in the file ``new`` with that in ``old``, each a path or a source.

    The old one is read batch by batch. ``*_record`` are the run.json of both, or UNKNOWN. Raises
    VotesError if a file cannot be read, and Incomparable if ids or labels of both are of different kinds.
    """
    before, now = (
        check_file(path, SNAPSHOT, {}, ("label", "status", "ai_label"), remedy=REMEDY) for path in (old, new)
    )
    _check_kinds(before, now)
    is_known = UNKNOWN not in (old_record, new_record)
    other_settings = result_settings(old_record) != result_settings(new_record) if is_known else None
    ai_counting = AiCounting.of(old_record, new_record) if is_known else None
    comparison = _Comparison(before, now, other_settings=other_settings, ai_counting=ai_counting)
    for parts in _side_by_side(before, now):
        comparison.take(*parts)
    table, counts = comparison.finish()
    return Changes(table, RunChanges(old_record.run_id, counts))


class AiCounting(NamedTuple):
    """How a run counts the AI's votes, to decide whether another vote could have made a difference."""

    mode: str
    threshold: float
    same_scale: bool  # whether scores are calibrated as in the run before

    @classmethod
    def of(cls, old: RunRecord, new: RunRecord) -> "AiCounting | None":
        """That of the new run; if it has no AI votes, that of the old run. None if not known."""
        for parameters in (record.parameters or {} for record in (new, old)):
            mode, threshold = parameters.get("ai_mode"), parameters.get("ai_threshold")
            if mode in AI_MODES and isinstance(threshold, int | float):
                scales = [_digest_of(record, "ai_calibration") for record in (old, new)]
                return cls(mode, threshold, scales[0] == scales[1])
        return None

    def other(self, old: Codes, new: Codes) -> Flags:
        """Whether the new run would have counted another vote with the AI's old vote instead of the new one: bool[n].

        In mode ``invalidating`` all votes against a label are equivalent, and votes for it do not count.
        """
        old_label, new_label = (
            counted_labels(codes["ai_label"], codes["ai_score"], self.mode, self.threshold) for codes in (old, new)
        )
        if self.mode == "invalidating":
            old_counts, new_counts = ((label >= 0) & (label != new["label"]) for label in (old_label, new_label))
            other: Flags = old_counts != new_counts
        else:
            other = old_label != new_label
        return other if self.same_scale else other & (old["ai_label"] != new["ai_label"])


def _digest_of(record: RunRecord, name: str) -> str | None:
    """The SHA-256 of an input file of a run; None if it had none."""
    return record.files[name].sha256 if name in record.files else None


def result_settings(record: RunRecord, settings: type[Any] = Settings) -> list[Any]:
    """The parts of a run.json that change the consensus of the same votes.

    ``settings`` are those of a run, as they are declared. Tables among them are compared row by row, not here.
    """
    of_run = {name: known for name, known in declared(settings).items() if known.changes_result}
    files = [name for name, known in of_run.items() if known.is_file and not known.is_table]
    return [
        record.strategy,
        record.strategy_class,
        record.version,
        result_parameters(record.parameters or {}),
        {name: record.settings.get(name) for name, known in of_run.items() if not known.names_files},
        {name: _digest_of(record, name) for name in files},
    ]


def diff(
    old: str | os.PathLike[str] | Run, new: str | os.PathLike[str] | Run, output: str | os.PathLike[str] | None = None
) -> Changes:
    """Compare two runs, each open, or named by the path of a consensus.parquet, a run's folder or an output folder.

    If ``output`` is given they may also be named as for :func:`open_run`: ``diff("previous", "latest", "consensus")``.
    Raises VotesError if one cannot be read, or their ids or labels are of different kinds, and PublishError if
    ``output`` has no such run.
    """
    before, now = (open_named(name, output) for name in (old, new))
    sources = before.source(), now.source()
    try:
        return find_changes(*sources, before.record, now.record)
    except Incomparable as error:
        old_name, new_name = map(redacted, (before.consensus, now.consensus))
        raise VotesError(f"cannot be compared with {old_name} ({error})", where=new_name, remedy=REMEDY) from error


def no_changes(consensus: Path) -> pa.Table:
    """Changes without rows, for the consensus in a file."""
    with pa.OSFile(os.fsencode(consensus)) as file:  # a path may look like a URI
        schema = pq.read_schema(file)
    id_type, label_type = schema.field("observation_id").type, schema.field("label").type
    if pa.types.is_string(label_type):  # as with rows, so that the file has the same schema
        label_type = pa.dictionary(pa.int32(), label_type)
    return pa.Table.from_batches([], _schema(id_type, label_type))


def _schema(id_type: pa.DataType, label_type: pa.DataType) -> pa.Schema:
    return arrow_schema(CHANGES, observation_id=id_type, old_label=label_type, new_label=label_type)


def _check_kinds(before: CheckedFile, now: CheckedFile) -> None:
    """Raise Incomparable if ids or labels are integers in one file and strings in the other."""
    for column in ("observation_id", "label"):
        old, new = before.types[column], now.types[column]
        if pa.types.is_integer(old) != pa.types.is_integer(new):
            raise Incomparable(f"{column} is {new} and was {old}")


def _same_digests(before: CheckedFile, now: CheckedFile) -> bool:
    """Whether both files have digests of votes, of the same hash: another version may use another."""
    schemes = []
    for file in (before, now):
        name = file.names.get("votes_digest")
        if name is None:
            return False
        with readable(file.source.path), pq.ParquetFile(file.source.local) as opened:
            schemes.append((opened.schema_arrow.field(name).metadata or {}).get(b"scheme"))
    return schemes[0] == schemes[1]


def _side_by_side(before: CheckedFile, now: CheckedFile) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """The rows of both files in parts, each of which covers the same range of ids in both.

    Both are sorted by id, so no more than a batch of each is in memory. Raises VotesError if one is not.
    """
    streams = [_sorted_batches(file) for file in (before, now)]
    empty = [_empty(file) for file in (before, now)]
    heads: list[pa.RecordBatch | None] = [next(stream, None) for stream in streams]
    if heads == [None, None]:
        yield empty[0], empty[1]
    while any(head is not None for head in heads):
        limit = min(head.column("observation_id")[-1].as_py() for head in heads if head is not None)
        parts = []
        for side, head in enumerate(heads):
            end = 0 if head is None else _count_up_to(head.column("observation_id"), limit)
            parts.append(empty[side] if head is None else head.slice(0, end))
            if head is not None:
                heads[side] = head.slice(end) if end < head.num_rows else next(streams[side], None)
        yield parts[0], parts[1]


def _sorted_batches(file: CheckedFile) -> Iterator[pa.RecordBatch]:
    last = None
    for batch in stream(file, [column.name for column in SNAPSHOT]):
        ids = batch.column("observation_id")
        check_text(ids, "observation_id", file.source.path)
        ascending = ids.null_count == 0 and pc.all(pc.less(ids[:-1], ids[1:])).as_py() is not False
        if not ascending or (last is not None and ids[0].as_py() <= last):
            raise VotesError("is not sorted by observation_id", where=file.source.path, remedy=REMEDY)
        last = ids[-1].as_py()
        yield batch


def _empty(file: CheckedFile) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in file.types.values()], names=list(file.types))


def _count_up_to(ids: pa.Array, limit: Any) -> int:
    """Number of sorted ids that are not above a limit. Texts are compared by code points, as their bytes are."""
    if ids[-1].as_py() <= limit:
        return len(ids)
    return bisect_right(ids, limit, key=lambda value: value.as_py())


class _Comparison:
    """Compares two consensuses, part by part; each part covers one range of observation ids."""

    def __init__(
        self, before: CheckedFile, now: CheckedFile, *, other_settings: bool | None, ai_counting: AiCounting | None
    ) -> None:
        self._types = now.types["observation_id"], now.types["label"]
        self._labels = LabelIndex(pa.nulls(0, now.types["label"]))
        self._paths = before.source.path, now.source.path
        self._tells_votes = _same_digests(before, now)
        self._ai_counting = ai_counting
        self._other_settings = other_settings
        self._found: list[tuple[pa.Array, Codes, Codes, Counts]] = []
        self._counts = Counter[str]()

    def take(self, before: pa.RecordBatch, now: pa.RecordBatch) -> None:
        """Compare two parts that cover the same range of ids."""
        ids, new_ids = (batch.column("observation_id") for batch in (before, now))
        old, new = (_coded(batch, self._labels, path) for batch, path in zip((before, now), self._paths, strict=True))
        places = _places_of(ids, new_ids)
        there = places >= 0
        is_met = np.zeros(len(new_ids), np.bool_)
        is_met[places[there]] = True
        rows, met = np.flatnonzero(there), places[there]
        other_label = old["label"][rows] != new["label"][met]
        other = other_label | (old["status"][rows] != new["status"][met])
        self._counts["in_both"] += rows.size
        self._counts["label_changed"] += int(np.count_nonzero(other_label))
        self._counts["valid_before"] += int(np.count_nonzero(old["status"] == VALID))
        self._counts["valid_now"] += int(np.count_nonzero(new["status"] == VALID))
        self._add(ids, old, rows[other], new, met[other])
        self._add(ids, old, np.flatnonzero(~there), None, None)
        self._add(new_ids, None, None, new, np.flatnonzero(~is_met))

    def finish(self) -> tuple[pa.Table, ChangeCounts]:
        """The rows of :class:`Changes`, and their numbers by kind."""
        all_ids, all_old, all_new, all_why = zip(*self._found, strict=True)
        old, new = (
            {name: np.concatenate([part[name] for part in parts]) for name in _NOTHING} for parts in (all_old, all_new)
        )
        why = np.concatenate(all_why)
        try:
            ids = pa.concat_arrays([ids.cast(self._types[0]) for ids in all_ids])
            names = self._labels.names.cast(self._types[1])
        except pa.ArrowInvalid as error:  # wider integers
            raise Incomparable(f"ids or labels do not fit {self._types[0]} and {self._types[1]}") from error
        check_text(names, "label", " or ".join(self._paths))
        old_labels, new_labels = _labels_of((old["label"], new["label"]), names)
        statuses = [dictionary_of(side["status"], strings(STATUSES)) for side in (old, new)]
        columns = [ids, old_labels, new_labels, *statuses, dictionary_of(why, strings(REASONS))]
        table = pa.table(columns, schema=_schema(ids.type, old_labels.type))
        return table.take(pc.sort_indices(table.column("observation_id"))), self._counts_of(old, new, why)

    def _add(
        self, ids: pa.Array, old: Codes | None, old_rows: Indices | None, new: Codes | None, new_rows: Indices | None
    ) -> None:
        """Note rows that differ; new and gone observations have one side only."""
        rows = old_rows if old_rows is not None else new_rows
        assert rows is not None
        sides = [
            _rows_of(_NOTHING if codes is None else codes, rows if of_it is None else of_it)
            for codes, of_it in ((old, old_rows), (new, new_rows))
        ]
        if rows.size or not self._found:
            self._found.append((ids.take(to_arrow(rows)), *sides, self._why(*sides)))

    def _why(self, old: Codes, new: Codes) -> Counts:
        """Positions in REASONS of the first reason that applies, -1 if it is not known."""
        votes, experts, ai, settings, weights = range(len(REASONS))
        comes_or_goes = (old["status"] < 0) | (new["status"] < 0)
        if not self._tells_votes:  # observations are new or gone because of their votes
            return np.where(comes_or_goes, votes, -1).astype(np.int8)
        other_votes = old["votes_digest"] != new["votes_digest"]
        other_label = old["ai_label"] != new["ai_label"]
        others = np.full(other_votes.size, {True: settings, False: weights, None: -1}[self._other_settings])
        if self._ai_counting is not None:
            others[self._ai_counting.other(old, new)] = ai
        else:  # it is not known which votes of the AI would count
            others[other_label | (old["ai_score"] != new["ai_score"])] = -1
        both = old["by_expert"] & new["by_expert"]
        others[(old["by_expert"] != new["by_expert"]) | (both & (old["label"] != new["label"]))] = experts
        # New or gone observations without votes depend on the AI's vote alone.
        others[comes_or_goes] = np.where(other_label[comes_or_goes], ai, votes)
        why = np.where(other_votes, votes, others)
        return why.astype(np.int8)

    def _counts_of(self, old: Codes, new: Codes, why: Counts) -> ChangeCounts:
        before, now = self._counts["valid_before"], self._counts["valid_now"]
        changed, both = self._counts["label_changed"], self._counts["in_both"]
        there = (old["status"] >= 0) & (new["status"] >= 0)
        return ChangeCounts(
            in_both=both,
            new=int(np.count_nonzero(old["status"] < 0)),
            gone=int(np.count_nonzero(new["status"] < 0)),
            label_changed=changed,
            label_changes_share=changed / both if both else 0.0,
            status_changed=int(np.count_nonzero((old["status"] != new["status"]) & there)),
            became_valid=int(np.count_nonzero((new["status"] == VALID) & (old["status"] != VALID))),
            no_longer_valid=int(np.count_nonzero((old["status"] == VALID) & (new["status"] != VALID))),
            valid_before=before,
            valid_now=now,
            valid_drop=(before - now) / before if before else 0.0,
            why={reason: int(np.count_nonzero(why == place)) for place, reason in enumerate(REASONS)},
        )


def _places_of(ids: pa.Array, sorted_ids: pa.Array) -> Counts:
    """The position of each of ``ids`` among ``sorted_ids``, int32; -1 if it is not among them."""
    if pa.types.is_integer(ids.type):
        return IdIndex(sorted_ids).codes_of(ids)
    places = np.empty(len(ids), np.int32)
    places_among_sorted(*bytes_of(sorted_ids), *bytes_of(ids), places)
    return places


def _coded(batch: pa.RecordBatch, labels: LabelIndex, path: str) -> Codes:
    """The columns of a batch as numbers without NaN; labels and statuses as codes, -1 for null.

    A missing column is a single number.
    """
    coded = {}
    for name, missing in _NOTHING.items():
        if name not in batch.schema.names:
            coded[name] = missing
        elif name in ("label", "ai_label"):
            coded[name] = labels.codes_of(batch.column(name))
        elif name == "status":
            coded[name] = _status_codes(batch.column(name), path)
        else:
            coded[name] = to_numpy(batch.column(name), null=missing.item())
    return coded


def _status_codes(column: pa.Array, path: str) -> Counts:
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = pc.index_in(column.dictionary, strings(STATUSES))
    if codes.null_count or column.null_count:
        raise VotesError(f"column 'status' holds more than {', '.join(STATUSES)}", where=path, remedy=REMEDY)
    found: Counts = to_numpy(codes).astype(np.int8)[to_numpy(column.indices)]
    return found


def _rows_of(codes: Codes, rows: Indices | Counts) -> Codes:
    return {name: values[rows] if values.ndim else np.full(rows.size, values) for name, values in codes.items()}


def _labels_of(columns: Iterable[Counts], names: pa.Array) -> list[pa.Array]:
    """Columns of codes as columns of names, null for -1; strings as dictionaries of those that occur, sorted."""
    columns = list(columns)
    if not pa.types.is_string(names.type):
        return [names.take(to_arrow(codes, null=codes < 0)) for codes in columns]
    occurring = np.unique(np.concatenate(columns))
    occurring = occurring[occurring >= 0]
    names = names.take(to_arrow(occurring))
    order = to_numpy(pc.sort_indices(names))
    place = np.full(int(occurring.max(initial=-1)) + 2, -1, np.int32)  # the last, and that of -1, is for none
    place[occurring[order]] = np.arange(order.size, dtype=np.int32)
    return [dictionary_of(place[codes], names.take(to_arrow(order))) for codes in columns]
