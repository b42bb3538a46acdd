"""``plant-aggregate conformal fit``: thresholds of prediction sets, from observations whose label is known."""

from typing import Any

import click

from .. import console
from ..command import Command, option
from ..options import column_mapping, common_options, json_option, saved_option
from ..outputs import open_given
from .options import (
    alpha_option,
    known_labels_given,
    known_labels_options,
    label_options,
    made_method,
    method_options,
    score_columns_option,
    scores_argument,
)


@click.command("conformal fit", cls=Command)
@scores_argument
@known_labels_options("experts' labels: coverage is then of observations that would be valid")
@option(
    "--weighted",
    is_flag=True,
    help="take all labels of the run, each counting by the probability that it is right; nothing is guaranteed then",
    group="Expert labels",
    needs="run",
)
@score_columns_option
@alpha_option("share of observations whose true label may be outside its set; repeatable  [default: 0.1]")
@method_options
@label_options
@saved_option("sets.json")
@json_option("print the saved file's facts as JSON on stdout instead of the summary")
@common_options()
def fit(
    scores: tuple[str, ...],
    truth: tuple[str, ...],
    truth_columns: tuple[tuple[str, str], ...],
    run: str | None,
    min_probability: float | None,
    weighted: bool,
    score_columns: tuple[tuple[str, str], ...],
    alphas: tuple[str, ...],
    score: str,
    threshold: str,
    counts: str | None,
    prior_run: str | None,
    prior_at_least: float,
    at_risk: str | None,
    gamma: float,
    class_weights: str | None,
    seed: int,
    output: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the thresholds of sets of likely labels that have the true label with probability 1 - alpha.

    SCORES are Parquet files, folders or globs of a classifier's lists of labels with probabilities. Observations whose
    label is known, from experts or a run, are the calibration rows.
    """
    from plant_aggregate.assessment.report.set_predictor import predictor_blocks, predictor_facts
    from plant_aggregate.prediction_sets import fit_sets, save_sets

    if counts is not None and prior_run is not None:
        raise click.UsageError("--counts and --prior-run exclude each other")
    made = made_method(score, threshold, options, seed)
    with console.progress(in_logs=False) as listener:
        known = known_labels_given(truth, truth_columns, run, min_probability)
        fitted = fit_sets(
            scores,
            **known,
            weighted=weighted,
            score=made[0],
            threshold=made[1],
            alpha=alphas or ("0.1",),
            counts=counts,
            prior_run=None if prior_run is None else open_given(prior_run, None),
            prior_at_least=prior_at_least,
            at_risk=at_risk,
            gamma=gamma,
            class_weights=class_weights,
            columns=column_mapping(score_columns, "--score-column"),
            seed=seed,
            progress=listener,
        )
    save_sets(fitted, output)
    if as_json:
        console.result_json(predictor_facts(fitted))
    else:
        console.result_blocks(predictor_blocks(fitted, output))
