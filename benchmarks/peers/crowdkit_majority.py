"""crowd-kit's plain majority vote: without weights, so that its labels are not ours, and nothing is valid or not.

python -m benchmarks.peers.crowdkit_majority VOTES OUTPUT

crowd-kit has no strategy that weighs users by species. Of a tie it draws at random.
"""

import sys

import pandas as pd
from crowdkit.aggregation import MajorityVote


def clean(path: str) -> pd.DataFrame:
    """One vote per observation and user: the latest, of those the last; none if that has no label."""
    votes = pd.read_parquet(path).sort_values("voted_at", kind="stable", na_position="first")
    votes = votes.drop_duplicates(["observation_id", "user_id"], keep="last")
    return votes[votes["label"].str.strip().fillna("") != ""]


def aggregate_votes(votes: str, output: str) -> None:
    """Read the log, let crowd-kit vote, write the labels."""
    names = {"observation_id": "task", "user_id": "worker"}
    labels = MajorityVote().fit_predict(clean(votes).rename(columns=names)[["task", "worker", "label"]])
    consensus = labels.rename("label").rename_axis("observation_id").reset_index().sort_values("observation_id")
    consensus.assign(valid=pd.Series(pd.NA, dtype="boolean")).to_parquet(output, index=False)


if __name__ == "__main__":
    aggregate_votes(*sys.argv[1:])
