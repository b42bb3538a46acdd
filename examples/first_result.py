"""From a frame of votes to the frame of images that a model is trained on, in pandas, Polars and DuckDB.

``python examples/first_result.py [pandas] [polars] [duckdb]`` prints how many images each of them keeps; without
arguments it takes those that are installed. Each function stands alone: copy the one that fits.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import plant_aggregate

SAMPLE = Path(__file__).resolve().parent.parent / "sample_votes"


def with_pandas(votes_file: str) -> int:
    """Labels by observation are a Series, which pandas joins to images by their index."""
    import pandas as pd

    votes = pd.read_parquet(votes_file)
    images = pd.DataFrame({"image": [f"{n}.jpg" for n in votes["observation_id"]], "obs": votes["observation_id"]})

    consensus = plant_aggregate.PlantNet().fit(plant_aggregate.read_votes(votes))
    labels = consensus.to_pandas().set_index("observation_id").query("valid")["label"]
    training = images.join(labels, on="obs", how="inner")
    return len(training)


def with_polars(votes_file: str) -> int:
    """A Polars frame goes in and comes out without a copy by way of pandas."""
    import polars as pl

    votes = pl.read_parquet(votes_file)
    images = votes.select(pl.format("{}.jpg", "observation_id").alias("image"), pl.col("observation_id").alias("obs"))

    consensus = plant_aggregate.PlantNet().fit(plant_aggregate.read_votes(votes))
    labels = consensus.to_polars().filter("valid").select("observation_id", "label")
    training = images.join(labels, left_on="obs", right_on="observation_id")
    return int(training.height)


def with_duckdb(votes_file: str) -> int:
    """A DuckDB relation goes in, and the consensus is an Arrow table, which DuckDB reads where it is."""
    import duckdb

    votes = duckdb.read_parquet(votes_file)
    images = votes.project("observation_id || '.jpg' as image, observation_id as obs")

    consensus = plant_aggregate.PlantNet().fit(plant_aggregate.read_votes(votes))
    labels = duckdb.from_arrow(consensus.to_arrow()).filter("valid").project("observation_id, label")
    training = images.join(labels, "obs = observation_id")
    return len(training)


EXAMPLES: dict[str, Callable[[str], int]] = {"pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb}


def main(names: list[str]) -> None:
    for name in names or [name for name in EXAMPLES if find_spec(name)]:
        print(f"{name}: {EXAMPLES[name](str(SAMPLE / 'votes.parquet'))} images with a valid label")


if __name__ == "__main__":
    main(sys.argv[1:])
