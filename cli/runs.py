"""``plant-aggregate runs``: what lies in an output folder."""

import click

from . import console
from .command import Command
from .options import common_options, output_argument, output_option, table_options
from .outputs import given_output


@click.command(cls=Command, loads_compiler=False)
@output_argument
@output_option
@table_options("a row for each run")
@common_options()
def runs(place: str | None, output: str, as_csv: bool, as_json: bool) -> None:
    """List the runs in OUTPUT, oldest first: which is published, which are kept, which are held back and why.

    The other commands take the names ``latest``, ``previous`` (the one that rollback would publish), and beginnings of
    ids.
    """
    import plant_aggregate
    from plant_aggregate.publishing.report.run import listing, listing_blocks, listing_rows
    from plant_aggregate.schema import RUNS

    found = plant_aggregate.list_runs(given_output(place, output))
    if as_csv:
        console.result_rows(RUNS, listing_rows(found))
    elif as_json:
        console.result_json(listing(found))
    else:
        console.result_blocks(listing_blocks(found))
