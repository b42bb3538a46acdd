"""Real crowds whose truth is known: where they are, their cleaned votes, and how right an aggregation of these is."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a program that measures processes must itself stay small
    import pandas as pd

    from plant_aggregate.votes import Votes

TIED = 1e-9
"""Labels whose shares differ relatively by no more are tied."""


def crowds_with_truth(folder: Path) -> Iterator[Path]:
    """The folders with ``votes.parquet`` and a ``truth.parquet`` that is not empty, by name."""
    import pyarrow.parquet as pq

    for truth in sorted(folder.glob("*/truth.parquet")):
        if pq.read_metadata(truth).num_rows:
            yield truth.parent


def cleaned(votes: "Votes") -> "pd.DataFrame":
    """One vote per user and observation, as crowd-kit takes them: task, worker, label."""
    import numpy as np
    import pandas as pd

    task = np.repeat(np.arange(votes.n_observations), np.diff(votes.offsets))
    return pd.DataFrame(
        {
            "task": votes.observation_ids.to_numpy(zero_copy_only=False)[task],
            "worker": votes.user_ids.to_numpy(zero_copy_only=False)[votes.users],
            "label": votes.label_names.to_numpy(zero_copy_only=False)[votes.labels],
        }
    )


def expected_accuracy(soft: "pd.DataFrame", truth: "pd.DataFrame") -> float:
    """The share of the truth that is labelled rightly; a tie of n labels, one of them right, counts 1 / n.

    ``soft`` has observation_id, label, probability; an observation that is not in it counts as wrong.
    """
    top = soft.groupby("observation_id")["share"].transform("max")
    tied = soft[soft["share"] >= top * (1 - TIED)].copy()
    tied["share"] = 1 / tied.groupby("observation_id")["label"].transform("size")
    return float(truth.merge(tied, on=["observation_id", "label"])["share"].sum() / len(truth))
