"""Splits and populations as blocks, and as rows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..blocks import Block, Cell, Table, count
from ..shares import exact
from .published import PLANTNET_300K
from .units import SPLITS

if TYPE_CHECKING:
    from .assignment import Assignment
    from .populations import Population
    from .settings import SplitSettings

IN_WORDS = {
    "not_valid": "not valid",
    "genus_unknown": "genus unknown",
    "genus_not_sampled": "genus not sampled",
    "authors_in_different_splits": "authors in different sets",
    "too_few_observations": "label with too few observations",
    "no_training_observation": "label without a training observation",
    "empty_split": "label missing in a set",
}
"""Reasons why observations are left out, and what they are called."""

GROUPS = ("few", "medium", "many")

COUNTS = {
    "species": "species",
    "observations": "observations",
    "genera": "genera",
    "gini": "Gini index of observations per species",
    "rarest_80_percent_hold": "observations of the rarest 80 % species",
    "largest_to_smallest": "commonest species : rarest",
    "few_species": "species with fewer than 20 observations",
    "many_species": "species with more than 100",
    "species_with_congener": "species with a congener",
    "congener_pairs_per_species": "pairs of congeners per species",
    "confusion": "confusion: mean share of the runner-up",
    "share_within_genus": "of it within a genus",
    "share_among_species": "of it among these species",
    "lorenz_distance": "Lorenz distance to the column left of it",
}
"""Figures that the table shows, and their names there."""

FORMATS = {
    **dict.fromkeys(("gini", "congener_pairs_per_species", "lorenz_distance"), ".2f"),
    **dict.fromkeys(("rarest_80_percent_hold", "share_within_genus", "share_among_species"), "%"),
    "confusion": "%%",
    "largest_to_smallest": ",.0f",
}


def wanted_shares(settings: "SplitSettings") -> dict[str, float]:
    """The share of each set, of the authors or of the observations."""
    test, val = exact(settings.test), exact(settings.val)
    return dict(zip(SPLITS, (float(1 - test - val), float(val), float(test)), strict=True))


def reached_shares(assignment: "Assignment") -> dict[str, float]:
    """The share of the observations in each set."""
    total = sum(assignment.counts.values())
    return {name: n / total for name, n in assignment.counts.items()}


def split_block(assignment: "Assignment") -> Block:
    """The sets: wanted beside reached."""
    settings, counts = assignment.settings, assignment.counts
    wanted, reached = wanted_shares(settings), reached_shares(assignment)
    n_classes, without = len(assignment.classes), assignment.classes_without
    rows: list[list[Cell]] = [
        [name, 100 * wanted[name], 100 * reached[name], counts[name], n_classes - without[name], without[name]]
        for name in SPLITS
    ]
    unit = "authors" if settings.group == "author" else "observations"
    table = Table(
        header=("", f"wanted, of {unit}", "reached, of observations", "observations", "classes", "classes without"),
        rows=rows,
        formats=("", ".1f %", ".1f %", ",", ",", ","),
        complete_with="",
    )
    notes = [f"no {name} set: nothing falls into it" for name in SPLITS if wanted[name] and not counts[name]]
    total, unknown = sum(counts.values()), assignment.author_unknown
    if settings.group == "observation":
        notes.append("split by observation: one user's pictures may be in several sets")
    elif unknown:
        which = "no author is known" if unknown == total else f"{count(unknown, 'observation')} without a known author"
        notes.append(f"{which}: split by observation, so one user's pictures may be in several sets")
    return Block(f"{count(total, 'observation')} of {n_classes:,} classes", [table, *notes])


def left_out_block(assignment: "Assignment") -> Block:
    """How many observations were left out, and why."""
    total = assignment.reasons.size
    rows = [(IN_WORDS[reason], n, 100 * n / total, reason) for reason, n in assignment.left_out.items() if n]
    table = Table(header=("", "observations", "of all", "reason"), rows=rows, formats=("", ",", ".1f %"), left=(0, 3))
    head = f"{count(sum(n for _, n, _, _ in rows), 'observation')} left out"
    return Block(head, [table] if rows else [])


def population_rows(assignment: "Assignment") -> list[dict[str, Any]]:
    """Each figure of the three populations, and of Pl@ntNet-300K: the columns POPULATIONS of ``schema``."""
    of_minimum, of_sampling = assignment.distances
    figures = [_figures(each) for each in (assignment.before, assignment.eligible, assignment.after)]
    figures[1]["lorenz_distance"], figures[2]["lorenz_distance"] = of_minimum, of_sampling
    columns: dict[str, Mapping[str, Any]] = dict(zip(("before", "eligible", "after"), figures, strict=True))
    columns["plantnet_300k"] = PLANTNET_300K
    names = [*figures[0], "lorenz_distance"]
    return [{"figure": name, **{column: of.get(name) for column, of in columns.items()}} for name in names]


def population_block(assignment: "Assignment") -> Block:
    """The most telling of these figures."""
    rows = []
    for row in population_rows(assignment):
        name, *values = row.values()
        if name in COUNTS:
            rows.append((list(COUNTS).index(name), [COUNTS[name], *(_shown(value, name) for value in values)]))
    header = ("", "before", "eligible", "after", "Pl@ntNet-300K")
    legend = (
        "before: labels with a valid observation; eligible: those that would be classes without sampling genera; "
        "after: the classes"
    )
    table = Table(header=header, rows=[cells for _, cells in sorted(rows)], complete_with="--csv")
    genera = f"{len(assignment.sampled):,} of {len(assignment.frame):,} genera"
    return Block(f"Species and their observations, of {genera}", [table, legend])


def _figures(population: "Population") -> dict[str, Any]:
    """The figures of a population, those of groups apart."""
    found: dict[str, Any] = {}
    for name, value in vars(population).items():
        if name in GROUPS:
            found[f"{name}_species"], found[f"{name}_observations"] = value
        elif name != "counts":
            found[name] = value
    return found


def _shown(value: float | None, name: str) -> str:
    """A figure as text: each row has a format of its own."""
    if value is None:
        return "-"
    form = FORMATS.get(name, ",")
    if form.startswith("%"):
        return f"{100 * value:.{len(form)}f} %"
    return f"{value:{form}}"
