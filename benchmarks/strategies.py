"""Our strategies beside crowd-kit's on crowds with known truth: how often right, and how fast.

    python benchmarks/strategies.py ../shared/data/crowd/* --output docs/measured/strategies.json

Each folder holds votes.parquet and truth.parquet. Both sides get the same votes, one of a user on an observation, and
every true label counts: where labels tie for the first place (within 1e-9), an observation counts by the chance to
pick the right one. Times are those of fitting, in one process, kernels compiled: the median of REPEAT fits of ours, one
of crowd-kit's.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import aggregate
from aggregate.strategies.registry import STRATEGIES

if TYPE_CHECKING:
    from aggregate import Votes

REPEAT = 5
COMPARED = ("majority", "wawa", "zero-based-skill", "dawid-skene", "one-coin", "glad", "mace")
"""What crowd-kit has, too."""

OWN = ("iwmv", "wds", "two-thirds", "plantnet")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, help="write the measurements as JSON")
    given = parser.parse_args()
    found = [
        measured(folder)
        for folder in sorted(given.folders)
        if (folder / "truth.parquet").exists() and len(pd.read_parquet(folder / "truth.parquet"))
    ]
    if given.output:
        given.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(markdown(found))


def measured(folder: Path) -> dict[str, Any]:
    """Both sides on one crowd."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        votes = aggregate.read_votes(folder / "votes.parquet")
        truth = pd.read_parquet(folder / "truth.parquet").set_index("observation_id")["label"]
        rows = as_rows(votes)
        found = {"crowd": folder.name, "votes": votes.n_votes, "truths": len(truth), "strategies": {}}
        for name in (*COMPARED, *OWN):
            each = ours(name, votes, truth)
            if name in COMPARED:
                each |= crowd_kits(name, rows, truth)
            found["strategies"][name] = each
    return found


def as_rows(votes: "Votes") -> pd.DataFrame:
    """The votes as crowd-kit has them."""
    observations, users, labels = (
        np.asarray(ids) for ids in (votes.observation_ids, votes.user_ids, votes.label_names)
    )
    tasks = np.repeat(observations, np.diff(votes.offsets))
    return pd.DataFrame({"task": tasks, "worker": users[votes.users], "label": labels[votes.labels]})


def ours(name: str, votes: "Votes", truth: "pd.Series[Any]") -> dict[str, Any]:
    """Accuracy, seconds and iterations of one of our strategies."""
    strategy = STRATEGIES[name]()
    consensus, seconds = strategy.fit(votes), []
    for _ in range(REPEAT):
        started = time.perf_counter()
        consensus = strategy.fit(votes)
        seconds.append(time.perf_counter() - started)
    posteriors = consensus.posteriors_to_pandas().set_axis(["task", "label", "score"], axis=1)
    iterations = len(consensus.trace.iterations)
    return {"accuracy": expected_accuracy(posteriors, truth), "seconds": median(seconds), "iterations": iterations}


def crowd_kits(name: str, rows: pd.DataFrame, truth: "pd.Series[Any]") -> dict[str, Any]:
    """The same of crowd-kit's strategy of that name; nothing if it is not installed."""
    try:
        from crowdkit import aggregation as kit
    except ModuleNotFoundError:
        return {}
    makers: dict[str, Callable[[], Any]] = {
        "majority": kit.MajorityVote,
        "wawa": kit.Wawa,
        "zero-based-skill": kit.ZeroBasedSkill,
        "dawid-skene": lambda: kit.DawidSkene(n_iter=100),
        "one-coin": lambda: kit.OneCoinDawidSkene(n_iter=100),
        "glad": kit.GLAD,
        "mace": kit.MACE,
    }
    model = makers[name]()
    started = time.perf_counter()
    model.fit(rows)
    seconds = time.perf_counter() - started
    if name in ("majority", "wawa", "zero-based-skill"):
        weights = 1.0 if name == "majority" else rows["worker"].map(model.skills_)
        scores = rows.assign(score=weights).groupby(["task", "label"])["score"].sum().reset_index()
    else:
        scores = model.probas_.stack().reset_index().set_axis(["task", "label", "score"], axis=1)
    found = {"peer_accuracy": expected_accuracy(scores, truth), "peer_seconds": seconds}
    if getattr(model, "loss_history_", None):
        found["peer_iterations"] = len(model.loss_history_)
    return found


def expected_accuracy(scores: pd.DataFrame, truth: "pd.Series[Any]") -> float:
    """The chance to be right, over ties and over all true labels; ``scores`` has task, label, score."""
    scores = scores[scores["score"] > 0]
    best = scores.groupby("task")["score"].transform("max")
    tied = scores[scores["score"] >= best * (1 - 1e-9)]
    chance = 1 / tied.groupby("task")["label"].transform("size")
    right = tied["label"].to_numpy() == tied["task"].map(truth).to_numpy()
    return float(chance[right].sum() / len(truth))


def markdown(found: list[dict[str, Any]]) -> str:
    """Accuracy of ours less crowd-kit's, in points, and how many times as fast; then what follows over all crowds."""
    lines = ["| crowd | " + " | ".join(COMPARED) + " | best of ours | best of theirs |"]
    lines.append("|---|" + "---:|" * (len(COMPARED) + 2))
    for each in found:
        strategies = each["strategies"]
        cells = [cell(strategies[name]) for name in COMPARED]
        best = max(s["accuracy"] for s in strategies.values())
        best_peer = max((s["peer_accuracy"] for s in strategies.values() if "peer_accuracy" in s), default=float("nan"))
        lines.append(f"| {each['crowd']} | {' | '.join(cells)} | {100 * best:.2f} % | {100 * best_peer:.2f} % |")
    for side, key in (("ours", "accuracy"), ("crowd-kit's", "peer_accuracy")):
        gains = [
            each["strategies"]["dawid-skene"][key] - each["strategies"]["majority"][key]
            for each in found
            if key in each["strategies"]["dawid-skene"]
        ]
        if gains:
            lines.append(
                f"\n`dawid-skene` over `majority`, mean of the crowds, {side}: {100 * mean(gains):+.2f} points"
            )
    return "\n".join(lines)


def cell(strategy: dict[str, Any]) -> str:
    """``+0.4, x 25``: points of accuracy more than crowd-kit's, and times as fast."""
    if "peer_accuracy" not in strategy:
        return f"{100 * strategy['accuracy']:.2f} %"
    points = 100 * (strategy["accuracy"] - strategy["peer_accuracy"])
    return f"{points:+.2f}, x {strategy['peer_seconds'] / strategy['seconds']:.0f}"


if __name__ == "__main__":
    main()
