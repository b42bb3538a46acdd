"""``plant-aggregate simulate``: a vote log with known truth."""

from typing import Any

import click

from plant_aggregate.simulation import Simulation

from . import console
from .command import OUTPUT, Command, option
from .options import debug_option, options_of, quiet_option, table_options
from .outputs import LocalPath

FILES = "votes.parquet", "truth.parquet", "ai_votes.parquet", "scores.parquet", "training_counts.parquet"
FLAG = {"default": False, "show_default": True}


@click.command(cls=Command, loads_compiler=False)
@click.argument("folder", type=LocalPath(*FILES), metavar="DIR")
@options_of(Simulation, ai=FLAG, scores=FLAG)
@option("--overwrite", is_flag=True, help="replace an earlier simulation in DIR", group=OUTPUT)
@table_options("a row for each marginal")
@quiet_option
@debug_option
def simulate(folder: str, overwrite: bool, as_csv: bool, as_json: bool, **options: Any) -> None:
    """Write votes.parquet and truth.parquet into DIR, like Pl@ntNet's South-Western Europe data of any size.

    The marginals reached go to stdout beside the published ones, progress to stderr.
    """
    from plant_aggregate.schema import MARGINALS
    from plant_aggregate.simulation.report import marginals_blocks, marginals_rows

    simulation = Simulation(**options)
    with console.progress() as listener:
        marginals = simulation.write(folder, overwrite=overwrite, progress=listener)
    if as_csv:
        console.result_rows(MARGINALS, marginals_rows(simulation.scale, marginals))
    elif as_json:
        console.result_json(marginals_rows(simulation.scale, marginals))
    else:
        console.result_blocks(marginals_blocks(simulation.scale, marginals))
