"""Calibrations, of labels and of the AI's scores, as blocks."""

from typing import TYPE_CHECKING, Any

from ...blocks import Block, Cell, Table, count

if TYPE_CHECKING:
    from ..calibration.ai import AiCalibration, Comparison, Quality
    from ..calibration.labels import Calibration

METHODS = {
    "platt": "platt: logistic, of all the evidence",
    "beta": "beta: of confidence",
    "isotonic": "isotonic: of confidence",
    "temper": "temper: of the strategy's probability",
    "probability": "probability as it is",
    "confidence": "confidence as it is",
    "share right": "the share that is right, for all",
}
"""Methods compared, and their names in the table."""


def calibration_blocks(calibration: "Calibration") -> list[Block]:
    """The expert observations it was fitted on, and the methods side by side."""
    from ..calibration.fitting import N_FOLDS, fitted_on_in_words

    table = Table(
        header=("on held out observations", "log loss", "Brier score", "calibration error", ""),
        rows=[
            [METHODS[name], *found.values(), "<- chosen" if name == calibration.method else ""]
            for name, found in calibration.cross_validated.items()
        ],
        formats=("", ".4f", ".4f", ".4f", ""),
        least=(2, 3),
    )
    return [
        Block(f"{calibration.method}, {fitted_on_in_words(calibration.fitted_on)}"),
        Block(content=[table, f"[{N_FOLDS} folds; best at 0]"]),
    ]


def calibration_rows(calibration: "Calibration") -> list[dict[str, Any]]:
    """The methods side by side, with the columns of ``schema.CALIBRATION``."""
    return [
        {"method": name, **found, "saved": name == calibration.method}
        for name, found in calibration.cross_validated.items()
    ]


def ai_calibration_rows(calibration: "AiCalibration") -> list[dict[str, Any]]:
    """The scores before and after on each set of observations, with the columns of ``schema.AI_CALIBRATION``."""
    return [
        {"subset": each.name, "observations": each.observations, "right": each.right, "scores": scores, **vars(quality)}
        for each in calibration.comparisons
        for scores, quality in (("before", each.before), ("after", each.after))
    ]


def ai_calibration_blocks(calibration: "AiCalibration") -> list[Block]:
    """The map in a line, and the scores before and after on each set of observations."""
    from ..calibration.fitting import N_FOLDS
    from ..calibration.maps import TemperatureMap

    if isinstance(calibration.map, TemperatureMap):
        temperature = calibration.map.temperature
        sure = "more sure than it is right" if temperature > 1 else "less sure than it is right"
        title = f"temperature {temperature:.3f}: the AI is {sure}"
    else:
        title = f"isotonic, {len(calibration.map.scores)} knots"
    return [
        Block(title),
        *map(_before_and_after, calibration.comparisons),
        Block(f"[after: calibrated on the other {N_FOLDS - 1} of {N_FOLDS} folds; errors are best at 0]"),
    ]


def _before_and_after(comparison: "Comparison") -> Block:
    n, right = comparison.observations, comparison.right
    head = f"{comparison.name}: {count(n, 'expert observation')}, the AI right on {right:,} ({100 * right / n:.1f} %)"
    table = Table(
        header=("", "calibration error", "log loss", "Brier score"),
        rows=[
            (name, quality.calibration_error, quality.log_loss, quality.brier_score)
            for name, quality in (("before", comparison.before), ("after", comparison.after))
        ],
        formats=("", ".4f", ".4f", ".4f"),
    )
    return Block(head, [table, _curves(comparison.before, comparison.after)])


def _curves(*qualities: "Quality") -> Table:
    rows = []
    bins = {each.low: each.high for quality in qualities for each in quality.curve}
    for low, high in sorted(bins.items()):
        row: list[Cell] = [f"{low:.1f} to {high:.1f}"]
        for quality in qualities:
            found = next((each for each in quality.curve if each.low == low), None)
            row += [found.observations, found.mean_score, 100 * found.share_right] if found else [None] * 3
        rows.append(row)
    return Table(
        header=("score", *("observations", "mean score", "right") * len(qualities)),
        rows=rows,
        formats=("", *(",", ".3f", ".1f %") * len(qualities)),
        least=(2, 5, 1, 4),
        complete_with="--json",
    )


def saved_block(path: str, option: str) -> Block:
    """The file that a calibration is saved in, and the option that uses it."""
    return Block(content=[f"saved as {path}: use it with plant-aggregate run {option} {path}"])
