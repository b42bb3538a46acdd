"""A comparison of strategies as blocks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...blocks import Block, Label, Table

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..evaluation import Estimate

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
                    Label(each.title),
                    *(100 * measures[name].value if name in measures else None for name in SHARES),
                    *(measures[name].value if name in measures else None for name in ERRORS),
                    each.seconds,
                ]
                for each, measures in sorted(groups, key=lambda pair: _order(pair[1]))
            ],
            formats=("", *[".1f %"] * len(SHARES), *[".3f"] * len(ERRORS), ".2f s"),
            least=(9, 8, 7, 4, 3, 2),  # accuracy and labels right stay
        )
        blocks.append(Block(f"{subset.observations:,} expert observations: {subset.name}", [table]))
    notes = []
    unfinished = [each.title for each in comparison.compared if each.converged is False]
    if unfinished:
        notes.append(f"did not converge: {', '.join(unfinished)}")
    for each in comparison.compared:
        lacks = each.evaluation.overlap.without_label
        if lacks and each.seconds is None:
            notes.append(f"{each.strategy} has no label for {lacks:,} of the expert observations: they count as wrong")
    if any(each.seconds is not None for each in comparison.compared):
        notes.append(f"auto takes {comparison.auto}")
    if notes:
        blocks.append(Block(content=notes))
    return [*blocks, Block(content=LEGEND)]


def _order(measures: "Mapping[str, Estimate]") -> tuple[bool, float]:
    """Most accurate first; those of which only labels are known last, by these."""
    accuracy = measures.get("accuracy")
    return (accuracy is None, -(measures["accuracy_of_labels"] if accuracy is None else accuracy).value)
