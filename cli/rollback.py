"""``plant-aggregate rollback``: go back to the run before the published one."""

import click

from . import console
from .metrics import check_metrics, tell_metrics
from .options import debug_option, lock_option, metrics_option, output_option
from .summary import where_it_lies


@click.command(short_help="Publish the run before the published one.")
@output_option
@lock_option
@metrics_option
@debug_option
def rollback(output: str, lock: str, metrics: str | None) -> None:
    """Have OUTPUT/latest name the run before the one it names.

    That run stays: plant-aggregate publish RUN_ID takes the step back. The files of the other are checked against
    their SHA-256 first.
    """
    import aggregate

    check_metrics(metrics)
    with console.progress(quiet=False) as listener:
        done = aggregate.rollback(output, lock=lock, progress=listener)
    tell_metrics(done, metrics)
    console.result(where_it_lies(done))
