"""What a monitoring system should know of the last run, in the text format of Prometheus.

Meant for the textfile collector of its node exporter: the file is replaced in one step, and a run that fails leaves it
alone, so that the age of the last success tells.
"""

import math
import os
from collections.abc import Mapping
from typing import Any

from ..consensus import STATUSES
from ..errors import PublishError

LAST_SUCCESS = "plant_aggregate_last_success_timestamp_seconds"


def write_metrics(manifest: Mapping[str, Any], finished: float, path: str | os.PathLike[str]) -> None:
    """Write the metrics of a run, published or held back, which ended at ``finished`` (Unix time).

    ``manifest`` is its run.json. Of a run that is held back the last success stays that of the file before. Raises
    PublishError.
    """
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float) -> None:
        Gauge(f"plant_aggregate_{name}", meaning, registry=registry).set(value)

    def gauges(name: str, meaning: str, label: str, values: Mapping[str, float]) -> None:
        family = Gauge(f"plant_aggregate_{name}", meaning, [label], registry=registry)
        for key, value in values.items():
            family.labels(key).set(value)

    counts, changes = manifest["counts"], manifest["changes"] or {}
    votes = counts["votes"]
    gauge("votes_read", "Rows read from the vote log.", votes["read"])
    gauge("votes_used", "Votes that count: one per observation and user.", votes["used"])
    gauges("votes_rejected", "Rows that could not be used.", "reason", votes["rejected_by_reason"])
    gauges("observations", "Observations.", "status", {status: counts[status] for status in STATUSES})
    gauge("users", "Users with a vote.", counts["users"])
    if "label_changed" in changes:
        gauge("labels_changed", "Observations with another label than in the run before.", changes["label_changed"])
        gauge("observations_became_valid", "Observations that were not valid before.", changes["became_valid"])
        gauge("observations_no_longer_valid", "Observations that were valid before.", changes["no_longer_valid"])
    gauges("phase_seconds", "Seconds that a phase of the run took.", "phase", manifest["seconds"])
    gauge("peak_memory_bytes", "The most memory the run held.", manifest["peak_memory_bytes"])
    gauge("converged", "1 if the estimate came to an end by itself.", float(manifest["converged"]))
    gauge("held", "1 if the run was held back and not published.", float(bool(manifest["held"])))
    gauge("last_run_timestamp_seconds", "When the last complete run ended, published or held back.", finished)
    success = _last_success(path) if manifest["held"] else finished
    if success is not None:
        gauge(LAST_SUCCESS.removeprefix("plant_aggregate_"), "When the last published run ended.", success)
    try:
        write_to_textfile(os.fspath(path), registry)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise PublishError(
            f"metrics cannot be written ({reason})", where=os.fspath(path), remedy="the run itself is done and in place"
        ) from error


def _last_success(path: str | os.PathLike[str]) -> float | None:
    """What a file of metrics says of the last success; None if it is not there, or not ours."""
    from prometheus_client.parser import text_fd_to_metric_families

    try:
        with open(path, encoding="utf-8") as file:
            families = [family for family in text_fd_to_metric_families(file) if family.name == LAST_SUCCESS]
            found = float(families[0].samples[0].value)
    except (OSError, ValueError, IndexError, KeyError):
        return None
    return found if math.isfinite(found) else None
