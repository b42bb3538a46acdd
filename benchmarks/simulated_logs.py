"""Simulated vote logs to measure on, made once and kept in ``benchmarks/logs/``."""

import math
import subprocess
import sys
from pathlib import Path

LOGS = Path(__file__).parent / "logs"
PLANT_AGGREGATE = [sys.executable, "-m", "plant_aggregate.cli.start"]


def simulated(scale: float, ids: str) -> Path:
    """The simulated log of a scale, made if it is not there; scale 1 is 9 million votes."""
    LOGS.mkdir(exist_ok=True)
    folder = LOGS / f"scale-{scale:g}-{ids}"
    if not (folder / "votes.parquet").exists():
        simulate = [*PLANT_AGGREGATE, "simulate", str(folder), "--scale", str(scale), "--ids", ids, "-q"]
        subprocess.run(simulate, check=True, stdout=subprocess.DEVNULL)
    return folder / "votes.parquet"


def two_labels(n_observations: int, seed: int = 0) -> Path:
    """A simulated crowd that answers yes or no, made if it is not there.

    Five votes an observation in the mean, of users who are as unequally active as those of a platform. Three
    observations in ten are unclear: on these a user's odds of being right are a quarter of what they are elsewhere.
    """
    folder = LOGS / f"two-labels-{n_observations}-{seed}"
    path = folder / "votes.parquet"
    if path.exists():
        return path
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    chance = np.random.default_rng(seed)
    n_users = max(20, n_observations // 50)
    observations = np.repeat(np.arange(n_observations), 1 + chance.poisson(4, n_observations))
    activity = 1 / np.arange(1, n_users + 1)
    users = chance.permutation(n_users)[chance.choice(n_users, observations.size, p=activity / activity.sum())]
    truth = chance.random(n_observations) < 0.3
    is_unclear = chance.random(n_observations) < 0.3
    log_odds = chance.normal(2, 1, n_users)[users] - math.log(4) * is_unclear[observations]
    is_right = chance.random(observations.size) < 1 / (1 + np.exp(-log_odds))
    labels = pa.array(["no", "yes"]).take(pa.array(np.where(is_right, 1, 0) ^ ~truth[observations]))
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"observation_id": observations, "user_id": users, "label": labels}), path)
    return path
