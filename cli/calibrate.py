"""``plant-aggregate calibrate``: from evidence to the probability that a label is right."""

from typing import TYPE_CHECKING

import click

from plant_aggregate.errors import on_one_line

from . import console
from .command import Command
from .options import (
    column_mapping,
    debug_option,
    json_option,
    method_option,
    quiet_option,
    saved_option,
    seed_option,
    store_timeout_option,
    truth_options,
)
from .summary import count

if TYPE_CHECKING:
    from plant_aggregate import Calibration


@click.command(cls=Command, short_help="Learn from expert labels how probable a label is.")
@click.argument("consensus", metavar="CONSENSUS")
@truth_options()
@saved_option("calibration.json")
@method_option(
    "platt",
    "beta",
    "isotonic",
    help="platt: logistic, of all the evidence; beta and isotonic: of confidence alone",
)
@seed_option("of the folds of the cross-validation", "Scores and calibration")
@json_option("print the calibration on stdout instead of the summary")
@store_timeout_option()
@quiet_option
@debug_option
def calibrate(
    consensus: str,
    truth: tuple[str, ...],
    columns: tuple[tuple[str, str], ...],
    output: str,
    method: str,
    seed: int,
    as_json: bool,
) -> None:
    """Fit the probability that a label of CONSENSUS is right, on expert labels, for run --calibration.

    How well each method does on observations it was not fitted on goes to stdout.
    """
    import plant_aggregate

    experts = plant_aggregate.read_truth(truth, columns=column_mapping(columns))
    published = plant_aggregate.open_run(consensus, None).evidence(experts)
    facts = {"strategy": published.record.strategy, "parameters": published.record.parameters}
    run = {name: value for name, value in facts.items() if value is not None}
    fitted = plant_aggregate.calibrate(published.evidence, experts, method=method, seed=seed, fitted_on=run)
    plant_aggregate.save_calibration(fitted, output)
    console.result(fitted.to_json() if as_json else summary(fitted, output))


def summary(calibration: "Calibration", output: str) -> str:
    """What it was fitted on, the methods side by side, and where it lies."""
    from plant_aggregate.assessment.calibration.fitting import N_FOLDS

    from .evaluation import aligned

    n, right = calibration.fitted_on["observations"], calibration.fitted_on["right"]
    names = {
        "platt": "platt: logistic, of all the evidence",
        "beta": "beta: of confidence",
        "isotonic": "isotonic: of confidence",
        "confidence": "confidence as it is",
        "share right": "the share that is right, for all",
    }
    rows = [["on held out observations", "log loss", "Brier score", "calibration error", ""]]
    rows += [
        [names[name], *(f"{value:.4f}" for value in found.values()), "<- saved" if name == calibration.method else ""]
        for name, found in calibration.cross_validated.items()
    ]
    return "\n".join(
        [
            f"{count(n, 'observation')} known to experts, {right:,} labelled right ({100 * right / n:.1f} %)",
            "",
            aligned(rows),
            f"[{N_FOLDS} folds; best at 0]",
            "",
            on_one_line(f"saved as {output}: use it with plant-aggregate run --calibration {output}"),
        ]
    )
