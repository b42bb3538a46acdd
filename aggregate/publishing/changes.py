"""What differs between two runs, observation by observation, and why."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..arrays import Counts, Indices
from ..consensus import STATUSES
from ..errors import VotesError
from ..ingest.encoding import check_text
from ..ingest.parquet import CheckedFile, check_file, stream
from ..ingest.places import Ids, Vocabulary
from ..schema import CHANGES, SNAPSHOT, arrow_schema
from ..storage import redacted
from .reading import consensus_path, manifest_beside

REASONS = ("votes", "ai", "settings", "weights")
COMPARED = ("strategy", "parameters", "version", "files")
"""What of a run.json makes another consensus of the same votes."""

Codes: TypeAlias = Mapping[str, Any]
"""Columns of SNAPSHOT as arrays of numbers: a row for each observation."""

REMEDY = "name a consensus.parquet as published"


class Incomparable(Exception):  # noqa: N818 - no error to those who compare
    """Two runs cannot be held against each other; the message says why."""


@dataclass(frozen=True, eq=False)
class Changes:
    """The observations that differ (columns CHANGES, by observation id), and how many of what kind."""

    table: pa.Table
    summary: Mapping[str, Any] | None
    """None if there is no run before."""


def find_changes(old: str, new: str, old_manifest: Mapping[str, Any], new_manifest: Mapping[str, Any]) -> Changes:
    """Hold the consensus in the file ``new`` against that in ``old``.

    The old one passes through batch by batch. ``*_manifest`` are the run.json of both. Raises VotesError if a file
    cannot be read, and Incomparable if ids or labels of both are of different kinds.
    """
    before, now = (
        check_file(path, SNAPSHOT, {}, ("label", "status", "ai_label"), remedy=REMEDY) for path in (old, new)
    )
    _check_kinds(before, now)
    comparison = _Comparison(
        now,
        tells_votes="votes_digest" in before.types and "votes_digest" in now.types,
        other_settings=any(old_manifest.get(key) != new_manifest.get(key) for key in COMPARED),
    )
    for batch in stream(before, [column.name for column in SNAPSHOT]):
        comparison.take(batch, old)
    table, summary = comparison.finish()
    return Changes(table, {"against": old_manifest.get("run_id"), **summary})


def diff(old: str | os.PathLike[str], new: str | os.PathLike[str]) -> Changes:
    """What differs between two published consensuses, each named by a file, a run's folder or an output folder.

    Raises VotesError if one cannot be read, or their ids or labels are of different kinds.
    """
    paths = [consensus_path(path) for path in (old, new)]
    before, now = (manifest_beside(path) or {} for path in paths)
    try:
        return find_changes(paths[0], paths[1], before, now)
    except Incomparable as error:
        old_name, new_name = map(redacted, paths)
        raise VotesError(f"cannot be held against {old_name} ({error})", where=new_name, remedy=REMEDY) from error


def no_changes(consensus: Path) -> pa.Table:
    """A table of changes without rows, for the consensus in a file."""
    schema = pq.read_schema(consensus)
    return _schema(schema.field("observation_id").type, schema.field("label").type).empty_table()


def _schema(id_type: pa.DataType, label_type: pa.DataType) -> pa.Schema:
    return arrow_schema(CHANGES, observation_id=id_type, old_label=label_type, new_label=label_type)


def _check_kinds(before: CheckedFile, now: CheckedFile) -> None:
    """Raise Incomparable if ids or labels are integers here and strings there."""
    for column in ("observation_id", "label"):
        old, new = before.types[column], now.types[column]
        if pa.types.is_integer(old) != pa.types.is_integer(new):
            raise Incomparable(f"{column} is {new} and was {old}")


class _Comparison:
    """Holds batches of one consensus against another, which is held whole."""

    def __init__(self, now: CheckedFile, *, tells_votes: bool, other_settings: bool) -> None:
        """``tells_votes``: both have digests of the votes."""
        self._labels = Vocabulary(pa.array([], now.types["label"]))
        ids, parts = [], []
        for batch in stream(now, [column.name for column in SNAPSHOT]):
            ids.append(batch.column("observation_id"))
            parts.append(_coded(batch, self._labels, now.source.path))
        if not parts:
            raise VotesError("no rows", where=now.source.path, remedy=REMEDY)
        self._ids = pa.concat_arrays(ids)
        check_text(self._ids, "observation_id", now.source.path)
        self._now = {
            name: np.concatenate([part[name] for part in parts]) if present.ndim else present
            for name, present in parts[0].items()
        }
        self._types = now.types["observation_id"], now.types["label"]
        self._places = Ids(self._ids)
        self._met = np.zeros(len(self._ids), np.bool_)
        self._tells_votes, self._other_settings = tells_votes, other_settings
        self._found: list[tuple[pa.Array, Codes, Codes, Counts]] = []
        self._counts = Counter[str]()

    def take(self, batch: pa.RecordBatch, path: str) -> None:
        """Compare a batch of the consensus before."""
        ids = batch.column("observation_id")
        check_text(ids, "observation_id", path)
        old = _coded(batch, self._labels, path)
        places = self._places.places_of(ids)
        there = places >= 0
        self._met[places[there]] = True
        # Where there is none, the last is looked at in its place.
        other_label = there & (old["label"] != self._now["label"][places])
        rows = np.flatnonzero(~there | other_label | (old["status"] != self._now["status"][places]))
        self._counts["in_both"] += int(np.count_nonzero(there))
        self._counts["label_changed"] += int(np.count_nonzero(other_label))
        self._counts["valid_before"] += int(np.count_nonzero(old["status"] == STATUSES.index("valid")))
        gone = ~there[rows]
        new = _rows_of(self._now, places[rows])
        new = {name: np.where(gone, missing, new[name]) for name, missing in _NOTHING.items()}
        self._add(ids.take(pa.array(rows)), _rows_of(old, rows), new)

    def finish(self) -> tuple[pa.Table, dict[str, Any]]:
        """The table CHANGES, and its summary."""
        rows = np.flatnonzero(~self._met)
        nothing = _rows_of({name: np.asarray(missing) for name, missing in _NOTHING.items()}, rows)
        self._add(self._ids.take(pa.array(rows)), nothing, _rows_of(self._now, rows))
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
        check_text(names, "label", "the consensus before")
        table = pa.table(
            {
                "observation_id": ids,
                "old_label": _named(old["label"], names),
                "new_label": _named(new["label"], names),
                "old_status": _named(old["status"], pa.array(STATUSES)),
                "new_status": _named(new["status"], pa.array(STATUSES)),
                "why": _named(why, pa.array(REASONS)),
            }
        ).cast(_schema(*self._types))
        return table.take(pc.sort_indices(table.column("observation_id"))), self._summary(old, new, why)

    def _add(self, ids: pa.Array, old: Codes, new: Codes) -> None:
        """Note observations that differ."""
        self._found.append((ids, old, new, self._why(old, new)))

    def _why(self, old: Codes, new: Codes) -> Counts:
        """Positions in REASONS, -1 where it is not known: the first reason that is there."""
        other_ai = (old["ai_label"] != new["ai_label"]) | (old["ai_score"] != new["ai_score"])
        other_votes = old["votes_digest"] != new["votes_digest"]
        votes, ai, settings, weights = range(len(REASONS))
        why = np.where(other_votes, votes, np.where(other_ai, ai, settings if self._other_settings else weights))
        if not self._tells_votes:  # what is new or gone is so by its votes, whatever they were
            why = np.where((old["status"] < 0) | (new["status"] < 0), votes, -1)
        return why.astype(np.int8)

    def _summary(self, old: Codes, new: Codes, why: Counts) -> dict[str, Any]:
        valid = STATUSES.index("valid")
        before, now = self._counts["valid_before"], int(np.count_nonzero(self._now["status"] == valid))
        changed, both = self._counts["label_changed"], self._counts["in_both"]
        there = (old["status"] >= 0) & (new["status"] >= 0)
        return {
            "in_both": both,
            "new": int(np.count_nonzero(old["status"] < 0)),
            "gone": int(np.count_nonzero(new["status"] < 0)),
            "label_changed": changed,
            "label_changes_share": changed / both if both else 0.0,
            "status_changed": int(np.count_nonzero((old["status"] != new["status"]) & there)),
            "became_valid": int(np.count_nonzero((new["status"] == valid) & (old["status"] != valid))),
            "no_longer_valid": int(np.count_nonzero((old["status"] == valid) & (new["status"] != valid))),
            "valid_before": before,
            "valid_now": now,
            "valid_drop": (before - now) / before if before else 0.0,
            "why": {reason: int(np.count_nonzero(why == place)) for place, reason in enumerate(REASONS)},
        }


_NOTHING = {"label": -1, "status": -1, "votes_digest": 0, "ai_label": -1, "ai_score": 0.0}
"""What stands for an observation that is not there, and for a column that is not."""


def _coded(batch: pa.RecordBatch, labels: Vocabulary, path: str) -> Codes:
    """The columns of a batch as numbers, NaN-free; labels and statuses by their codes, -1 for null.

    A column that is not there is the one number that stands for all.
    """
    coded = {}
    for name, missing in _NOTHING.items():
        if name not in batch.schema.names:
            coded[name] = np.asarray(missing)
        elif name in ("label", "ai_label"):
            coded[name] = labels.codes_of(batch.column(name))
        elif name == "status":
            coded[name] = _status_codes(batch.column(name), path)
        else:
            coded[name] = np.asarray(batch.column(name).fill_null(0))
    return coded


def _status_codes(column: pa.Array, path: str) -> Counts:
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = pc.index_in(column.dictionary, pa.array(STATUSES))
    if codes.null_count or column.null_count:
        raise VotesError(f"column 'status' holds more than {', '.join(STATUSES)}", where=path, remedy=REMEDY)
    found: Counts = np.asarray(codes).astype(np.int8)[np.asarray(column.indices)]
    return found


def _rows_of(codes: Codes, rows: Indices | Counts) -> Codes:
    return {name: values[rows] if values.ndim else np.full(rows.size, values) for name, values in codes.items()}


def _named(codes: Counts, names: pa.Array) -> pa.Array:
    """The names of codes, null for -1."""
    return names.take(pa.array(codes, mask=codes < 0))
