"""A small crowd whose labels are hard on file names and class lists, and pictures of what it voted on."""

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import plant_aggregate

LABELS = [
    "Zea mays",
    "Acer × freemanii",
    "Acer campestre",
    "acer campestre",
    "Spiræa salicifólia",
    "Spiraea salicifolia",
    "Rosa canina/Rosa corymbifera",
    "../Vicia cracca",
    "Ébénus cretica",
    "NA",
]


def votes(labels: list[Any] = LABELS, n: int = 400, ids: str = "int") -> dict[str, list[Any]]:
    """Votes of 40 users on ``n`` observations: two each, that of the author and another's, who agree."""
    rng = np.random.default_rng(7)
    rows: dict[str, list[Any]] = {"observation_id": [], "user_id": [], "label": [], "is_author": []}
    for number in range(n):
        label = labels[number % len(labels)]
        author, other = rng.choice(40, 2, replace=False).tolist()
        observation = f"https://example.org/obs/{number}.html" if ids == "text" else 2**60 + number
        for user, is_author in ((author, True), (other, False)):
            for column, value in zip(rows, (observation, f"user {user}", label, is_author), strict=True):
                rows[column].append(value)
    return rows


def made_run(folder: Path, labels: list[Any] = LABELS, ids: str = "int") -> plant_aggregate.Run:
    """A run of the majority on these votes, which are in votes.parquet beside it."""
    pq.write_table(pa.table(votes(labels, ids=ids)), folder / "votes.parquet")
    with warnings.catch_warnings(record=True):  # labels look alike
        return plant_aggregate.run(folder / "votes.parquet", folder / "consensus", "majority")


def png(number: int) -> bytes:
    """A picture of one pixel, a different one for each number."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    pixel = zlib.compress(b"\0" + number.to_bytes(3, "big"))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def write_images(run: plant_aggregate.Run, folder: Path, every: int = 3) -> Path:
    """Two pictures of every third observation, one of the others but each eleventh; and the table of them."""
    ids, names = [], []
    (folder / "pictures").mkdir(parents=True)
    for number, observation in enumerate(run.read_table(columns=["observation_id"])["observation_id"].to_pylist()):
        for picture in range(0 if number % 11 == 9 else 2 if number % every == 0 else 1):
            name = f"pictures/{number} {picture}.PNG"
            (folder / name).write_bytes(png(2 * number + picture))
            ids.append(observation)
            names.append(name)
    pq.write_table(pa.table({"observation_id": ids, "image": names}), folder / "images.parquet")
    return folder / "images.parquet"
