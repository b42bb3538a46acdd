"""``plant-aggregate run``: the main job."""

import os
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from plant_aggregate.parameters import declared
from plant_aggregate.strategies.registry import STRATEGIES

from . import console, interrupts
from .command import Command, SeveralValues, option
from .metrics import check_metrics, tell_metrics
from .options import (
    FloatRange,
    StrategyName,
    column_mapping,
    column_name,
    debug_option,
    flag,
    lock_option,
    make_strategy,
    max_rejected_option,
    metrics_option,
    output_option,
    quiet_option,
    score_column_name,
    store_timeout_option,
    strategy_options,
    taken_by,
    threads_option,
    timestamp,
)
from .summary import gist, summary

if TYPE_CHECKING:
    import plant_aggregate
    from plant_aggregate.settings import Settings

NEEDS = {name: known.needs for other in STRATEGIES.values() for name, known in declared(other).items() if known.needs}
"""Parameters that mean nothing without one of the settings, and which."""

MAPPED = ("columns", "score_columns")
"""Settings that are not just what their option says."""


@click.command(cls=Command, short_help="Publish a consensus of the votes.")
@click.argument("votes", cls=SeveralValues, nargs=-1, required=True, metavar="VOTES...")
@output_option
@option(
    "--strategy",
    type=StrategyName(),
    default=next(iter(STRATEGIES)),
    show_default=True,
    help="how to aggregate; an option below says in brackets which strategies have it",
    group="Strategy",
)
@strategy_options(STRATEGIES)
@option(
    "--user-weights",
    metavar="FILE",
    multiple=True,
    help="Parquet or CSV file with user_id and fixed_weight (0 silences) or min_weight (a floor); repeatable "
    + taken_by("user_weights"),
    group="Strategy",
)
@option(
    "--ai-votes",
    metavar="FILE",
    multiple=True,
    help="Parquet file, folder or glob with the AI's observation_id, label and score, to take part as --ai-mode says; "
    f"repeatable {taken_by('ai_votes')}",
    group="AI",
)
@option(
    "--ai-calibration",
    metavar="FILE",
    help=f"calibrate the AI's scores first, by a file of plant-aggregate calibrate-ai {taken_by('ai_votes')}",
    group="AI",
)
@option(
    "--soft",
    is_flag=True,
    help="also write posteriors.parquet: the share of every label voted",
    group="Output and publishing",
)
@option(
    "--calibration",
    metavar="FILE",
    help="add the column probability, by a file of plant-aggregate calibrate, or 'simulated' for one measured on "
    "simulated votes",
    group="Scores and calibration",
)
@option(
    "--scores",
    metavar="SCORES",
    multiple=True,
    help="add the columns score_aum, aumc, waum and pruned, by a classifier's training scores in Parquet files, "
    "folders or globs, as plant-aggregate ambiguity does by default; repeatable",
    group="Scores and calibration",
)
@option(
    "--score-column",
    "score_columns",
    type=score_column_name,
    metavar="COLUMN=NAME",
    multiple=True,
    help="the score files' own name of a column, such as labels=top_labels; repeatable",
    group="Scores and calibration",
)
@option("--normalise", is_flag=True, help="divide each score list by its sum", group="Scores and calibration")
@option(
    "--column",
    "columns",
    type=column_name,
    metavar="COLUMN=NAME",
    multiple=True,
    help="the files' own name of a column, such as observation_id=obs; repeatable",
    group="Votes",
)
@option(
    "--as-of",
    type=timestamp,
    metavar="TIMESTAMP",
    help="leave out votes cast later; a time without zone is UTC",
    group="Votes",
)
@max_rejected_option
@option(
    "--keep",
    type=click.IntRange(min=0),
    default=14,
    show_default=True,
    help="older runs that stay for rollback",
    group="Output and publishing",
)
@option(
    "--max-label-changes",
    type=FloatRange(0, 1),
    metavar="SHARE",
    help="hold the run back (exit code 3) if of the observations in the published run a larger share has another "
    "label  [default: no limit]",
    group="Guards",
)
@option(
    "--max-valid-drop",
    type=FloatRange(0, 1),
    metavar="SHARE",
    help="hold the run back if valid observations are fewer than in the published run by a larger share  "
    "[default: no limit]",
    group="Guards",
)
@lock_option
@threads_option
@metrics_option
@option(
    "--json",
    "as_json",
    is_flag=True,
    help="print run.json on stdout instead of the summary",
    group="Output and publishing",
)
@store_timeout_option(exposed=True)
@quiet_option
@debug_option
def run(votes: tuple[str, ...], output: str, metrics: str | None, as_json: bool, **options: Any) -> None:
    """Read VOTES (Parquet files, folders or globs), find the consensus, and publish it in OUTPUT/latest.

    The result summary goes to stdout, progress to stderr.
    """
    # The system's allocator gives back at once what columns were read into: less memory, and so less time.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

    import plant_aggregate
    from plant_aggregate.files.stores import redacted

    chosen, settings = chosen_by(options)
    check_metrics(metrics)
    try:
        with console.progress() as listener:
            paths = [redacted(path) for path in votes]
            begun = f"plant-aggregate {plant_aggregate.__version__}: run {' '.join(paths)}"
            console.event("started", begun, version=plant_aggregate.__version__, votes=paths)
            done = plant_aggregate.run(votes, output, chosen, settings, progress=listener)
            interrupts.finish(f"run {done.run_id} is published")
    except plant_aggregate.HeldError as error:
        interrupts.finish(f"run {error.run.run_id} is held back")
        try:
            _tell(error.run, output, metrics, as_json)
        except (plant_aggregate.PublishError, console.ReaderLeftError) as failure:  # is the lesser news
            console.warn(str(failure))
        raise
    _tell(done, output, metrics, as_json)


def _tell(run: "plant_aggregate.Run", output: str, metrics: str | None, as_json: bool) -> None:
    """Metrics, a line for logs, and the summary."""
    contents, is_held = run.manifest, bool(run.record.held)
    told = {name: contents[name] for name in ("run_id", "counts", "changes", "held")}
    told["seconds"] = {phase: round(spent, 4) for phase, spent in run.seconds.items()}
    name = "held" if is_held else "published"
    console.event(name, f"{name} {run.run_id}: {gist(run)}", folder=str(run.folder), **told)
    now = time.time()
    tell_metrics(run, output, metrics, is_held=is_held, ended=now, succeeded=None if is_held else now)
    if as_json:
        console.result_json(contents)
    else:
        console.result(summary(run))


def chosen_by(options: dict[str, Any]) -> tuple[Any, "Settings"]:
    """The strategy and the settings that the options name; a usage error if they do not go together."""
    from plant_aggregate.settings import Settings

    strategy = STRATEGIES[options["strategy"]]
    parameters = {name: options[name] for other in STRATEGIES.values() for name in _parameters_of(other)}
    parameters = _without_foreign(parameters, strategy)
    for name, needed in NEEDS.items():
        if parameters[name] is not None and not options[needed]:
            raise click.UsageError(f"{flag(name)} is given without {flag(needed)}")
    settings = Settings(
        **{item.name: options[item.name] for item in fields(Settings) if item.name not in MAPPED},
        columns=column_mapping(options["columns"]),
        score_columns=column_mapping(options["score_columns"], "--score-column"),
    )
    return make_strategy(strategy, parameters, STRATEGIES), settings


def _parameters_of(strategy: Any) -> list[str]:
    return [item.name for item in fields(strategy)]


def _without_foreign(parameters: dict[str, Any], strategy: Any) -> dict[str, Any]:
    """The parameters without those of a configuration file that another strategy than the file's does not have."""
    context = click.get_current_context()
    if context.get_parameter_source("strategy") is not ParameterSource.COMMANDLINE:
        return parameters
    own = _parameters_of(strategy)
    return {
        name: None if name not in own and context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP else value
        for name, value in parameters.items()
    }
