"""A comparison of strategies as a table that fits a terminal."""

from typing import TYPE_CHECKING

from .evaluation import aligned, number, percent

if TYPE_CHECKING:
    from plant_aggregate.assessment.comparison import Comparison

COLUMNS = {
    "accuracy": "accuracy",
    "macro_precision": "precision",
    "macro_recall": "recall",
    "species_retrieved": "species",
    "kept": "kept",
    "accuracy_of_labels": "labels right",
}
"""Shares shown in percent, and their heads."""

ERRORS = {"calibration_error": "ECE", "risk_coverage_area": "risk-cov."}


def table(comparison: "Comparison") -> str:
    """The measures on each set of expert observations, most accurate strategy first."""
    parts = []
    for place, subset in enumerate(comparison.compared[0].evaluation.subsets):
        if not subset.observations:
            continue
        lines = [["", *COLUMNS.values(), *ERRORS.values(), "fit"]]
        groups = [(each, each.evaluation.subsets[place].measures) for each in comparison.compared]
        for each, measures in sorted(groups, key=lambda pair: -pair[1]["accuracy"].value):
            shares = [percent(measures[name]).split(" [")[0] for name in COLUMNS]
            errors = [number(measures[name]).split(" [")[0] for name in ERRORS]
            lines.append([each.strategy, *shares, *errors, f"{each.seconds:.2f} s"])
        parts.append(f"{subset.observations:,} expert observations: {subset.name}\n{aligned(lines)}")
    unfinished = [each.strategy for each in comparison.compared if not each.converged]
    if unfinished:
        parts.append(f"did not converge: {', '.join(unfinished)}")
    parts.append(
        "accuracy: valid and right, of all; precision, recall: means over species; species: retrieved, of the\n"
        "experts'; kept: valid; labels right: valid or not; ECE, risk-cov.: calibration error of the confidence,\n"
        "area under the risk-coverage curve (both best at 0); fit: without reading the votes and compiling kernels"
    )
    return "\n\n".join(parts)
