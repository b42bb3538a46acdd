"""``plant-aggregate runs``: what lies in an output folder."""

import click

from . import console
from .command import Command
from .options import common_options, json_option, output_option


@click.command(cls=Command, loads_compiler=False)
@output_option
@json_option("print JSON on stdout instead of the table")
@common_options()
def runs(output: str, as_json: bool) -> None:
    """List the runs in OUTPUT, oldest first: which is published, which are kept, which are held back and why."""
    import plant_aggregate
    from plant_aggregate.report.run import listing, listing_blocks

    found = plant_aggregate.list_runs(output)
    if as_json:
        console.result_json(listing(found))
    else:
        console.result_blocks(listing_blocks(found))
