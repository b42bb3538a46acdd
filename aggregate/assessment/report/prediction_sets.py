"""Evaluations and comparisons of prediction sets as blocks."""

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING

from ...blocks import Block, Label, Table, count
from .evaluation import interval, percent

if TYPE_CHECKING:
    from ..conformal.comparison import ComparedSets, SetComparison
    from ..conformal.evaluation import SetEvaluation
    from ..conformal.order import Alpha

SHARES = {
    "marginal_coverage": "coverage",
    "macro_coverage": "macro coverage",
    "weighted_macro_coverage": "weighted macro coverage",
    "at_risk_coverage": "macro coverage, labels at risk",
    "not_at_risk_coverage": "macro coverage, other labels",
    "share_below_half": "labels with coverage < 50 %",
    "undercoverage_gap": "under-coverage gap",
    "empty": "empty sets",
    "singletons": "sets of one label",
    "whole_space": "sets of all labels",
    "genus_coverage": "coverage of the genus",
    "family_coverage": "coverage of the family",
    "common_taxon": "sets with a common taxon",
    "common_taxon_coverage": "coverage of the common taxon",
}
"""Measures shown in percent, and their names in the table."""

SIZES = {
    "mean_size": "mean size",
    "size_q25": "1/4 quantile of the size",
    "median_size": "median size",
    "size_q75": "3/4 quantile",
    "size_q90": "9/10 quantile",
    "mean_genera": "mean number of genera",
}
"""Measures that are numbers of labels, or of genera."""

FORMATS = {"mean_size": ",.2f", "mean_genera": ",.2f"}
"""Those of means; other numbers are quantiles."""


def evaluation_blocks(evaluation: "SetEvaluation") -> list[Block]:
    """The measures at each level, side by side."""
    levels = evaluation.levels
    known = {name for level in levels for name, estimate in level.measures.items() if not isnan(estimate.value)}
    shares, sizes = [name for name in SHARES if name in known], [name for name in SIZES if name in known]
    resamples = max(level.resamples for level in levels)
    table = Table(
        header=("alpha", *(SHARES[name] for name in shares), *(SIZES[name] for name in sizes)),
        rows=[
            [
                str(level.alpha),
                *(percent(level.measures[name]) for name in shares),
                *(interval(level.measures[name]) for name in sizes),
            ]
            for level in levels
        ],
        formats=("", *[".1f %"] * len(shares), *(FORMATS.get(name, ",.1f") for name in sizes)),
        layout="sideways",
        intervals=f"95 % intervals, of {resamples:,} resamples of the observations" if resamples else "",
    )
    known_of = f"{count(levels[0].observations, 'observation')} of {count(levels[0].labels, 'label')}"
    n = evaluation.not_listed
    lacking = [f"  {n:,} of them {'has' if n == 1 else 'have'} a true label that the list lacks"] if n else []
    return [Block(f"{evaluation.method}: {known_of}", lacking), Block(content=[table])]


COMPARED_SHARES = {
    "marginal_coverage": "coverage",
    "macro_coverage": "macro",
    "weighted_macro_coverage": "weighted",
    "at_risk_coverage": "at risk",
    "not_at_risk_coverage": "others",
    "share_below_half": "below half",
    "undercoverage_gap": "gap",
    "singletons": "one label",
    "empty": "empty",
}
"""Measures in the columns of a comparison, in percent."""

COMPARED_SIZES = {"mean_size": "size", "median_size": "median", "size_q90": "9/10"}

GUARANTEED = "guaranteed, at least"

LEAST = ("empty", "one label", "9/10", "others", "median", "weighted", "gap", "below half", GUARANTEED)
"""Columns in the order in which they are left out in a narrow terminal."""

LEGEND = {
    "size": "size: mean number of labels in a set",
    "macro": "macro: mean over labels of the coverage of their observations",
    "weighted": "weighted: the same, by the weights of the labels",
    "at risk": "at risk, others: the same, of the labels at risk and of the others",
    "below half": "below half: labels of which fewer than half of the observations are covered",
    "gap": "gap: mean over labels of how far coverage is below 1 - alpha",
    "9/10": "9/10: size that nine in ten sets do not exceed",
}


def comparison_blocks(comparison: "SetComparison") -> list[Block]:
    """A table for each level, the smallest sets first, and the methods that cannot be used."""
    usable = [each for each in comparison.compared if each.levels]
    blocks = [Block(_rows(comparison))]
    levels = usable[0].levels if usable else ()
    shares = [name for name in COMPARED_SHARES if levels and name in levels[0].measures]
    for place, level in enumerate(levels):
        rows = sorted(
            ((each, each.levels[place].measures) for each in usable), key=lambda row: row[1]["mean_size"].value
        )
        header = ["", *COMPARED_SIZES.values(), *(COMPARED_SHARES[name] for name in shares), GUARANTEED]
        table = Table(
            header=header,
            rows=[
                [
                    Label(each.method),
                    *(measures[name].value for name in COMPARED_SIZES),
                    *(100 * measures[name].value for name in shares),
                    each.guarantee.replace(" >= ", " ") or "-",
                ]
                for each, measures in rows
            ],
            formats=("", ",.2f", ",.1f", ",.1f", *[".1f %"] * len(shares), ""),
            left=(0, header.index(GUARANTEED)),
            least=tuple(header.index(name) for name in LEAST if name in header),
        )
        blocks.append(Block(f"alpha {level.alpha}", [table, *_useless(usable, level.alpha)]))
    faulty = [each for each in comparison.compared if not each.levels]
    if faulty:
        blocks.append(Block("cannot be used:", [f"  {each.method}: {each.fault}" for each in faulty]))
    known = {COMPARED_SHARES[name] for name in shares} | {*COMPARED_SIZES.values()}
    return [*blocks, Block(content=[line for name, line in LEGEND.items() if name in known])]


def _rows(comparison: "SetComparison") -> str:
    """What was fitted and evaluated on."""
    n, others = count(comparison.evaluation_rows, "observation"), comparison.calibration_rows
    labels = f"{comparison.n_labels:,} labels in the label space"
    if comparison.splits == 1:
        return f"evaluated on {n}, fitted on {others:,} others; {labels}"
    return f"means over {comparison.splits} divisions: evaluated on about {n}, fitted on {others:,} others; {labels}"


def _useless(compared: Sequence["ComparedSets"], alpha: "Alpha") -> list[str]:
    """The methods whose sets are all labels, and why."""
    methods: dict[str, list[str]] = {}
    for each in compared:
        if alpha in each.useless:
            methods.setdefault(each.useless[alpha], []).append(each.method)
    return [f"{', '.join(names)}: every set is all labels: {reason}" for reason, names in methods.items()]
