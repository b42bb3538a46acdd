"""The file of metrics, of those commands that publish."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aggregate import Run


def check_metrics(path: str | None) -> None:
    """Raise PublishError, before any work is done, if the file cannot be written."""
    if path is not None:
        from aggregate.publishing.metrics import check_metrics_path

        check_metrics_path(path)


def tell_metrics(
    run: "Run", path: str | None, *, is_held: bool = False, ended: float | None = None, succeeded: float | None = None
) -> None:
    """Write the metrics of a run; None: the times stay those of the file before. Raises PublishError."""
    if path is not None:
        from aggregate.publishing.metrics import write_metrics

        write_metrics(run.manifest, run.seconds, path, is_held=is_held, ended=ended, succeeded=succeeded)
