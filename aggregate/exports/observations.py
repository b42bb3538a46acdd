"""The observations of a run as splits see them: its consensus, and the authors among its voters."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrow import plain, to_arrow, to_numpy
from ..blocks import count
from ..errors import VotesError, warn
from ..files.parquet import open_parquet
from ..progress import Progress
from ..publishing.run import Run
from ..splits.observations import Authors, Observations
from ..truth import codes_among, rows_of
from ..votes import Votes

NEEDED = ("observation_id", "label", "valid", "agreement", "margin", "runner_up")
LABELS = ("label", "runner_up")


class Labelled(NamedTuple):
    """The consensus of a run, and what of it decides about splits."""

    table: pa.Table  # all columns of the consensus; labels are integers or dictionaries
    observations: Observations


def read_labelled(run: Run, votes: Votes | None) -> Labelled:
    """The consensus of a run; the authors are those of ``votes``, unknown without. Raises VotesError."""
    source = run.source()
    with open_parquet(source, NEEDED, page_checksum_verification=True, read_dictionary=list(LABELS)) as file:
        missing = [name for name in NEEDED if name not in file.schema_arrow.names]
        if missing:
            raise VotesError(f"has no column {missing[0]!r}", where=source.path, remedy="name a run of plant-aggregate")
        table = file.read()
    ids = plain(table.column("observation_id"))
    names = _names_in(table)
    label, runner_up = (_codes(table.column(name), names) for name in LABELS)
    observations = Observations(
        ids,
        label,
        names,
        to_numpy(table.column("valid"), null=False),
        to_numpy(table.column("agreement"), null=0),
        to_numpy(table.column("margin"), null=0),
        runner_up,
        Authors.none() if votes is None else authors_in(votes, ids),
    )
    return Labelled(table, observations)


def votes_in(run: Run, paths: Any, progress: Progress) -> Votes:
    """The votes of a run in other files, or a frame of them.

    Warns of observations of the run that have no vote there; raises VotesError if none has: authors and votes that are
    missing would not be seen otherwise.
    """
    votes = run.votes(paths=paths, progress=progress)
    ids = plain(run.read_table(columns=["observation_id"]).column(0))
    n, n_without = len(ids), int((places_of(ids, votes.observation_ids) < 0).sum())
    if n and n_without == n:
        raise VotesError("there is no vote on any observation of the run", remedy="name its votes with --votes")
    if n_without:
        warn(f"{n_without:,} of {count(n, 'observation')} of the run have no vote in the files named as its votes")
    return votes


def authors_in(votes: Votes, ids: pa.Array) -> Authors:
    """Who took the pictures of the observations ``ids``, of those who voted on them."""
    authored = np.flatnonzero(votes.is_author)
    row_of = places_of(votes.observation_ids, ids)
    rows = row_of[np.searchsorted(votes.offsets, authored, side="right") - 1]
    known = rows >= 0
    users = votes.users[authored[known]]
    occurs = np.zeros(votes.n_users, np.bool_)
    occurs[users] = True
    codes = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return Authors(rows[known], codes[users], votes.user_ids.take(to_arrow(np.flatnonzero(occurs))))


def places_of(ids: pa.Array, among: pa.Array) -> np.ndarray:
    """int64[n]; the position of each of distinct ``ids`` among other distinct ones, -1 for one that is not there."""
    if ids.equals(among):
        return np.arange(len(ids))
    places = np.full(len(ids), -1, np.int64)
    rows, wanted = rows_of(among, ids)
    places[wanted] = rows
    return places


def _names_in(table: pa.Table) -> pa.Array:
    """All labels of a consensus, sorted."""
    parts = [
        pc.unique(chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk).drop_null()
        for name in LABELS
        for chunk in table.column(name).chunks
    ]
    kind = table.schema.field("label").type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    names = pc.unique(pa.concat_arrays([part.cast(kind) for part in parts])) if parts else pa.nulls(0, kind)
    return names.take(pc.sort_indices(names))


def _codes(column: pa.ChunkedArray, names: pa.Array) -> np.ndarray:
    """int32[n]; the positions of labels among ``names``, -1 for null."""
    parts = []
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            of_names = np.append(codes_among(names, chunk.dictionary), np.int32(-1))
            parts.append(of_names[to_numpy(chunk.indices.cast(pa.int32()), null=len(chunk.dictionary))])
        else:
            parts.append(codes_among(names, chunk))
    return np.concatenate(parts) if parts else np.empty(0, np.int32)
