"""The Pl@ntNet EM in Polars, written straight from its definition: every iteration joins and groups all votes anew.

python -m benchmarks.peers.polars_plain VOTES OUTPUT
"""

import math
import sys

import polars as pl


def clean(votes: str) -> pl.DataFrame:
    """One vote per observation and user: the latest, of those the last; none if that has no label."""
    return (
        pl.scan_parquet(votes)
        .sort("voted_at", nulls_last=False, maintain_order=True)
        .group_by("observation_id", "user_id")
        .agg(pl.col("label").last(), pl.col("is_author").any())
        .filter(pl.col("label").str.strip_chars() != "")
        .collect()
    )


def heaviest(votes: pl.DataFrame, weights: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """The label of most weight; of those tied the one held before, an author's, the most voted, the smallest."""
    weight_of_label = (
        votes.lazy()
        .join(weights.lazy(), on="user_id")
        .group_by("observation_id", "label")
        .agg(pl.col("w").sum().alias("weight"), pl.len().alias("n_votes"), pl.col("is_author").any())
    )
    return (
        weight_of_label.filter(pl.col("weight") >= pl.col("weight").max().over("observation_id") * (1 - 1e-9))
        .join(held.lazy().with_columns(is_held=True), on=["observation_id", "label"], how="left")
        .with_columns(pl.col("is_held").fill_null(False))
        .sort("observation_id", "is_held", "is_author", "n_votes", "label", descending=[False, True, True, True, False])
        .group_by("observation_id")
        .agg(pl.col("label").first())
        .collect()
    )


def judge(votes: pl.DataFrame, weights: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Which labels have enough of the weight, and enough weight."""
    return (
        votes.lazy()
        .join(weights.lazy(), on="user_id")
        .join(labels.lazy().rename({"label": "consensus"}), on="observation_id")
        .group_by("observation_id", "consensus")
        .agg(
            pl.col("w").filter(pl.col("label") == pl.col("consensus")).sum().alias("conf"),
            pl.col("w").sum().alias("total"),
        )
        .select(
            "observation_id",
            pl.col("consensus").alias("label"),
            valid=(pl.col("conf") / pl.col("total") >= 0.7 - 1e-9) & (pl.col("conf") >= 2 - 1e-9),
        )
        .collect()
    )


def weigh(votes: pl.DataFrame, judged: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame:
    """Weights from the number of species that each user has identified."""
    counts = (
        votes.lazy()
        .join(judged.lazy(), on=["observation_id", "label"])
        .filter(pl.col("valid") | ~pl.col("is_author"))
        .group_by("user_id", "label")
        .agg(pl.col("is_author").any().alias("authored"))
        .group_by("user_id")
        .agg(n=pl.col("authored").sum() + ((~pl.col("authored")).sum() + 5) // 10)
    )
    n = pl.col("n").fill_null(0)
    return (
        users.lazy()
        .join(counts, on="user_id", how="left")
        .select("user_id", n, w=n**0.5 - n**0.2 + math.log(2.1))
        .collect()
    )


def aggregate_votes(path: str, output: str) -> None:
    """Read the log, estimate labels and weights in turns until a state returns, write the labels."""
    votes = clean(path)
    users = votes.select(pl.col("user_id").unique())
    weights = users.with_columns(n=pl.lit(0), w=pl.lit(math.log(2.1)))
    labels = heaviest(votes, weights, votes.select("observation_id", "label").clear())
    seen = set()
    for _ in range(100):
        weights = weigh(votes, judge(votes, weights, labels), users)
        labels = heaviest(votes, weights, labels)
        state = (labels.hash_rows().sum(), weights.select("user_id", "n").hash_rows().sum())
        if state in seen:
            break
        seen.add(state)
    judge(votes, weights, labels).sort("observation_id").write_parquet(output)


if __name__ == "__main__":
    aggregate_votes(*sys.argv[1:])
