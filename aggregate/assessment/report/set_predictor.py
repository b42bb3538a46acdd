"""Fitted prediction sets as blocks: what they were fitted on, their thresholds, and what is guaranteed."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...blocks import Block, Cell, Table, count
from ..conformal.methods import Method

if TYPE_CHECKING:
    from ..conformal.order import Alpha
    from ..conformal.predictor import SetPredictor


def predictor_blocks(predictor: "SetPredictor", output: str | None = None) -> list[Block]:
    """A summary of what was fitted, as far as it is known, and where it was saved."""
    facts, space = predictor.fitted_on, predictor.space
    lines = [f"{len(space):,} labels in the label space"]
    if facts:
        rows, labels = count(facts["rows"], "calibration row"), count(facts["labels_with_rows"], "label")
        from_rows = [f"{rows} of {labels}, from {facts['truth']}"]
        lines = [*from_rows, f"{count(facts['not_listed'], 'list')} of these without the true label", *lines]
        weighted = bool(facts.get("weighted"))
        lines += ["labels valid or not, each counting by the probability that it is right"] * weighted
        lines += [f"how common labels are: from {facts['prior']}"] * predictor.needs_prior
    table = Table(
        header=("alpha", "threshold", "labels with a threshold", "labels in every set", "for too few rows"),
        rows=[_row(predictor, alpha) for alpha in predictor.thresholds],
        formats=("", ".6g", ",", ",", ","),
    )
    most = min(predictor.n_always(alpha) for alpha in predictor.thresholds)
    large = [f"each set has {most:,} labels or more: too few calibration rows are of these, or of labels like them"]
    promise = f"guaranteed coverage: {predictor.guarantee or 'none'}"
    saved = [] if output is None else [f"saved as {output}; use it with plant-aggregate conformal predict --sets"]
    return [
        Block(f"{Method(predictor.score, predictor.rule)}", lines),
        Block(content=[table, *large * (2 * most > len(space)), promise]),
        *([Block(content=saved)] if saved else []),
    ]


def predictor_facts(predictor: "SetPredictor") -> dict[str, Any]:
    """The same as plain values for JSON."""
    return {
        "method": str(Method(predictor.score, predictor.rule)),
        "labels": len(predictor.space),
        "fitted_on": dict(predictor.fitted_on),
        "guarantee": predictor.guarantee or None,
        "levels": [
            {
                "alpha": float(alpha),
                "threshold": None if isinstance(row[1], str) else row[1],
                "labels_with_threshold": row[2],
                "labels_in_every_set": row[3],
                "labels_with_too_few_rows": row[4],
            }
            for alpha in predictor.thresholds
            for row in [_row(predictor, alpha)]
        ],
    }


def _row(predictor: "SetPredictor", alpha: "Alpha") -> list[Cell]:
    found = predictor.thresholds[alpha]
    always = predictor.n_always(alpha)
    shared = _finite(found.shared) if found.of_labels is None else "by label"
    too_few = int(np.count_nonzero(np.isneginf(found.each(len(predictor.space)))))
    return [str(alpha), shared, len(predictor.space) - always, always, too_few]


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
