"""``plant-aggregate run``: votes in, a published consensus out."""

import os
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from plant_aggregate.parameters import declared
from plant_aggregate.settings import AddOnSettings, InputFiles, PublishSettings, ReadSettings, Settings
from plant_aggregate.strategies.registry import STRATEGIES
from plant_aggregate.taxon_names.settings import NameSettings

from . import console, interrupts
from .command import Command, option
from .metrics import check_metrics, report_metrics
from .options import (
    StrategyName,
    common_options,
    find_strategy,
    flag,
    given_value,
    json_option,
    make_strategy,
    metrics_option,
    options_of,
    output_option,
    running_options,
    strategy_options,
    votes_argument,
)
from .own_strategies import built_in_parameters, own_parameters

if TYPE_CHECKING:
    import plant_aggregate

NEEDS = {name: known.needs for other in STRATEGIES.values() for name, known in declared(other).items() if known.needs}
"""Parameter -> the setting without which it has no effect."""


@click.command(cls=Command)
@votes_argument
@output_option
@option(
    "--strategy",
    type=StrategyName(),
    default=next(iter(STRATEGIES)),
    help="how to aggregate: one of these, or package.module:Class of your own; an option below says in brackets which "
    "strategies have it",
    group="Strategy",
)
@strategy_options(STRATEGIES)
@options_of(InputFiles)
@options_of(AddOnSettings)
@options_of(ReadSettings)
@options_of(NameSettings)
@options_of(PublishSettings)
@running_options
@metrics_option
@json_option("print run.json on stdout instead of the summary")
@common_options(exposed=True)
def run(votes: tuple[str, ...], output: str, metrics: str | None, as_json: bool, **options: Any) -> None:
    """Read VOTES (Parquet files, folders or globs), find the consensus, and publish it in OUTPUT/latest.

    The result summary goes to stdout, progress to stderr.
    """
    # The system's allocator frees the buffers of columns at once: less memory, and so less time.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

    import plant_aggregate
    from plant_aggregate.files.locations import redacted

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
            _report(error.run, output, metrics, as_json)
        except (plant_aggregate.PublishError, console.ReaderClosedError) as failure:  # the guard's error matters more
            console.warn(str(failure))
        raise
    _report(done, output, metrics, as_json)


def _report(run: "plant_aggregate.Run", output: str, metrics: str | None, as_json: bool) -> None:
    """Write the metrics, an event for logs, and the summary."""
    from plant_aggregate.publishing.report.run import one_line, published_as, run_blocks

    contents, is_held = run.manifest, bool(run.record.held)
    facts = {name: contents[name] for name in ("run_id", "counts", "changes", "held")}
    facts["seconds"] = {phase: round(spent, 4) for phase, spent in run.seconds.items()}
    name = "held" if is_held else "published"
    console.event(name, f"{name} {run.run_id}: {one_line(run)}", folder=str(run.folder), **facts)
    now = time.time()
    report_metrics(run, output, metrics, is_held=is_held, ended=now, succeeded=None if is_held else now)
    if as_json:
        console.result_json(contents)
    else:
        console.result_blocks(run_blocks(run, [] if is_held else [published_as(run)]))


def chosen_by(options: dict[str, Any]) -> tuple[Any, Settings]:
    """The strategy and the settings that the options give; a usage error if they contradict each other."""
    strategy = find_strategy(options["strategy"])
    names = (*built_in_parameters(), *own_parameters(click.get_current_context().command))
    parameters = {name: options[name] for name in names}
    parameters = _without_foreign(parameters, strategy)
    for name, needed in NEEDS.items():
        if parameters[name] is not None and not options[needed]:
            raise click.UsageError(f"{flag(name)} is given without {flag(needed)}")
    given: dict[str, Any] = {name: given_value(known, options[name]) for name, known in declared(Settings).items()}
    settings = Settings(**given)
    _ = settings.layout  # a wrong option of a format is found here
    return make_strategy(strategy, parameters, STRATEGIES), settings


def _without_foreign(parameters: dict[str, Any], strategy: Any) -> dict[str, Any]:
    """The parameters; None for those of a configuration file that the strategy of the command line does not have."""
    context = click.get_current_context()
    if context.get_parameter_source("strategy") is not ParameterSource.COMMANDLINE:
        return parameters
    own = {item.name for item in fields(strategy)}
    return {
        name: None if name not in own and context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP else value
        for name, value in parameters.items()
    }
