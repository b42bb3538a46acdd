"""``fit_predict(frame)`` here and in crowd-kit, in turns, from the same pandas frame to labels by task.

    python -m benchmarks.fit_predict --crowds FOLDER

The time of ours includes what turns the frame into votes, and the labels into a Series. Medians of several turns,
kernels compiled. Replaces docs/measured/fit_predict.json, from which ``docs/update.py`` fills docs/moving.md, and
prints the tables. Needs crowd-kit; takes as long as its GLAD, some ten minutes. FOLDER is that of ``strategies.py``.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from benchmarks.crowds import crowds_with_truth
from benchmarks.results import Session
from benchmarks.strategy_results import COMPARED, row, session_line, table

if TYPE_CHECKING:
    import pandas as pd

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "measured" / "fit_predict.json"

NAMES = {"observation_id": "task", "user_id": "worker"}
"""Our columns -> crowd-kit's."""

ENOUGH = 2.0  # seconds of both sides together after which no further turn begins
MOST_TURNS = 9

Labeller = Callable[["pd.DataFrame"], "pd.Series[Any]"]


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description="fit_predict here and in crowd-kit.")
    parser.add_argument("--crowds", type=Path, required=True, help="folder of NAME/votes.parquet, NAME/truth.parquet")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="crowds to take (default all)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file (default docs/measured)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    folders = [each for each in crowds_with_truth(options.crowds) if options.only is None or each.name in options.only]
    if not folders:
        sys.exit(f"no crowds with truth in {options.crowds}")
    session = Session.begin(["crowd-kit", "numba", "numpy", "pandas", "pyarrow"])
    measured = [fit for folder in folders for fit in both(folder)]
    here = {"date": session.date, "machine": session.machine, "versions": session.versions}
    results = {**here, "measured": measured}
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    for name, part in TABLES.items():
        print(f"\n### {name}\n\n{part(results)}")


def both(folder: Path) -> list[dict[str, Any]]:
    """The strategies that both have, on one crowd."""
    import pandas as pd

    frame = pd.read_parquet(folder / "votes.parquet").rename(columns=NAMES)[["task", "worker", "label"]]
    truth = pd.read_parquet(folder / "truth.parquet").set_index("observation_id")["label"]
    found = []
    for name in COMPARED:
        sides = ours(name), crowdkits(name)
        sides[0](frame[:100])  # compiles the kernels, or loads them
        seconds, labels = in_turns(sides, frame)
        right = [float((each.reindex(truth.index) == truth).mean()) for each in labels]
        print(
            f"{folder.name:<16}{name:<20}{seconds[0]:9.4f} s, theirs {seconds[1]:9.4f} s", file=sys.stderr, flush=True
        )
        found.append(
            {"crowd": folder.name, "strategy": name, "votes": len(frame), "seconds": seconds, "accuracy": right}
        )
    return found


def in_turns(sides: tuple[Labeller, ...], frame: "pd.DataFrame") -> tuple[list[float], list[Any]]:
    """The median seconds of each side, and its labels."""
    spent: list[list[float]] = [[] for _ in sides]
    labels: list[Any] = [None for _ in sides]
    for turn in range(MOST_TURNS):
        if turn and sum(map(sum, spent)) > ENOUGH:
            break
        for place, side in enumerate(sides):
            begun = time.perf_counter()
            labels[place] = side(frame)
            spent[place].append(time.perf_counter() - begun)
    return [median(each) for each in spent], labels


def ours(name: str) -> Labeller:
    """Our strategy."""
    from plant_aggregate.strategies.registry import get

    return get(name)().fit_predict


def crowdkits(name: str) -> Labeller:
    """crowd-kit's, which takes its 100 iterations at most."""
    from crowdkit import aggregation as kit

    vote = kit.MajorityVote().fit_predict
    # The fit of two of them ends with the users' skills. Their own last vote is this one, behind a check that fails
    # under the releases of scikit-learn since 1.7.
    sides: dict[str, Labeller] = {
        "majority": vote,
        "wawa": lambda frame: vote(frame, skills=kit.Wawa().fit(frame).skills_),
        "zero-based-skill": lambda frame: vote(frame, skills=kit.ZeroBasedSkill().fit(frame).skills_),
        "dawid-skene": lambda frame: kit.DawidSkene(n_iter=100).fit_predict(frame),
        "one-coin": lambda frame: kit.OneCoinDawidSkene(n_iter=100).fit_predict(frame),
        "glad": lambda frame: kit.GLAD().fit_predict(frame),
        "mace": lambda frame: kit.MACE().fit_predict(frame),
    }
    return sides[name]


def seconds(results: dict[str, Any]) -> str:
    """Milliseconds of ours on each crowd, and how many times as long crowd-kit's take; what is slower here is bold."""
    crowds = dict.fromkeys(fit["crowd"] for fit in results["measured"])
    found = {(fit["crowd"], fit["strategy"]): fit for fit in results["measured"]}
    votes = {fit["crowd"]: fit["votes"] for fit in results["measured"]}
    lines = table("crowd", "votes", *(f"`{name}`" for name in COMPARED))
    for crowd in crowds:
        cells = []
        for name in COMPARED:
            here, there = found[crowd, name]["seconds"]
            cell = (
                f"{1000 * here:{'.1f' if here < 0.01 else ',.0f'}} × {there / here:,.{1 if there < 10 * here else 0}f}"
            )
            cells.append(cell if here <= there else f"**{cell}**")
        lines.append(row(crowd, f"{votes[crowd]:,}", *cells))
    return "\n".join(lines)


def accuracy(results: dict[str, Any]) -> str:
    """The mean accuracy over the crowds, in percent."""
    lines = table("mean accuracy", *(f"`{name}`" for name in COMPARED))
    for place, whose in enumerate(("plant-aggregate", "crowd-kit")):
        by_name = (
            [fit["accuracy"][place] for fit in results["measured"] if fit["strategy"] == name] for name in COMPARED
        )
        lines.append(row(whose, *(f"{100 * fmean(values):.1f}" for values in by_name)))
    return "\n".join(lines)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {"seconds": seconds, "accuracy": accuracy, "session": session_line}
"""Each part of docs/moving.md that is made from the results."""


if __name__ == "__main__":
    main()
