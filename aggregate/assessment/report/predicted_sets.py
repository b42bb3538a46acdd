"""Prediction sets that were written, as blocks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...blocks import Block, Cell, Table, count, mean_text
from ...errors import quoted

if TYPE_CHECKING:
    from ..conformal.predicted import PredictedSets

NAMED = 3  # unknown labels that are named


def predicted_blocks(predicted: "PredictedSets") -> list[Block]:
    """A summary of the sets in a file."""
    totals = predicted.totals
    rows: list[list[Cell]] = [
        [name, number, _share(number, totals.rows), remark]
        for name, number, remark in (
            ("of one label", totals.singletons, ""),
            ("empty", totals.empty, "no label is likely enough"),
            ("of all labels", totals.whole_space, "say nothing"),
        )
    ]
    if predicted.never_empty:
        rows[1] = [
            "were empty",
            totals.filled,
            _share(totals.filled, totals.rows),
            "have the likeliest label (--never-empty)",
        ]
    if totals.common is not None:
        rows += [
            ["of one genus", totals.common.one_genus, _share(totals.common.one_genus, totals.rows), ""],
            ["of a common taxon", totals.common.common_taxon, _share(totals.common.common_taxon, totals.rows), ""],
        ]
    title = f"{count(totals.rows, 'prediction set')}, {predicted.method}, alpha {predicted.alpha}"
    sizes = []
    if totals.mean_size is not None and totals.median_size is not None:
        sizes = [f"mean size {mean_text(totals.mean_size)}, median {totals.median_size:,g}"]
    blocks = [
        Block(title, [*sizes, Table(rows=rows, formats=("", ",", ".1f %", ""), layout="counts")]),
        Block(content=[f"guaranteed coverage: {predicted.guarantee or 'none'}"]),
    ]
    unknown = predicted.unknown_labels
    if unknown:
        what = f"{count(len(unknown), 'label')} of the lists not in the model: {_some(unknown)}"
        blocks.append(Block(content=[f"{what}, compared with the common threshold"]))
    if totals.common is not None and totals.common.unplaced:
        labels = list(totals.common.unplaced_labels)
        what = f"{count(len(labels), 'label')} of sets not in the taxonomy: {_some(labels)}"
        of = count(totals.common.unplaced, "set")
        blocks.append(Block(content=[f"{what}; {of} without a common taxon for that"]))
    return [*blocks, Block(content=[f"written to {predicted.path}"])]


def _some(labels: Sequence[str | int]) -> str:
    """The first labels."""
    return ", ".join(quoted(name) for name in labels[:NAMED]) + ", ..." * (len(labels) > NAMED)


def predicted_facts(predicted: "PredictedSets") -> dict[str, Any]:
    """The same as plain values for JSON."""
    totals, common = predicted.totals, predicted.totals.common
    facts = {
        "output": {
            "path": str(predicted.path),
            "rows": totals.rows,
            "bytes": predicted.bytes,
            "sha256": predicted.sha256,
        },
        "method": predicted.method,
        "alpha": float(predicted.alpha),
        "guarantee": predicted.guarantee,
        "model_sha256": predicted.model_sha256,
        "never_empty": predicted.never_empty,
        "mean_size": totals.mean_size,
        "median_size": totals.median_size,
        "singletons": totals.singletons,
        "empty": totals.empty,
        "whole_space": totals.whole_space,
        "filled": totals.filled,
        "unknown_labels": list(predicted.unknown_labels),
    }
    if common is not None:
        facts["common"] = {
            "one_genus": common.one_genus,
            "common_taxon": common.common_taxon,
            "not_in_taxonomy": {"sets": common.unplaced, "labels": list(common.unplaced_labels)},
        }
    return facts


def _share(number: int, whole: int) -> float | None:
    return 100 * number / whole if whole else None
