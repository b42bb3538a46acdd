"""``plant-aggregate conformal check``: whether sets of labels still cover what they should."""

import time

import click

from .. import console
from ..command import Command, option
from ..metrics import check_metrics
from ..options import FloatRange, column_mapping, common_options, json_option, metrics_option
from .options import (
    SETS,
    alpha_option,
    known_labels_given,
    known_labels_options,
    score_columns_option,
    scores_argument,
    sets_option,
)


class IncompatibleError(click.ClickException):
    """Sets do not cover what they should: the check is done, and somebody should look, as at a run that was held."""

    exit_code = 3


@click.command("conformal check", cls=Command)
@scores_argument
@sets_option
@known_labels_options("experts' labels: for sets that were fitted on such labels, too")
@score_columns_option
@alpha_option("check the sets of this level, of those that were fitted; repeatable  [default: all]")
@option(
    "--significance",
    type=FloatRange(0, 0.5, min_open=True, max_open=True),
    default=0.001,
    help="probability of a false alarm at each level: 0.001 is, every night, one in three years",
    group=SETS,
)
@option(
    "--fail-if-high",
    is_flag=True,
    help="end with code 3 also if more are covered than chance explains: sets are larger than they need to be",
    group=SETS,
)
@metrics_option
@json_option("print what was found as JSON on stdout instead of the summary")
@common_options()
def check(
    scores: tuple[str, ...],
    sets: str,
    truth: tuple[str, ...],
    truth_columns: tuple[tuple[str, str], ...],
    run: str | None,
    min_probability: float | None,
    score_columns: tuple[tuple[str, str], ...],
    alphas: tuple[str, ...],
    significance: float,
    fail_if_high: bool,
    metrics: str | None,
    as_json: bool,
) -> None:
    """Check whether sets have the true label of new observations as often as they should, allowing for chance.

    SCORES are the classifier's lists of new observations, whose true label is known by now. Ends with code 3 if so few
    sets have it that this happens to observations like the calibration rows with a probability below --significance.
    """
    from plant_aggregate.assessment.report.coverage_check import check_blocks, check_facts, verdict
    from plant_aggregate.coverage_check import check_coverage, write_check_metrics
    from plant_aggregate.prediction_sets import load_sets

    check_metrics(metrics)
    with console.progress(in_logs=False) as listener:
        found = check_coverage(
            load_sets(sets),
            scores,
            **known_labels_given(truth, truth_columns, run, min_probability),
            alpha=alphas or None,
            significance=significance,
            columns=column_mapping(score_columns, "--score-column"),
            progress=listener,
        )
    if metrics is not None:
        write_check_metrics(found, metrics, sets=sets, ended=time.time())
    if as_json:
        console.result_json(check_facts(found))
    else:
        console.result_blocks(check_blocks(found))
    failed = verdict(found, fail_if_high=fail_if_high)
    if failed:
        raise IncompatibleError(failed)
