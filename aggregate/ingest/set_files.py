"""Reads prediction sets from files that ``conformal predict`` wrote, with the true labels of their observations."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Counts, LabelCodes, Offsets
from ..arrow import plain, to_arrow, to_numpy
from ..errors import VotesError
from ..files.parquet import check_files, open_parquet, origin_of, stream_all, types_of
from ..files.sources import Paths, Source, find_sources, path_list
from ..schema import PREDICTION_SETS, Table
from ..truth import Truth, check_kinds, codes_among, rows_of

SETS: Table = tuple(column for column in PREDICTION_SETS if column.name in ("observation_id", "labels", "size"))


class HowMade(NamedTuple):
    """What a file says of how its sets were made: keys of its metadata."""

    method: str
    alpha: float
    model_sha256: str  # of the model's file


class KnownSets(NamedTuple):
    """The sets of observations whose true label is known."""

    made: HowMade
    truth: LabelCodes  # int32[n]; positions in ``names``
    names: pa.Array  # of labels: those of the model, followed by others
    offsets: Offsets  # int64[n + 1]; the listed labels of each set
    labels: LabelCodes  # int32; positions in ``names``
    sizes: Counts  # int32[n]


def is_of_sets(paths: Paths) -> bool:
    """Whether the first of some files is one of prediction sets. Raises VotesError if it cannot be read."""
    return _made_as(find_sources(path_list(paths))[0]) is not None


def sets_with_truth(paths: Paths, truth: Truth, names: pa.Array) -> KnownSets:
    """Read the sets of the observations whose true label is known; ``names`` are those of the model's labels.

    Raises VotesError if a file cannot be used, files are of different models or levels, an observation has two sets,
    ids or labels are of other types than in the truth, or no observation of the truth has a set.
    """
    sources = find_sources(path_list(paths))
    made = _made(sources)
    files = check_files(sources, SETS, {})
    types, origin = types_of(files), origin_of(files)
    check_kinds(truth, types["observation_id"], types["labels"].value_type, origin)
    ids, sizes, lengths, labels = [], [], [], []
    for batch, _, _ in stream_all(files, SETS):
        lists = batch.column("labels")
        ids.append(plain(batch.column("observation_id")))
        sizes.append(to_numpy(batch.column("size")).astype(np.int32))
        lengths.append(to_numpy(pc.list_value_length(lists)).astype(np.int64))
        labels.append(plain(lists.flatten()))
    found = pa.chunked_array(ids, types["observation_id"]).combine_chunks()
    rows, truth_rows = rows_of(found, truth.observation_ids)
    if rows.size == 0:
        raise VotesError(f"has none of the {len(truth):,} observations of {truth.origin}", where=origin)
    if np.unique(truth_rows).size < rows.size:
        raise VotesError("an observation has more than one set", where=origin, remedy="leave one row of each")
    of_truth = truth.labels.take(to_arrow(truth_rows)).cast(names.type)
    flat = pa.chunked_array(labels).cast(names.type)
    every = pc.unique(pa.chunked_array([*flat.chunks, of_truth]))
    names = pa.concat_arrays([names, every.filter(to_arrow(codes_among(names, every) < 0))])
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    chosen = np.zeros(len(found), np.bool_)
    chosen[rows] = True
    counts = np.diff(offsets)
    codes = codes_among(names, plain(flat))[np.repeat(chosen, counts)]
    kept = np.concatenate([[0], np.cumsum(counts[rows])])
    return KnownSets(
        made,
        truth=codes_among(names, of_truth),
        names=names,
        offsets=kept,
        labels=codes,
        sizes=np.concatenate(sizes)[rows],
    )


def _made_as(source: Source) -> HowMade | None:
    """How the sets of a file were made; None if it has none."""
    with open_parquet(source, [column.name for column in SETS]) as file:
        text = (file.schema_arrow.metadata or {}).get(b"plant_aggregate")
    try:
        about = json.loads(text or b"{}")
    except ValueError:  # of another program
        return None
    if not isinstance(about, dict) or not {*HowMade._fields} <= about.keys():
        return None
    return HowMade(*(about[name] for name in HowMade._fields))


def _made(sources: Sequence[Source]) -> HowMade:
    """How the sets of all files were made. Raises VotesError if they were not made by one model at one level."""
    first = _made_as(sources[0])
    for source in sources:
        made = _made_as(source)
        if made is None or made != first:
            remedy = f"evaluate it apart from {sources[0].path}"
            raise VotesError("has no sets of the same model and level", where=source.path, remedy=remedy)
    assert first is not None
    return first
