"""``plant-aggregate rollback``: go back to the run before the published one."""

import click

from . import console
from .command import Command
from .metrics import check_metrics, metrics_of, report_metrics
from .options import common_options, lock_option, metrics_option, output_option


@click.command(cls=Command, loads_compiler=False)
@output_option
@lock_option
@metrics_option
@common_options()
def rollback(output: str, lock: str, metrics: str | None) -> None:
    """Go back to ``previous``, the run that was published when the present one was made: have OUTPUT/latest name it.

    The present one stays, and plant-aggregate publish RUN_ID takes the step back. The files of the run before are
    checked against their SHA-256 first.
    """
    import plant_aggregate
    from plant_aggregate.publishing.report.run import switch_blocks

    metrics = metrics_of(output, metrics)
    check_metrics(metrics)
    with console.progress() as listener:
        done = plant_aggregate.rollback(output, lock=lock, progress=listener)
    report_metrics(done, output, metrics)
    console.result_blocks(switch_blocks(done, output))
