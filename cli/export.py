"""``plant-aggregate export``: what other tools read of a run."""

from typing import Any

import click

from plant_aggregate.exports.registry import EXPORTS, SUMMARIES

from . import console
from .completions import runs_in
from .layouts import LayoutCommand, LayoutName
from .options import common_options, folder_options, json_option
from .outputs import open_given

RECORD = "export.json"


@click.command(cls=LayoutCommand, layouts=EXPORTS, summaries=SUMMARIES, title="Formats")
@click.argument("run", metavar="RUN", shell_complete=runs_in("", or_files=True))
@click.argument("format", metavar="FORMAT", type=LayoutName(EXPORTS, SUMMARIES))
@folder_options(RECORD, "an earlier export")
@json_option(f"print {RECORD} on stdout instead of the summary")
@common_options()
def export(run: str, format: str, output: str, overwrite: bool, as_json: bool, **options: Any) -> None:
    """Write what another tool reads of RUN into a folder: FORMAT is one of those below.

    RUN is the id of a run or the beginning of it, ``latest`` or ``previous``, in the folder ``consensus`` or that of
    the configuration; or the path of a run's folder, a consensus.parquet, or an output folder. A format of another
    package is named by its entry point, or as package.module:Class.

    Each has options of its own: plant-aggregate export RUN FORMAT --help.
    """
    import plant_aggregate
    from plant_aggregate.exports.writing import check_output

    command = click.get_current_context().command
    assert isinstance(command, LayoutCommand)
    chosen = command.made(options)
    check_output(output, overwrite=overwrite)
    opened = open_given(run, None)
    with console.progress() as listener:
        done = plant_aggregate.export(opened, chosen, output, overwrite=overwrite, progress=listener)
    if as_json:
        console.result_json(done.record)
    else:
        console.result_blocks(done.blocks)
