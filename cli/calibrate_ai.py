"""``plant-aggregate calibrate-ai``: from the AI's score to the probability that its label is right."""

import click

from plant_aggregate.settings import ReadSettings

from . import console
from .command import SCORES, Command, SeveralValues, option
from .completions import PARQUET
from .options import (
    OF_VOTES,
    column_mapping,
    common_options,
    file_option,
    method_option,
    options_of,
    saved_option,
    seed_option,
    table_options,
    truth_options,
)
from .outputs import InputPath


@click.command("calibrate-ai", cls=Command)
@click.argument("ai_votes", cls=SeveralValues, nargs=-1, required=True, metavar="AI_VOTES...", type=InputPath(*PARQUET))
@truth_options("--truth-column", "truth_columns")
@option(
    "--votes",
    multiple=True,
    metavar="VOTES",
    type=InputPath(*PARQUET),
    help="the users' votes: also compare on the observations they disagree on; repeatable",
    group="Votes",
)
@options_of(ReadSettings, "columns", columns={**OF_VOTES, "needs": "votes"})
@saved_option("ai_calibration.json")
@method_option(
    "isotonic",
    "temperature",
    help="isotonic: the rising function that fits best; temperature: log-odds divided by one number",
)
@seed_option("of the folds of the cross-validation", SCORES)
@file_option("--plot", "draw the reliability curves: .svg, .png or .pdf (extra 'plot')")
@table_options("the errors before and after, a row each", "print the calibration on stdout instead of the summary")
@common_options()
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
    as_csv: bool,
    as_json: bool,
) -> None:
    """Fit the probability that the label of AI_VOTES is right to its score, for run --ai-calibration.

    How well the scores are calibrated before and after goes to stdout.
    """
    import plant_aggregate
    from plant_aggregate.assessment.report.calibration import ai_calibration_blocks, ai_calibration_rows, saved_block
    from plant_aggregate.charts import check_installed, panels, reliability
    from plant_aggregate.files.results import check_paths, write_plot
    from plant_aggregate.ingest import find_votes, read_found
    from plant_aggregate.ingest.truth import MAP_TRUTH_NAMES, truth_of_files
    from plant_aggregate.schema import AI_CALIBRATION

    check_paths(None, plot)
    if plot is not None:
        check_installed()
    with console.progress(in_logs=False) as listener:
        listener.phase("read expert labels")
        experts = truth_of_files(truth, column_mapping(truth_columns, "--truth-column"), remedy=MAP_TRUTH_NAMES)
        users = None
        if votes:
            users = read_found(find_votes(votes, columns=column_mapping(columns)), progress=listener).votes
        listener.phase("read the AI's votes")
        scored = plant_aggregate.read_ai_votes(ai_votes)
        listener.phase("fit")
        fitted = plant_aggregate.calibrate_ai(scored, experts, votes=users, method=method, seed=seed)
    plant_aggregate.save_calibration(fitted, output)
    if plot is not None:
        figure, curves = panels(len(fitted.comparisons), (4.5, 4.5))
        for axes, subset in zip(curves, fitted.comparisons, strict=True):
            reliability(fitted, subset.name, ax=axes)
        write_plot(figure, plot)
    if as_csv:
        console.result_rows(AI_CALIBRATION, ai_calibration_rows(fitted))
    elif as_json:
        console.result(fitted.to_json())
    else:
        console.result_blocks([*ai_calibration_blocks(fitted), saved_block(output, "--ai-calibration")])
