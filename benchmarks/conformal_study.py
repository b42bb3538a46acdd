"""Prediction sets in simulation, where their guarantees can be checked, beside published figures on real pictures.

    python -m benchmarks.conformal_study

draws calibration rows and others anew in each repetition, from the classifier of ``long_tail.py``, makes the sets of
every method by the engine, and evaluates them. Replaces docs/measured/conformal_study.json, from which
``docs/update.py`` fills docs/conformal.md, and prints the tables. Takes half an hour.

Exchangeable rows without ties have a coverage that is known exactly: with a standard threshold from n rows, the number
of N new observations that are covered is beta-binomial with parameters N, n + 1 - m, m, where m = floor(alpha (n + 1)).
The Kolmogorov distance between the repetitions and this distribution, and the number of them in its central 90 %, say
whether the sets keep to it.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.long_tail import LongTail
from benchmarks.results import Session
from benchmarks.strategy_results import row, table
from plant_aggregate.arrays import Floats
from plant_aggregate.assessment.conformal.comparison import Split, compare_methods
from plant_aggregate.assessment.conformal.label_space import LabelSpace
from plant_aggregate.assessment.conformal.methods import Method
from plant_aggregate.assessment.conformal.order import Alpha
from plant_aggregate.assessment.conformal.priors import Prior
from plant_aggregate.assessment.conformal.weights import label_weights

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "measured" / "conformal_study.json"

MEASURES = ("marginal_coverage", "share_below_half", "undercoverage_gap", "macro_coverage", "mean_size")
OF_RISK = ("marginal_coverage", "at_risk_coverage", "not_at_risk_coverage", "mean_size")
GAMMAS = (1, 10, 100, 1000)
AT_RISK = 0.03
"""Share of the species that are at risk, drawn at random."""

PUBLISHED: dict[str, tuple[float, ...] | None] = {
    "softmax": (0.389, 0.398, 0.525, 1.57),
    "softmax/clustered": (0.398, 0.406, 0.513, 1.57),
    "softmax/interp-q:tau=0.9": (0.248, 0.265, 0.671, 2.24),
    "softmax/interp-q:tau=0.99": (0.151, 0.168, 0.785, 3.95),
    "softmax/interp-q:tau=0.999": (0.0981, 0.109, 0.856, 7.58),
    "softmax/fuzzy:bandwidth=1e-05": (0.125, 0.144, 0.813, 5.02),
    "softmax/fuzzy-reconformalised:bandwidth=1e-05": (0.129, 0.141, 0.818, 4.88),
    "pas": (0.163, 0.186, 0.763, 2.60),
    "softmax/classwise": (0.0, 0.00582, 0.976, 780.0),
    "pas/macro": None,
}
"""Method -> the ``MEASURES`` from the second on, on Pl@ntNet-300K, by the research code of [D26]; None without any.

figs/plantnet/plantnet_softmax_alpha=0.1_metrics_CLEANED.csv of github.com/tiffanyding/long-tail-conformal.
"""

PUBLISHED_WPAS = {
    1: (0.753, 0.755, 2.57),
    10: (0.818, 0.755, 2.64),
    100: (0.869, 0.754, 2.81),
    1000: (0.970, 0.754, 3.16),
}
"""gamma -> ``OF_RISK`` from the second on of wpas there."""

BANDED = ("softmax", "pas", "wpas, gamma 10", "wpas, gamma 1000")
"""Those with a standard threshold, for which the distribution of coverage is known."""

Results = dict[str, Any]


@dataclass(frozen=True)
class Design:
    """What is simulated."""

    repetitions: int = 200
    calibration_rows: int = 30_000
    new_rows: int = 30_000
    world: LongTail = field(default_factory=LongTail)
    alpha: str = "0.1"

    @property
    def rank(self) -> int:
        """m(n): the rank of the threshold."""
        return Alpha.of(self.alpha).rank(self.calibration_rows)


def main() -> None:
    """Simulate, write, print."""
    parser = argparse.ArgumentParser(description="Prediction sets in simulation.")
    parser.add_argument("--repetitions", type=int, default=Design.repetitions)
    parser.add_argument("--labels", type=int, default=LongTail.n_labels)
    parser.add_argument("--rows", type=int, default=Design.new_rows, help="to calibrate on, and as many to evaluate on")
    parser.add_argument("--seed", type=int, default=LongTail.seed)
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file (default docs/measured)")
    given = parser.parse_args()
    design = Design(given.repetitions, given.rows, given.rows, LongTail(n_labels=given.labels, seed=given.seed))
    session = Session.begin(["numba", "numpy", "scikit-learn"])
    results = results_of(simulated(design, list(PUBLISHED), GAMMAS), design, session)
    given.output.write_text(json.dumps(results, indent=1) + "\n")
    for name, part in TABLES.items():
        print(f"\n### {name}\n\n{part(results)}")


def results_of(found: dict[str, dict[str, Floats]], design: Design, session: Session) -> Results:
    """What is written."""
    return {
        "date": session.date,
        "versions": session.versions,
        "design": asdict(design),
        "measured": {name: summary(values) for name, values in found.items()},
        "bands": {name: asdict(band(found[name]["marginal_coverage"], design)) for name in BANDED},
        "ordered": ordered(found),
    }


def simulated(design: Design, methods: list[str], gammas: tuple[int, ...]) -> dict[str, dict[str, Floats]]:
    """Method -> measure -> its value in each repetition; those of wpas are named ``wpas, gamma 10``."""
    found: dict[str, dict[str, list[float]]] = {}
    for repetition in range(design.repetitions):
        for name, measures in repeated(design, repetition, methods, gammas):
            for measure, value in measures.items():
                found.setdefault(name, {}).setdefault(measure, []).append(value)
        if sys.stderr.isatty():
            print(f"\r{repetition + 1} of {design.repetitions}", end="", file=sys.stderr, flush=True)
    return {name: {measure: np.array(values) for measure, values in each.items()} for name, each in found.items()}


def repeated(
    design: Design, repetition: int, methods: list[str], gammas: tuple[int, ...]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each method with its measures, on rows of its own."""
    world = design.world
    random = np.random.default_rng([world.seed, repetition])
    calibration, new = world.drawn(design.calibration_rows, random), world.drawn(design.new_rows, random)
    for gamma in dict.fromkeys((1, *gammas)):
        split = Split(label_space(world, gamma), calibration, new)
        named = {name: Method.of(name) for name in methods} if gamma == 1 else {}
        named |= {f"wpas, gamma {gamma}": Method.of("wpas")} if gamma in gammas else {}
        for compared in compare_methods(named, [split], [design.alpha], resamples=0).compared:
            if compared.fault:
                raise SystemExit(f"{compared.method}: {compared.fault}")
            (level,) = compared.levels
            yield compared.method, {name: estimate.value for name, estimate in level.measures.items()}


def label_space(world: LongTail, gamma: float) -> LabelSpace:
    """The species, with the prior of the training pictures; those at risk weigh gamma."""
    random = np.random.default_rng(world.seed)
    at_risk = np.zeros(world.n_labels, np.bool_)
    at_risk[random.choice(world.n_labels, math.ceil(AT_RISK * world.n_labels), replace=False)] = True
    return LabelSpace(pa.array(np.arange(world.n_labels)), Prior(world.counts), label_weights(at_risk, gamma), at_risk)


def summary(values: dict[str, Floats]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation over the repetitions of each measure that is shown."""
    shown = dict.fromkeys((*MEASURES, *OF_RISK))
    return {name: (float(np.nanmean(values[name])), float(np.nanstd(values[name]))) for name in shown}


@dataclass(frozen=True)
class Band:
    """Coverage over the repetitions beside its exact distribution."""

    mean: float
    exact_mean: float
    inside: int
    """Repetitions within the exact central 90 %, ends included."""
    exact_inside: float
    """The exact probability of that: a little more than 0.9, as coverage is a number of observations."""
    low: float
    high: float
    """The ends of that interval, as coverage."""
    distance: float
    """Kolmogorov's: the largest difference between the two distribution functions."""
    p_value: float
    """Of this distance or more, if coverage has the exact distribution; too large rather than too small."""


def band(coverage: Floats, design: Design) -> Band:
    """Compare the coverage of each repetition with the beta-binomial distribution."""
    from scipy.stats import betabinom, kstwo

    n_new, m = design.new_rows, design.rank
    exact = betabinom(n_new, design.calibration_rows + 1 - m, m)
    counts = np.sort(np.rint(coverage * n_new).astype(np.int64))
    points = np.unique(counts)
    up_to = np.searchsorted(counts, points, side="right") / counts.size
    below = np.searchsorted(counts, points, side="left") / counts.size
    distance = max(np.abs(up_to - exact.cdf(points)).max(), np.abs(below - exact.cdf(points - 1)).max())
    low, high = exact.ppf([0.05, 0.95])
    return Band(
        mean=float(coverage.mean()),
        exact_mean=float(exact.mean() / n_new),
        inside=int(np.count_nonzero((counts >= low) & (counts <= high))),
        exact_inside=float(exact.cdf(high) - exact.cdf(low - 1)),
        low=float(low / n_new),
        high=float(high / n_new),
        distance=float(distance),
        p_value=float(kstwo.sf(distance, counts.size)),
    )


ORDER = ("softmax", "softmax/interp-q:tau=0.9", "pas", "softmax/classwise")
"""The paper's order, of macro coverage and of size."""


def ordered(found: dict[str, dict[str, Floats]]) -> dict[str, int]:
    """In how many repetitions the methods of ``ORDER`` come in this order."""
    return {
        measure: int(np.count_nonzero((np.diff([found[name][measure] for name in ORDER], axis=0) > 0).all(axis=0)))
        for measure in ("macro_coverage", "mean_size")
    }


def methods(results: Results) -> str:
    """Simulated and published figures of each method."""
    lines = table("method", "coverage", "below half", "gap", "macro coverage", "mean size")
    for name, published in PUBLISHED.items():
        found = results["measured"][name]
        cells = _cells([found[measure][0] for measure in MEASURES], published)
        lines.append(row(f"`{name}`", *cells))
    return "\n".join(lines)


def at_risk(results: Results) -> str:
    """Simulated and published figures of wpas by gamma."""
    lines = table("gamma", "coverage", "labels at risk", "other labels", "mean size")
    for gamma, published in PUBLISHED_WPAS.items():
        found = results["measured"][f"wpas, gamma {gamma}"]
        lines.append(row(f"{gamma:,}", *_cells([found[measure][0] for measure in OF_RISK], published)))
    return "\n".join(lines)


def bands(results: Results) -> str:
    """How coverage is distributed over the repetitions."""
    head = "mean coverage", "exact", "in the exact 90 % interval", "expected", "Kolmogorov distance", "p-value"
    lines = table("method", *head)
    repetitions = results["design"]["repetitions"]
    for name, each in results["bands"].items():
        expected = f"{each['exact_inside'] * repetitions:.0f}"
        shown = f"{each['mean']:.4f}", f"{each['exact_mean']:.4f}", str(each["inside"]), expected
        lines.append(row(name, *shown, f"{each['distance']:.3f}", f"{each['p_value']:.2f}"))
    return "\n".join(lines)


def design_line(results: Results) -> str:
    """What was simulated, in a sentence."""
    design, band_of, order = results["design"], results["bands"]["softmax"], results["ordered"]
    return (
        f"{design['repetitions']} repetitions; {design['world']['n_labels']:,} labels; in each repetition "
        f"{design['calibration_rows']:,} calibration rows and {design['new_rows']:,} new observations, "
        f"alpha {design['alpha']}. Coverage is between {band_of['low']:.4f} and {band_of['high']:.4f} in nine "
        "repetitions of ten, by the exact distribution. The order `softmax` < `interp-q` (tau 0.9) < `pas` < "
        f"`classwise` holds in {order['macro_coverage']} repetitions for macro coverage, in {order['mean_size']} for "
        "size."
    )


def _cells(simulated: list[float], published: tuple[float, ...] | None) -> Iterator[str]:
    """Shares, the first of which is not published, and a mean size, each simulated / published."""
    for place, value in enumerate(simulated):
        form = "{:.3f}" if place < len(simulated) - 1 else "{:.2f}" if value < 100 else "{:.0f}"
        both = [value, *published[place - 1 : place]] if published and place else [value]
        yield " / ".join(form.format(each) for each in both)


TABLES: dict[str, Callable[[Results], str]] = {
    "design": design_line,
    "bands": bands,
    "methods": methods,
    "at risk": at_risk,
}
"""Each part of docs/conformal.md that is made from the results."""


if __name__ == "__main__":
    main()
