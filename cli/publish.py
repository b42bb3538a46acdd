"""``plant-aggregate publish``: release a run that was held back, or publish an older one once more."""

import time

import click

from . import console
from .command import Command
from .completions import runs_in
from .metrics import check_metrics, metrics_of, report_metrics
from .options import common_options, lock_option, metrics_option, output_option


@click.command(cls=Command, loads_compiler=False)
@click.argument("run_id", metavar="RUN_ID", shell_complete=runs_in("output"))
@output_option
@lock_option
@metrics_option
@common_options()
def publish(run_id: str, output: str, lock: str, metrics: str | None) -> None:
    """Have OUTPUT/latest name the run RUN_ID, which was held back or is kept from before.

    RUN_ID is its id, the beginning of it, or ``previous``. Its files are checked against their SHA-256 first.
    plant-aggregate runs lists the runs.
    """
    import plant_aggregate
    from plant_aggregate.publishing.report.run import switch_blocks

    metrics = metrics_of(output, metrics)
    check_metrics(metrics)
    with console.progress() as listener:
        done = plant_aggregate.publish(output, run_id, lock=lock, progress=listener)
    report_metrics(done, output, metrics, succeeded=time.time())
    console.result_blocks(switch_blocks(done, output))
