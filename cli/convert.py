"""``plant-aggregate convert``: what platforms and tools publish, as tables."""

from typing import Any

import click

from plant_aggregate.formats.registry import FORMATS, SUMMARIES
from plant_aggregate.parameters import declared
from plant_aggregate.taxon_names.settings import NameSettings

from . import console
from .command import Choice, SeveralValues, option
from .layouts import LayoutCommand, LayoutName
from .options import FloatRange, debug_option, folder_options, options_of, quiet_option, table_options
from .outputs import InputPath

RECORD = "conversion.json"


@click.command(cls=LayoutCommand, layouts=FORMATS, summaries=SUMMARIES, title="Formats", loads_compiler=False)
@click.argument("format", metavar="FORMAT", type=LayoutName(FORMATS, SUMMARIES))
@click.argument("inputs", cls=SeveralValues, nargs=-1, type=InputPath(), required=True, metavar="INPUT...")
@option(
    "--ids",
    type=Choice(("integer", "text")),
    help="type of the ids of observations and users  [default: as the format gives them]",
    group="Votes",
)
@option(
    "--max-rejected",
    type=FloatRange(0, 1),
    default=0.01,
    help="share of the records of a table that may be unusable",
    group="Votes",
)
@folder_options(RECORD, "an earlier conversion")
@options_of(NameSettings)
@table_options(
    "how many records were used, left out and rejected, and why", f"print {RECORD} on stdout instead of the summary"
)
@quiet_option
@debug_option
def convert(
    format: str,
    inputs: tuple[str, ...],
    ids: str | None,
    max_rejected: float,
    output: str,
    overwrite: bool,
    as_csv: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write votes that a platform or tool has published as Parquet into a folder: FORMAT is one of those below.

    The folder gets votes.parquet and, where INPUT has them, truth.parquet, ai_votes.parquet, scores.parquet and
    taxonomy.parquet; rejected.parquet with the records that cannot be used, with --names labels.parquet with the labels
    that are not as they stand in INPUT, and conversion.json. A format of another package is named by its entry point,
    or as package.module:Class.

    Each has options of its own: plant-aggregate convert FORMAT --help.
    """
    import plant_aggregate
    from plant_aggregate.conversion.result import conversion_rows
    from plant_aggregate.schema import CONVERSION

    names = NameSettings(**{name: options.pop(name) for name in declared(NameSettings)})
    command = click.get_current_context().command
    assert isinstance(command, LayoutCommand)
    with console.progress() as listener:
        done = plant_aggregate.convert(
            command.made(options),
            inputs,
            output,
            overwrite=overwrite,
            ids=ids,
            max_rejected=max_rejected,
            names=names,
            progress=listener,
        )
    if as_csv:
        console.result_rows(CONVERSION, conversion_rows(done.record))
    elif as_json:
        console.result_json(done.record)
    else:
        console.result_blocks(done.blocks)
