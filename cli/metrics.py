"""The option --metrics of the commands that publish; the metrics themselves are in ``publishing/metrics.py``."""

import os
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from plant_aggregate import Run


def metrics_of(output: str, path: str | None) -> str | None:
    """The metrics file for an output; None if the configuration names it for another output."""
    context = click.get_current_context()
    if path is None or context.get_parameter_source("metrics") is not ParameterSource.DEFAULT_MAP:
        return path
    configured = context.meta["configuration"].of(context.info_name).get("output", output)
    return path if os.path.realpath(configured) == os.path.realpath(output) else None


def check_metrics(path: str | None) -> None:
    """Raise PublishError, before any work is done, if the file cannot be written."""
    if path is not None:
        from plant_aggregate.publishing.metrics import check_metrics_path

        check_metrics_path(path)


def report_metrics(
    run: "Run",
    output: str,
    path: str | None,
    *,
    is_held: bool = False,
    ended: float | None = None,
    succeeded: float | None = None,
) -> None:
    """Write the metrics of a run; times that are None stay those of the file before. Raises PublishError."""
    if path is not None:
        from plant_aggregate.publishing.metrics import write_metrics

        write_metrics(run.record, run.seconds, path, output=output, is_held=is_held, ended=ended, succeeded=succeeded)
