"""The strategies on real crowds whose truth is known, against crowd-kit's; their priors; their time on large logs.

    python -m benchmarks.strategies --crowds FOLDER             accuracy and time on every crowd, ours and crowd-kit's
    python -m benchmarks.strategies --crowds FOLDER --peers     the same, with crowd-kit's as they were measured last
    python -m benchmarks.strategies --crowds FOLDER --priors    accuracy of ours under other priors and tolerances
    python -m benchmarks.strategies --scales 0.1 1              time and memory of ours on simulated logs
    python -m benchmarks.strategies --two-labels 1000000        the same on a simulated crowd that answers yes or no

Each call replaces its part of docs/measured/strategies.json, from which ``docs/update.py`` fills docs/strategies.md,
and prints it as Markdown. One process for each crowd and contender, in turns; for each strategy on a simulated log.
The crowds are not part of this repository: ``--crowds`` names a folder with NAME/votes.parquet and NAME/truth.parquet.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.crowds import crowds_with_truth
from benchmarks.processes import GIB, Limits, run_measured
from benchmarks.results import Session
from benchmarks.simulated_logs import simulated, two_labels
from benchmarks.strategy_results import COMPARED, CONVERGED, KIT, OTHERS, OURS, TABLES

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "measured" / "strategies.json"

AT_SCALE = (
    "plantnet",
    "auto",
    "majority",
    "two-thirds",
    "wawa",
    "zero-based-skill",
    "iwmv",
    "dawid-skene",
    "kinds",
    "one-coin",
    "glad",
    "mace",
    "wds",
)

WITH_TWO_LABELS = ("dawid-skene", "kinds", "auto")

PEERS = (*COMPARED, CONVERGED)

TOLERANCES = (0.1, 0.03, 0.01, 0.001, 0.0001)
VARIED: dict[str, dict[str, tuple[float, ...]]] = {
    "dawid-skene": {
        "prior_votes": (0, 0.5, 1, 2, 3, 5, 10, 30),
        "label_prior": (0, 0.5, 1),
        "label_smoothing": (0, 1, 10),
        "tolerance": TOLERANCES,
        "max_iter": (1, 2, 3, 5),
    },
    "kinds": {"prior_votes": (0, 1, 2, 3, 5, 10), "tolerance": (0.1, 0.03, 0.01, 0.001)},
    "one-coin": {"prior_votes": (0, 1, 2, 5, 10), "label_prior": (0, 0.25, 0.5, 0.75, 1), "tolerance": TOLERANCES},
    "glad": {
        "prior_mean": (0, 0.5, 1, 1.5),
        "prior_variance": (0.5, 1, 2, 4),
        "label_prior": (0, 0.5, 1),
        "tolerance": TOLERANCES,
    },
    "mace": {
        "prior_votes": (0, 1, 3, 10),
        "guess_votes": (1, 10, 20, 30, 50, 100),
        "label_prior": (0, 0.5, 1),
        "tolerance": TOLERANCES,
    },
}
"""One parameter at a time, the others at their defaults."""


def main() -> None:
    """Measure what is asked for, write, print."""
    options = parsed()
    results = json.loads(options.output.read_text()) if options.output.exists() else {}
    asked = {"scales": options.scales, "two-labels": options.two_labels, "priors": options.priors}
    part = next((name for name, wanted in asked.items() if wanted), "crowds")
    session = Session.begin(["numba", "numpy"] + (["crowd-kit", "pandas"] if find_spec("crowdkit") else []))
    measured: Any
    if options.scales:
        measured = at_scale({f"scale {scale:g}": simulated(scale, "int") for scale in options.scales}, AT_SCALE)
    elif options.two_labels:
        logs = {f"{n:,} observations": two_labels(n) for n in options.two_labels}
        measured = at_scale(logs, WITH_TWO_LABELS)
    else:
        folders = list(crowds_with_truth(options.crowds))
        folders = [folder for folder in folders if options.only is None or folder.name in options.only]
        if not folders:
            sys.exit(f"no crowds with truth in {options.crowds}")
        fit_on = varied if options.priors else partial(compared, peers=options.peers)
        measured = [fit for folder in folders for fit in fit_on(folder)]
        if not options.priors:
            measured += kept(results.get(part, {}), options.peers)
    here = {"date": session.date, "machine": session.machine, "versions": session.versions}
    results[part] = {**here, "measured": measured}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    for name, table in TABLES.items():
        if name.startswith(part):
            print(f"\n### {name}\n\n{table(results)}")


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Accuracy and time of the strategies.")
    parser.add_argument("--crowds", type=Path, help="folder of NAME/votes.parquet, NAME/truth.parquet")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="crowds to take (default all)")
    parser.add_argument("--priors", action="store_true", help="measure ours under other priors")
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, default=PEERS, help="those of crowd-kit; the others stay as measured last"
    )
    parser.add_argument("--scales", type=float, nargs="+", help="measure ours on simulated logs; 1 is 9 million votes")
    parser.add_argument("--two-labels", type=int, nargs="+", help="the same on observations with two labels, so many")
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file (default docs/measured)")
    options = parser.parse_args()
    if not options.scales and not options.two_labels and options.crowds is None:
        parser.error("name the folder of the crowds with --crowds, or measure simulated logs: --scales, --two-labels")
    return options


def compared(folder: Path, peers: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Ours, then those of crowd-kit if it is installed, on one crowd."""
    yield from fits(folder, OURS, [*COMPARED, *OTHERS])
    if peers and find_spec("crowdkit"):
        yield from fits(folder, KIT, list(peers))


def kept(last: dict[str, Any], peers: Sequence[str]) -> list[dict[str, Any]]:
    """The fits of crowd-kit's other strategies in the last measurement, with its date."""
    others = [fit for fit in last.get("measured", []) if fit["contender"] == KIT and fit["strategy"] not in peers]
    return [{"kept_from": last["date"], **fit} for fit in others]


def varied(folder: Path) -> Iterator[dict[str, Any]]:
    """Ours under other priors on one crowd; for the accuracy alone, so that once is enough."""
    specs = [
        f"{strategy}:{parameter}={value}"
        for strategy, parameters in VARIED.items()
        for parameter, values in parameters.items()
        for value in values
    ]
    yield from fits(folder, OURS, specs, "--repeat", "1")


def fits(folder: Path, contender: str, strategies: list[str], *options: str) -> list[dict[str, Any]]:
    """The fits of one contender on one crowd, in one process."""
    paths = [str(folder / "votes.parquet"), "--truth", str(folder / "truth.parquet")]
    found, _ = fitted(contender, *paths, *options, "--strategies", *strategies)
    print(f"{folder.name:<16}{contender}", file=sys.stderr, flush=True)
    return [{"crowd": folder.name, "contender": contender, **found["counts"], **fit} for fit in found["fits"]]


def at_scale(logs: Mapping[str, Path], strategies: Sequence[str]) -> list[dict[str, Any]]:
    """Ours on logs by name: a process for each strategy, which reads the log and fits once."""
    measured = []
    for log, votes in logs.items():
        for strategy in strategies:
            found, peak = fitted(OURS, str(votes), "--repeat", "1", "--strategies", strategy)
            measured.append({"log": log, **found["counts"], **found["fits"][0], "peak_memory": peak})
            print(f"{log:<24}{strategy:<20}{found['fits'][0]['seconds']:8.2f} s", file=sys.stderr, flush=True)
    return measured


def fitted(*arguments: str) -> tuple[dict[str, Any], int]:
    """The output of a process that fits strategies, and its peak memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "fits.json"
        command = [sys.executable, "-m", "benchmarks.fit_strategies", *arguments, "--output", str(output)]
        run = run_measured(command, Limits(seconds=3600, memory=1024 * GIB))
        if run.ending:
            sys.exit(f"{' '.join(arguments)}: {run.ending}")
        return json.loads(output.read_text()), run.peak_memory


if __name__ == "__main__":
    main()
