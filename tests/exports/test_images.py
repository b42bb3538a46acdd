"""Pictures of observations are read from a table, and all that do not fit are counted."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.exports.images import read_images

ID = pa.int64()
ROWS = [
    (7, "b.jpg"),
    (9, "https://example.org/c d.jpg?x=1,2"),
    (7, "sub/a.jpg"),
    (7, "b.jpg"),
    (8, "/data/e.jpg"),
    (5, "other.jpg"),
    (99, "unknown.jpg"),
    (98, "unknown.jpg"),
    (9, None),
    (None, "f.jpg"),
]


@pytest.fixture
def run(work: Path) -> plant_aggregate.Run:
    ids = [5, 7, 8, 9, 10]
    return plant_aggregate.run(
        {"observation_id": ids, "user_id": ids, "label": ["Acer"] * 5, "is_author": [True] * 5}, work / "consensus"
    )


def write(path: Path, rows: list[tuple[Any, Any]] = ROWS, kind: pa.DataType = ID) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    if path.suffix == ".parquet":
        ids = pa.array([None if key is None else str(key) if kind == pa.string() else key for key, _ in rows], kind)
        pq.write_table(
            pa.table({"image": [name for _, name in rows], "extra": [0] * len(rows), "observation_id": ids}), path
        )
    else:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        lines = [f'{"" if key is None else key}{delimiter}"{name or ""}"' for key, name in rows]
        path.write_text("\n".join([f"observation_id{delimiter}image", *lines]))
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("i.parquet", pa.int64()),
        ("i.parquet", pa.string()),
        ("i.parquet", pa.int32()),
        ("i.csv", None),
        ("i.tsv", None),
    ],
)
def test_each_picture_has_its_observation(run: plant_aggregate.Run, work: Path, name: str, kind: Any) -> None:
    ids = pa.array([7, 8, 9, 10])
    images = read_images(write(work / "tables" / name, kind=kind), run, ids)
    folder = work / "tables"
    assert list(zip(images.rows.tolist(), images.places.to_pylist(), strict=True)) == [
        (0, f"{folder}/b.jpg"),
        (0, f"{folder}/sub/a.jpg"),
        (1, "/data/e.jpg"),
        (2, "https://example.org/c d.jpg?x=1,2"),
    ]
    assert (images.n_without, images.n_other, images.n_unknown, images.n_empty) == (1, 1, 2, 2)
    assert images.notes == [
        "1 exported observation without an image",
        "1 image of observations that are not exported",
        "2 images of observations that are not in the run",
        "2 rows of the table of images without an id or an image",
    ]


def test_ids_of_text_are_compared_as_text(work: Path) -> None:
    votes = {"observation_id": ["007", "7"], "user_id": [1, 2], "label": ["a", "b"], "is_author": [True, True]}
    run = plant_aggregate.run(votes, work / "consensus")
    images = read_images(write(work / "i.csv", [("007", "a"), ("7", "b"), ("07", "c")]), run, pa.array(["007", "7"]))
    assert images.places.to_pylist() == [f"{work}/a", f"{work}/b"]
    assert images.n_unknown == 1


def test_tables_that_cannot_be_used(run: plant_aggregate.Run, work: Path) -> None:
    ids = pa.array([7, 8])
    (work / "header.csv").write_text("observation_id,picture\n7,a\n")
    (work / "short.csv").write_text("observation_id,image\n7,a\n8\n")
    write(work / "none.csv", [(1, "a")])
    pq.write_table(pa.table({"observation_id": [7], "path": ["a"]}), "names.parquet")
    for name, fault in (
        ("header.csv", "column 'image' is missing"),
        ("short.csv", "line 3: a record is with fewer fields"),
        ("none.csv", r"has no image of the 2 observations to export, such as 7; see that"),
        ("names.parquet", "image"),
        ("missing.csv", "cannot be read"),
        ("missing.parquet", "no such file"),
    ):
        with pytest.raises(plant_aggregate.VotesError, match=fault):
            read_images(work / name, run, ids)
