"""``plant-aggregate calibrate``: from evidence to the probability that a label is right."""

from dataclasses import replace

import click

from . import console
from .command import SCORES, Command
from .completions import runs_in
from .options import (
    column_mapping,
    common_options,
    method_option,
    run_argument,
    saved_option,
    seed_option,
    table_options,
    truth_options,
)
from .outputs import open_given


@click.command(cls=Command)
@click.argument("consensus", metavar="CONSENSUS", shell_complete=runs_in("", or_files=True))
@run_argument
@truth_options()
@saved_option("calibration.json")
@method_option(
    "platt",
    "beta",
    "isotonic",
    "temper",
    help="platt: logistic, of all the evidence; beta and isotonic: of confidence alone; temper: of the probability "
    "that a strategy with a model has, such as dawid-skene",
)
@seed_option("of the folds of the cross-validation", SCORES)
@table_options("a row for each method", "print the calibration on stdout instead of the summary")
@common_options()
def calibrate(
    consensus: str,
    run: str | None,
    truth: tuple[str, ...],
    columns: tuple[tuple[str, str], ...],
    output: str,
    method: str,
    seed: int,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Fit the probability that a label of CONSENSUS is right, on expert labels, for run --calibration.

    CONSENSUS and RUN are named as for evaluate.

    How well each method does on observations it was not fitted on goes to stdout.
    """
    import plant_aggregate
    from plant_aggregate.assessment.report.calibration import calibration_blocks, calibration_rows, saved_block
    from plant_aggregate.schema import CALIBRATION

    opened = open_given(consensus, run)
    with console.progress(in_logs=False) as listener:
        listener.phase("read expert labels")
        experts = opened.experts(plant_aggregate.read_truth(truth, columns=column_mapping(columns)))
        listener.phase("find them in the consensus")
        published = opened.evidence(experts)
        facts = {"strategy": published.record.strategy, "parameters": published.record.parameters}
        known = {name: value for name, value in facts.items() if value is not None}
        listener.phase("fit")
        evidence = published.evidence if published.record.probability else replace(published.evidence, probability=None)
        fitted = plant_aggregate.calibrate(evidence, experts, method=method, seed=seed, fitted_on=known)
    plant_aggregate.save_calibration(fitted, output)
    if as_csv:
        console.result_rows(CALIBRATION, calibration_rows(fitted))
    elif as_json:
        console.result(fitted.to_json())
    else:
        console.result_blocks([*calibration_blocks(fitted), saved_block(output, "--calibration")])
