"""peerannot's own Pl@ntNet strategy, from the log to labels, with the JSON of answers that it works on.

python -m benchmarks.peers.peerannot_plantnet VOTES OUTPUT

Its labels are not ours: its weights come from the first majority only, so that labels do not correct each other; both
thresholds are strict; the first label by name wins a tie; it runs at least seven iterations.

Only the strategy itself is loaded. The package as a whole imports PyTorch, which would be another few seconds.
"""

import json
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd


def copy_strategies(folder: str | Path) -> None:
    """Copy the strategies of the package into a folder, without what imports PyTorch."""
    models = Path(find_spec("peerannot").origin).parent / "models"
    copy = Path(folder) / "peerannot" / "models"
    shutil.copytree(models / "aggregation", copy / "aggregation")
    shutil.copy(models / "template.py", copy)
    (copy.parent / "__init__.py").touch()


def strategy() -> type:
    """The class PlantNet, from a copy of the package that holds only what it imports."""
    with tempfile.TemporaryDirectory() as folder:
        copy_strategies(folder)
        sys.path.insert(0, folder)
        from peerannot.models.aggregation.plantnet import PlantNet

    return PlantNet


def clean(path: str) -> pd.DataFrame:
    """One vote per observation and user: the latest, of those the last; none if that has no label."""
    votes = pd.read_parquet(path).sort_values("voted_at", kind="stable", na_position="first")
    votes = votes.drop_duplicates(["observation_id", "user_id"], keep="last")
    return votes[votes["label"].str.strip().fillna("") != ""]


def write_dataset(votes: pd.DataFrame, folder: Path) -> tuple[pd.Index, pd.Index, int]:
    """The files that peerannot reads; the observations and labels behind its numbers, and the number of users."""
    tasks, observations = pd.factorize(votes["observation_id"], sort=True)
    workers, users = pd.factorize(votes["user_id"], sort=True)
    answers_given, labels = pd.factorize(votes["label"], sort=True)
    answers: dict[int, dict[int, int]] = {task: {} for task in range(len(observations))}
    for task, worker, label in zip(tasks.tolist(), workers.tolist(), answers_given.tolist(), strict=True):
        answers[task][worker] = label
    (folder / "answers.json").write_text(json.dumps(answers))
    authors = np.full(len(observations), -1)
    by_author = votes["is_author"].fillna(False).to_numpy(bool)
    authors[tasks[by_author]] = workers[by_author]
    np.savetxt(folder / "authors.txt", authors, fmt="%d")
    return observations, labels, len(users)


def aggregate_votes(votes: str, output: str) -> None:
    """Read the log, let peerannot work, write the labels."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        observations, labels, n_users = write_dataset(clean(votes), folder)
        answers = json.loads((folder / "answers.json").read_text())
        model = strategy()(answers, len(labels), authors=folder / "authors.txt", n_workers=n_users)
        model.run()
    chosen = labels[model.labels_hat.astype(int)]
    consensus = pd.DataFrame({"observation_id": observations, "label": chosen, "valid": model.valid.astype(bool)})
    consensus.to_parquet(output, index=False)


if __name__ == "__main__":
    aggregate_votes(*sys.argv[1:])
