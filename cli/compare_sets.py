"""``plant-aggregate compare-sets``: methods of making prediction sets side by side against expert labels."""

from typing import Any

import click

from . import console
from .command import Command, option
from .completions import PARQUET
from .conformal.options import SETS, MethodText, alpha_option, label_options, score_columns_option, scores_argument
from .options import (
    FloatRange,
    column_mapping,
    common_options,
    file_option,
    resamples_option,
    seed_option,
    table_options,
    threads_option,
    truth_options,
)
from .outputs import InputPath, open_given, written_to


@click.command(cls=Command)
@scores_argument
@truth_options("--truth-column", "truth_columns")
@score_columns_option
@option(
    "--method",
    "methods",
    type=MethodText(),
    metavar="SCORE/RULE",
    multiple=True,
    help="a score and a threshold rule of conformal fit, with options, such as pas/interp-q:tau=0.9; repeatable  "
    "[default: all that go together]",
    group=SETS,
)
@alpha_option("share of observations whose true label may be outside its set; repeatable  [default: 0.1]")
@label_options
@option(
    "--calibration",
    metavar="FILE",
    multiple=True,
    type=InputPath(*PARQUET),
    help="expert labels of observations to fit on; repeatable  [default: those of --truth are divided]",
    group="Expert labels",
)
@option(
    "--share",
    type=FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    help="of the observations of --truth, how many are fitted on, chosen by a hash of their ids",
    group="Expert labels",
)
@option(
    "--repeats",
    type=click.IntRange(min=1),
    default=1,
    help="divide so often, each time by another hash; measures are means",
    group="Expert labels",
)
@seed_option("of the division and the resamples", "Expert labels")
@resamples_option
@file_option("--output", "write all measures to a file, .parquet or .csv")
@file_option("--plot", "draw macro coverage against size: .svg, .png or .pdf (extra 'plot')")
@threads_option
@table_options("a row for each method and level, as --output writes it")
@common_options()
def compare_sets(
    scores: tuple[str, ...],
    truth: tuple[str, ...],
    truth_columns: tuple[tuple[str, str], ...],
    score_columns: tuple[tuple[str, str], ...],
    methods: tuple[str, ...],
    alphas: tuple[str, ...],
    counts: str | None,
    prior_run: str | None,
    prior_at_least: float,
    at_risk: str | None,
    gamma: float,
    class_weights: str | None,
    calibration: tuple[str, ...],
    share: float,
    repeats: int,
    seed: int,
    resamples: int,
    output: str | None,
    plot: str | None,
    threads: int | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Fit methods of making sets of likely labels on some observations, and evaluate all on the same others.

    SCORES are Parquet files, folders or globs of a classifier's lists of labels with probabilities. Observations whose
    label experts know are divided into those to fit on and those to evaluate on.

    A table for each level goes to stdout, smallest sets first, with what each method guarantees. Methods that cannot be
    used are listed with the reason.
    """
    import plant_aggregate
    from plant_aggregate.assessment.report.prediction_sets import comparison_blocks
    from plant_aggregate.charts import check_installed, coverage_against_size, panels
    from plant_aggregate.files.results import check_paths, write_measures, write_plot
    from plant_aggregate.ingest.truth import MAP_TRUTH_NAMES, truth_of_files
    from plant_aggregate.kernels.threads import available_cores, set_threads

    check_paths(output, plot)
    if plot is not None:
        check_installed()
    if calibration and repeats > 1:
        raise click.UsageError("--calibration and --repeats exclude each other")
    set_threads(threads or available_cores())
    if output is None and plot is None and not as_csv and not as_json:
        resamples = 0  # the table has no room for intervals
    names = column_mapping(truth_columns, "--truth-column")
    of_labels: dict[str, Any] = {
        "counts": counts,
        "prior_run": None if prior_run is None else open_given(prior_run, None),
        "prior_at_least": prior_at_least,
        "at_risk": at_risk,
        "gamma": gamma,
        "class_weights": class_weights,
    }
    with console.progress() as listener:
        comparison = plant_aggregate.compare_sets(
            scores,
            truth_of_files(truth, names, remedy=MAP_TRUTH_NAMES),
            methods or None,
            alpha=alphas or ("0.1",),
            calibration=truth_of_files(calibration, names, remedy=MAP_TRUTH_NAMES) if calibration else None,
            share=share,
            repeats=repeats,
            **of_labels,
            columns=column_mapping(score_columns, "--score-column"),
            resamples=resamples,
            seed=seed,
            progress=listener,
        )
    if output is not None:
        write_measures(comparison.to_arrow(), output)
    if plot is not None:
        levels = next((each.levels for each in comparison.compared if each.levels), [])
        figure, axes = panels(max(len(levels), 1), (8.0, 4.6))
        for level, ax in zip(levels, axes, strict=False):
            coverage_against_size(comparison, str(level.alpha), ax=ax)
        write_plot(figure, plot)
    if as_csv:
        console.result_table(comparison.to_arrow())
    elif as_json:
        console.result_json(comparison.to_dict())
    else:
        console.result_blocks([*comparison_blocks(comparison), *written_to(output, plot)])
