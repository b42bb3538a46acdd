"""How honest the soft columns are on real crowds whose truth is known: their ranking, and their calibration.

    python -m benchmarks.confidence --crowds FOLDER             every strategy on every crowd
    python -m benchmarks.confidence --crowds FOLDER --before    the same, kept as what later figures are compared with

Each call replaces its part of docs/measured/confidence.json, from which ``docs/update.py`` fills docs/confidence.md,
and prints it as Markdown. Measures are those of ``evaluate``: the area under the risk-coverage curve, in which
observations of equal confidence count as in random order, and the calibration error. The crowds are as for
``benchmarks.strategies``.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.crowds import crowds_with_truth
from benchmarks.results import Session
from benchmarks.strategy_results import row, session_line, table

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "measured" / "confidence.json"
NOTHING = "(not measured)"
Results = dict[str, Any]

COLUMNS = ("confidence", "posterior", "probability")
"""Columns that are measured; ``posterior`` is the share of the label, which the column ``agreement`` has."""

AREA, ERROR, LOSS = "area", "calibration_error", "log_loss"

TAUS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0)
"""Powers that the log-odds of the models are tempered with; 1 is the posterior among all labels."""

NEAREST = 1e-6  # to 0 and 1 that a probability counts as in the log loss


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description="Ranking and calibration of confidence and probability.")
    parser.add_argument("--crowds", type=Path, required=True, help="folder of NAME/votes.parquet, NAME/truth.parquet")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="crowds to take (default all)")
    parser.add_argument("--strategies", nargs="+", metavar="NAME", help="strategies to take (default all)")
    parser.add_argument("--before", action="store_true", help="write the part that is compared with")
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file (default docs/measured)")
    options = parser.parse_args()
    folders = [path for path in crowds_with_truth(options.crowds) if options.only is None or path.name in options.only]
    if not folders:
        sys.exit(f"no crowds with truth in {options.crowds}")
    session = Session.begin(["numba", "numpy"])
    measured = [fit for folder in folders for fit in measured_on(folder, options.strategies)]
    results = json.loads(options.output.read_text()) if options.output.exists() else {}
    here = {"date": session.date, "machine": session.machine, "versions": session.versions}
    results["before" if options.before else "after"] = {**here, "measured": measured}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    for name in TABLES:
        print(f"\n### {name}\n\n{rendered(name, results)}")


def measured_on(folder: Path, names: list[str] | None) -> Iterator[Results]:
    """The measures of each strategy, with its default parameters, on one crowd."""
    from scipy.special import expit, logit

    import plant_aggregate
    from plant_aggregate.strategies.registry import named_strategies
    from plant_aggregate.truth import known_rows

    votes = plant_aggregate.read_votes(folder / "votes.parquet")
    known = known_rows(plant_aggregate.read_truth(folder / "truth.parquet"), votes, "the votes")
    for name, strategy in named_strategies(names).items():
        consensus: Any = strategy.fit(votes)
        right = consensus.labels[known.rows] == known.codes
        columns = {"confidence": consensus.confidence, "posterior": consensus.agreement}
        if consensus.probability is not None:
            columns["probability"] = consensus.probability
        found: Results = {"measures": {column: measures(of[known.rows], right) for column, of in columns.items()}}
        if consensus.model is not None:
            log_odds = logit(consensus.probability[known.rows]) / consensus.model.tau
            found["tempered"] = {str(tau): measures(expit(tau * log_odds), right) for tau in TAUS}
        counts = {"observations": right.size, "right": int(right.sum())}
        yield {"crowd": folder.name, "strategy": name, **counts, **found}
    print(folder.name, file=sys.stderr, flush=True)


def measures(values: Any, right: Any) -> dict[str, float]:
    """The measures of one column on observations that are labelled ``right`` or not."""
    from plant_aggregate.measures import calibration_error, log_loss, risk_coverage_area

    once = np.ones(right.size)
    found = {AREA: risk_coverage_area(values, right, once), ERROR: calibration_error(values, right, once)}
    found[LOSS] = log_loss(np.clip(values, NEAREST, 1 - NEAREST), right, once)
    return {name: float(value) for name, value in found.items()}


def by_strategy(results: Results, part: str, column: str, measure: str) -> dict[str, dict[str, float]]:
    """A measure of a column by strategy, then crowd; without those that lack the column."""
    found: dict[str, dict[str, float]] = {}
    for fit in results.get(part, {}).get("measured", []):
        if column in fit["measures"]:
            found.setdefault(fit["strategy"], {})[fit["crowd"]] = fit["measures"][column][measure]
    return found


def means(measure: str) -> Callable[[Results], str]:
    """A measure, averaged over the crowds: before and now, by strategy."""

    def drawn(results: Results) -> str:
        shown = [
            (part, column)
            for column in COLUMNS
            for part in ("before", "after")
            if (part, column) != ("before", "probability")
        ]
        found = {which: by_strategy(results, *which, measure) for which in shown}
        titles = {"before": " before", "after": ""}
        lines = table("strategy", *(f"`{column}`{titles[part]}" for part, column in shown))
        for strategy in by_strategy(results, "after", "confidence", measure):
            cells = [found[which].get(strategy) for which in shown]
            lines.append(row(f"`{strategy}`", *(f"{fmean(cell.values()):.3f}" if cell else "" for cell in cells)))
        return "\n".join(lines)

    return drawn


def by_crowd(measure: str, column: str) -> Callable[[Results], str]:
    """A measure on each crowd, before -> now, of the strategies whose column has changed since, or is new."""

    def drawn(results: Results) -> str:
        now = by_strategy(results, "after", column, measure)
        before = by_strategy(results, "before", column, measure)
        names = [name for name, found in now.items() if found != before.get(name)]
        crowds = dict.fromkeys(crowd for name in names for crowd in now[name])
        lines = table("crowd", *(f"`{name}`" for name in names))
        for crowd in crowds:
            lines.append(row(crowd, *(pair(before.get(name, {}).get(crowd), now[name].get(crowd)) for name in names)))
        return "\n".join(lines)

    return drawn


def tempers(results: Results) -> str:
    """Calibration error and log loss under each power, averaged over the crowds, and over strategies."""
    fits = [fit for fit in results["after"]["measured"] if "tempered" in fit]
    names = list(dict.fromkeys(fit["strategy"] for fit in fits))
    lines = table("power", *(f"`{name}`" for name in names), "mean")
    for tau in map(str, TAUS):
        of = {
            name: [
                fmean(fit["tempered"][tau][measure] for fit in fits if fit["strategy"] == name)
                for measure in (ERROR, LOSS)
            ]
            for name in names
        }
        means = [fmean(values) for values in zip(*of.values(), strict=True)]
        lines.append(row(tau, *(f"{error:.3f} / {loss:.2f}" for error, loss in [*of.values(), means])))
    return "\n".join(lines)


def pair(before: float | None, now: float | None) -> str:
    """Two figures, or the one there is."""
    return " → ".join(f"{value:.3f}" for value in (before, now) if value is not None)


def sessions(results: Results) -> str:
    """When, where and with what both parts were measured."""
    return "\n\n".join(f"{part}: {session_line(results[part])}" for part in ("before", "after") if part in results)


TABLES: dict[str, Callable[[Results], str]] = {
    "area": means(AREA),
    "calibration": means(ERROR),
    "power": tempers,
    "area by crowd": by_crowd(AREA, "confidence"),
    "calibration by crowd": by_crowd(ERROR, "probability"),
    "session": sessions,
}
"""The parts of docs/confidence.md that are made from the results."""


def rendered(name: str, results: Results) -> str:
    """A table, or a note where nothing has been measured."""
    return TABLES[name](results) if "after" in results else NOTHING


if __name__ == "__main__":
    main()
