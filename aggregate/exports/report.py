"""What exports wrote, as blocks."""

from typing import TYPE_CHECKING

from ..blocks import Block, Cell, Table, count
from ..splits.units import SPLITS
from .training import reached_shares, wanted_shares

if TYPE_CHECKING:
    from ..splits.assignment import Assignment
    from .training import TrainingData

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


def training_blocks(data: "TrainingData") -> list[Block]:
    """The sets with the shares wanted and reached, what was left out, and where the columns are from."""
    notes = [f"sample_weight is the {data.weight_from}"]
    notes.append("no soft labels" if data.soft_from is None else f"soft labels from {data.soft_from}")
    return [split_block(data.assignment), left_out_block(data.assignment), Block(content=notes)]


def split_block(assignment: "Assignment") -> Block:
    """The sets: wanted beside reached."""
    settings, counts = assignment.settings, assignment.counts
    wanted, reached = wanted_shares(settings), reached_shares(assignment)
    n_classes = len(assignment.classes)
    rows: list[list[Cell]] = [
        [
            name,
            100 * wanted[name],
            100 * reached[name],
            counts[name],
            n_classes - assignment.classes_without[name],
            assignment.classes_without[name],
        ]
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
    unknown = assignment.author_unknown
    if settings.group == "author" and unknown:
        everyone = (
            "no author is known"
            if unknown == sum(counts.values())
            else f"{count(unknown, 'observation')} without a known author"
        )
        notes.append(f"{everyone}: split by observation, so one user's pictures may be in several sets")
    elif settings.group == "observation":
        notes.append("split by observation: one user's pictures may be in several sets")
    return Block(f"{count(sum(counts.values()), 'observation')} of {n_classes:,} classes", [table, *notes])


def left_out_block(assignment: "Assignment") -> Block:
    """How many observations were left out, and why."""
    left_out = {reason: n for reason, n in assignment.left_out.items() if n}
    total = assignment.reasons.size
    rows = [(IN_WORDS[reason], n, 100 * n / total, reason) for reason, n in left_out.items()]
    head = f"{count(sum(left_out.values()), 'observation')} left out"
    return Block(head, [Table(rows=rows, formats=("", ",", ".1f %"), layout="counts")] if rows else [])
