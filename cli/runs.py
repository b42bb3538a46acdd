"""``plant-aggregate runs``: what lies in an output folder."""

from typing import TYPE_CHECKING, Any

import click

from plant_aggregate.errors import on_one_line

from . import console
from .command import Command
from .options import (
    debug_option,
    json_option,
    output_option,
    quiet_option,
    store_timeout_option,
)

if TYPE_CHECKING:
    from plant_aggregate.publishing.releases import ListedRun


@click.command(cls=Command, short_help="List the runs of an output folder.")
@output_option
@json_option("print JSON on stdout instead of the table")
@store_timeout_option()
@quiet_option
@debug_option
def runs(output: str, as_json: bool) -> None:
    """List the runs in OUTPUT, oldest first: which is published, which are kept, which are held back and why."""
    import plant_aggregate

    found = plant_aggregate.list_runs(output)
    if as_json:
        console.result_json([_facts(run) for run in found])
    else:
        console.result(_table(found))


def _facts(run: "ListedRun") -> dict[str, Any]:
    from plant_aggregate.publishing.record import UNKNOWN

    record = run.record or UNKNOWN
    changes = record.changes and record.changes.counts
    return {
        "run_id": run.run_id,
        "state": run.state if run.record else f"{run.state}, damaged",
        "strategy": record.strategy,
        "observations": record.counts and record.counts.observations,
        "valid": record.counts and record.counts.valid,
        "label_changed": changes and changes.label_changed,
        "held": list(record.held) if run.state == "held" else [],
    }


def _table(found: list["ListedRun"]) -> str:
    if not found:
        return "no runs"
    from .evaluation import aligned

    rows = [["run", "state", "strategy", "observations", "valid", "labels changed"]]
    for facts in map(_facts, found):
        counts = [facts[name] for name in ("observations", "valid", "label_changed")]
        shown = ["-" if number is None else f"{number:,}" for number in counts]
        rows.append([facts["run_id"], facts["state"], facts["strategy"] or "-", *shown])
    reasons = [
        on_one_line(f"{run['run_id']} was held back: {'; '.join(run['held'])}")
        for run in map(_facts, found)
        if run["held"]
    ]
    return "\n".join([aligned(rows), *reasons])
