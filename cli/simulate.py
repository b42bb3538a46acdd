"""``plant-aggregate simulate``: a vote log whose truth is known."""

from typing import Literal

import click

from . import console
from .command import Command, option
from .options import FloatRange, LocalPath, debug_option, quiet_option


@click.command(cls=Command, short_help="Make up a vote log whose truth is known.")
@click.argument("folder", type=LocalPath("votes.parquet", "truth.parquet", "ai_votes.parquet"), metavar="DIR")
@option(
    "--scale",
    type=FloatRange(0, 60, min_open=True),
    default=0.01,
    show_default=True,
    help="size relative to the published data: 1 is 6,699,593 observations; up to 60",
    group="Simulation",
)
@option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="another seed, another log of the same kind",
    group="Simulation",
)
@option(
    "--ai/--no-ai",
    default=False,
    show_default=True,
    help="also write ai_votes.parquet, with scores",
    group="Simulation",
)
@option(
    "--parrots",
    type=FloatRange(0, 1),
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="users who vote what the AI says, 0 to 1; with --ai",
    group="Simulation",
)
@option(
    "--experts",
    type=FloatRange(0, 1),
    metavar="SHARE",
    help="tell the truth of this share of the observations only, 0 to 1, sooner where there are several votes  "
    "[default: of all]",
    group="Simulation",
)
@option(
    "--ids",
    type=click.Choice(["int", "string"]),
    default="int",
    show_default=True,
    help="ids are integers, or strings (UUIDs of observations)",
    group="Simulation",
)
@option("--overwrite", is_flag=True, help="replace an earlier simulation in DIR", group="Output and publishing")
@quiet_option
@debug_option
def simulate(
    folder: str,
    scale: float,
    seed: int,
    ai: bool,
    parrots: float,
    experts: float | None,
    ids: Literal["int", "string"],
    overwrite: bool,
) -> None:
    """Write votes.parquet and truth.parquet into DIR, like Pl@ntNet's South-Western Europe data of any size.

    The marginals reached go to stdout beside the published ones, progress to stderr.
    """
    from plant_aggregate.simulation import side_by_side
    from plant_aggregate.simulation import simulate as simulation_of

    simulation = simulation_of(scale, seed=seed, ai=ai, experts=experts, ids=ids, parrots=parrots)
    with console.progress() as listener:
        marginals = simulation.write(folder, overwrite=overwrite, progress=listener)
    console.result(side_by_side(scale, marginals))
