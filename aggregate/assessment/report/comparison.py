"""A comparison of strategies as blocks."""

from typing import TYPE_CHECKING

from ...blocks import Block, Table

if TYPE_CHECKING:
    from ..comparison import Comparison

SHARES = {
    "accuracy": "accuracy",
    "macro_precision": "precision",
    "macro_recall": "recall",
    "species_retrieved": "species",
    "kept": "kept",
    "accuracy_of_labels": "labels right",
}
"""Measures shown in percent, and their columns."""

ERRORS = {"calibration_error": "ECE", "risk_coverage_area": "risk-cov."}
"""Measures that are best at 0, and their columns."""

LEGEND = (
    "accuracy: valid and right, of all; kept: valid, of all",
    "precision, recall: means over species; species: retrieved, of the experts'",
    "labels right: of all, valid or not",
    "ECE: calibration error of the confidence, best at 0",
    "risk-cov.: area under the risk-coverage curve, best at 0",
    "fit: without reading the votes and compiling kernels",
)


def comparison_blocks(comparison: "Comparison", subsets: int | None = None) -> list[Block]:
    """The measures on each set of expert observations (the first ``subsets``), most accurate strategy first."""
    blocks = []
    for place, subset in enumerate(comparison.compared[0].evaluation.subsets[:subsets]):
        if not subset.observations:
            continue
        groups = [(each, each.evaluation.subsets[place].measures) for each in comparison.compared]
        table = Table(
            header=("", *SHARES.values(), *ERRORS.values(), "fit"),
            rows=[
                [
                    each.strategy,
                    *(100 * measures[name].value for name in SHARES),
                    *(measures[name].value for name in ERRORS),
                    each.seconds,
                ]
                for each, measures in sorted(groups, key=lambda pair: -pair[1]["accuracy"].value)
            ],
            formats=("", *[".1f %"] * len(SHARES), *[".3f"] * len(ERRORS), ".2f s"),
        )
        blocks.append(Block(f"{subset.observations:,} expert observations: {subset.name}", [table]))
    unfinished = [each.strategy for each in comparison.compared if not each.converged]
    if unfinished:
        blocks.append(Block(content=[f"did not converge: {', '.join(unfinished)}"]))
    return [*blocks, Block(content=LEGEND)]
