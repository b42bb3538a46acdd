"""``plant-aggregate calibrate-ai``: from the AI's score to the probability that its label is right."""

from typing import TYPE_CHECKING

import click

from plant_aggregate.errors import on_one_line
from plant_aggregate.settings import ReadSettings

from . import console
from .command import Command, SeveralValues, option
from .options import (
    OF_VOTES,
    column_mapping,
    debug_option,
    file_option,
    json_option,
    method_option,
    options_of,
    quiet_option,
    saved_option,
    seed_option,
    store_timeout_option,
    truth_options,
)
from .summary import count

if TYPE_CHECKING:
    from plant_aggregate.assessment.calibration.ai import AiCalibration, Comparison, Quality


@click.command("calibrate-ai", cls=Command, short_help="Learn from expert labels what the AI's scores mean.")
@click.argument("ai_votes", cls=SeveralValues, nargs=-1, required=True, metavar="AI_VOTES...")
@truth_options("--truth-column", "truth_columns")
@option(
    "--votes",
    multiple=True,
    metavar="VOTES",
    help="the users' votes: also compare on the observations they disagree on; repeatable",
    group="Votes",
)
@options_of(ReadSettings, "columns", columns=OF_VOTES)
@saved_option("ai_calibration.json")
@method_option(
    "isotonic",
    "temperature",
    help="isotonic: the rising function that fits best; temperature: log-odds divided by one number",
)
@seed_option("of the folds of the cross-validation", "Scores and calibration")
@file_option("--plot", "draw the reliability curves: .svg, .png or .pdf (extra 'plot')")
@json_option("print the calibration on stdout instead of the summary")
@store_timeout_option()
@quiet_option
@debug_option
def calibrate_ai(
    ai_votes: tuple[str, ...],
    truth: tuple[str, ...],
    truth_columns: tuple[tuple[str, str], ...],
    votes: tuple[str, ...],
    columns: tuple[tuple[str, str], ...],
    output: str,
    method: str,
    seed: int,
    plot: str | None,
    as_json: bool,
) -> None:
    """Fit the probability that the label of AI_VOTES is right to its score, for run --ai-calibration.

    How well the scores are calibrated before and after goes to stdout.
    """
    import plant_aggregate
    from plant_aggregate.files.results import check_paths, write_plot
    from plant_aggregate.report.charts import check_installed, reliability_curves

    check_paths(None, plot)
    if plot is not None:
        check_installed()
    experts = plant_aggregate.read_truth(truth, columns=column_mapping(truth_columns))
    votes_of_users = plant_aggregate.read_votes(votes, columns=column_mapping(columns)) if votes else None
    fitted = plant_aggregate.calibrate_ai(
        plant_aggregate.read_ai_votes(ai_votes), experts, votes=votes_of_users, method=method, seed=seed
    )
    plant_aggregate.save_calibration(fitted, output)
    if plot is not None:
        write_plot(reliability_curves(fitted), plot)
    console.result(fitted.to_json() if as_json else summary(fitted, output))


def summary(calibration: "AiCalibration", output: str) -> str:
    """The map in a line, the scores before and after on each set of observations, and where it lies."""
    from plant_aggregate.assessment.calibration.fitting import N_FOLDS
    from plant_aggregate.assessment.calibration.maps import TemperatureMap

    if isinstance(calibration.map, TemperatureMap):
        temperature = calibration.map.temperature
        sure = "more sure than it is right" if temperature > 1 else "less sure than it is right"
        what = f"temperature {temperature:.3f}: the AI is {sure}"
    else:
        what = f"isotonic, {len(calibration.map.scores)} knots"
    return "\n\n".join(
        [
            what,
            *(_compared(comparison) for comparison in calibration.comparisons),
            f"[after: calibrated on the other {N_FOLDS - 1} of {N_FOLDS} folds; errors are best at 0]",
            on_one_line(f"saved as {output}: use it with plant-aggregate run --ai-calibration {output}"),
        ]
    )


def _compared(comparison: "Comparison") -> str:
    from .evaluation import aligned

    n, right = comparison.observations, comparison.right
    rows = [["", "calibration error", "log loss", "Brier score"]]
    for name, quality in (("before", comparison.before), ("after", comparison.after)):
        numbers = (quality.calibration_error, quality.log_loss, quality.brier_score)
        rows.append([name, *(f"{number:.4f}" for number in numbers)])
    head = f"{comparison.name}: {count(n, 'expert observation')}, the AI right on {right:,} ({100 * right / n:.1f} %)"
    return f"{head}\n{aligned(rows)}\n{_curve(comparison.before, comparison.after)}"


def _curve(before: "Quality", after: "Quality") -> str:
    from .evaluation import aligned

    rows = [["score", *("observations", "mean score", "right") * 2]]
    bins = {each.low: each.high for quality in (before, after) for each in quality.curve}
    for low, high in sorted(bins.items()):
        row = [f"{low:.1f} to {high:.1f}"]
        for quality in (before, after):
            found = next((each for each in quality.curve if each.low == low), None)
            row += (
                ["-", "-", "-"]
                if found is None
                else [f"{found.observations:,}", f"{found.mean_score:.3f}", f"{100 * found.share_right:.1f} %"]
            )
        rows.append(row)
    return aligned(rows)
