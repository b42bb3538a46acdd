"""``plant-aggregate compare``: strategies side by side against expert labels."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from plant_aggregate.settings import InputFiles

from . import console
from .command import Command, option
from .completions import several_strategies
from .options import (
    OF_TRUTH,
    column_mapping,
    common_options,
    file_option,
    labels_columns_option,
    labels_option,
    option_mapping,
    options_of,
    resamples_option,
    seed_option,
    shares,
    strategy_names,
    table_options,
    threads_option,
    votes_argument,
    votes_options,
)
from .outputs import NamedFile, NamedFileType, labels_in, written_to

if TYPE_CHECKING:
    from plant_aggregate import Comparison, ExpertComparison
    from plant_aggregate.strategies.base import Strategy

OF_MODES = {
    "help": "Parquet file, folder or glob with the AI's observation_id, label and score: adds plantnet in each AI mode"
}


@click.command(cls=Command)
@votes_argument
@labels_option("--truth", f"{OF_TRUTH}, which no fit has")
@labels_option(
    "--experts",
    "in place of --truth, expert labels that strategies may use, too: each is judged on labels held out of its fit, "
    "beside itself without any",
)
@option(
    "--folds",
    type=click.IntRange(min=2),
    default=5,
    help="parts that --experts are dealt into, each judged by a fit with the labels of the others",
    group="Expert labels",
    needs="experts",
)
@option(
    "--expert-weight",
    type=float,
    help="how many times the votes on observations with --experts count for their users  [default: the strategies']",
    group="Expert labels",
    needs="experts",
)
@option(
    "--strategies",
    type=strategy_names,
    default="all",
    shell_complete=several_strategies,
    help="names with commas between them, or all, which are all but auto; a note says which of them auto takes",
    group="Strategy",
)
@option(
    "--labels",
    type=NamedFileType(),
    metavar="NAME=FILE",
    multiple=True,
    help="labels that another program found, as NAME beside the strategies: a Parquet file of observation_id and "
    "label, or a run; repeatable",
    group="Strategy",
)
@labels_columns_option
@options_of(InputFiles, "ai_votes", ai_votes=OF_MODES)
@option(
    "--ai-thresholds",
    type=shares,
    default="0.5,0.7,0.9",
    help="lowest scores with which the AI votes in mode confident, with commas between them",
    group="AI",
    needs="ai_votes",
)
@votes_options
@resamples_option
@seed_option("of the resamples, and the folds", "Expert labels")
@file_option("--output", "write all measures to a file, .parquet or .csv")
@file_option("--plot", "draw accuracy against species retrieved: .svg, .png or .pdf (extra 'plot')")
@threads_option
@table_options("a row for each strategy and set of expert observations, as --output writes it")
@common_options()
def compare(
    votes: tuple[str, ...],
    truth: tuple[str, ...],
    experts: tuple[str, ...],
    folds: int,
    expert_weight: float | None,
    strategies: tuple[str, ...],
    labels: tuple[NamedFile, ...],
    labels_columns: tuple[tuple[str, str], ...],
    ai_votes: tuple[str, ...],
    ai_thresholds: tuple[float, ...],
    columns: tuple[tuple[str, str], ...],
    as_of: datetime | None,
    max_rejected: float,
    format: str | None,
    format_options: tuple[tuple[str, str], ...],
    resamples: int,
    seed: int,
    output: str | None,
    plot: str | None,
    threads: int | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Fit strategies, each with its default parameters, on VOTES, and evaluate all against the same expert labels.

    With --labels the result of any other program stands beside them.

    VOTES are read and encoded once. A table goes to stdout, best accuracy first.

    With --experts in place of --truth, it is also said which strategy is best, whether the labels suffice to tell, and
    whether it gains by experts' labels in its estimate.
    """
    import plant_aggregate
    from plant_aggregate.assessment.comparison import ai_variants
    from plant_aggregate.assessment.report.comparison import comparison_blocks
    from plant_aggregate.assessment.report.expert_comparison import expert_comparison_blocks
    from plant_aggregate.charts import accuracy_against_retrieval, check_installed, panels
    from plant_aggregate.files.results import check_paths, write_measures, write_plot
    from plant_aggregate.formats.options import given_format
    from plant_aggregate.ingest import find_votes, read_found
    from plant_aggregate.kernels.threads import available_cores, set_threads
    from plant_aggregate.strategies.registry import named_strategies

    if bool(truth) == bool(experts):
        raise click.UsageError("give expert labels with either --truth or --experts")
    check_paths(output, plot)
    if plot is not None:
        check_installed()
    set_threads(threads or available_cores())
    chosen = named_strategies(strategies)
    if ai_votes:
        chosen = {name: strategy for name, strategy in chosen.items() if name != "plantnet"}
        chosen |= ai_variants(ai_thresholds)
    if expert_weight is not None:
        chosen = with_expert_weight(chosen, expert_weight)
    names = column_mapping(labels_columns, "--labels-column")
    if len({each.name for each in labels}) < len(labels):
        raise click.BadParameter("two have the same name", param_hint="--labels")
    if truth and output is None and plot is None and not as_csv and not as_json:
        resamples = 0  # the table has no room for intervals
    with console.progress() as listener:
        listener.phase("read expert labels")
        known = plant_aggregate.read_truth(truth or experts)
        others = {each.name: labels_in(each.file, None, names) for each in labels}
        files = find_votes(
            votes,
            columns=column_mapping(columns),
            as_of=as_of,
            layout=given_format(format, option_mapping(format_options)),
            max_rejected=max_rejected,
            progress=listener,
        )
        log = read_found(files, max_rejected=max_rejected, identify=False, progress=listener).votes
        ai = plant_aggregate.read_ai_votes(ai_votes, max_rejected=max_rejected) if ai_votes else None
        options: dict[str, Any] = {"ai_votes": ai, "resamples": resamples, "seed": seed, "progress": listener}
        found: Comparison | ExpertComparison
        if experts:
            found = plant_aggregate.compare_with_experts(log, known, chosen, labels=others, folds=folds, **options)
            comparison, blocks = found.comparison, expert_comparison_blocks(found)
        else:
            found = comparison = plant_aggregate.compare(log, known, chosen, labels=others, **options)
            blocks = comparison_blocks(comparison)
    if output is not None:
        write_measures(found.to_arrow(), output)
    if plot is not None:
        figure, (axes,) = panels(1, (7.0, 5.0))
        accuracy_against_retrieval(comparison, ax=axes)
        write_plot(figure, plot)
    if as_csv:
        console.result_table(found.to_arrow())
    elif as_json:
        console.result_json(found.to_arrow().to_pylist())
    else:
        console.result_blocks([*blocks, *written_to(output, plot)])


def with_expert_weight(strategies: "Mapping[str, Strategy]", weight: float) -> "dict[str, Strategy]":
    """The strategies, with this ``expert_weight`` where they have one. Raises UsageError if none does."""
    given: Mapping[str, Any] = strategies
    having = [
        name for name, strategy in given.items() if any(item.name == "expert_weight" for item in fields(strategy))
    ]
    if not having:
        raise click.UsageError("none of the strategies has --expert-weight")
    return {name: replace(each, expert_weight=weight) if name in having else each for name, each in given.items()}
