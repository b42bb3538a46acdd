"""``plant-aggregate conformal evaluate``: coverage and size of prediction sets where the true label is known."""

import click

from .. import console
from ..command import Command
from ..options import column_mapping, common_options, file_option, resamples_option, seed_option, table_options
from ..outputs import written_to
from .options import (
    alpha_option,
    check_taxonomy,
    known_labels_given,
    known_labels_options,
    score_columns_option,
    scores_argument,
    sets_option,
    taxonomy_options,
)


@click.command("conformal evaluate", cls=Command)
@scores_argument
@sets_option
@known_labels_options("experts' labels: coverage is then of observations that would be valid")
@score_columns_option
@alpha_option("one of the levels that were fitted; repeatable  [default: all of them]")
@taxonomy_options("measure also how often the genus, the family and the common taxon of the set are right")
@resamples_option
@seed_option("of the resamples", "Expert labels")
@file_option("--per-label", "write the coverage of each label to a file, .parquet or .csv")
@file_option("--plot", "draw coverage against size, and by how common labels are: .svg, .png or .pdf (extra 'plot')")
@table_options("a row for each level and measure")
@common_options()
def evaluate(
    scores: tuple[str, ...],
    sets: str,
    truth: tuple[str, ...],
    truth_columns: tuple[tuple[str, str], ...],
    run: str | None,
    min_probability: float | None,
    score_columns: tuple[tuple[str, str], ...],
    alphas: tuple[str, ...],
    taxonomy: str | None,
    genus: bool,
    resamples: int,
    seed: int,
    per_label: str | None,
    plot: str | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Evaluate sets of likely labels where the true label is known: how often they have it, and how large they are.

    SCORES are Parquet files, folders or globs of a classifier's lists of labels with probabilities, or the sets that
    conformal predict wrote with the model; those of observations that experts do not know are ignored. Experts' labels
    are to be others than those that were fitted on.

    Every level stands beside the others, with 95 % intervals: coverage of observations, of labels in the mean, also of
    rare ones, and sizes.
    """
    import plant_aggregate
    from plant_aggregate.assessment.report.prediction_sets import evaluation_blocks
    from plant_aggregate.charts import check_installed, coverage_by_frequency, coverage_by_level, panels
    from plant_aggregate.files.results import check_paths, write_measures, write_plot
    from plant_aggregate.prediction_sets import load_sets

    check_taxonomy(taxonomy, genus)
    check_paths(per_label, plot, named="per_label")
    if plot is not None:
        check_installed()
    with console.progress(in_logs=False) as listener:
        evaluation = plant_aggregate.evaluate_sets(
            load_sets(sets),
            scores,
            **known_labels_given(truth, truth_columns, run, min_probability),
            alpha=alphas or None,
            taxonomy=taxonomy,
            genus=genus,
            columns=column_mapping(score_columns, "--score-column"),
            resamples=resamples,
            seed=seed,
            progress=listener,
        )
    if per_label is not None:
        write_measures(evaluation.per_label(), per_label)
    if plot is not None:
        figure, (left, right) = panels(2, (5.5, 4.2))
        coverage_by_level(evaluation, ax=left)
        coverage_by_frequency(evaluation, ax=right)
        write_plot(figure, plot)
    if as_csv:
        console.result_table(evaluation.to_arrow())
    elif as_json:
        console.result_json({"sets": sets, "truth": list(truth) or None, "run": run, **evaluation.to_dict()})
    else:
        console.result_blocks([*evaluation_blocks(evaluation), *written_to(per_label, plot)])
