"""``plant-aggregate conformal predict``: the prediction set of each label list."""

import click

from .. import console
from ..command import OUTPUT, Command, option
from ..options import column_mapping, common_options, json_option, threads_option
from ..outputs import LocalPath
from .options import SETS, Level, check_taxonomy, score_columns_option, scores_argument, sets_option, taxonomy_options


@click.command("conformal predict", cls=Command)
@scores_argument
@sets_option
@option(
    "-o",
    "--output",
    type=LocalPath(),
    default="sets.parquet",
    metavar="FILE",
    help=".parquet file, with a row for each list, in the order of the files' paths and their rows",
    group=OUTPUT,
)
@score_columns_option
@option(
    "--alpha",
    type=Level(),
    metavar="ALPHA",
    help="which of the model's levels; may be left out if it has one",
    group=SETS,
)
@option(
    "--never-empty",
    is_flag=True,
    help="give an empty set the likeliest label of its list: coverage can only rise",
    group=SETS,
)
@taxonomy_options("add the smallest common taxon of each set, and its number of genera and families")
@threads_option
@json_option("print the counts of the summary as JSON on stdout instead")
@common_options()
def predict(
    scores: tuple[str, ...],
    sets: str,
    output: str,
    score_columns: tuple[tuple[str, str], ...],
    alpha: str | None,
    never_empty: bool,
    taxonomy: str | None,
    genus: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Write the set of likely labels of each label list, with the thresholds that conformal fit found.

    SCORES are Parquet files, folders or globs of a classifier's lists of labels with probabilities.
    """
    from plant_aggregate.assessment.report.predicted_sets import predicted_blocks, predicted_facts
    from plant_aggregate.kernels.threads import available_cores, set_threads
    from plant_aggregate.prediction_sets import predict_sets

    check_taxonomy(taxonomy, genus)
    set_threads(threads or available_cores())
    with console.progress(in_logs=False) as listener:
        predicted = predict_sets(
            scores,
            sets,
            output,
            alpha=alpha,
            never_empty=never_empty,
            taxonomy=taxonomy,
            genus=genus,
            columns=column_mapping(score_columns, "--score-column"),
            progress=listener,
        )
    if as_json:
        console.result_json(predicted_facts(predicted))
    else:
        console.result_blocks(predicted_blocks(predicted))
