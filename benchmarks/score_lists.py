"""Made-up label lists of a classifier over many species: few common, many rare, likeliest first.

A species has its neighbours in label order as look-alikes. How often each is seen falls with the power of its rank; the
true label is the first of most lists, and is missing in some.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

CHUNK = 20_000
"""Lists made at a time: a row group."""

MISSING = 0.01
"""Share of lists without the true label."""

DICTIONARY_BYTES = 1 << 24
"""Room for the names of all labels: beyond its default of 1 MiB, pyarrow writes each name in full."""


class Lists(NamedTuple):
    """Label lists, and the true label of each."""

    labels: np.ndarray
    """int32[n, length]; distinct in a row, likeliest first."""
    probabilities: np.ndarray
    """float32[n, length]"""
    truth: np.ndarray
    """int32[n]"""


def made_lists(n: int, length: int, n_labels: int, seed: int = 0) -> Lists:
    """So many lists."""
    parts = list(_chunks(n, length, n_labels, np.random.default_rng(seed)))
    return Lists(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _chunks(n: int, length: int, n_labels: int, chance: np.random.Generator) -> Iterator[Lists]:
    common = np.cumsum((np.arange(n_labels) + 10.0) ** -1.1)
    label_at = chance.permutation(n_labels).astype(np.int32)  # ranks of frequency -> labels
    ranks = np.arange(1, length + 1, dtype=np.float32)
    shapes = 0.6 / ranks**1.5
    for start in range(0, n, CHUNK):
        rows = min(CHUNK, n - start)
        truth = label_at[np.searchsorted(common, chance.random(rows) * common[-1])]
        steps = chance.integers(1, max(2, n_labels // length), (rows, length), np.int32)
        steps[:, 0] = 0
        alike = (np.cumsum(steps, axis=1, dtype=np.int32) + truth[:, None]) % n_labels  # distinct, the true one first
        shares = chance.standard_gamma(shapes, (rows, length), np.float32)
        shares += chance.standard_exponential((rows, length), np.float32) * 1e-3 / ranks
        shares[:, ::-1].sort(axis=1)
        shares /= shares.sum(axis=1, keepdims=True)
        place = np.minimum(chance.geometric(0.75, rows) - 1, length)
        place[chance.random(rows) < MISSING] = length
        for i in np.flatnonzero(place):  # the true label moves down, or out of the list
            if place[i] == length:
                alike[i] = (alike[i] + 1) % n_labels
                if (alike[i] == truth[i]).any():
                    alike[i] = np.roll(alike[i], 1)
            else:
                alike[i, : place[i]], alike[i, place[i]] = alike[i, 1 : place[i] + 1].copy(), truth[i]
        yield Lists(alike, shares, truth)


def label_names(n_labels: int) -> list[str]:
    """Binomials, in label order."""
    return sorted(f"Genus{k % (n_labels // 4 + 1):05} species{k}" for k in range(n_labels))


def write_lists(scores: Path, truth: Path, n: int, length: int, n_labels: int, seed: int) -> None:
    """Write lists as Parquet, a row group at a time, with a table of the true labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = pa.array(label_names(n_labels))
    schema = pa.schema(
        [
            ("observation_id", pa.int64()),
            ("labels", pa.list_(pa.dictionary(pa.int32(), pa.string()))),
            ("probabilities", pa.list_(pa.float32())),
        ]
    )
    known = []
    given = {"compression": "zstd", "store_schema": False, "dictionary_pagesize_limit": DICTIONARY_BYTES}
    given |= {"use_dictionary": ["labels.list.element"]}
    with pq.ParquetWriter(scores, schema, **given) as writer:
        first = 10_000_000 * (seed + 1)
        for chunk in _chunks(n, length, n_labels, np.random.default_rng(seed)):
            rows = chunk.truth.size
            edges = pa.array(np.arange(0, rows * length + 1, length, dtype=np.int32))
            words = pa.DictionaryArray.from_arrays(pa.array(chunk.labels.ravel()), names)
            lists = [pa.ListArray.from_arrays(edges, each) for each in (words, pa.array(chunk.probabilities.ravel()))]
            ids = pa.array(np.arange(first, first + rows))
            writer.write_table(pa.Table.from_arrays([ids, *lists], schema=schema))
            known.append(pa.table({"observation_id": ids, "label": names.take(pa.array(chunk.truth))}))
            first += rows
    pq.write_table(pa.concat_tables(known), truth)
