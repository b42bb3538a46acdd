"""Metrics of the last run, in the text format of Prometheus.

Meant for the textfile collector of its node exporter: the file is replaced in one step, and a run that fails leaves it
alone, so that the age of the last success shows it.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..consensus import STATUSES
from ..errors import PublishError, reason_of
from ..files.destination import is_null, stream_of
from ..files.locations import is_uri, local_path, redacted
from ..files.sources import printable
from ..files.writing import in_one_step
from .record import RunRecord

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LAST_RUN, LAST_SUCCESS = "last_run_timestamp_seconds", "last_success_timestamp_seconds"


def check_metrics_path(path: str | os.PathLike[str]) -> None:
    """Raise PublishError, before any work is done, if no file can be written at ``path``."""
    if is_null(path) or stream_of(path) is not None:
        return
    folder = os.path.dirname(os.path.realpath(path))
    if not os.fspath(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK) or os.path.isdir(path):
        raise PublishError(
            "metrics cannot be written", where=os.fspath(path), remedy="see that the folder is there, and whose it is"
        )


def write_metrics(
    record: RunRecord,
    seconds: Mapping[str, float],
    path: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str],
    is_held: bool,
    ended: float | None,
    succeeded: float | None,
) -> None:
    """Write the metrics of a run: ``seconds`` are those of its phases.

    Every metric has the label ``output``, the location of the runs: for a collector two files with the same metric and
    labels are an error, and each output of a host may have its own file.

    ``ended`` and ``succeeded`` (Unix time) are when the run ended, and when it was published; None keeps the value in
    the present file. Raises PublishError.
    """
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()
    place = place_of(output)

    def gauge(name: str, meaning: str, value: float | None) -> None:
        if value is not None:
            Gauge(f"plant_aggregate_{name}", meaning, ["output"], registry=registry).labels(place).set(value)

    def gauges(name: str, meaning: str, label: str, values: Mapping[str, float]) -> None:
        family = Gauge(f"plant_aggregate_{name}", meaning, ["output", label], registry=registry)
        for key, value in values.items():
            family.labels(place, key).set(value)

    # The run may be of another version: facts missing from its run.json have no metric.
    counts, changes = record.counts, record.changes.counts if record.changes else None
    votes, ai = (counts.votes, counts.ai) if counts else (None, None)
    if votes:
        gauge("votes_read", "Rows read from the vote log.", votes.read)
        gauge("votes_used", "Votes that count: one per observation and user.", votes.used)
        records = record.conversion.records if record.conversion else None
        rejected = {**(records.rejected if records else {}), **votes.rejected_by_reason}
        gauges("votes_rejected", "Rows that could not be used, by reason.", "reason", rejected)
    if ai:
        of_ai = ai.rejected_by_reason
        gauges("ai_votes_rejected", "Rows of the AI's votes that could not be used, by reason.", "reason", of_ai)
    if counts and counts.experts:
        outcomes = {name: getattr(counts.experts, name) for name in ("used", "unknown", "refused", "unlabelled")}
        gauges("expert_labels", "Experts' labels, by outcome.", "outcome", outcomes)
    if counts:
        by_status = {status: getattr(counts, status) for status in STATUSES}
        gauges("observations", "Observations, by status.", "status", by_status)
        gauge("users", "Users with a vote.", counts.users)
    if changes:
        gauge("labels_changed", "Observations with another label than in the run before.", changes.label_changed)
        gauge("observations_became_valid", "Observations that were not valid before.", changes.became_valid)
        gauge("observations_no_longer_valid", "Observations that were valid before.", changes.no_longer_valid)
    gauges("phase_seconds", "Seconds that each phase of the run took.", "phase", seconds)
    gauge("peak_memory_bytes", "The most memory the run held.", record.peak_memory_bytes)
    gauge("converged", "1 if the estimate came to an end by itself.", record.converged)
    gauge("held", "1 if the run was held back and not published.", float(is_held))
    before = _times_in(path, place)
    gauge(LAST_RUN, "When the last complete run ended, published or held back.", ended or before.get(LAST_RUN))
    gauge(LAST_SUCCESS, "When a run was last published, other than by rollback.", succeeded or before.get(LAST_SUCCESS))
    write_registry(registry, path)


def write_registry(registry: "CollectorRegistry", path: str | os.PathLike[str]) -> None:
    """Write metrics, replacing the file in one step. Raises PublishError."""
    from prometheus_client import generate_latest

    try:
        with in_one_step(Path(path)) as staged:
            staged.write_bytes(generate_latest(registry))
    except (OSError, PublishError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else error.what
        raise PublishError(
            f"metrics cannot be written ({reason.removeprefix('cannot be written (').removesuffix(')')})",
            where=os.fspath(path),
            remedy="the work itself is done and in place",
        ) from error


def place_of(output: str | os.PathLike[str]) -> str:
    """The name of an output or file, independent of the current folder: an absolute path, or a URI without secrets."""
    name = os.fspath(output)
    return redacted(name) if is_uri(name) else printable(os.path.abspath(local_path(name)))


def _times_in(path: str | os.PathLike[str], place: str) -> dict[str, float]:
    """LAST_RUN and LAST_SUCCESS of an output in a file of metrics; empty if there is none, or it is not ours.

    A file of the version before has no outputs.
    """
    from prometheus_client.parser import text_fd_to_metric_families

    if not os.path.isfile(path) or stream_of(path) is not None:  # reading a pipe would block
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            values = {
                family.name.removeprefix("plant_aggregate_"): float(sample.value)
                for family in text_fd_to_metric_families(file)
                for sample in family.samples
                if sample.labels.get("output", place) == place
            }
    except (OSError, ValueError, IndexError, KeyError):
        return {}
    return {name: values[name] for name in (LAST_RUN, LAST_SUCCESS) if math.isfinite(values.get(name, math.nan))}
