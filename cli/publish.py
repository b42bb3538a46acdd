"""``plant-aggregate publish``: release a run that was held back, or publish an older one once more."""

import click

from . import console
from .options import debug_option, lock_option, output_option
from .summary import where_it_lies


@click.command(short_help="Publish a run that was held back, or an older one.")
@click.argument("run_id", metavar="RUN_ID")
@output_option
@lock_option
@debug_option
def publish(run_id: str, output: str, lock: str, debug: bool) -> None:
    """Have OUTPUT/latest name the run RUN_ID, which was held back or is kept from before.

    Its files are checked against their SHA-256 first. plant-aggregate runs lists the runs.
    """
    import aggregate

    with console.progress(quiet=False) as listener:
        done = aggregate.publish(output, run_id, lock=lock, progress=listener)
    console.result(where_it_lies(done))
