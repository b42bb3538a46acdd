"""Small valid files of every table that a command reads, by writers of different habits."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 240
OBSERVATIONS, USERS = 60, 20
SPECIES = [f"Acer {name}" for name in ("campestre", "opalus", "negundo", "rubrum", "tataricum", "palmatum")]

WRITERS: tuple[dict[str, Any], ...] = (
    {"compression": "none", "use_dictionary": False},
    {"compression": "none", "use_dictionary": False, "write_page_checksum": True},
    {"compression": "none", "row_group_size": 100},
    {"compression": "none", "data_page_version": "2.0", "row_group_size": 100},
    {"compression": "snappy"},
    {"compression": "snappy", "data_page_version": "2.0", "write_page_checksum": True},
    {"compression": "snappy", "row_group_size": 50, "store_schema": False},
    {"compression": "zstd", "write_page_checksum": True, "row_group_size": 100},
    {"compression": "zstd", "use_dictionary": False, "write_statistics": False},
    {"compression": "none", "use_dictionary": False, "data_page_size": 200, "write_batch_size": 20},
    {"compression": "none", "write_page_checksum": True, "data_page_size": 50, "write_batch_size": 20},
    {"compression": "snappy", "version": "1.0", "write_page_index": True},
)


@dataclass(frozen=True)
class Original:
    """A valid file, and which input of which command it is."""

    name: str
    role: str
    ids: str
    """Of the observations: ``int`` or ``text``."""
    content: bytes


def votes(ids: str, labels: str = "text", extras: bool = True) -> pa.Table:
    """A vote log in which most votes of an observation agree."""
    chance = np.random.default_rng(7)
    observations = np.sort(chance.integers(0, OBSERVATIONS, ROWS))
    species = np.where(chance.random(ROWS) < 0.8, observations % len(SPECIES), chance.integers(0, len(SPECIES), ROWS))
    users = chance.integers(0, USERS, ROWS)
    table = pa.table(
        {
            "observation_id": _ids(observations, ids, "obs"),
            "user_id": _ids(users, ids, "u"),
            "label": _labels(species, labels),
        }
    )
    if extras:
        start = datetime(2024, 5, 1)
        times = [start + timedelta(hours=int(hour)) for hour in chance.integers(0, 5000, ROWS)]
        table = table.append_column("is_author", pa.array(users == observations % USERS))
        table = table.append_column("voted_at", pa.array(times, pa.timestamp("us")))
    return table


def ai_votes(ids: str) -> pa.Table:
    """The AI's votes on the observations."""
    rows = np.arange(OBSERVATIONS)
    columns = {"label": _labels(rows % len(SPECIES), "text"), "score": np.linspace(0.1, 0.99, OBSERVATIONS)}
    return pa.table({"observation_id": _ids(rows, ids, "obs"), **columns})


def truth(ids: str) -> pa.Table:
    """Experts' labels of the observations."""
    return ai_votes(ids).drop_columns(["score"])


def weights(ids: str) -> pa.Table:
    """Weights set by hand."""
    rows = np.arange(USERS)
    fixed = pa.array([None if row % 2 else float(row) for row in rows])
    return pa.table({"user_id": _ids(rows, ids, "u"), "fixed_weight": fixed, "min_weight": rows / 4})


def score_lists(ids: str) -> pa.Table:
    """A classifier's scores, a row for each observation and epoch."""
    rows = np.repeat(np.arange(OBSERVATIONS), 2)
    shares = pa.array([[0.5, 0.3, 0.1]] * rows.size, pa.list_(pa.float32()))
    labels = [[SPECIES[(row + step) % len(SPECIES)] for step in range(3)] for row in rows]
    epochs = np.arange(rows.size) % 2
    columns = {"epoch": epochs, "labels": labels, "probabilities": shares}
    return pa.table({"observation_id": _ids(rows, ids, "obs"), **columns})


def score_rows(ids: str) -> pa.Table:
    """The same, a row for each label."""
    rows = np.repeat(np.arange(OBSERVATIONS), 3)
    labels = _labels((rows + np.arange(rows.size) % 3) % len(SPECIES), "text")
    shares = np.tile([0.5, 0.3, 0.1], OBSERVATIONS)
    return pa.table(
        {"observation_id": _ids(rows, ids, "obs"), "epoch": rows * 0, "label": labels, "probability": shares}
    )


TABLES: dict[str, tuple[Callable[[str], pa.Table], ...]] = {
    "votes": (
        votes,
        lambda ids: votes(ids, "dictionary"),
        lambda ids: votes(ids, "int"),
        lambda ids: votes(ids, extras=False),
    ),
    "ai": (ai_votes,),
    "truth": (truth,),
    "weights": (weights,),
    "scores": (score_lists, score_rows, lambda ids: score_rows(ids).drop_columns(["epoch"])),
}
"""Tables of each input; the consensus and its users come from a run."""


@cache
def originals() -> tuple[Original, ...]:
    """Every table by several writers."""
    return tuple(_all())


def written(table: pa.Table, **options: Any) -> bytes:
    """The table as a file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def _all() -> Iterator[Original]:
    for role, tables in TABLES.items():
        for kind, make in enumerate(tables):
            for ids in ("int", "text"):
                for number, options in enumerate(WRITERS):
                    yield Original(f"{role}-{kind}-{ids}-{number}", role, ids, written(make(ids), **options))


def _ids(numbers: np.ndarray, kind: str, prefix: str) -> pa.Array:
    return pa.array(numbers) if kind == "int" else pa.array([f"{prefix}-{number:05}" for number in numbers])


def _labels(numbers: np.ndarray, kind: str) -> pa.Array:
    if kind == "int":
        return pa.array(numbers)
    names = pa.array([SPECIES[number] for number in numbers])
    return names.dictionary_encode() if kind == "dictionary" else names
