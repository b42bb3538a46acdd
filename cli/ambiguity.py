"""``plant-aggregate ambiguity``: areas under the margin of a classifier's training scores."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from plant_aggregate.assessment.ambiguity.settings import AmbiguitySettings
from plant_aggregate.settings import AddOnSettings, ReadSettings

from . import console
from .command import OUTPUT, Command, option
from .options import (
    OF_VOTES,
    StrategyName,
    column_mapping,
    common_options,
    find_strategy,
    option_mapping,
    options_of,
    table_options,
    threads_option,
    votes_argument,
)
from .outputs import LocalPath

FILE = "ambiguity.parquet"

OF_TRAINING = {
    "required": True,
    "help": "the classifier's scores at every epoch: Parquet files, folders or globs with observation_id, epoch (none: "
    "the scores of one), and labels and probabilities (lists), or label and probability (a row each)",
}


@click.command(cls=Command)
@votes_argument
@options_of(AddOnSettings, "scores", scores=OF_TRAINING)
@option(
    "-o",
    "--output",
    type=LocalPath(FILE),
    default=FILE,
    metavar="DIR|FILE",
    help=f".parquet file, or folder for {FILE}",
    group=OUTPUT,
)
@option(
    "--strategy",
    type=StrategyName(),
    metavar="NAME",
    default="plantnet",
    help="how to find consensus labels and users' weights, with its defaults; any of run --strategy",
    group="Strategy",
)
@options_of(AmbiguitySettings, "trust", "margin", "alpha", "by_label", "normalise")
@options_of(ReadSettings, "columns", columns=OF_VOTES)
@options_of(AddOnSettings, "score_columns")
@options_of(ReadSettings, "as_of", "format", "format_options")
@options_of(AmbiguitySettings, "max_rejected")
@threads_option
@table_options("the counts of the summary", "print JSON on stdout instead of the summary")
@common_options()
def ambiguity(
    votes: tuple[str, ...],
    scores: tuple[str, ...],
    output: str,
    strategy: str,
    columns: tuple[tuple[str, str], ...],
    score_columns: tuple[tuple[str, str], ...],
    as_of: datetime | None,
    format: str | None,
    format_options: tuple[tuple[str, str], ...],
    threads: int | None,
    as_csv: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare the scores that a classifier gave the observations of VOTES, in training or after, with the labels voted.

    Writes areas under the margin of every observation, and which to leave out of the next training.
    """
    import plant_aggregate
    from plant_aggregate.assessment.report.ambiguity import ambiguity_blocks, ambiguity_rows
    from plant_aggregate.formats.options import given_format
    from plant_aggregate.ingest import find_votes, read_found
    from plant_aggregate.kernels.threads import available_cores, set_threads
    from plant_aggregate.publishing.tables import write_rows
    from plant_aggregate.schema import AMBIGUITY_COUNTS
    from plant_aggregate.strategies.base import fit_strategy
    from plant_aggregate.training_scores import check_local_scores

    settings = AmbiguitySettings(**options)
    chosen = find_strategy(strategy)()
    names = column_mapping(score_columns, "--score-column")
    set_threads(threads or available_cores())
    with console.progress() as listener:
        files = find_votes(
            votes,
            columns=column_mapping(columns),
            as_of=as_of,
            layout=given_format(format, option_mapping(format_options)),
            max_rejected=settings.max_rejected,
            progress=listener,
        )
        check_local_scores(scores, files.types, names)
        log = read_found(files, max_rejected=settings.max_rejected, progress=listener).votes
        consensus = fit_strategy(chosen, log, progress=listener)
        found = plant_aggregate.ambiguity_of(consensus, scores, settings, columns=names, progress=listener)
        listener.phase("write", total=found.n_observations, unit="observations")
        path = Path(output) if output.endswith(".parquet") else Path(output) / FILE
        written = write_rows(found, path, listener)
    report: dict[str, Any] = {
        "output": {"path": str(path), "rows": written.rows, "bytes": written.bytes, "sha256": written.sha256},
        "strategy": consensus.strategy,
        "settings": vars(settings),
        "trust": found.trust,
        "counts": found.counts,
    }
    if as_csv:
        console.result_rows(AMBIGUITY_COUNTS, ambiguity_rows(found))
    elif as_json:
        console.result_json(report)
    else:
        console.result_blocks(ambiguity_blocks(found, [f"written to {path}"]))
